import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import { test } from 'node:test';

import { hex, utf8 } from '../src/bytes.js';
import { EncodingError, base64, inflate } from '../src/inflate.js';
import { START, canonical, commitment, linkOf, readKept, writeEvent, writeKept } from '../src/log/event.js';
import { FieldError } from '../src/log/fields.js';
import { KINDS, KIND_NAMES } from '../src/log/form.js';
import { idOfChild, instanceOf, isId, nodeOfRun, undoneBy } from '../src/log/id.js';
import { digest } from '../src/sha256.js';
import { readLog, Recording } from '../src/index.js';
import { goldenLog, goldenLogs } from './support/files.js';
import { forged, opened, written } from './support/forge.js';

test('every event of the golden logs comes back from its line', () => {
  /** @type {Set<string>} */
  const seen = new Set();
  for (const { bytes, name } of goldenLogs()) {
    const lines = new TextDecoder().decode(bytes).split('\n').slice(1, -1);
    opened(bytes).kept.forEach((kept, place) => {
      assert.equal(writeKept(kept), lines[place], name);
      seen.add(kept.event.kind.tag);
    });
  }
  assert.deepEqual(KIND_NAMES.filter((kind) => !seen.has(kind)), []);
});

test('law 4: the erasable fields are those that may be personal', () => {
  const personal = new Set(
    'by comment correlation_key edited_by error event_id final_state gen_ai initial_input item_digest key labels output payload reason state_patch telemetry user_id worker_id'.split(' '),
  );
  // A code of the guest's, where other kinds have a person's words.
  const codes = ['node_skipped', 'node_cancelled', 'stalled'];
  for (const [kind, fields] of Object.entries(KINDS)) {
    for (const { name, isErasable } of fields) {
      const expected = personal.has(name) && !(name === 'reason' && codes.includes(kind));
      assert.equal(isErasable, expected, `${name} of ${kind}`);
    }
  }
});

test('law 4: canonical bytes and links are as specified', () => {
  assert.equal(START, digest('refrain-log/2'));
  const event = /** @type {const} */ ({
    sequence: 3,
    at: 258,
    origin: 'fact',
    kind: { tag: 'node_released', value: { node_id: 'ü', attempt: 1, fence: 2n ** 63n, by: null } },
  });
  const number = (/** @type {bigint} */ value) => hex(new Uint8Array(BigUint64Array.of(value).buffer));
  const text = (/** @type {string} */ value) => number(BigInt(utf8(value).length)) + hex(utf8(value));
  const { plain, erasable } = canonical(event);
  assert.equal(
    hex(plain),
    [number(3n), number(258n), text('fact'), text('node_released'), text('ü'), number(1n), number(2n ** 63n)].join(''),
  );
  assert.equal(hex(erasable), '00');
  const salt = '07'.repeat(16);
  const committed = commitment(salt, Uint8Array.of(0));
  assert.equal(hex(committed), digest(Uint8Array.from([...new Array(16).fill(7), 0])));
  const link = linkOf(START, { event, salt, hash: '', commitment: null });
  assert.equal(link, linkOf(START, { event, salt: null, hash: '', commitment: hex(committed) }));
});

test('a late field leaves no byte where it is missing, and stands behind its name', () => {
  const value = { node_id: 'a', attempt: 1, fence: 2, error: 'e', error_class: null, retryable: true, retry_after_ms: null };
  const event = (/** @type {any} */ it) => ({ sequence: 1, at: 0, origin: /** @type {const} */ ('fact'), kind: { tag: 'node_failed', value: it } });
  const without = hex(canonical(event(value)).plain);
  const withIt = hex(canonical(event({ ...value, retry_after_ms: 7 })).plain);
  assert.equal(withIt, `${without}${'0e00000000000000'}${hex(utf8('retry_after_ms'))}0700000000000000`);
});

test('what is no event is named by its field', () => {
  const line = new TextDecoder().decode(goldenLog('completed')).split('\n')[3];
  assert.equal(JSON.parse(line).type, 'node_started');
  for (const [from, to, said] of /** @type {[RegExp | string, string, RegExp][]} */ ([
    ['{', '', /^field `the whole line`: it should be one JSON object/],
    ['"attempt":1', '"attempt":1,"attempt":1', /`attempt` is there twice/],
    [/,"attempt":1/, '', /^field `attempt`: it is missing; add it/],
    ['"attempt":1', '"attempt":-2', /^field `attempt`: -2 should be a whole number, not negative/],
    ['"attempt":1', '"attempt":1.0', /^field `attempt`: 1.0 should be a whole number/],
    ['"attempt":1', '"attempt":4294967296', /^field `attempt`: 4294967296 should be at most 4294967295/],
    ['"sequence":3', '"sequence":18446744073709551616', /^field `sequence`: 18446744073709551616 should be a whole/],
    ['"attempt":1', '"attempt":1,"colour":"red"', /^field `colour`: there is no such field here; remove it/],
    [/"node_id":"[^"]*"/, '"node_id":17', /^field `node_id`: 17 should be a string/],
    [/"node_id":"[^"]*"/, '"node_id":"\\ud800"', /^field `node_id`: .* should be a string/],
    ['node_started', 'node Melted', /^field `type`: node Melted should be one of workflow_started, /],
    ['node_started', 'node_melted', /^field `type`: node_melted is newer than this program/],
    ['"fact"', '"rumour"', /^field `origin`: rumour should be one of fact, decision/],
    [/\.\d{3}Z/, 'Z', /^field `at`: .* should be a time like/],
    [/"at":"[^"]*"/, '"at":7', /^field `at`: 7 should be a time like/],
    [/"salt":"./, '"salt":"x', /^field `salt`: .* should be 32 lower-case hexadecimal digits/],
    [/"hash":"./, '"hash":"', /^field `hash`: .* should be 64 lower-case hexadecimal digits/],
    [/"salt"/, '"commitment":"","salt"', /^field `commitment`: a salt stands next to it/],
    [/"salt":"[^"]*",/, '', /^field `salt`: it is missing/],
  ])) {
    const edited = line.replace(from, to);
    assert.notEqual(edited, line);
    assert.throws(() => readKept(edited), (error) => error instanceof FieldError && said.test(error.message), `${to}`);
  }
});

test('numbers of 64 bits, late times and odd payloads are kept', () => {
  const line = new TextDecoder().decode(goldenLog('completed')).split('\n')[4];
  assert.ok(line.includes('node_completed'));
  const edited = line
    .replace(/"fence":\d+/, '"fence":18446744073709551615')
    .replace(/"at":"[^"]*"/, '"at":18446744073709551615')
    .replace(/"output":[^,]*/, '"output_text":" {\\n}"');
  const { event } = readKept(edited);
  assert.equal(event.kind.value.fence, 18446744073709551615n);
  assert.equal(event.at, 18446744073709551615n);
  assert.equal(event.kind.value.output, ' {\n}');
  const again = writeEvent(event);
  assert.ok(again.includes('"fence":18446744073709551615') && again.includes('"output_text":" {\\n}"'), again);
});

test('an export that is none, or not whole, is told by line', () => {
  const text = new TextDecoder().decode(goldenLog('completed'));
  const lines = text.split('\n');
  const header = JSON.parse(lines[0]);
  const withHeader = (/** @type {object} */ fields) => [JSON.stringify({ ...header, ...fields }), ...lines.slice(1)].join('\n');
  for (const [log, cause, said] of /** @type {[string, string, RegExp][]} */ ([
    ['', 'malformed', /it is empty/],
    ['\n', 'malformed', /line 1: field `the whole line`/],
    ['{"format":"x"}\n', 'malformed', /the format is "x"/],
    ['{"format":"refrain-log/3"}\n', 'newer', /refrain-log\/3 is newer than this program/],
    [`{"format":"refrain-log/${'0'.repeat(99)}3"}\n`, 'newer', /is newer than this program/],
    [`{"format":"refrain-log/${'9'.repeat(5_000)}"}\n`, 'malformed', /the format is "refrain-log\/9/],
    [withHeader({ execution_id: 'exec_1' }), 'malformed', /"exec_1" is not an execution id/],
    [withHeader({ more: 1 }), 'malformed', /field `more`: there is no such field/],
    [withHeader({ components: ['ab'] }), 'malformed', /line 2 is no component/],
  ])) {
    const read = readLog(log);
    assert.ok(!(read instanceof Recording));
    assert.equal(read.cause, cause, log.slice(0, 80));
    assert.match(read.message, said);
  }
  const surplus = readLog(withHeader({ events: 3 }));
  assert.ok(surplus instanceof Recording);
  assert.match(surplus.brokenOff?.message ?? '', /line 5 is one too many: the header says that there are 3 events/);
  const cut = readLog(text.slice(0, -100));
  assert.ok(cut instanceof Recording);
  assert.deepEqual([cut.brokenOff, cut.kept.length], [null, header.events - 1]);
});

test('an export brings components, which are held against their digests', () => {
  const log = opened(goldenLog('completed'));
  const component = utf8('\0asm of a scheduler');
  const named = digest(component);
  const zlib = Buffer.from(deflateSync(component)).toString('base64');
  const [first, ...rest] = written(log, { components: [named] }).split('\n');
  const withLine = (/** @type {object} */ fields) =>
    [first, JSON.stringify({ component: named, bytes: component.length, zlib, ...fields }), ...rest].join('\n');
  const read = readLog(withLine({}));
  assert.ok(read instanceof Recording);
  assert.deepEqual(read.components.get(named), component);
  for (const [fields, said] of /** @type {[object, RegExp][]} */ ([
    [{ component: 'ab' }, /field `component`: the header names the component/],
    [{ bytes: component.length - 1 }, /field `zlib`: .* it holds more/],
    [{ bytes: component.length + 1 }, /field `zlib`: .* it holds 19 bytes/],
    [{ bytes: 99999999999 }, /field `bytes`: 99999999999 should be at most/],
    [{ zlib: `*${zlib}` }, /field `zlib`: .* it is no base64/],
    [{ zlib: 'AAAA' }, /field `zlib`: .* it is no zlib stream/],
    [{ zlib: Buffer.from(deflateSync(utf8('\0asm of a scheduleR'))).toString('base64') }, /another component/],
  ])) {
    const refused = readLog(withLine(fields));
    assert.ok(!(refused instanceof Recording));
    assert.match(refused.message, said);
  }
});

test('streams of every level come back, and damaged ones are refused', () => {
  const random = Uint8Array.from({ length: 70_000 }, (_, place) => (place * place * 2654435761) >>> 13);
  const text = utf8('refrain '.repeat(10_000));
  for (const bytes of [new Uint8Array(0), Uint8Array.of(7), text, random]) {
    for (const level of [0, 1, 6, 9]) assert.deepEqual(inflate(deflateSync(bytes, { level }), bytes.length), bytes);
  }
  const stream = deflateSync(text);
  for (let place = 0; place < stream.length; place += 1) {
    const damaged = Uint8Array.from(stream);
    damaged[place] ^= 0x10;
    assert.throws(() => inflate(damaged, text.length), EncodingError, `${place}`);
  }
  assert.throws(() => inflate(stream.subarray(0, -3), text.length), EncodingError);
  for (const none of ['a', 'ab=c', 'a===', 'ab c']) assert.throws(() => base64(none), EncodingError, none);
});

test('the id of a child follows from its parent', () => {
  // Held against the command line's by the logs of parents and children.
  const parent = 'exec_0102030405060708090a0b0c0d0e0f10';
  const child = idOfChild(parent, 'a[3]', 1, 0);
  assert.ok(isId(child) && child.startsWith('exec_0102'), child);
  assert.equal(child[5 + 12], '8');
  assert.equal(new Set([child, idOfChild(parent, 'a[3]', 2, 0), idOfChild(parent, 'a[3]', 1, 1), idOfChild(parent, 'a', 1, 0)]).size, 4);
  for (const none of ['exec_1', 'exec_0102030405060708090A0b0c0d0e0f10', `${parent}0`]) assert.ok(!isId(none), none);
});

test('R21 and R27: the ids of runs have one spelling', () => {
  for (const [id, node, index] of /** @type {[string, string, number][]} */ ([
    ['resize[3]', 'resize', 3],
    ['resize[0]', 'resize', 0],
    ['a[1][2]', 'a[1]', 2],
  ])) {
    assert.deepEqual(instanceOf(id), { node, index });
    assert.equal(nodeOfRun(`${id}!undo`), node);
  }
  for (const none of ['resize[03]', 'resize[]', 'resize[-1]', 'resize[+1]', 'resize[4294967296]', '[3]', 'resize', 'resize[3']) {
    assert.equal(instanceOf(none), undefined, none);
  }
  assert.deepEqual(['charge!undo', '!undo', 'charge!und'].map(undoneBy), ['charge', undefined, undefined]);
});

test('law 4: a line that is no text in UTF-8 is refused, and no other line comes to its event', async () => {
  const text = forged('completed', (log) => (log.kept[1].event.kind.value.node_id = '\ufffd'));
  const lines = text.split('\n');
  /** @param {number} line */
  const damaged = (line) => {
    const bytes = utf8(lines.with(line, lines[line].replace('refrain-log', '\ufffdefrain-log')).join('\n'));
    const mark = utf8('\ufffd');
    const at = bytes.findIndex((_, place) => mark.every((byte, of) => bytes[place + of] === byte));
    return Uint8Array.from([...bytes.subarray(0, at), 0xff, ...bytes.subarray(at + 3)]);
  };
  const event = readLog(damaged(2));
  assert.ok(event instanceof Recording);
  assert.deepEqual(
    [event.brokenOff?.cause, event.brokenOff?.sequence, event.brokenOff?.message],
    ['malformed', 2, 'line 3 is no text in UTF-8, export the log again'],
  );
  const header = readLog(damaged(0));
  assert.ok(!(header instanceof Recording));
  assert.deepEqual([header.cause, header.sequence], ['malformed', 0]);
  assert.match(header.message, /line 1: it is no text in UTF-8$/);
  // A line without its end is cut, perhaps within a character.
  const bytes = damaged(2);
  const cut = readLog(bytes.subarray(0, bytes.indexOf(0xff) + 1));
  assert.ok(cut instanceof Recording && cut.brokenOff === null);
});
