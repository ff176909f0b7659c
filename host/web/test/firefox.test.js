// The same pages in Firefox, whose WebAssembly, workers and content policies are others.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { served } from './support/site.js';
import { holdEachState } from './support/states.js';
import { file, golden, refrain, report, skipFirefox, Tab } from './support/tools.js';

const IN_FIREFOX = /** @type {const} */ ({ browser: 'firefox' });

/**
 * The exported log of a simulated run of an example.
 * @param {string} name
 */
function logOf(name) {
  const log = file(`${name}.ndjson`);
  const { execution_id: id } = JSON.parse(refrain('run', '--simulate', '--json', `host/examples/${name}.json`));
  refrain('export', id, '-o', log);
  return log;
}

for (const name of ['retry', 'map', 'saga', 'approval']) {
  test(`Firefox: the report of the example ${name} shows each state as refrain does`, { skip: skipFirefox }, async () => {
    const log = logOf(name);
    const tab = await Tab.report(report(log), '', IN_FIREFOX);
    assert.equal(await tab.verdict(), 'clean');
    await holdEachState(tab, log);
    await tab.close();
  });
}

test('Firefox: keys and permalinks move, and the scheduler explains', { skip: skipFirefox }, async () => {
  const tab = await Tab.report(report(golden('retries')), '#10/a', IN_FIREFOX);
  await tab.settled(10);
  assert.match((await tab.page.textContent('#node .reasons')) ?? '', /the last failure of class io_error: the disk is slow/);
  await tab.page.keyboard.press('ArrowRight');
  await tab.settled(11);
  await tab.close();
});

test('Firefox: the audit page tells a good log from a changed one', { skip: skipFirefox }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address, IN_FIREFOX);
  await tab.page.setInputFiles('#file', golden('retries'));
  assert.equal(await tab.verdict(), 'clean');
  await tab.slide(4);
  const changed = readFileSync(golden('retries'), 'utf8').replace('"attempt":2', '"attempt":3');
  await tab.page.setInputFiles('#file', file('changed.ndjson', changed));
  await tab.page.waitForSelector('#verdict[data-verdict="tampered"]');
  await tab.close();
  close();
});
