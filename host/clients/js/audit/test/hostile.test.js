import assert from 'node:assert/strict';
import { test } from 'node:test';

import { audit as auditHere, auditContained, Component } from '../src/index.js';
import { bytesOf, goldenLog } from './support/files.js';
import { opened, rechained, written } from './support/forge.js';
import { DEEDS, composed, guestThat, renamed } from './support/surgery.js';

const own = bytesOf('host/component/refrain-scheduler.wasm');

for (const [deed, body] of Object.entries(DEEDS)) {
  test(`a guest that ${deed} is contained`, async () => {
    const guest = guestThat(own, body);
    const [audit] = await auditContained([goldenLog('completed')], { guest, silenceMs: 1_000 });
    const { verdict, decisions, divergence } = audit;
    assert.deepEqual([verdict, decisions, divergence?.code, divergence?.sequence], ['divergent', 0, 'guest_failed', 2]);
    assert.match(divergence?.message ?? '', /^the guest gives no answer: .*, at event 2$/);
    const found = /** @type {Map<string, unknown>} */ (divergence?.found);
    assert.equal(found.get('type'), 'node_scheduled');
  });
}

test('a guest that failed while the host stalled it for that is no news', async () => {
  const guest = guestThat(own, DEEDS.neverEnds);
  const { digest } = new Component(guest);
  const log = opened(goldenLog('completed'));
  log.kept.length = 2;
  log.header.guest_digest = digest;
  log.started.guest_digest = digest;
  const [first, second] = log.kept;
  second.event = {
    ...first.event,
    kind: { tag: 'host_stalled', value: { reason: 'the guest ran out of fuel' } },
  };
  const [audit] = await auditContained([written(rechained(log))], { components: [guest], silenceMs: 500 });
  assert.deepEqual([audit.verdict, audit.decisions, audit.divergence], ['clean', 0, null]);
});

test('one guest that is stopped does not keep other logs from their audit', async () => {
  const guest = guestThat(own, DEEDS.neverEnds);
  const logs = ['completed', 'retries'].map(goldenLog);
  /** @type {Set<number>} */
  const heard = new Set();
  const audits = await auditContained(logs, { guest, silenceMs: 500, onProgress: ({ log }) => heard.add(log) });
  assert.deepEqual(audits.map((audit) => audit.divergence?.code), ['guest_failed', 'guest_failed']);
  assert.deepEqual([...heard], [0, 1]);
});

test('what is no guest is refused by name', () => {
  const core = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  for (const [bytes, said] of /** @type {[Uint8Array, RegExp][]} */ ([
    [new Uint8Array(0), /no WebAssembly component/],
    [new TextEncoder().encode('{"workflow_id": 1}'), /no WebAssembly component/],
    [core, /core WebAssembly module/],
    [own.subarray(0, 5_000), /ends too early/],
    [renamed(own, 'refrain:scheduler/queue@0.2.0', 'refrain:scheduler/quiet@0.2.0'), /imports `refrain:scheduler\/quiet@0.2.0`/],
    [renamed(own, 'refrain:scheduler/clock@0.2.0', 'wasi:clocks/wall-clock@0.2.00'), /imports `wasi:clocks\/wall-clock@0.2.00`/],
    [renamed(own, 'refrain:scheduler/decisions@0.2.0', 'refrain:scheduler/decisionz@0.2.0'), /does not export/],
    [renamed(own, '@0.2.0', '@0.3.0'), /version 0.3.0/],
  ])) {
    assert.throws(() => new Component(bytes), { name: 'ComponentError', message: said });
  }
});

test('a guest of another form of the contract is refused by the function', () => {
  const other = new Component(renamed(own, 'worker-id', 'worker-ix'));
  assert.throws(() => other.instance(), { name: 'ComponentError', message: /another form of the contract.*is of another type/ });
});

test('bytes of a component that are changed anywhere are an error, and no crash', () => {
  for (let place = 8; place < own.length; place += 40_009) {
    const bytes = own.slice();
    bytes[place] ^= 0x55;
    try {
      new Component(bytes).instance();
    } catch (error) {
      assert.ok(error instanceof Error && ['ComponentError', 'GuestFailure'].includes(error.name), `${place}: ${error}`);
    }
  }
});

test('a component within components decides the same', async () => {
  for (const guest of [composed(own), composed(composed(own))]) {
    const { verdict, decisions } = await auditHere(goldenLog('compensated'), { guest });
    assert.deepEqual([verdict, decisions], ['clean', 20]);
  }
  const [{ divergence }] = await auditContained([goldenLog('completed')], { guest: composed(guestThat(own, DEEDS.crashes)) });
  assert.deepEqual([divergence?.code, divergence?.sequence], ['guest_failed', 2]);
});
