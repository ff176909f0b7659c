// Graphs that the audit page draws.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { served } from './support/site.js';
import { file, golden, refrain, skip, Tab } from './support/tools.js';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/**
 * A workflow as the page draws it, without room for states.
 * @param {Tab} tab
 * @param {string} workflow
 * @returns {Promise<{svg?: string, why?: string}>}
 */
function drawn(tab, workflow) {
  return tab.page.evaluate(async (text) => {
    const { Drawing } = await import(String(new URL('report/view/drawing.js', location.href)));
    const script = new URL('report/worker/drawing.js', location.href);
    return new Drawing(() => new Worker(script, { type: 'module' })).draw(text, false);
  }, workflow);
}

test('each example is drawn as refrain graph draws it', { skip }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address);
  const examples = readdirSync(EXAMPLES).filter((name) => name.endsWith('.json'));
  assert.ok(examples.length > 8);
  for (const name of examples) {
    const path = join(EXAMPLES, name);
    const { svg } = await drawn(tab, readFileSync(path, 'utf8'));
    assert.equal(svg, refrain('graph', path, '--format', 'svg'), name);
  }
  await tab.close();
  close();
});

/**
 * The text of a workflow of so many nodes, each with edges to those so far behind it.
 * @param {number} nodes
 * @param {number[]} steps
 */
function workflowOf(nodes, steps) {
  const all = Array.from({ length: nodes }, (_, place) => place);
  const edges = all.flatMap((from) => steps.map((step) => ({ from: `n${from}`, to: `n${from + step}` })));
  return JSON.stringify({
    workflow_id: 'w', version: '1.0.0', start_node: 'n0',
    nodes: Object.fromEntries(all.map((place) => [`n${place}`, { kind: { type: 'task' } }])),
    edges: edges.filter(({ to }) => Number(to.slice(1)) < nodes),
  });
}

/**
 * A log that says it is of this workflow.
 * @param {string} name
 * @param {string} workflow
 */
function logOf(name, workflow) {
  const [header, ...events] = readFileSync(golden('retries'), 'utf8').split('\n');
  return file(name, [JSON.stringify({ ...JSON.parse(header), workflow }), ...events].join('\n'));
}

test('the graph on the page has the colours of the program', { skip }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address);
  await tab.page.setInputFiles('#file', golden('retries'));
  await tab.page.waitForSelector('#graph svg .node.state-completed');
  const colours = await tab.page.evaluate(() => {
    const of = (/** @type {string} */ selector, /** @type {'fill' | 'stroke'} */ what) => getComputedStyle(/** @type {Element} */ (document.querySelector(selector)))[what];
    return [of('#graph .state-completed > .box', 'stroke'), of('#graph .edge .line', 'fill')];
  });
  assert.deepEqual(colours, ['rgb(26, 127, 55)', 'none']);
  await tab.close();
  close();
});

test('instances of maps are counted in the graph', { skip }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address);
  await tab.page.setInputFiles('#file', golden('expanded'));
  await tab.page.waitForFunction(() => document.querySelector('#graph .kind-map .id')?.textContent === '✓ m 2/4, 1 failed');
  await tab.slide(1);
  await tab.page.waitForFunction(() => document.querySelector('#graph .kind-map .count')?.textContent === '');
  await tab.close();
  close();
});

test('what cannot be drawn is said, and the page goes on', { skip }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address);
  const nested = (/** @type {number} */ depth) =>
    `${'{"nodes":{"a":{"kind":{"type":"subgraph","body":'.repeat(depth)}{"nodes":{},"start_node":"a"}${'}}},"start_node":"a"}'.repeat(depth)}`;
  for (const [workflow, expected] of [
    ['{"nodes":{}', /not hold the text of a valid workflow/],
    [nested(100_000), /not hold the text of a valid workflow/],
    [' '.repeat(17 * 1024 * 1024), /longer than 16 MiB/],
    [workflowOf(200_000, [1]), /has 200000 nodes and 199999 edges|was not drawn within 10 s/],
  ]) {
    const { why } = await drawn(tab, String(workflow));
    assert.match(why ?? '', /** @type {RegExp} */ (expected));
  }
  const hostile = '</text><script>alert(1)</script><image href="x" onerror="alert(1)"/>\u202e';
  await tab.page.setInputFiles('#file', logOf('hostile.ndjson', JSON.stringify({
    workflow_id: hostile, version: '1.0.0', nodes: { [hostile]: { kind: { type: 'task', queue: hostile } } },
  })));
  await tab.page.waitForSelector('#graph svg .node');
  assert.equal(await tab.page.locator('#graph script, #graph image, #graph [onerror]').count(), 0);
  await tab.page.setInputFiles('#file', logOf('many.ndjson', workflowOf(20_000, [1])));
  await tab.page.waitForSelector('#graph :text("has 20000 nodes")');
  assert.ok(await tab.page.isVisible('#graph [data-node="n7"]'), 'they are listed');
  await tab.close();
  close();
});

test('a graph of 5,000 nodes is drawn, and the page does none of it itself', { skip }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address);
  // What draws is WebAssembly: the page can have none, its workers can.
  await tab.page.evaluate(() => Reflect.deleteProperty(window, 'WebAssembly'));
  await tab.page.setInputFiles('#file', logOf('large.ndjson', workflowOf(5000, [1, 10, 100])));
  await tab.page.waitForSelector('#graph svg .node[data-node="n4999"]', { state: 'attached', timeout: 60_000 });
  assert.equal(await tab.page.evaluate(() => 'WebAssembly' in window), false);
  await tab.close();
  close();
});
