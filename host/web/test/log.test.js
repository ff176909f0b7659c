// What the page reads out of a log by itself, beside what `refrain` does.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { clipped, escaped } from '../report/base/escaped.js';
import { exactSpan, rfc3339, span } from '../report/base/time.js';
import { barsOf, pointsOf } from '../report/log/bars.js';
import { History } from '../report/log/history.js';
import { criticalPath } from '../report/log/path.js';
import { Scale } from '../report/log/scale.js';
import { addressOf, goTo } from '../report/view/permalink.js';
import { detail } from '../report/words/events.js';
import { golden, refrain, skip } from './support/tools.js';

const LOGS = [
  'approved', 'child', 'compensated', 'enough', 'expanded', 'finalizers', 'forked', 'handled', 'joins', 'lease_expiry',
  'map_retried', 'operators', 'policy_stall', 'rejected', 'release', 'repeated', 'retries', 'signals', 'stalled', 'timer',
  'until', 'wide', 'workflow_timeout', 'paused', 'cancel', 'terminated',
];

for (const name of LOGS) {
  test(`${name}: times, states and the critical path are those of refrain`, { skip }, async () => {
    const log = golden(name);
    const history = await History.of(readFileSync(log, 'utf8'));
    const timeline = JSON.parse(refrain('timeline', '--file', log, '--json'));
    const tracks = [...history.tracks.byId.values()].map((track) => ({
      node_id: track.id,
      state: track.state,
      spans: track.spans.map((it) => ({ activity: it.activity, from: rfc3339(it.from), until: rfc3339(it.until) })),
    }));
    const told = timeline.nodes.map((/** @type {any} */ { node_id, state, spans }) => ({ node_id, state, spans }));
    assert.deepEqual(tracks, told);
    const path = criticalPath(history.tracks.byId, history.log.workflow);
    assert.deepEqual(path, timeline.critical_path.map((/** @type {any} */ it) => it.node_id));
    const shown = JSON.parse(refrain('show', '--file', log, '--json'));
    assert.equal(history.log.status, shown.status);
    const { byId } = history.nodes.at(history.log.count);
    for (const { node_id: id, state, attempts, queue } of shown.nodes) {
      const node = byId.get(id);
      assert.deepEqual([node?.state ?? 'pending', node?.attempts ?? 0, node?.queue ?? null], [state, attempts, queue], id);
    }
  });
}

test('nodes are the same whichever way a place is come to', async () => {
  const history = await History.of(readFileSync(golden('compensated'), 'utf8'));
  const { count } = history.log;
  const states = (/** @type {number} */ at) => [...history.nodes.at(at).byId.values()].map((it) => `${it.id} ${it.state}`);
  const forwards = Array.from({ length: count + 1 }, (_, at) => states(at));
  for (const at of [count, 3, 0, 7, count, 1]) assert.deepEqual(states(at), forwards[at]);
});

test('steering characters are spelled out', () => {
  assert.equal(escaped('a\n\u202eb\u0000\u{e0041}'), 'a\\n\\u{202e}b\\u{0}\\u{e0041}');
  assert.equal(escaped('Größe ✓ 🎈'), 'Größe ✓ 🎈');
  assert.equal(clipped('🎈🎈', 3), '🎈…');
});

test('spans read well', () => {
  for (const [ms, read, exact] of /** @type {[number, string, string][]} */ ([
    [0, '0 ms', '0 s'], [999, '999 ms', '999 ms'], [1_250, '1.2 s', '1250 ms'], [61_000, '1 min 01 s', '61 s'],
    [3_723_000, '1 h 02 min', '3723 s'], [90_000_000, '1 d 01 h', '90000 s'],
  ])) {
    assert.deepEqual([span(ms), exactSpan(ms)], [read, exact]);
  }
});

test('long times without work are folded, and every place has its time', () => {
  const work = { spans: [{ from: 0, until: 100, activity: 'work' }, { from: 90_100, until: 90_200, activity: 'work' }] };
  const scale = new Scale(0, 90_200, /** @type {any} */ ([work]));
  assert.equal(scale.parts.filter((it) => it.isFolded).length, 1);
  for (const at of [0, 50, 100, 45_000, 90_100, 90_200]) assert.ok(Math.abs(scale.time(scale.place(at)) - at) < 1, String(at));
  assert.equal(new Scale(5, 5, []).place(5), 0);
});

test('what cannot be seen apart is one bar, and none is left out', () => {
  const scale = new Scale(0, 20_000, []);
  const row = (/** @type {[number, number, string][]} */ spans) =>
    barsOf(spans.map(([from, until, activity]) => ({ from, until, activity: /** @type {any} */ (activity) })), scale)
      .map((it) => `${it.activity} ${it.from}-${it.until} x${it.count}`);
  assert.deepEqual(row([[0, 100, 'work'], [50, 80, 'work'], [105, 200, 'work'], [300, 400, 'work']]), ['work 0-200 x3', 'work 300-400 x1']);
  assert.deepEqual(row([[50, 60, 'queue'], [0, 100, 'work']]), ['work 0-100 x1', 'queue 50-60 x1']);
  const many = row(Array.from({ length: 20_000 }, (_, at) => [at, at + 1, 'work']));
  assert.deepEqual(many, ['work 0-20000 x20000']);
  const apart = row(Array.from({ length: 20_000 }, (_, at) => [at, at, 'work']));
  assert.ok(apart.length <= 2000, `${apart.length}`);
  assert.deepEqual(pointsOf([500, 3, 1, 2, 500], scale), [1, 500]);
});

test('an event in a line keeps the spelling of numbers and shortens digests', () => {
  const line = `{"sequence":1,"type":"x","node_id":"a","output":{"n":1.0e2},"item_digest":"${'ab'.repeat(32)}","who":"ada","why":"two words"}`;
  assert.equal(detail(line), 'output={"n":1.0e2}  item_digest=abababababab  who=ada  why="two words"');
  assert.equal(detail('no event'), '');
});

test('an address that is nonsense leads to a place all the same', () => {
  const execution = { log: { executionId: 'exec_1', count: 9 } };
  /** @type {any} */
  const view = { executions: [execution], execution, sequence: 9, node: undefined, log: execution.log };
  view.known = (/** @type {string} */ id) => (id === 'exec_1' ? execution : undefined);
  view.open = (/** @type {any} */ _, /** @type {number} */ sequence, /** @type {string} */ node) => Object.assign(view, { sequence, node });
  for (const [address, sequence, node] of /** @type {[string, number, string | undefined][]} */ ([
    ['#7/m%5B3%5D', 7, 'm[3]'], ['#exec_1/7', 7, undefined], ['', 9, undefined], ['#%E0%A4%A', 9, '%E0%A4%A'], ['#3', 3, undefined],
  ])) {
    goTo(view, address);
    assert.deepEqual([view.sequence, view.node], [sequence, node], address);
  }
  view.node = 'm[3]';
  assert.equal(addressOf(view), '#3/m%5B3%5D');
});
