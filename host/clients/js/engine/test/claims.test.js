// Claims, leases and fences (law 7, rules R13 and R25).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, MemoryStore, WorkError } from '../src/index.js';
import { mustBeClean } from './support/audits.js';
import { chain, engineOf, eventsOf, startOf, tool, until } from './support/engines.js';
import { killable } from './support/killable_store.js';
import { ManualClock, settled } from './support/manual_clock.js';

const POLICIES = { retry_policies: { twice: { max_attempts: 2, backoff: 'fixed', initial_delay: 1 } } };
const ONE = chain({ a: tool({ retry_policy: 'twice' }) }, POLICIES);

/** A worker that answers when it is told to. */
function patient() {
  /** @type {{item: any, context: import('../src/workers/attempt.js').WorkerContext, answer: (value: unknown) => void, fail: (error: unknown) => void}[]} */
  const calls = [];
  const run = (/** @type {any} */ item, /** @type {any} */ context) =>
    new Promise((answer, fail) => void calls.push({ item, context, answer, fail }));
  return { calls, run };
}

/**
 * An engine that dies with a claim.
 * @param {MemoryStore} store
 * @param {Partial<import('../src/engine.js').EngineOptions>} options
 */
async function dieWithAClaim(store, options) {
  const { run, calls } = patient();
  let isDead = false;
  /** @type {ReturnType<typeof killable> | undefined} */
  let line;
  const cut = new Proxy(store, {
    get: (_, name) =>
      isDead
        ? /** @type {any} */ (line)[name]
        : typeof (/** @type {any} */ (store)[name]) === 'function'
          ? /** @type {any} */ (store)[name].bind(store)
          : /** @type {any} */ (store)[name],
  });
  const engine = await Engine.open({ store: cut, workers: { tool: run }, onWarning: () => undefined, ...options });
  const execution = await startOf(engine, ONE);
  await until(() => calls.length === 1);
  line = killable(store, 0, false, () => undefined);
  isDead = true;
  return { id: execution.id, call: calls[0] };
}

test('R13: the claim of a tab that is gone is over at once, and the work is done again', async (t) => {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const { id } = await dieWithAClaim(store, { clock });
  const { engine } = await engineOf(t, { store, clock, workers: { tool: (item) => item.attempt } });
  await settled();
  assert.deepEqual((await eventsOf(engine.execution(id), 'attempt', 'delay_ms')).slice(2), [
    'node_started 1',
    'lease_expired 1',
    'retry_scheduled 2 2000',
  ]);
  await clock.pass(2_000);
  assert.deepEqual((await engine.execution(id).finished()).finalState, { a: 2 });
  await mustBeClean([await engine.execution(id).log()]);
});

test('law 5: where others work on the store, a claim is over when its holder could have renewed it', async (t) => {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const { id } = await dieWithAClaim(store, { clock, isShared: true, leaseMs: 10_000 });
  const { engine } = await engineOf(t, {
    store,
    clock,
    isShared: true,
    leaseMs: 10_000,
    lookEveryMs: 500,
    workers: { tool: () => 1 },
  });
  const last = async () => (await eventsOf(engine.execution(id))).at(-1);
  // A wall clock that jumps ends none.
  clock.set(3_600_000);
  for (let second = 0; second < 9; second += 1) {
    await clock.pass(1_000);
    assert.equal(await last(), 'node_started', `after ${second + 1} s`);
  }
  for (let second = 0; second < 3; second += 1) await clock.pass(1_000);
  assert.notEqual(await last(), 'node_started');
  for (let second = 0; second < 3; second += 1) await clock.pass(1_000);
  assert.equal((await engine.execution(id).finished()).status, 'completed');
  await mustBeClean([await engine.execution(id).log()]);
});

test('a worker that lives keeps its claim, however long it takes and wherever the clock jumps', async (t) => {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const { run, calls } = patient();
  const options = { store, clock, isShared: true, leaseMs: 10_000 };
  const { engine } = await engineOf(t, { ...options, workers: { tool: run } });
  const { engine: other } = await engineOf(t, { ...options, workers: { tool: () => 'stolen' } });
  const execution = await startOf(engine, ONE);
  await until(() => calls.length === 1);
  for (let second = 0; second < 60; second += 1) {
    if (second === 30) clock.set(3_600_000);
    await clock.pass(1_000);
  }
  const [, [, item]] = [0, ...(await store.items(execution.id))];
  assert.ok(/** @type {any} */ (item).lease.expiresAt > clock.now(), 'its lease was renewed');
  calls[0].answer('own');
  assert.deepEqual((await execution.finished()).finalState, { a: 'own' });
  assert.deepEqual((await other.execution(execution.id).finished()).finalState, { a: 'own' });
  await mustBeClean([await execution.log()]);
});

test('R25: closing stops the workers and gives their work back, which spends no attempt', async (t) => {
  const store = new MemoryStore();
  const engine = await Engine.open({
    store,
    workers: {
      tool: {
        run: (_, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        slots: 1,
      },
    },
  });
  const execution = await startOf(engine, ONE);
  await until(async () => (await eventsOf(execution)).length === 3);
  await engine.close();
  assert.deepEqual((await eventsOf(execution, 'attempt')).slice(2), ['node_started 1', 'node_released 1']);
  const { engine: next } = await engineOf(t, { store, workers: { tool: (item) => item.attempt } });
  assert.deepEqual((await next.execution(execution.id).finished()).finalState, { a: 1 });
  await mustBeClean([await next.execution(execution.id).log()]);
});

test('closing counts what workers answer in time, and gives back what deaf ones are at', async (t) => {
  const store = new MemoryStore();
  const workers = {
    tool: (/** @type {any} */ item, /** @type {any} */ { signal }) =>
      new Promise(
        (answer) => item.kind.tool_ref === 'deaf' || signal.addEventListener('abort', () => answer('just in time')),
      ),
  };
  const nodes = {
    s: { kind: { type: 'parallel' } },
    quick: tool(),
    deaf: { kind: { type: 'tool', tool_ref: 'deaf' } },
  };
  const workflow = {
    ...chain({ s: nodes.s }),
    nodes,
    edges: [
      { from: 's', to: 'quick' },
      { from: 's', to: 'deaf' },
    ],
  };
  const engine = await Engine.open({ store, workers });
  const execution = await startOf(engine, workflow);
  await until(async () => (await eventsOf(execution)).filter((kind) => kind === 'node_started').length === 2);
  await engine.close({ patienceMs: 30 });
  assert.deepEqual((await eventsOf(execution, 'node_id')).slice(-2).sort(), [
    'node_completed quick',
    'node_released deaf',
  ]);
  const { engine: next } = await engineOf(t, { store, workers: { tool: () => 1 } });
  assert.deepEqual((await next.execution(execution.id).finished()).finalState, { quick: 'just in time', deaf: 1 });
});

test('a worker whose work is cancelled is told, and what it answers then changes nothing', async (t) => {
  const { run, calls } = patient();
  const { engine, warnings } = await engineOf(t, { workers: { tool: run } });
  const execution = await startOf(engine, ONE);
  await until(() => calls.length === 1);
  assert.equal(calls[0].context.signal.aborted, false);
  assert.match(calls[0].context.idempotencyKey, new RegExp(`^${execution.id}/a/1$`));
  await execution.cancel({ reason: 'not needed', by: 'ada' });
  assert.equal(calls[0].context.signal.aborted, true);
  calls[0].answer({ late: true });
  const ending = await execution.finished();
  assert.deepEqual([ending.status, ending.finalState], ['cancelled', {}]);
  await settled();
  assert.deepEqual(warnings, []);
  await mustBeClean([await execution.log()]);
});

test('R14: an attempt that runs too long is stopped, and tried again', async (t) => {
  const clock = new ManualClock();
  const { run, calls } = patient();
  const { engine } = await engineOf(t, { clock, workers: { tool: run } });
  const execution = await startOf(
    engine,
    chain({ a: tool({ node_timeout_secs: 5, retry_policy: 'twice' }) }, POLICIES),
  );
  await until(() => calls.length === 1);
  await clock.pass(5_000);
  assert.equal(calls[0].context.signal.aborted, true);
  await clock.pass(1_000);
  await until(() => calls.length === 2);
  // Law 7: the first attempt's answer is late.
  calls[0].answer('late');
  calls[1].answer('right');
  assert.deepEqual((await execution.finished()).finalState, { a: 'right' });
  await mustBeClean([await execution.log()]);
});

test('law 7: an answer that comes after somebody else was given the work is told, and not taken', async (t) => {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const { run, calls } = patient();
  const options = { store, clock, isShared: true, leaseMs: 1_000 };
  const { engine, warnings } = await engineOf(t, { ...options, workers: { tool: run } });
  const execution = await startOf(engine, ONE);
  await until(() => calls.length === 1);
  // This tab sleeps in the middle of a commit, and the store goes on without it.
  const commit = store.commit.bind(store);
  /** @type {(value?: unknown) => void} */
  let wake = () => undefined;
  const asleep = new Promise((resolve) => (wake = resolve));
  t.mock.method(store, 'commit', (/** @type {any} */ turn) => asleep.then(() => commit(turn)));
  await clock.pass(400);
  t.mock.restoreAll();
  const { engine: other } = await engineOf(t, { ...options, workers: { tool: () => 'other' } });
  for (let step = 0; step < 40; step += 1) await clock.pass(100);
  assert.deepEqual((await other.execution(execution.id).finished()).finalState, { a: 'other' });
  wake();
  await settled();
  assert.equal(calls[0].context.signal.aborted, true);
  calls[0].answer('late');
  await settled();
  assert.match(
    warnings.join(),
    /^an answer was not taken: the answer to attempt 1 of node "a".* comes too late: its claim is over$/,
  );
  await mustBeClean([await other.execution(execution.id).log()]);
});

test('R11: failures are tried again as the policy says, and slots bound what is worked on at once', async (t) => {
  const clock = new ManualClock();
  let [now, most] = [0, 0];
  const run = async (/** @type {any} */ item) => {
    most = Math.max(most, (now += 1));
    await settled();
    now -= 1;
    if (item.attempt === 1) throw new WorkError('busy', { class: 'rate_limit', retryAfterMs: 2_500 });
    return item.nodeId;
  };
  const { engine } = await engineOf(t, { clock, workers: { tool: { run, slots: 2 } } });
  const map = { kind: { type: 'map', over: 'input', body: { type: 'tool', tool_ref: 'x' } }, retry_policy: 'twice' };
  const execution = await startOf(engine, chain({ m: map }, POLICIES), { input: [1, 2, 3, 4, 5] });
  for (let step = 0; step < 60; step += 1) await clock.pass(200);
  const { finalState } = await execution.finished();
  assert.deepEqual(finalState.m, ['m[0]', 'm[1]', 'm[2]', 'm[3]', 'm[4]']);
  assert.equal(most, 2);
  assert.ok((await eventsOf(execution, 'delay_ms')).includes('retry_scheduled 2500'));
  await mustBeClean([await execution.log()]);
});

test('the most urgent items are given first, of these those that wait longest', async (t) => {
  /** @type {string[]} */
  const done = [];
  const store = new MemoryStore();
  const idle = await Engine.open({ store, onWarning: () => undefined });
  for (const [name, priority] of /** @type {const} */ ([
    ['low', 1],
    ['first', 5],
    ['second', 5],
    ['urgent', 9],
  ])) {
    await startOf(idle, chain({ [name]: tool() }, { workflow_id: name }), { priority });
  }
  await idle.close();
  const { engine } = await engineOf(t, {
    store,
    workers: { tool: { run: (item) => void done.push(item.nodeId), slots: 1 } },
  });
  const executions = await engine.list();
  await Promise.all(executions.map(({ id }) => engine.execution(id).finished()));
  assert.deepEqual(done, ['urgent', 'first', 'second', 'low']);
});
