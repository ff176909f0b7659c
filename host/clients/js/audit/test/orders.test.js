import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Awaited, concernsChildren, saidOfChild, uncancelled, unfounded } from '../src/orders/children.js';
import { workItemDigest } from '../src/orders/digest.js';
import { LiteralKind } from '../src/orders/literal.js';
import { OrderRules } from '../src/orders/rules.js';
import { partsOf, textsWithin } from '../src/orders/templates.js';

const KIND = '{"type":"tool", "tool_ref":"harmless\\u0021"}';
const WORKFLOW = `{"nodes":{
  "a":{"kind":${KIND},"retry_policy":"twice"},
  "b":{"kind":{"type":"parallel","branches":["a"]}},
  "c":{"kind":{"type":"condition","branches":[ ]},"retry_policy":null},
  "d":{"kind":{"type":"task","queue":"gpu","n":1},"priority":9},
  "e":{"kind":{"type":"tool","tool_ref":"t","queue":7},"queue":"mail"},
  "m":{"kind":{"type":"map","over":"state.x","body":{"type":"http","url":"u"}},"compensate":{"type":"model"}},
  "s":{"kind":{"type":"subgraph","workflow_id":"c","version":"1.0.0","repeat":{"while":"true","max":3}}},
  "p":{"kind":{"type":"subgraph","detached":true,"body":{"nodes":{}}}},
  "j":{"kind":{"type":"join","merge_strategy":{"custom":"f"}}},
  "k":{"kind":{"type":"join","merge_strategy":"collect"}}
},"retry_policies":{"twice":{"max_attempts":2}}}`;

/** @param {{[field: string]: unknown}} [changes] */
function item(changes = {}) {
  const payload = `{"node_id":"a","kind":${KIND},"input":{}}`;
  return { node_id: 'a', attempt: 1, max_attempts: 2, queue: 'tool', tenant: 't', priority: 5, not_before: 0, payload, ...changes };
}

/** @param {string} node @param {string} kind */
const payload = (node, kind) => `{"node_id":"${node}","kind":${kind},"input":{}}`;

/** @param {any} it @param {[last: number, budgetAfter: number]} [before] */
function fault(it, [last, budgetAfter] = [0, 0]) {
  return new OrderRules(WORKFLOW).fault(it, 5, { last, budgetAfter });
}

test('what the workflow holds may be ordered', () => {
  const spelt = `{"input":1, "kind": ${KIND} ,"node_id":"\\u0061"} `;
  /** @type {[any, [number, number]?][]} */
  const table = [
    [item()],
    [item({ attempt: 2 }), [1, 0]],
    [item({ attempt: 3, max_attempts: 4 }), [2, 2]],
    [item({ payload: spelt })],
    [item({ node_id: 'c', max_attempts: 3, queue: 'general', payload: payload('c', '{"type":"condition","branches":[ ]}') })],
    [item({ node_id: 'd', max_attempts: 3, queue: 'gpu', priority: 9, payload: payload('d', '{"type":"task","queue":"gpu","n":1}') })],
    [item({ node_id: 'e', max_attempts: 3, queue: 'mail', payload: payload('e', '{"type":"tool","tool_ref":"t","queue":7}') })],
    [item({ node_id: 'm[7]', max_attempts: 3, queue: 'http', payload: payload('m[7]', '{"type":"http","url":"u"}') })],
    [item({ node_id: 'm[7]!undo', max_attempts: 3, queue: 'model', payload: payload('m[7]!undo', '{"type":"model"}') })],
    [item({ node_id: 'j', max_attempts: 3, queue: 'general', payload: payload('j', '{"type":"join","merge_strategy":{"custom":"f"}}') })],
  ];
  for (const [it, before] of table) assert.equal(fault(it, before), undefined, JSON.stringify(it));
});

test('what it does not hold is named', () => {
  const usual = `{"node_id":"a","kind":${KIND},"input":`;
  /** @type {[any, [number, number], string][]} */
  const table = [
    [item({ node_id: 'z' }), [0, 0], 'does not have'],
    [item({ node_id: 'b' }), [0, 0], 'settles itself'],
    [item({ node_id: 'k' }), [0, 0], 'settles itself'],
    [item({ node_id: 'm' }), [0, 0], 'settles itself'],
    [item({ node_id: 's' }), [0, 0], 'settles itself'],
    [item({ node_id: 'a[0]' }), [0, 0], 'does not have'],
    [item({ node_id: 'm!undo' }), [0, 0], 'does not have'],
    [item({ node_id: 'a!undo' }), [0, 0], 'does not have'],
    [item({ queue: 'command' }), [0, 0], '"command", and the node belongs on "tool"'],
    [item({ attempt: 2 }), [0, 0], 'attempt 1, the next one'],
    [item(), [1, 0], 'attempt 2, the next one'],
    [item({ max_attempts: 3 }), [0, 0], 'until attempt 3, and the node\'s retry policy ends at attempt 2'],
    [item({ attempt: 3 }), [2, 0], 'ends at attempt 2'],
    [item({ priority: 9 }), [0, 0], 'priority 9, and the node\'s is 5'],
    [item({ payload: payload('a', '{"type":"command","argv":["sh"]}') }), [0, 0], '`kind`'],
    [item({ payload: payload('a', '{"type":"tool","tool_ref":"harmless!"}') }), [0, 0], '`kind`'],
    [item({ payload: payload('c', KIND) }), [0, 0], '`node_id`'],
    [item({ payload: `${usual}1,"kind":1}` }), [0, 0], '`kind` is there twice'],
    [item({ payload: `${usual}1,"k\\u0069nd":1}` }), [0, 0], '`kind` is there twice'],
    [item({ payload: `${usual}1,"argv":[]}` }), [0, 0], 'unknown field `argv`'],
    [item({ payload: `${usual}1,"templates":["/kind/x"]}` }), [0, 0], '`templates`'],
    [item({ payload: `${usual}}` }), [0, 0], 'a payload that is not'],
    [item({ payload: `${usual}{}` }), [0, 0], 'a payload that is not'],
    [item({ payload: `${usual}{}}1` }), [0, 0], 'a payload that is not'],
    [item({ payload: '{}' }), [0, 0], 'missing field'],
    [item({ payload: '["a",1,{}]' }), [0, 0], 'a payload that is not'],
  ];
  for (const [it, before, named] of table) {
    assert.ok(fault(it, before)?.includes(named), `${named}: ${fault(it, before)}`);
  }
});

test('a workflow of another shape holds nothing', () => {
  for (const text of ['', '[]', '{}', '{"nodes":[]}', '{"nodes":{"a":{}}}', '{"nodes":{"a":{"kind":{"type":"tool"},"queue":7}}}']) {
    assert.equal(new OrderRules(text).nodes.size, 0, text);
  }
});

test('R20: a retry of a map gives its instances a fresh budget, and what undoes them none', () => {
  const rules = new OrderRules(WORKFLOW);
  const ids = ['m', 'm[0]', 'm[0]!undo', 'a'];
  const all = new Map(ids.map((id) => [id, { last: 3, budgetAfter: 0 }]));
  rules.follow(all, { tag: 'retry_requested', value: { node_id: 'm' } });
  assert.deepEqual([...all.values()].map((it) => it.budgetAfter), [3, 3, 0, 0]);
  rules.follow(all, { tag: 'node_scheduled', value: { node_id: 'x', attempt: 1 } });
  assert.deepEqual(all.get('x'), { last: 1, budgetAfter: 0 });
});

test('R29: values may stand where expressions do, and nothing else may', () => {
  const kind = LiteralKind.of(
    'command',
    '{"type":"command", "argv":["sh", "a ${state.x} b ${\'}\'}\\n", "${input}", "$${HOME}"],"env":{"${A}":"${node_id}-"}, "input_mapping": {"x": "\'${\'"}}',
  );
  const good =
    '{"type":"command", "argv":["sh", "a 1 b 2\\n", {"any": [1]}, "${HOME}"],"env":{"${A}":"x-"}, "input_mapping": {"x": "\'${\'"}}';
  assert.ok(kind?.isIn(good));
  for (const [from, to, isIn] of /** @type {[string, string, boolean][]} */ ([
    ['"a 1 b 2\\n"', '"a ${state.x} b }\\n"', true],
    ['"a 1 b 2\\n"', '"a  b  b \\n"', true],
    ['"a 1 b 2\\n"', '"a \\u0031 b 2\\u000a"', true],
    ['{"any": [1]}', '1.50', true],
    ['"x-"', '"--"', true],
    ['"sh"', '"zsh"', false],
    ['"a 1 b 2\\n"', '"b 1 b 2\\n"', false],
    ['"a 1 b 2\\n"', '"a 1 c 2\\n"', false],
    ['"a 1 b 2\\n"', '"a 1 b 2"', false],
    ['"a 1 b 2\\n"', '"a b\\n"', false],
    ['"a 1 b 2\\n"', '7', false],
    ['{"any": [1]}', 'null', false],
    ['"x-"', '"x"', false],
    ['{"x"', '{"y"', false],
  ])) {
    const other = good.replace(from, () => to);
    assert.notEqual(other, good, from);
    assert.equal(kind?.isIn(other), isIn, to);
  }
  assert.equal(LiteralKind.of('command', '{"argv":["x"],"other":"${state.x}"}'), undefined);
});

test('R29: a guest adds nothing to what the worker puts in', () => {
  const kind = LiteralKind.of(
    'http',
    '{"headers":{"A":"Bearer ${ secret.KEY }","B":"${state.x}-${secret.K}-${execution_id}"},"url":"${state.u}"}',
  );
  assert.deepEqual(kind?.forWorker, ['/kind/headers/A', '/kind/headers/B']);
  const good = '{"headers":{"A":"Bearer ${secret.KEY}","B":"x-${secret.K}-${execution_id}"},"url":"http://h"}';
  assert.ok(kind?.isIn(good));
  for (const [from, to] of [
    ['secret.KEY', 'secret.OTHER'],
    ['secret.KEY', ' secret.KEY '],
    ['${secret.KEY}', '$${secret.KEY}'],
    ['${secret.KEY}', 'value'],
    ['"x-', '"${secret.X}-'],
    ['"x-', '"${state.x}-'],
    ['"x-', '"x'],
    ['${secret.K}-${execution_id}', '${execution_id}-${secret.K}'],
    ['"Bearer ${secret.KEY}"', '7'],
  ]) {
    assert.ok(!kind?.isIn(good.replace(from, () => to)), to);
  }
  for (const to of ['"$${secret.X}-', '"${\'$\'}-']) assert.ok(kind?.isIn(good.replace('"x-', () => to)), to);
});

test('R29: a template is read as the contract has it', () => {
  for (const [template, texts, putsIn] of /** @type {[string, string[], string[]][]} */ ([
    ['', [''], []],
    ['a $ {b}', ['a $ {b}'], []],
    ['a ${secret.A}${execution_id}.', ['a ', '', '.'], ['secret.A', 'execution_id']],
    ['$${secret.A} ${secret.B}', ['${secret.A} ', ''], ['secret.B']],
    ["${'$'}${'$'}${secret.B}$", ['$$', '$'], ['secret.B']],
  ])) {
    assert.deepEqual(partsOf(template), { texts, putsIn }, template);
  }
  for (const none of ['${secret.A', '${secret.}', '${secret.1A}', '${secret.A-B}', '${ secret.A}', '${state.x}']) {
    assert.equal(partsOf(none), undefined, none);
  }
  const found = textsWithin('{"a":"x","b/c":[1,{"d~":"${1}"}], "e":{"f":{},"g":["h"]}}');
  assert.deepEqual(
    found.map(({ field, pointer }) => `${field} ${pointer}`),
    ['a /kind/a', 'b/c /kind/b~1c/1/d~0', 'e /kind/e/g/0'],
  );
});

test('R22: a child is the one that the workflow holds', () => {
  const rules = new OrderRules(WORKFLOW);
  const order = (/** @type {string} */ node_id, /** @type {number} */ iteration, /** @type {any} */ workflow) => ({
    name: { node_id, attempt: 1, iteration },
    workflow,
    input: '{}',
  });
  const named = { workflow_id: 'c', version: '1.0.0' };
  for (const lawful of [order('s', 2, named), order('p', 0, null)]) assert.equal(rules.childFault(lawful), undefined);
  for (const [unlawful, part] of /** @type {[any, string][]} */ ([
    [order('a', 0, named), 'starts none'],
    [order('x', 0, named), 'starts none'],
    [order('s', 0, null), 'another workflow'],
    [order('s', 0, { ...named, version: '2.0.0' }), 'another workflow'],
    [order('s', 3, named), '3 iterations'],
    [order('p', 1, null), '1 iterations'],
  ])) {
    assert.ok(rules.childFault(unlawful)?.includes(part), part);
  }
  assert.deepEqual([rules.childOf('p')?.inPlace, rules.childOf('p')?.isDetached], ['{"nodes":{}}', true]);
});

const name = { node_id: 's', attempt: 1, iteration: 0 };
const requested = { tag: 'child_requested', value: { ...name, workflow: null } };

test('law 3: orders about children are those of the decisions', () => {
  const event = /** @type {any} */ ({ kind: requested });
  const start = { tag: 'start_child', value: { name, workflow: null, input: '1' } };
  const other = { tag: 'start_child', value: { name: { ...name, iteration: 1 }, workflow: null, input: '1' } };
  assert.equal(unfounded([], []), undefined);
  assert.equal(unfounded([event], [start]), undefined);
  assert.match(unfounded([event], []) ?? '', /was not ordered/);
  assert.match(unfounded([event], [other]) ?? '', /was not ordered/);
  assert.match(unfounded([], [start]) ?? '', /without a decision/);
  assert.match(unfounded([event], [start, start]) ?? '', /without a decision/);
});

test('R22: who is stopped while it waits for a child cancels that child, and no other', () => {
  const rulesOf = new OrderRules(WORKFLOW).childOf;
  const stopped = { tag: 'node_cancelled', value: { node_id: 's', reason: 'terminated' } };
  const cancel = { tag: 'cancel_child', value: name };
  const judge = (/** @type {any[]} */ before, /** @type {any[]} */ decisions, /** @type {any[]} */ orders) => {
    const awaited = new Awaited();
    for (const kind of before) awaited.follow(saidOfChild(kind, rulesOf));
    return uncancelled(awaited, decisions, orders, rulesOf);
  };
  const ended = { tag: 'child_ended', value: name };
  const forked = { tag: 'execution_forked', value: { by: null } };
  assert.equal(judge([requested], [stopped], [cancel]), undefined);
  assert.match(judge([requested], [stopped], []) ?? '', /was not cancelled/);
  assert.match(judge([requested], [], [cancel]) ?? '', /was not stopped/);
  assert.match(judge([requested, ended], [stopped], [cancel]) ?? '', /was not stopped/);
  assert.match(judge([requested, forked], [stopped], [cancel]) ?? '', /was not stopped/);
  assert.equal(judge([requested, ended], [stopped], []), undefined);
  assert.ok(concernsChildren([stopped], [], rulesOf) && !concernsChildren([requested], [], rulesOf));
});

test('law 4: a work item has the digest that the contract says', () => {
  const it = { ...item(), node_id: 'nn', max_attempts: 2, queue: '', tenant: 't', not_before: 258, payload: '{}' };
  assert.equal(workItemDigest(it), '1cb3845cb1fffcb0e9a9a39384ba3dce7cadc77b053fc427cd933328e6af4abe');
});
