// What is refused at the door, before anything is started.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, json } from '../src/index.js';
import { chain, engineOf, startOf, tool } from './support/engines.js';

const CHILD = { type: 'subgraph', body: { start_node: 'x', nodes: { x: tool() } } };

/** Workflows that are refused: the code, and what the message has to say. @type {[string, object, string, RegExp][]} */
const WORKFLOWS = [
  [
    'a child',
    chain({ a: tool(), b: { kind: CHILD } }),
    'unsupported',
    /^at \/nodes\/b\/kind: this host runs no children/,
  ],
  [
    'a map of children',
    chain({ 'a~1': { kind: { type: 'map', over: 'input', body: CHILD } } }),
    'invalid_workflow',
    /a~01/,
  ],
  [
    'a map of children',
    chain({ m: { kind: { type: 'map', over: 'input', body: CHILD } } }),
    'unsupported',
    /^at \/nodes\/m\/kind\/body/,
  ],
  [
    'a cycle',
    {
      ...chain({ a: tool(), b: tool() }),
      edges: [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'a' },
      ],
    },
    'invalid_workflow',
    /cycle/,
  ],
  ['nothing', chain({}), 'invalid_workflow', /fault/],
];

for (const [name, workflow, code, message] of WORKFLOWS) {
  test(`a workflow with ${name} is refused, and nothing is registered: ${code}`, async (t) => {
    const { engine } = await engineOf(t);
    await assert.rejects(engine.register(workflow), { code, message });
    await assert.rejects(engine.start({ workflowId: 'w', version: '1.0.0' }), { code: 'unknown_workflow' });
  });
}

/** Texts that are no workflow. @type {[unknown, RegExp][]} */
const TEXTS = [
  ['{"workflow_id": "w", "workflow_id": "v"}', /the key "workflow_id" is repeated; leave one out/],
  ['{', /the text is not JSON/],
  [undefined, /the workflow is nothing/],
  ['['.repeat(101) + ']'.repeat(101), /nested more than 100 deep/],
  ['{"a": "\\ud800"}', /half of a character/],
];

for (const [text, message] of TEXTS) {
  test(`a text is no workflow: ${message}`, async (t) => {
    const { engine } = await engineOf(t);
    await assert.rejects(engine.register(text), { code: 'invalid_json', message });
  });
}

/** Work of built-in kinds for which nobody is there (law 9). @type {[string, object, RegExp][]} */
const UNSERVED = [
  [
    'a program',
    chain({ a: tool(), b: { kind: { type: 'command', argv: ['ls'] } } }),
    /^at \/nodes\/b\/kind: nothing here works on the queue "command".*a page runs no programs/,
  ],
  [
    'a program on a queue of its own',
    chain({ b: { kind: { type: 'command', argv: ['ls'] }, queue: 'mine' } }),
    /the queue "mine"/,
  ],
  ['a request', chain({ a: { kind: { type: 'http', url: 'http://h' } } }), /give `httpWorker\(\)`/],
  [
    'a program that undoes',
    chain({ a: tool({ compensate: { type: 'command', argv: ['ls'] } }) }),
    /^at \/nodes\/a\/compensate/,
  ],
  [
    'a program in a map',
    chain({ a: { kind: { type: 'map', over: 'input', body: { type: 'command', argv: ['ls'] } } } }),
    /^at \/nodes\/a\/kind\/body/,
  ],
];

for (const [name, workflow, message] of UNSERVED) {
  test(`law 9: ${name} is not started where nobody would do it`, async (t) => {
    const { engine } = await engineOf(t, { workers: { tool: () => 1 } });
    await assert.rejects(startOf(engine, workflow), { code: 'no_worker', message });
    assert.deepEqual(await engine.list(), []);
    engine.work(
      /mine/.test(String(message)) ? 'mine' : /httpWorker/.test(String(message)) ? 'http' : 'command',
      () => 1,
    );
    assert.equal((await (await startOf(engine, workflow, { input: [1] })).finished()).status, 'completed');
  });
}

test('law 9: work of other kinds waits for a worker, and that is told once', async (t) => {
  const { engine, warnings } = await engineOf(t);
  const execution = await startOf(engine, chain({ a: tool() }));
  await execution.signal('k');
  const { state, reasons } = await execution.explain('a');
  assert.equal(state, 'scheduled');
  assert.deepEqual(reasons[0].remedies, [{ tag: 'start_worker', value: 'tool' }]);
  assert.deepEqual(warnings, [
    'work waits on the queue "tool", and nobody works on it here; give the engine a worker for it',
  ]);
  engine.work('tool', () => ({ done: true }));
  assert.deepEqual((await execution.finished()).finalState, { done: true });
});

/** What a start cannot have. @type {[object, string, RegExp][]} */
const STARTS = [
  [{ priority: 10 }, 'invalid_priority', /0 to 9/],
  [{ priority: 1.5 }, 'invalid_priority', /1\.5/],
  [{ labels: { 'a b': 'x' } }, 'invalid_label', /"a b"/],
  [{ labels: { a: 'x'.repeat(257) } }, 'invalid_label', /257 bytes/],
  [
    { labels: Object.fromEntries(Array.from({ length: 65 }, (_, place) => [`l${place}`, ''])) },
    'invalid_label',
    /65 labels/,
  ],
  [{ key: 'x'.repeat(65_537) }, 'too_long', /65537 bytes, and 65536/],
  [{ key: 7 }, 'invalid_argument', /the key is no text, but number/],
  [{ by: '\ud800' }, 'invalid_argument', /half of a character/],
  [{ input: 1n }, 'invalid_json', /the input: it cannot be written as JSON/],
  [{ input: json('{"a":1,"a":2}') }, 'invalid_json', /the key "a" is repeated/],
  [{ input: json('{"a":') }, 'invalid_json', /the text is not JSON/],
  [{ input: 'x'.repeat(4 * 1024 * 1024) }, 'invalid_json', /4194306 bytes, and 4194304/],
  [{ version: '2.0.0' }, 'unknown_workflow', /"w" of version "2.0.0"/],
];

for (const [options, code, message] of STARTS) {
  test(`a start is refused: ${code} ${message}`, async (t) => {
    const { engine } = await engineOf(t, { workers: { tool: () => 1 } });
    await assert.rejects(startOf(engine, chain({ a: tool() }), options), { code, message });
    assert.deepEqual(await engine.list(), []);
  });
}

test('law 8: the same key starts once, and nothing else', async (t) => {
  const { engine } = await engineOf(t, { workers: { tool: () => 1 } });
  const workflow = chain({ a: tool() });
  const start = (/** @type {object} */ other) =>
    startOf(engine, workflow, { key: 'k', input: { a: 1 }, labels: { x: '1', y: '2' }, ...other });
  const [one, other] = await Promise.all([start({}), start({ labels: { y: '2', x: '1' } })]);
  assert.equal(one.id, other.id);
  await one.finished();
  assert.equal((await start({})).id, one.id);
  for (const differs of [{ input: { a: 2 } }, { labels: { x: '1' } }, { priority: 9 }]) {
    await assert.rejects(start(differs), { code: 'key_taken', message: /choose another key/ });
  }
});

test('a registered workflow never changes', async (t) => {
  const { engine } = await engineOf(t);
  await engine.register(chain({ a: tool() }));
  await engine.register(chain({ a: tool() }));
  await assert.rejects(engine.register(chain({ b: tool() })), { code: 'workflow_differs' });
});

test('who asks for what is not there, or for what cannot be, is told what is wrong', async (t) => {
  const { engine } = await engineOf(t, { workers: { tool: () => new Promise(() => undefined) } });
  assert.throws(() => engine.execution('exec_7'), { code: 'invalid_argument', message: /32 hexadecimal/ });
  assert.throws(() => engine.work('tool', () => 1), { code: 'invalid_argument', message: /is there already/ });
  assert.throws(() => engine.execution(/** @type {any} */ (undefined)), { code: 'invalid_argument', message: /is no text, but undefined/ });
  const none = engine.execution(`exec_${'0'.repeat(32)}`);
  for (const asking of [none.finished(), none.show(), none.log(), none.cancel(), none.explain('a')]) {
    await assert.rejects(asking, { code: 'unknown_execution' });
  }
  const execution = await startOf(engine, chain({ a: tool() }));
  await assert.rejects(execution.explain('b'), { code: 'unknown_node', message: /no node "b"/ });
  await assert.rejects(execution.approve('a', { userId: 'ada' }), {
    code: 'refused',
    details: { execution: execution.id, code: 'wrong_state' },
  });
  await assert.rejects(execution.retry('b'), { code: 'refused' });
  await assert.rejects(execution.unpause(), { code: 'refused' });
  await assert.rejects(execution.lift(), { code: 'refused' });
  await assert.rejects(execution.signal('k', json('{')), { code: 'invalid_json' });
});

test('who names nothing is told how it is written', async (t) => {
  const { engine } = await engineOf(t);
  const nothing = /** @type {any} */ (undefined);
  const execution = engine.execution(`exec_${'0'.repeat(32)}`);
  /** @type {[Promise<unknown>, RegExp][]} */
  const askings = [
    [Engine.open(nothing), /what an engine is opened with is no object, but undefined; .*`Engine\.open\(\{ store/],
    [Engine.open(/** @type {any} */ ({})), /the store of an engine is no object, but undefined; .*new MemoryStore/],
    [engine.start(nothing), /what is to be started is no object, but undefined; .*workflowId/],
    [engine.start(/** @type {any} */ (null)), /but null; /],
    [execution.approve('a', nothing), /the decision is no object, but undefined; .*userId/],
  ];
  for (const [asking, message] of askings) await assert.rejects(asking, { code: 'invalid_argument', message });
});

test('more callers than may wait are told so at once', async (t) => {
  const { engine } = await engineOf(t, { callersMax: 3 });
  const asked = await Promise.allSettled(Array.from({ length: 5 }, () => engine.register(chain({ a: tool() }))));
  const codes = asked.map((it) => (it.status === 'fulfilled' ? 'done' : it.reason.code));
  assert.deepEqual(codes, ['done', 'done', 'done', 'overloaded', 'overloaded']);
});
