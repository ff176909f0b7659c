// A scheduler that fails leaves nothing: it is asked once more in a fresh instance, then its
// execution is stalled, and the facts are offered again.

import { Guest, GuestFailure } from '@refrain/audit/host';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, MemoryStore } from '../src/index.js';
import { DEEDS, guestThat } from '../../audit/test/support/surgery.js';
import { COMPONENT, mustBeClean } from './support/audits.js';
import { chain, engineOf, eventsOf, startOf, tool, until } from './support/engines.js';

/** @typedef {import('../src/execution/ports.js').CallPorts} CallPorts */
/** @typedef {(outcome: any, ports: CallPorts) => any} Sabotage */

/**
 * From now on, so many steps that offer a fact of this kind go wrong, behind all that the
 * scheduler did in them.
 * @param {import('node:test').TestContext} t
 * @param {string} kind
 * @param {Sabotage} sabotage
 * @param {number} times
 */
function sabotage(t, kind, sabotage, times) {
  const step = Guest.prototype.step;
  let left = times;
  /** @this {Guest} @param {Parameters<Guest['step']>} args */
  function stepped(...args) {
    const outcome = step.apply(this, args);
    const [ports, , , facts] = args;
    if (left === 0 || !facts.some((fact) => fact.tag === kind)) return outcome;
    left -= 1;
    return sabotage(outcome, /** @type {CallPorts} */ (ports));
  }
  t.mock.method(Guest.prototype, 'step', stepped);
}

/** @type {Sabotage} */
const traps = () => {
  throw new GuestFailure('it crashed');
};

/** What a scheduler can get wrong, and what is said of it. @type {[string, Sabotage, RegExp][]} */
const FAULTS = [
  ['traps', traps, /it crashed/],
  [
    'says that the log ends elsewhere',
    (outcome) => ({ ...outcome, last_sequence: 99 }),
    /ends at event 99, and it ends at/,
  ],
  [
    'says that it has ended',
    (outcome) => ({ ...outcome, status: 'completed' }),
    /says completed, and the log says otherwise/,
  ],
  [
    'refuses what it was not offered',
    (outcome) => ({ ...outcome, refused: [{ index: 5, code: 'ended', message: '' }] }),
    /refuses fact 5 out of place/,
  ],
  ['wants to be woken never', (outcome) => ({ ...outcome, next_wake: 2 ** 52 }), /a time that never comes/],
  [
    'orders nothing',
    (outcome, ports) => ((ports.ordered.length = 0), outcome),
    /was decided, and its work item not ordered/,
  ],
  [
    'orders something else',
    (outcome, ports) => (ports.ordered.forEach((it) => (it.digest = '0'.repeat(64))), outcome),
    /was decided with the digest/,
  ],
  [
    'orders too much',
    (outcome, ports) => (ports.ordered.push(...ports.ordered), outcome),
    /was ordered without a decision/,
  ],
  [
    'orders what the workflow does not hold',
    (outcome, ports) => (
      attempt(() => ports.order([{ tag: 'enqueue', value: { ...ports.ordered[0].item, queue: 'other' } }])),
      outcome
    ),
    /is for the queue "other", and the node belongs on "tool"/,
  ],
  [
    'orders a child',
    (outcome, ports) => (
      attempt(() => ports.order([{ tag: 'cancel_child', value: { node_id: 'a', attempt: 1, iteration: 0 } }])),
      outcome
    ),
    /of the child of node "a", and this host has no children/,
  ],
  [
    'cancels what nothing stops',
    (outcome, ports) => (ports.cancelled.push({ node_id: 'a', attempt: 1 }), outcome),
    /was cancelled without a decision/,
  ],
  [
    'writes a fact',
    (outcome, ports) => (
      ports.appendEvents(outcome.last_sequence, [
        { ...ports.decisions[0], sequence: outcome.last_sequence + 1, origin: 'fact' },
      ]),
      outcome
    ),
    /claims to be a fact/,
  ],
  [
    'writes at another time',
    (outcome, ports) => (
      ports.appendEvents(outcome.last_sequence, [
        { ...ports.decisions[0], sequence: outcome.last_sequence + 1, at: 1 },
      ]),
      outcome
    ),
    /not stamped with the turn’s clock reading/,
  ],
];

/** @param {() => unknown} work */
function attempt(work) {
  try {
    work();
  } catch {
    // The scheduler is told, too; whatever it makes of that, it has failed.
  }
}

for (const [name, fault] of FAULTS) {
  test(`a scheduler that ${name} once is asked once more, and nothing of the first time is left`, async (t) => {
    const { engine, warnings } = await engineOf(t, { workers: { tool: (item) => ({ [item.nodeId]: 1 }) } });
    sabotage(t, 'node_completed', fault, 1);
    const execution = await startOf(engine, chain({ a: tool(), b: tool() }));
    assert.deepEqual((await execution.finished()).finalState, { a: 1, b: 1 });
    assert.deepEqual(warnings, []);
    await mustBeClean([await execution.log()]);
  });
}

for (const [name, fault, reason] of FAULTS) {
  test(`a scheduler that ${name} twice has its execution stalled, and the fact is not lost`, async (t) => {
    const { engine, warnings } = await engineOf(t, { workers: { tool: (item) => ({ [item.nodeId]: 1 }) } });
    sabotage(t, 'node_completed', fault, 2);
    const execution = await startOf(engine, chain({ a: tool(), b: tool() }));
    await until(async () => (await execution.show()).isStalledByHost);
    const { status, nodes } = await execution.show();
    assert.equal(status, 'stalled');
    assert.equal(nodes[1].reasons[0].cause.tag, 'stalled_by_host');
    assert.match(warnings.join(), reason);
    // Behind the stall the answer counts, and nothing is decided.
    assert.deepEqual((await eventsOf(execution)).slice(-2), ['host_stalled', 'node_completed']);
    await execution.lift({ reason: 'it is well now', by: 'ada' });
    assert.deepEqual((await execution.finished()).finalState, { a: 1, b: 1 });
    await mustBeClean([await execution.log()]);
  });
}

test('one that fails on and on loses no answer to another, and can be lifted', async (t) => {
  const { engine } = await engineOf(t, { workers: { tool: (item) => ({ [item.nodeId]: 1 }) } });
  sabotage(t, 'node_completed', traps, 4);
  const broken = await startOf(engine, chain({ a: tool(), b: tool() }));
  await until(async () => (await broken.show()).isStalledByHost);
  // Its worker's answer could not be taken: to the log, its lease is over.
  await until(async () => (await eventsOf(broken)).at(-1) === 'lease_expired');
  const other = await startOf(engine, chain({ a: tool(), b: tool() }));
  assert.equal((await other.finished()).status, 'completed');
  await assert.rejects(broken.approve('a', { userId: 'ada' }), { code: 'refused' });
  await broken.lift();
  await broken.cancel();
  assert.equal((await broken.finished()).status, 'cancelled');
  await mustBeClean([await broken.log(), await other.log()]);
});

test('an execution that cannot begin leaves nothing', async (t) => {
  const { engine } = await engineOf(t);
  sabotage(t, 'workflow_started', traps, 4);
  await assert.rejects(startOf(engine, chain({ a: tool() })), { code: 'guest_failed', message: /it crashed/ });
  assert.deepEqual(await engine.list(), []);
});

test('an execution begins stalled where its scheduler fails twice at that', async (t) => {
  const { engine } = await engineOf(t, { workers: { tool: () => 1 } });
  sabotage(t, 'workflow_started', traps, 2);
  const execution = await startOf(engine, chain({ a: tool() }));
  assert.deepEqual(await eventsOf(execution), ['workflow_started', 'host_stalled']);
  await execution.lift();
  assert.equal((await execution.finished()).status, 'completed');
  await mustBeClean([await execution.log()]);
});

for (const [deed, body] of Object.entries(DEEDS)) {
  // In the engine's own thread, one that never ends can be stopped by nobody.
  if (deed === 'neverEnds') continue;
  test(`a component that ${deed} begins nothing, and executions of another go on`, async (t) => {
    const store = new MemoryStore();
    const well = await Engine.open({ store, onWarning: () => undefined });
    const execution = await startOf(well, chain({ a: tool() }));
    await well.close();
    const { engine } = await engineOf(t, { store, component: guestThat(COMPONENT, body), workers: { tool: () => 1 } });
    await assert.rejects(startOf(engine, chain({ a: tool() })), { code: 'guest_failed' });
    assert.equal((await engine.execution(execution.id).finished()).status, 'completed');
    assert.equal((await engine.list()).length, 1);
  });
}

test('a scheduler that fails at a workflow is asked once more, and then that is told', async (t) => {
  const { engine } = await engineOf(t);
  await engine.register(chain({ a: tool() }));
  const { validate } = Guest.prototype;
  let failures = 0;
  /** @this {Guest} @param {Parameters<Guest['validate']>} args */
  function validated(...args) {
    if ((failures += 1) <= 2) throw new GuestFailure('it crashed');
    return validate.apply(this, args);
  }
  t.mock.method(Guest.prototype, 'validate', validated);
  await assert.rejects(engine.register(chain({ b: tool() }, { version: '2.0.0' })), {
    code: 'guest_failed',
    message: /failed at the workflow: it crashed/,
  });
  await engine.register(chain({ b: tool() }, { version: '2.0.0' }));
  assert.equal(failures, 3);
});
