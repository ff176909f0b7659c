// What holds of every store. A store of your own is tested with it:
//
// ```js
// for (const { name, holds } of storeLaws) test(name, () => holds(() => openYourStore()));
// ```
//
// Each law is given what opens one and the same store, empty at first, as often as it asks.

import { ConflictError } from '../errors.js';

/** @typedef {import('./contract.js').Store} Store */
/** @typedef {import('./contract.js').ExecutionChange} ExecutionChange */
/** @typedef {() => Promise<Store>} OpenStore */

/**
 * A law: a name, and a check that rejects with what is wrong.
 * @typedef {object} StoreLaw
 * @property {string} name
 * @property {(open: OpenStore) => Promise<void>} holds
 */

const START = '0'.repeat(64);

/**
 * @param {string} id
 * @param {number} sequence
 * @param {Partial<import('./contract.js').ExecutionRecord>} [other]
 * @returns {import('./contract.js').ExecutionRecord}
 */
function record(id, sequence, other = {}) {
  return {
    id,
    workflowId: 'w',
    workflowVersion: '1.0.0',
    guestDigest: 'a'.repeat(64),
    tenant: 'default',
    priority: 5,
    labels: [{ name: 'team', value: 'größe \u{1f600}' }],
    key: null,
    status: 'running',
    held: false,
    sequence,
    head: headOf(sequence),
    startedAt: 1_000,
    lastAt: 1_000 + sequence,
    nextWake: null,
    owed: false,
    ...other,
  };
}

/** @param {number} sequence */
function headOf(sequence) {
  return sequence === 0 ? START : String(sequence).padStart(64, '0');
}

/**
 * @param {number} sequence
 * @returns {import('./contract.js').StoredEvent}
 */
function event(sequence) {
  const event = /** @type {import('@refrain/audit/host').Event} */ ({
    sequence,
    at: 1_000 + sequence,
    origin: 'fact',
    kind: { tag: 'timer_fired', value: { node_id: 'n\u0000', large: 2n ** 63n } },
  });
  return { event, salt: '5'.repeat(32), hash: headOf(sequence) };
}

/**
 * @param {string} id
 * @param {number} from
 * @param {number} to
 * @param {Partial<ExecutionChange>} [other]
 * @returns {ExecutionChange}
 */
function change(id, from, to, other = {}) {
  const events = Array.from({ length: to - from }, (_, place) => event(from + place + 1));
  return { expected: { sequence: from, head: headOf(from) }, record: record(id, to), events, items: [], ...other };
}

/**
 * @param {string} nodeId
 * @returns {import('./contract.js').ItemRecord}
 */
function item(nodeId) {
  const payload = '{"node_id":"n","kind":{},"input":1.50}';
  const ordered = {
    node_id: nodeId,
    attempt: 1,
    max_attempts: 3,
    queue: 'tool',
    tenant: 'default',
    priority: 5,
    not_before: 0,
    payload,
  };
  return {
    item: /** @type {import('./contract.js').ItemRecord['item']} */ (ordered),
    enqueuedAt: 1_001,
    releases: 0,
    state: 'leased',
    lease: { workerId: 'w', fence: 3, expiresAt: 9_000 },
  };
}

/**
 * @param {Store} store
 * @param {ExecutionChange[]} executions
 * @param {Partial<import('./contract.js').Turn>} [other]
 */
async function commit(store, executions, other = {}) {
  const version = await store.version();
  return store.commit({ version, at: 5_000, executions, workflows: [], components: [], ...other });
}

/**
 * @param {unknown} found
 * @param {unknown} expected
 * @param {string} what
 */
function same(found, expected, what) {
  const text = (/** @type {unknown} */ value) =>
    JSON.stringify(value, (_, it) => (typeof it === 'bigint' ? `${it}n` : it instanceof Uint8Array ? [...it] : it));
  if (text(found) !== text(expected)) throw new Error(`${what}: ${text(found)} instead of ${text(expected)}`);
}

/**
 * @param {Promise<unknown>} committing
 * @param {string} what
 */
async function conflicts(committing, what) {
  const outcome = await committing.then(
    () => 'it was written',
    (thrown) => thrown,
  );
  if (!(outcome instanceof ConflictError)) throw new Error(`${what} is a conflict: ${outcome}`);
}

/**
 * All that a store says of an execution.
 * @param {Store} store
 * @param {string} id
 */
async function all(store, id) {
  return [await store.execution(id), await store.events(id, 1, 1_000), await store.items(id)];
}

/** @type {StoreLaw[]} */
export const storeLaws = [
  {
    name: 'law 8: what was committed is there for who opens the store anew',
    async holds(open) {
      const store = await open();
      const items = /** @type {[string, import('./contract.js').ItemRecord][]} */ ([['n', item('n')]]);
      await commit(store, [change('a', 0, 3, { items })]);
      await store.close();
      const again = await open();
      same(await all(again, 'a'), [record('a', 3), [event(1), event(2), event(3)], items], 'what is read');
      const { version, at, executions, items: open_ } = await again.load();
      same([version, at, executions], [1, 5_000, [record('a', 3)]], 'what is loaded');
      same(open_, [['a', 'n', item('n')]], 'the items that are loaded');
    },
  },
  {
    name: 'law 1: an append presents the last sequence and its head, or nothing is written',
    async holds(open) {
      const store = await open();
      await commit(store, [change('a', 0, 2)]);
      const before = await all(store, 'a');
      for (const expected of [
        { sequence: 1, head: headOf(1) },
        { sequence: 3, head: headOf(3) },
        { sequence: 2, head: 'f'.repeat(64) },
      ]) {
        const wrong = { ...change('a', expected.sequence, 4), expected };
        await conflicts(commit(store, [change('b', 0, 1), wrong]), `expecting ${JSON.stringify(expected)}`);
      }
      await conflicts(commit(store, [change('a', 0, 2)]), 'beginning what has begun');
      await conflicts(commit(store, [{ ...change('a', 2, 4), events: [event(4)] }]), 'a gap');
      same(await all(store, 'a'), before, 'the execution is as before');
      same(await store.execution('b'), undefined, 'nothing of the turn is written');
      await commit(store, [change('a', 2, 4)]);
      same(
        (await store.events('a', 1, 1_000)).map((it) => it.event.sequence),
        [1, 2, 3, 4],
        'the log',
      );
    },
  },
  {
    name: 'of two that have read the same version, one writes',
    async holds(open) {
      const [one, other] = [await open(), await open()];
      const version = await one.version();
      const turn = (/** @type {string} */ id) => ({
        version,
        at: 1,
        executions: [change(id, 0, 1)],
        workflows: [],
        components: [],
      });
      const outcomes = await Promise.allSettled([one.commit(turn('a')), other.commit(turn('b'))]);
      same(outcomes.map((it) => it.status).sort(), ['fulfilled', 'rejected'], 'what became of both');
      same((await one.list({ max: 10 })).length, 1, 'the executions that are stored');
      same(await one.version(), await other.version(), 'the version that both see');
    },
  },
  {
    name: 'law 3: a turn that cannot be stored leaves nothing',
    async holds(open) {
      const store = await open();
      const unstorable = change('b', 0, 1);
      Object.assign(unstorable.events[0].event, { never: () => 1 });
      const workflow = { tenant: 'default', workflowId: 'w', version: '1.0.0', text: '{}' };
      const outcome = await commit(store, [change('a', 0, 1), unstorable], { workflows: [workflow] }).then(
        () => 'it was written',
        () => 'refused',
      );
      same(outcome, 'refused', 'a function in an event');
      same(
        [await store.execution('a'), await store.workflow('default', 'w', '1.0.0')],
        [undefined, undefined],
        'what is stored',
      );
      same((await store.load()).version, 0, 'the version');
    },
  },
  {
    name: 'items are replaced and removed by node',
    async holds(open) {
      const store = await open();
      const waiting = { ...item('n'), state: /** @type {const} */ ('waiting'), lease: null };
      await commit(store, [
        change('a', 0, 1, {
          items: [
            ['n', item('n')],
            ['m', item('m')],
          ],
        }),
        change('ab', 0, 1, { items: [['n', item('n')]] }),
      ]);
      await commit(store, [
        change('a', 1, 2, {
          items: [
            ['n', waiting],
            ['m', null],
            ['x', null],
          ],
        }),
      ]);
      same(await store.items('a'), [['n', waiting]], 'the items of a');
      same(await store.items('ab'), [['n', item('n')]], 'those of another');
    },
  },
  {
    name: 'what has ended is no open work, and stays',
    async holds(open) {
      const store = await open();
      await commit(store, [change('a', 0, 1), change('b', 0, 1), change('c', 0, 1)]);
      await commit(store, [
        change('a', 1, 2, { record: record('a', 2, { status: 'failed' }) }),
        change('c', 1, 2, { record: record('c', 2, { status: 'stalled', held: true }) }),
      ]);
      same((await store.load()).executions.map((it) => it.id).sort(), ['b', 'c'], 'open work');
      same((await store.execution('a'))?.status, 'failed', 'the one that has ended');
    },
  },
  {
    name: 'a registered workflow never changes',
    async holds(open) {
      const store = await open();
      const workflow = { tenant: 'default', workflowId: 'w', version: '1.0.0', text: '{"a": 1.50}' };
      await commit(store, [], { workflows: [workflow] });
      await commit(store, [], { workflows: [workflow, { ...workflow, tenant: 'other', text: '{}' }] });
      const outcome = await commit(store, [change('a', 0, 1)], { workflows: [{ ...workflow, text: '{}' }] }).then(
        () => 'written',
        (thrown) => thrown.code,
      );
      same(outcome, 'workflow_differs', 'another text');
      same(await store.workflow('default', 'w', '1.0.0'), workflow, 'the workflow');
      same(await store.execution('a'), undefined, 'the rest of that turn');
      same(await store.workflow('default', 'w', '2.0.0'), undefined, 'one that is not there');
    },
  },
  {
    name: 'law 10: components are kept as they are',
    async holds(open) {
      const store = await open();
      const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 255]);
      await commit(store, [], { components: [{ digest: 'd', bytes }] });
      same(await store.component('d'), bytes, 'the bytes');
      same(await store.component('e'), undefined, 'one that is not there');
    },
  },
  {
    name: 'events are read in pages, executions listed from the last that began',
    async holds(open) {
      const store = await open();
      const begun = (/** @type {string} */ id, /** @type {number} */ startedAt) =>
        change(id, 0, 3, { record: record(id, 3, { startedAt }) });
      await commit(store, [begun('a', 1), begun('c', 2), begun('b', 2), begun('d', 3)]);
      same(
        (await store.events('a', 2, 1)).map((it) => it.event.sequence),
        [2],
        'a page',
      );
      const grown = (/** @type {number} */ from, /** @type {number} */ to) =>
        change('a', from, to, { record: record('a', to, { startedAt: 1 }) });
      await commit(store, [grown(3, 4)]);
      await commit(store, [grown(4, 9)]);
      for (const [first, max] of [
        [1, 3],
        [1, 4],
        [2, 4],
        [4, 1],
        [5, 2],
        [3, 7],
        [6, 9],
        [1, 1],
      ]) {
        const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((it) => it >= first && it < first + max);
        const read = (await store.events('a', first, max)).map((it) => it.event.sequence);
        same(read, expected, `${max} events from ${first} on`);
      }
      same(await store.events('a', 10, 5), [], 'behind the end');
      same(await store.events('z', 1, 5), [], 'of none');
      same(
        (await store.list({ max: 3 })).map((it) => it.id),
        ['d', 'c', 'b'],
        'the first three',
      );
      same(
        (await store.list({ max: 3, after: 'b' })).map((it) => it.id),
        ['a'],
        'the rest',
      );
    },
  },
  {
    name: 'what is handed out and taken is the caller’s own',
    async holds(open) {
      const store = await open();
      const first = change('a', 0, 1, { items: [['n', item('n')]] });
      await commit(store, [first]);
      first.record.status = 'failed';
      const read = await store.execution('a');
      if (read !== undefined) read.sequence = 7;
      const [[, readItem]] = await store.items('a');
      readItem.item.payload = 'x';
      same(await store.execution('a'), record('a', 1), 'the record');
      same((await store.items('a'))[0][1], item('n'), 'the item');
    },
  },
];
