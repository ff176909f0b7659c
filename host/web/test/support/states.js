// What a report shows behind each event, held against what `refrain` says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { refrain } from './tools.js';

/**
 * Moves the slider of a report to every event. The state there, and those of the nodes in the
 * graph, must be those of `refrain show --at`.
 * @param {import('./tools.js').Tab} tab
 * @param {string} log The file of the log that the report shows.
 */
export async function holdEachState(tab, log) {
  const count = readFileSync(log, 'utf8').trimEnd().split('\n').filter((line) => line.startsWith('{"sequence":')).length;
  assert.ok(count > 0, log);
  for (let sequence = 1; sequence <= count; sequence += 1) {
    await tab.slide(sequence);
    const [seen, told] = [await tab.seen(), shown(log, sequence)];
    assert.deepEqual(JSON.parse(seen.state), told.state, `event ${sequence}`);
    for (const { node_id: id, state } of told.nodes) {
      if (!(id in seen.nodes)) continue;
      // The scheduler knows what may run; the log does not say it.
      if (seen.nodes[id] !== 'ready') assert.equal(seen.nodes[id], state, `event ${sequence}, node ${id}`);
    }
  }
}

/**
 * What `refrain show --at` says of an execution.
 * @param {string} log
 * @param {number} sequence
 */
function shown(log, sequence) {
  const said = JSON.parse(refrain('show', '--file', log, '--at', String(sequence), '--json'));
  return { state: said.final_state ?? said.state, nodes: said.nodes };
}
