// What workers are given and what they say: answers, failures, secrets, requests.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Answer, WorkError, httpWorker, json } from '../src/index.js';
import { Masks } from '../src/workers/masks.js';
import { mustBeClean } from './support/audits.js';
import { chain, engineOf, eventsOf, startOf, tool } from './support/engines.js';

/** The last event of a kind, from an execution's log. @param {import('../src/index.js').Execution} execution @param {string} kind */
async function eventOf(execution, kind) {
  const lines = (await execution.log()).trimEnd().split('\n').slice(1);
  return JSON.parse(lines.reverse().find((line) => JSON.parse(line).type === kind) ?? 'null');
}

/**
 * What becomes of a node whose worker answers this.
 * @param {import('node:test').TestContext} t
 * @param {(item: import('../src/workers/attempt.js').WorkerItem) => unknown} work
 * @param {object} [node]
 * @param {import('../src/workers/put_in.js').Secrets} [secrets]
 */
async function doneBy(t, work, node = tool(), secrets = undefined) {
  const { engine } = await engineOf(t, { workers: { tool: async (item) => work(item) }, secrets });
  const execution = await startOf(engine, chain({ a: { retry_policy: 'no_retry', ...node } }), { input: { n: 1 } });
  const { status, finalStateText } = await execution.finished();
  await mustBeClean([await execution.log()]);
  return { execution, status, state: finalStateText };
}

/** What the state gets (rule R10). @type {[string, unknown, string][]} */
const ANSWERS = [
  ['an object', { b: 1 }, '{"b":1}'],
  ['a number', 7, '{"a":7}'],
  ['nothing', undefined, '{"a":null}'],
  ['a list', [1, { x: 'ü' }], '{"a":[1,{"x":"ü"}]}'],
  [
    'every digit',
    json('{"n":1.500,"big":123456789012345678901234567890}'),
    '{"big":123456789012345678901234567890,"n":1.500}',
  ],
  ['a patch', new Answer({ output: { b: 1 }, statePatch: { c: 2 } }), '{"c":2}'],
];

for (const [name, answer, state] of ANSWERS) {
  test(`R10: the state gets ${name}`, async (t) => {
    assert.deepEqual((await doneBy(t, () => answer)).state, state);
  });
}

/** Answers that are not taken, and what the log says of them. @type {[string, unknown, RegExp][]} */
const REFUSED = [
  ['a patch that is no object', new Answer({ statePatch: [1] }), /the state patch: it is no JSON object/],
  ['telemetry that is none', new Answer({ telemetry: 1 }), /the telemetry: it is no JSON object/],
  ['a number that JSON has not', 1n, /the output: it cannot be written as JSON/],
  ['what repeats a key', json('{"x":1,"x":2}'), /the key "x" is repeated/],
  ['a target that there is not', new Answer({ chosenTarget: 'nowhere' }), /the worker's answer was not taken: /],
  ['half of a character', '\ud800', /half of a character/],
];

for (const [name, answer, message] of REFUSED) {
  test(`an answer with ${name} is a failed attempt that says why`, async (t) => {
    const { status, execution } = await doneBy(t, () => answer);
    assert.equal(status, 'failed');
    assert.match((await eventOf(execution, 'node_failed')).error, message);
  });
}

/** What is thrown, and the fact that it becomes. @type {[string, unknown, object][]} */
const THROWN = [
  ['an error', new Error('no route'), { error: 'no route', retryable: true }],
  [
    'one with causes',
    new Error('no score', { cause: new Error('no route') }),
    { error: 'no score: no route', retryable: true },
  ],
  ['a text', 'bare', { error: 'bare', retryable: true }],
  [
    'a failure',
    new WorkError('gone', { retryable: false, class: 'io_error', retryAfterMs: 1_500.7 }),
    { error: 'gone', retryable: false, error_class: 'io_error', retry_after_ms: 1500 },
  ],
  [
    'a class that is no code',
    new WorkError('x', { class: 'Ada@example.org' }),
    { error: 'x', error_class: 'other', retryable: true },
  ],
  ['half of a character', new Error('a\ud800'), { error: 'a\ufffd', retryable: true }],
];

for (const [name, thrown, expected] of THROWN) {
  test(`what a worker throws is a failed attempt: ${name}`, async (t) => {
    const { execution } = await doneBy(t, () => {
      throw thrown;
    });
    const { error, retryable, error_class, retry_after_ms } = await eventOf(execution, 'node_failed');
    assert.deepEqual(JSON.parse(JSON.stringify({ error, retryable, error_class, retry_after_ms })), expected);
  });
}

test('a failure with too long a text is shortened, and stays what it is', async (t) => {
  const { execution } = await doneBy(t, () => {
    throw new Error('ä'.repeat(40_000));
  });
  const { error } = await eventOf(execution, 'node_failed');
  assert.match(error, /^ä+… \(\d+ bytes left out\)$/);
  assert.ok(Buffer.byteLength(error) <= 65_536);
});

test('a worker is given its item with its expressions resolved, and with every digit', async (t) => {
  /** @type {any} */
  let given;
  const node = { kind: { type: 'task', queue: 'tool', of: '${input.n}', input_mapping: { n: 'input.n' } } };
  await doneBy(t, (item) => void (given = item), node);
  const { execution, ...item } = given;
  assert.match(execution, /^exec_/);
  assert.deepEqual(item, {
    workflowId: 'w',
    workflowVersion: '1.0.0',
    nodeId: 'a',
    attempt: 1,
    maxAttempts: 1,
    queue: 'tool',
    tenant: 'default',
    priority: 5,
    kind: { type: 'task', queue: 'tool', of: 1, input_mapping: { n: 'input.n' } },
    input: { n: 1 },
    inputText: '{"n":1}',
  });
});

const SECRET = {
  kind: { type: 'task', queue: 'tool', token: 'Bearer ${secret.TOKEN} of ${execution_id} $${x}', plain: 'x' },
};

test('R29: a worker is given secrets, and no log holds them', async (t) => {
  /** @type {any} */
  let given;
  const told = (/** @type {any} */ item) => {
    given = item;
    return { said: `I was given ${item.kind.token}`, ['hunter2"']: ['hunter2"'], n: 1.5 };
  };
  const { execution, state } = await doneBy(t, told, SECRET, (name, tenant) =>
    name === 'TOKEN' && tenant === 'default' ? 'hunter2"' : undefined,
  );
  assert.equal(given.kind.token, `Bearer hunter2" of ${execution.id} \${x}`);
  assert.deepEqual(JSON.parse(state), {
    said: `I was given Bearer ***TOKEN*** of ${execution.id} \${x}`,
    '***TOKEN***': ['***TOKEN***'],
    n: 1.5,
  });
  assert.ok(!(await execution.log()).includes('hunter2'));
});

/** Secrets that end the attempt for good, with the class and what is said. @type {[string, import('../src/workers/put_in.js').Secrets | undefined, string, RegExp][]} */
const UNUSABLE = [
  ['is not there', () => undefined, 'unknown_secret', /there is no secret TOKEN of the tenant "default" here/],
  ['nobody answers', undefined, 'unknown_secret', /there is no secret TOKEN/],
  ['is too short', () => 'abc', 'unusable_secret', /fewer than 4 bytes/],
  ['is a part of its own name', () => 'TOKE', 'unusable_secret', /could not be hidden/],
];

for (const [name, secrets, errorClass, message] of UNUSABLE) {
  test(`R29: a secret that ${name} fails the attempt for good`, async (t) => {
    const { execution } = await doneBy(
      t,
      () => assert.fail('it is not called'),
      { ...SECRET, retry_policy: 'io_default' },
      secrets,
    );
    const { error, error_class, retryable } = await eventOf(execution, 'node_failed');
    assert.deepEqual([error_class, retryable], [errorClass, false]);
    assert.match(error, message);
  });
}

/** What is said, and what stands in its place. @type {[string, string][]} */
const SAID = [
  ['nothing', 'nothing'],
  ['hunter2hunter2', '***KEY******KEY***'],
  ['<hunter2-and-more>', '<***LONG***>'],
  ['hunter2-and-mor', '***KEY***-and-mor'],
  ['a"b\né.', '***ODD***.'],
  ['812345 14711 4711a', '812345 14711 4711a'],
  ['4711.5 0.4711 4711.', '4711.5 0.4711 ***PIN***.'],
  ['\\n4711 é4711', '\\n***PIN*** é***PIN***'],
];

test('R29: the longest value is hidden first, and a number only where it stands alone', () => {
  const masks = new Masks([
    ['KEY', 'hunter2'],
    ['LONG', 'hunter2-and-more'],
    ['PIN', '4711'],
    ['ODD', 'a"b\né'],
  ]);
  for (const [said, hidden] of SAID) assert.equal(masks.hide(said), hidden);
  assert.equal(
    masks.hideJson('{"a": ["x hunter2"], "n": 1.50, "pin": 4711, "m": 14711, "hunter2": "a\\"b\\n\\u00e9"}'),
    '{"a": ["x ***KEY***"], "n": 1.50, "pin": "***PIN***", "m": 14711, "***KEY***": "***ODD***"}',
  );
  assert.throws(() => masks.hideJson('{"hunter2": 1, "***KEY***": 2}'), { class: 'secret_in_answer' });
  assert.throws(() => new Masks([['N', '{"a"']]).hideJson('{"a":1}'), { class: 'secret_in_answer' });
});

/**
 * A server that answers each path in its way. Answers its address and what was asked.
 * @param {import('node:test').TestContext} t
 */
async function server(t) {
  /** @type {{method?: string, url?: string, headers: any, body: string}[]} */
  const asked = [];
  /** @type {import('node:http').Server} */
  const serving = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      const abroad = `http://localhost:${/** @type {import('node:net').AddressInfo} */ (serving.address()).port}/json`;
      if (request.url === '/abroad') return response.writeHead(302, { location: abroad }).end();
      const [status, headers, text] = REPLIES[request.url?.split('?')[0] ?? ''] ?? [404, {}, 'no such page'];
      response.writeHead(status, headers).end(text);
    });
  });
  await new Promise((resolve) => serving.listen(0, () => resolve(undefined)));
  t.after(() => serving.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (serving.address());
  return { origin: `http://127.0.0.1:${port}`, asked };
}

/** @type {Record<string, [number, Record<string, string>, string]>} */
const REPLIES = {
  '/json': [200, { 'content-type': 'application/json', 'x-token': 'abc', etag: 'e1' }, '{"n": 1.50}'],
  '/text': [200, { 'content-type': 'text/plain' }, ' hello '],
  '/none': [204, {}, ''],
  '/broken': [200, { 'content-type': 'application/problem+json' }, '{'],
  '/busy': [429, { 'retry-after': '7' }, 'later'],
  '/down': [503, {}, 'down'],
  '/gone': [410, {}, 'gone'],
  '/away': [302, { location: '/json' }, ''],
};

/** What becomes of a request: the final state, or the failure. @type {[string, object, string | RegExp, object?][]} */
const REQUESTS = [
  ['/json', {}, '{"n":1.50}'],
  ['/text', {}, '{"a":"hello"}'],
  ['/none', {}, '{}'],
  ['/away', {}, '{"n":1.50}'],
  [
    '/away',
    { follow_redirects: 'never' },
    /answered with a redirect, which is not followed/,
    { retryable: false, error_class: 'redirect' },
  ],
  [
    '/abroad',
    {},
    /led to another origin, http:\/\/localhost:\d+; name that address/,
    { retryable: false, error_class: 'redirect' },
  ],
  ['/abroad', { follow_redirects: 'anywhere' }, '{"n":1.50}'],
  ['/broken', {}, /what it calls JSON and is none/, { retryable: false }],
  ['/busy', {}, /answered 429: later/, { retryable: true, error_class: 'rate_limit', retry_after_ms: 7_000 }],
  ['/down', {}, /answered 503: down/, { retryable: true, error_class: 'server_error' }],
  ['/gone?key=hunter2', {}, /\/gone answered 410: gone$/, { retryable: false, error_class: 'client_error' }],
  ['/a/../json', {}, /a segment `\.` or `\.\.`/, { retryable: false, error_class: 'unusable_value' }],
  [
    '/json',
    { headers: { 'X-A': '${input.odd}' } },
    /\/kind\/headers\/X-A cannot stand in a header/,
    { retryable: false, error_class: 'unusable_value' },
  ],
];

for (const [path, options, expected, fields] of REQUESTS) {
  test(`a request to ${path} ${JSON.stringify(options)} comes to ${expected}`, async (t) => {
    const { origin } = await server(t);
    const { engine } = await engineOf(t, { workers: { http: httpWorker() } });
    const node = { kind: { type: 'http', url: `${origin}${path}`, ...options }, retry_policy: 'no_retry' };
    const execution = await startOf(engine, chain({ a: node }), { input: { odd: 'a\nb' } });
    const { status, finalStateText } = await execution.finished();
    if (typeof expected === 'string') {
      assert.equal(finalStateText, expected);
    } else {
      const event = await eventOf(execution, 'node_failed');
      assert.equal(status, 'failed');
      assert.match(event.error, expected);
      assert.deepEqual({ ...event, ...fields }, event);
      assert.ok(!event.error.includes('hunter2'));
    }
    await mustBeClean([await execution.log()]);
  });
}

test('a request is sent as its node says, and names its attempt', async (t) => {
  const { origin, asked } = await server(t);
  const { engine } = await engineOf(t, { workers: { http: httpWorker() }, secrets: () => 'hunter2' });
  const kind = {
    type: 'http',
    method: 'POST',
    url: `${origin}/json?q=\${input.q}`,
    headers: { Authorization: 'Bearer ${secret.TOKEN}', 'X-N': '${input.n}' },
    body: { n: '${input.n}' },
  };
  const execution = await startOf(engine, chain({ a: { kind } }), { input: { q: 'a b&c', n: 2 } });
  await execution.finished();
  const [{ method, url, headers, body }] = asked;
  assert.deepEqual([method, url, body], ['POST', '/json?q=a%20b%26c', '{"n":2}']);
  assert.deepEqual(
    [headers.authorization, headers['x-n'], headers['content-type']],
    ['Bearer hunter2', '2', 'application/json'],
  );
  assert.equal(headers['idempotency-key'], `${execution.id}/a/1`);
  const { telemetry } = await eventOf(execution, 'node_completed');
  assert.deepEqual(
    [telemetry.http.status, telemetry.http.headers.etag, telemetry.http.headers['x-token']],
    [200, 'e1', '***'],
  );
  assert.deepEqual((await eventsOf(execution, 'output')).length, 5);
});
