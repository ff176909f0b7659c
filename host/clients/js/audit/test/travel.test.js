import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Travel, TravelError } from '../src/index.js';
import { Player } from '../src/audit/player.js';
import { EVENTS_BETWEEN_MARKS, MARKS_BYTES_MAX } from '../src/limits.js';
import { Marks } from '../src/travel/marks.js';
import { bytesOf, components, goldenLog, goldenLogs } from './support/files.js';
import { opened } from './support/forge.js';
import { DEEDS, guestThat } from './support/surgery.js';
import { Component } from '../src/index.js';

test('at every event, in any order, the state is that of a guest which has seen just these', () => {
  const all = components();
  for (const name of ['operators', 'expanded', 'guest_changed', 'compensated']) {
    const log = opened(goldenLog(name));
    const travel = new Travel(log, all);
    const places = Array.from({ length: travel.last }, (_, place) => place + 1);
    for (const place of [...places, ...places.toReversed(), 7, 2, 9, 3]) {
      travel.go(place);
      const component = all.find((it) => it.digest === travel.guestDigest);
      assert.ok(component !== undefined);
      const player = new Player(component.instance(), log);
      player.ports.showFirst(place);
      assert.deepEqual(travel.inspect(), player.inspect(), `${name} at ${place}`);
    }
  }
});

/** @param {Travel} travel */
const kindAt = (travel) => travel.event?.kind.tag;

test('a cursor moves, and stays where there is nothing further', () => {
  const travel = new Travel(opened(goldenLog('retries')), components());
  assert.equal(travel.sequence, travel.last);
  assert.ok(!travel.step());
  travel.go(0);
  assert.ok(!travel.back() && travel.event === undefined && travel.at === 0);
  assert.throws(() => travel.inspect(), TravelError);
  assert.ok(travel.step());
  assert.equal(kindAt(travel), 'workflow_started');
  assert.ok(travel.next({ of: 'failure' }));
  assert.equal(kindAt(travel), 'node_failed');
  const failed = travel.sequence;
  assert.ok(travel.next({ of: 'decision' }) && travel.previous({ of: 'fact' }));
  assert.equal(travel.sequence, failed);
  assert.ok(!travel.next({ of: 'node', id: 'nobody' }));
  assert.equal(travel.sequence, failed);
  for (const none of [-1, travel.last + 1, 1.5]) assert.throws(() => travel.go(none), /is none of them/);
});

test('the event that changed a key, the nodes, the queue and explanations are told', () => {
  const travel = new Travel(opened(goldenLog('completed')), components());
  travel.go(0);
  assert.ok(travel.next({ of: 'key', key: 'pages' }));
  assert.equal(kindAt(travel), 'node_completed');
  assert.equal(travel.value('pages'), '3');
  assert.equal(travel.value('none'), undefined);
  travel.back();
  assert.equal(travel.state(), '{}');
  assert.deepEqual([...travel.queue().keys()], ['fetch']);
  assert.equal(travel.nodes().get('rate').state, 'pending');
  const { state, reasons } = travel.explain('rate');
  assert.deepEqual([state, reasons[0].cause.tag], ['pending', 'unmet_predecessor']);
});

test('what comes next is what came next, and changes nothing', () => {
  for (const { name, bytes } of goldenLogs()) {
    const log = opened(bytes);
    const travel = new Travel(log, components());
    for (const [place, { event }] of log.kept.entries()) {
      const isFirstOfBatch = event.origin === 'decision' && log.kept[place - 1]?.event.origin === 'fact';
      if (!isFirstOfBatch) continue;
      travel.go(place);
      const { decisions, outcome } = travel.nextStep(event.at);
      assert.deepEqual(decisions[0], event, `${name} at ${place}`);
      assert.equal(outcome.last_sequence, place + decisions.length);
      assert.equal(travel.sequence, place);
    }
  }
});

test('facts can be offered at any place', () => {
  const travel = new Travel(opened(goldenLog('completed')), components());
  travel.go(3);
  const value = { node_id: 'fetch', attempt: 1, fence: 3, output: '1', state_patch: '{"pages":9}', duration_ms: 1 };
  const more = { chosen_target: null, gen_ai: null, telemetry: null, edited_by: null };
  const { decisions, outcome } = travel.nextStep(travel.at, [{ tag: 'node_completed', value: { ...value, ...more } }]);
  assert.deepEqual(outcome.refused, []);
  assert.deepEqual(decisions.map((event) => [event.sequence, event.kind.tag]), [[5, 'node_scheduled']]);
  const stale = travel.nextStep(travel.at, [{ tag: 'node_completed', value: { ...value, ...more, fence: 2 } }]);
  assert.deepEqual(stale.outcome.refused[0].code, 'stale');
});

test('what cannot be travelled is told', () => {
  const log = opened(goldenLog('completed'));
  assert.throws(() => new Travel(log, []).inspect(), /is not at hand/);
  log.kept[0].salt = null;
  assert.throws(() => new Travel(log, components()), /erased/);
  log.kept = [];
  assert.throws(() => new Travel(log, components()), /has no beginning/);
});

test('a guest that fails at one place is asked again at another', () => {
  const log = opened(goldenLog('completed'));
  const guest = new Component(guestThat(bytesOf('host/component/refrain-scheduler.wasm'), DEEDS.crashes));
  log.started.guest_digest = guest.digest;
  const travel = new Travel(log, [guest]);
  assert.throws(() => travel.nextStep(), { name: 'GuestFailure' });
  assert.equal(travel.explain('fetch').state, 'completed');
});

test('snapshots are about as far from each other, and thinned where they are too many', () => {
  const marks = new Marks();
  const mark = (/** @type {number} */ sequence, /** @type {number} */ bytes) => ({
    guest_digest: 'a',
    sequence,
    head: '',
    state: new Uint8Array(bytes),
  });
  const far = 10 * EVENTS_BETWEEN_MARKS + 300;
  const places = marks.missing(0, far);
  assert.equal(places.length, 11);
  assert.equal(places.at(-1), far - (far % 256));
  for (const place of places) marks.add(mark(place, 8));
  assert.equal(marks.before(far, 'a')?.sequence, places.at(-1));
  assert.equal(marks.before(EVENTS_BETWEEN_MARKS - 1, 'a'), undefined);
  assert.equal(marks.before(far, 'b'), undefined);
  for (let place = 1; place <= 40; place += 1) marks.add(mark((10 + place) * EVENTS_BETWEEN_MARKS, MARKS_BYTES_MAX / 20));
  assert.ok(marks.bytes <= MARKS_BYTES_MAX && marks.marks.length > 5);
});
