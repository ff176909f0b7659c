// Engines end, stores fail, clocks are set back: executions go on where they were.

import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, EngineError, IndexedDbStore, MemoryStore } from '../src/index.js';
import { mustBeClean } from './support/audits.js';
import { chain, engineOf, eventsOf, startOf, tool, until } from './support/engines.js';
import { ManualClock, settled } from './support/manual_clock.js';

const LONG = chain({
  a: tool(),
  ask: { kind: { type: 'human_approval', description: 'Shall it?', timeout_secs: 60, fallback_node: 'z' } },
  nap: { kind: { type: 'wait', condition: 'timer', timeout_secs: 30 } },
  paid: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'paid' } },
  z: tool(),
});

test('an execution goes on in the next engine, whatever it waits for, in IndexedDB as in memory', async () => {
  const memory = new MemoryStore();
  const factory = new IDBFactory();
  for (const openStore of [
    async () => memory,
    () => IndexedDbStore.open('refrain', { factory, ranges: IDBKeyRange }),
  ]) {
    const clock = new ManualClock();
    let id = '';
    /** @param {(execution: import('../src/index.js').Execution) => unknown} work */
    const inNextEngine = async (work) => {
      const engine = await Engine.open({
        store: await openStore(),
        clock,
        workers: { tool: (item) => ({ [item.nodeId]: item.input.state }) },
      });
      if (id === '') ({ id } = await startOf(engine, LONG, { input: 7 }));
      await work(engine.execution(id));
      await engine.close();
    };
    await inNextEngine((execution) => until(async () => (await execution.show()).nodes[1].state === 'waiting'));
    await inNextEngine((execution) => execution.approve('ask', { userId: 'ada', statePatch: { by: 'ada' } }));
    await clock.pass(29_000);
    await inNextEngine(async (execution) => assert.equal((await execution.show()).nodes[2].state, 'waiting'));
    await clock.pass(5_000);
    await inNextEngine((execution) => until(async () => (await execution.show()).nodes[3].state === 'waiting'));
    await inNextEngine(async (execution) => {
      assert.equal(await execution.signal('unasked', {}, { eventId: 'u1', by: 'bank' }), 'recorded');
      assert.equal(await execution.signal('unasked', {}, { eventId: 'u1', by: 'bank' }), 'already_recorded');
      assert.equal(await execution.signal('paid', { sum: 1 }, { eventId: 'p1', by: 'bank' }), 'recorded');
    });
    await inNextEngine(async (execution) => {
      const { status, finalState } = await execution.finished();
      assert.deepEqual([status, finalState.sum, finalState.by], ['completed', 1, 'ada']);
      await mustBeClean([await execution.log(), await execution.log({ withGuest: true })]);
    });
  }
});

test('law 5: while the wall clock is behind the log, time goes on with the monotonic one, and that is told', async (t) => {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const first = await Engine.open({ store, clock, workers: { tool: () => 1 } });
  const execution = await startOf(
    first,
    chain({ a: tool(), nap: { kind: { type: 'wait', condition: 'timer', timeout_secs: 10 } } }),
  );
  await until(async () => (await eventsOf(execution)).at(-1) === 'timer_created');
  await first.close();
  clock.set(-3_600_000);
  const { engine, warnings } = await engineOf(t, { store, clock });
  await settled();
  await clock.pass(9_999);
  assert.equal((await eventsOf(engine.execution(execution.id))).at(-1), 'timer_created');
  await clock.pass(1);
  const again = engine.execution(execution.id);
  assert.equal((await again.finished()).status, 'completed');
  assert.equal(warnings.filter((text) => /^the wall clock is 3600000 ms behind the log/.test(text)).length, 1);
  await mustBeClean([await again.log()]);
});

test('law 3: a turn that cannot be written leaves nothing; callers are told, and answers of workers wait', async (t) => {
  const store = new MemoryStore();
  const { engine, warnings } = await engineOf(t, { store, workers: { tool: (item) => ({ [item.nodeId]: 1 }) } });
  const commit = store.commit.bind(store);
  let failures = 0;
  t.mock.method(store, 'commit', async (/** @type {import('../src/store/contract.js').Turn} */ turn) => {
    const isAnswer = turn.executions.some(({ events }) =>
      events.some(({ event }) => event.kind.tag === 'node_completed'),
    );
    if (!isAnswer || failures === 2) return commit(turn);
    failures += 1;
    throw new EngineError('store_failed', 'the disk is full');
  });
  const execution = await startOf(engine, chain({ a: tool(), b: tool() }));
  assert.deepEqual((await execution.finished()).finalState, { a: 1, b: 1 });
  assert.deepEqual(warnings, ['a turn could not be written: the disk is full']);
  t.mock.restoreAll();
  t.mock.method(store, 'commit', async () => {
    throw new EngineError('store_failed', 'the disk is full');
  });
  await assert.rejects(engine.start({ workflowId: 'w', version: '1.0.0', key: 'k' }), {
    code: 'store_failed',
    message: 'the disk is full',
  });
  t.mock.restoreAll();
  await until(
    async () =>
      (await startOf(engine, chain({ a: tool(), b: tool() }), { key: 'k' }).catch(() => undefined)) !== undefined,
  );
  assert.equal((await engine.list()).length, 2);
  await mustBeClean([await execution.log()]);
});

test('law 7: where nobody knows whether a turn was written, the answer in it counts once', async (t) => {
  const store = new MemoryStore();
  let calls = 0;
  const { engine, warnings } = await engineOf(t, { store, workers: { tool: () => (calls += 1) } });
  const commit = store.commit.bind(store);
  let isTold = true;
  t.mock.method(store, 'commit', async (/** @type {import('../src/store/contract.js').Turn} */ turn) => {
    const version = await commit(turn);
    const isAnswer = turn.executions.some(({ events }) =>
      events.some(({ event }) => event.kind.tag === 'node_completed'),
    );
    if (isAnswer && isTold) {
      isTold = false;
      throw new EngineError('store_failed', 'the line was cut');
    }
    return version;
  });
  const execution = await startOf(engine, chain({ a: tool(), b: tool() }));
  assert.deepEqual((await execution.finished()).finalState, { a: 1, b: 2 });
  await settled();
  assert.equal(calls, 2);
  assert.deepEqual(warnings, ['a turn could not be written: the line was cut']);
  assert.equal((await eventsOf(execution)).filter((kind) => kind === 'node_completed').length, 2);
  await mustBeClean([await execution.log()]);
});

test('where the store is gone, nobody waits for it in silence', async (t) => {
  const factory = new IDBFactory();
  const store = await IndexedDbStore.open('gone', { factory, ranges: IDBKeyRange });
  const { engine, warnings } = await engineOf(t, { store });
  await engine.register(LONG);
  // A newer version of the program asks for the database.
  await new Promise((resolve) => (factory.open('gone', 2).onsuccess = resolve));
  for (let time = 0; time < 3; time += 1) {
    await assert.rejects(engine.start({ workflowId: 'w', version: '1.0.0' }), {
      code: 'store_failed',
      message: /a newer version of this program has to change it; load the page again/,
    });
  }
  assert.equal(warnings.length, 1);
  await assert.rejects(IndexedDbStore.open('gone', { factory, ranges: IDBKeyRange }), { code: 'store_failed' });
});

test('an execution that is cut off is owed a step, in its log as in the next engine', async (t) => {
  const store = new MemoryStore();
  const limits = { maxConcurrentNodes: 400, maxDispatchPerTick: 1 };
  const first = await Engine.open({ store, limits, onWarning: () => undefined });
  // All of it is decided at one time, a node at a step.
  const execution = await startOf(
    first,
    chain({ m: { kind: { type: 'map', over: 'input', body: { type: 'tool', tool_ref: 'x' } } } }),
    { input: Array(300).fill(1) },
  );
  const cut = await execution.log();
  assert.equal(JSON.parse(cut.split('\n')[0]).owed_a_step, true);
  await first.close();
  await mustBeClean([cut]);
  const { engine } = await engineOf(t, { store, workers: { tool: { run: () => 1, slots: 400 } } });
  const again = engine.execution(execution.id);
  const { finalState } = await again.finished();
  assert.equal(finalState.m.length, 300);
  await mustBeClean([await again.log()]);
});

test('law 4: an execution whose log was changed is set aside and named, and all others go on', async (t) => {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const first = await Engine.open({ store, clock, workers: { tool: () => 1 } });
  const [broken, whole] = [await startOf(first, LONG), await startOf(first, LONG)];
  await until(
    async () => (await broken.show()).nodes[1].state === 'waiting' && (await whole.show()).nodes[1].state === 'waiting',
  );
  await first.close();
  const events = store.events.bind(store);
  t.mock.method(
    store,
    'events',
    async (/** @type {string} */ id, /** @type {number} */ from, /** @type {number} */ max) => {
      const page = await events(id, from, max);
      if (id === broken.id) {
        for (const { event } of page) if (event.kind.tag === 'node_completed') event.kind.value.output = '2';
      }
      return page;
    },
  );
  const { engine, warnings } = await engineOf(t, { store, clock, workers: { tool: () => 1 } });
  await assert.rejects(engine.execution(broken.id).approve('ask', { userId: 'ada' }), {
    code: 'tampered',
    message: /was changed at or before event 4/,
  });
  await assert.rejects(engine.execution(broken.id).show(), { code: 'tampered' });
  await clock.pass(61_000);
  assert.equal((await engine.execution(whole.id).finished()).status, 'completed');
  assert.equal(warnings.filter((text) => text.includes(broken.id)).length, 1);
});

test('law 4: one whose log was changed is found when its time comes, and nobody else is told of it', async (t) => {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const nap = chain({ a: tool(), nap: { kind: { type: 'wait', condition: 'timer', timeout_secs: 10 } }, b: tool() });
  const first = await Engine.open({ store, clock, workers: { tool: () => 1 } });
  const executions = [];
  for (let count = 0; count < 3; count += 1) executions.push(await startOf(first, nap));
  for (const execution of executions) await until(async () => (await eventsOf(execution)).at(-1) === 'timer_created');
  await first.close();
  const [broken, ...whole] = executions.map(({ id }) => id);
  const events = store.events.bind(store);
  t.mock.method(
    store,
    'events',
    async (/** @type {string} */ id, /** @type {number} */ from, /** @type {number} */ max) => {
      const page = await events(id, from, max);
      if (id === broken) page[0].salt = '0'.repeat(32);
      return page;
    },
  );
  const { engine, warnings } = await engineOf(t, { store, clock, workers: { tool: () => 1 } });
  await settled();
  const [started] = await Promise.all([
    startOf(engine, chain({ a: tool() }, { workflow_id: 'other' })),
    clock.pass(10_000),
  ]);
  for (const id of [started.id, ...whole]) assert.equal((await engine.execution(id).finished()).status, 'completed');
  assert.equal(warnings.length, 1, warnings.join());
  assert.match(warnings[0], /was changed at or before event 1/);
  assert.equal((await store.execution(broken))?.status, 'running');
});

test('law 10: an execution stays with the component that it began with', async (t) => {
  const store = new MemoryStore();
  const first = await Engine.open({ store, onWarning: () => undefined });
  const execution = await startOf(first, chain({ a: tool() }));
  const own = first.guestDigest;
  await first.close();
  // The same scheduler with another digest: by a section that nobody reads.
  const bytes = /** @type {Uint8Array} */ (await store.component(own));
  const { engine } = await engineOf(t, {
    store,
    component: Uint8Array.from([...bytes, 0, 2, 1, 97]),
    workers: { tool: () => 1 },
  });
  assert.notEqual(engine.guestDigest, own);
  const again = engine.execution(execution.id);
  assert.equal((await again.finished()).status, 'completed');
  assert.equal((await again.show()).guestDigest, own);
  const next = await startOf(engine, chain({ a: tool() }));
  assert.equal((await next.show()).guestDigest, engine.guestDigest);
  await next.finished();
  await mustBeClean([await again.log(), await next.log({ withGuest: true })]);
});

test('a component that is none is refused when the engine is opened, and so is what cannot be', async () => {
  for (const component of [Uint8Array.of(1, 2, 3), new TextEncoder().encode('(component)')]) {
    await assert.rejects(Engine.open({ store: new MemoryStore(), component }), { code: 'setup_failed' });
  }
  await assert.rejects(Engine.open({ store: new MemoryStore(), leaseMs: 10 }), {
    code: 'setup_failed',
    message: /too short/,
  });
  for (const limits of [{ maxConcurrentNodes: 0 }, { maxDispatchPerTick: 1.5 }]) {
    await assert.rejects(Engine.open({ store: new MemoryStore(), limits }), {
      code: 'setup_failed',
      message: /give a whole number from 1/,
    });
  }
  await assert.rejects(IndexedDbStore.open('x'), { code: 'store_failed', message: /there is no IndexedDB here/ });
});

test('what was committed is told, with the events that were appended', async (t) => {
  /** @type {string[]} */
  const told = [];
  const onCommit = (/** @type {import('../src/runtime/event_loop.js').News[]} */ news) => {
    for (const { events, status } of news) told.push(...events.map(({ kind }) => kind.tag), status);
  };
  const { engine } = await engineOf(t, { workers: { tool: () => 1 }, onCommit });
  await (await startOf(engine, chain({ a: tool() }))).finished();
  assert.deepEqual(told, [
    'workflow_started',
    'node_scheduled',
    'node_started',
    'running',
    'node_completed',
    'workflow_completed',
    'completed',
  ]);
});

test('a listener that throws undoes nothing', async (t) => {
  const onCommit = () => {
    throw new Error('oops');
  };
  const { engine, warnings } = await engineOf(t, { workers: { tool: () => 1 }, onCommit });
  assert.equal((await (await startOf(engine, chain({ a: tool() }))).finished()).status, 'completed');
  assert.ok(warnings.every((text) => text === '`onCommit` has thrown: oops'));
});
