import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';

import { audit, auditJson, readLog, Recording, verifyAttestation } from '../src/index.js';
import { anchoredBytes } from '../src/log/anchor.js';
import { signedBytes } from '../src/log/attestation.js';
import { canonical, commitment } from '../src/log/event.js';
import { fingerprint, publicKey } from '../src/log/signed.js';
import { hex } from '../src/bytes.js';
import { writePretty } from '../src/json/value.js';
import { components, goldenLog } from './support/files.js';
import { forged, opened, rechained, written } from './support/forge.js';

const options = { components: components() };

/**
 * @param {string | Uint8Array} log
 * @returns {Promise<[string, unknown, number, string | null | undefined]>}
 */
async function found(log) {
  const { verdict, decisions, divergence } = await audit(log, options);
  return [verdict, divergence?.sequence ?? null, decisions, divergence?.rule];
}

test('an event that cannot be shown is not said to be missing', async () => {
  for (const final_state of ['1e400', '"\\ud800"', `${'['.repeat(200)}${']'.repeat(200)}`]) {
    const log = opened(goldenLog('completed'));
    log.kept[7].event.kind.value.final_state = final_state;
    const { verdict, divergence } = await audit(written(rechained(log)), options);
    assert.deepEqual([verdict, divergence?.message, divergence?.found], ['divergent', 'the guest decides otherwise, at event 8', null]);
  }
});

test('laws 1 and 4: what was edited, removed, inserted or moved is found and named', async () => {
  const text = new TextDecoder().decode(goldenLog('completed'));
  const lines = text.split('\n').slice(0, -1);
  const joined = (/** @type {string[]} */ all) => `${all.join('\n')}\n`;
  const edit = (/** @type {number} */ line, /** @type {RegExp | string} */ from, /** @type {string} */ to) => {
    const edited = lines[line].replace(from, to);
    assert.notEqual(edited, lines[line]);
    return joined(lines.with(line, edited));
  };
  /** With another first digit in a field. */
  const turned = (/** @type {number} */ line, /** @type {string} */ field) => {
    const [begin, digit] = lines[line].match(new RegExp(`"${field}":"(.)`)) ?? [];
    return edit(line, String(begin), `"${field}":"${digit === '0' ? '1' : '0'}`);
  };
  for (const [log, sequence, said] of /** @type {[string, number, RegExp][]} */ ([
    [edit(4, /"duration_ms":\d+/, '"duration_ms":1'), 4, /event 4 was changed/],
    [turned(4, 'salt'), 4, /event 4 was changed/],
    [turned(2, 'hash'), 2, /event 2 was changed/],
    [joined(lines.filter((_, line) => line !== 3)), 3, /event 3 is missing: the log goes on with event 4/],
    [joined([...lines.slice(0, 4), lines[3], ...lines.slice(4)]), 4, /where event 4 should be stands a second event 3/],
    [edit(4, '"sequence":4', '"sequence":0'), 4, /where event 4 should be stands an event with the number 0, which none has/],
    [joined([...lines.slice(0, 3), lines[4], lines[3], ...lines.slice(5)]), 3, /event 3 is missing/],
    [joined(lines.slice(0, -1)), 8, /event 8 is missing: the log ends with event 7, and its recorded head is event 8/],
    [text.slice(0, -10), 8, /event 8 is missing/],
    [turned(0, 'head'), 8, /the recorded head names another event 8/],
    [edit(0, 'exec_1', 'exec_2'), 1, /the log is that of another execution/],
    [edit(0, 'tool_ref', 'tool_reg'), 1, /the text of workflow w 1.0.0 is not the one/],
    [turned(0, 'guest_digest'), 1, /the header names another guest/],
  ])) {
    const { verdict, divergence } = await audit(log, options);
    assert.deepEqual([verdict, divergence?.sequence, divergence?.rule], ['tampered', sequence, 'law 4'], String(said));
    assert.match(divergence?.message ?? '', said);
  }
});

test('what may not stand in a log is illegal, though its chain is whole', async () => {
  for (const [change, sequence, said] of /** @type {[(log: Recording) => void, number, RegExp][]} */ ([
    [(log) => (log.kept[4].event.at = 0), 5, /event 5 is stamped \d+ ms before the event before it/],
    [(log) => (log.kept[3].event.origin = 'decision'), 4, /a decision cannot be of this kind/],
    [(log) => (log.kept[1].event.origin = 'fact'), 2, /a fact cannot be of this kind/],
    [(log) => log.kept.push(structuredClone(log.kept[7])), 9, /event 9 comes after event 8, which ended the execution/],
    [(log) => log.kept.shift(), 1, /event 1, and no other, is workflow_started/],
    [(log) => log.kept.splice(1, 0, structuredClone(log.kept[0])), 2, /event 1, and no other, is workflow_started/],
    [(log) => (log.kept.length = 0), 1, /the log has no events/],
  ])) {
    const { verdict, divergence } = await audit(forged('completed', change), options);
    assert.deepEqual([verdict, divergence?.sequence], ['illegal', sequence], String(said));
    assert.match(divergence?.message ?? '', said);
  }
});

test('law 2: what the guest decides otherwise, or would not have taken, is found', async () => {
  assert.deepEqual(await found(goldenLog('completed')), ['clean', null, 3, undefined]);
  /** @type {[(log: Recording) => void, string, number, number, string][]} */
  const table = [
    [(log) => (log.kept[1].event.kind.value.attempt = 2), 'divergent', 2, 0, 'R2'],
    [(log) => (log.kept[1].event.kind.value.item_digest = '0'.repeat(64)), 'divergent', 2, 0, 'R2'],
    [(log) => void log.kept.splice(1, 1), 'illegal', 2, 0, 'law 2'],
    [(log) => void log.kept.splice(4, 1), 'illegal', 5, 1, 'law 2'],
    [(log) => void log.kept.splice(3, 0, structuredClone(log.kept[1])), 'divergent', 4, 1, 'R5'],
    [(log) => (log.kept[2].event.kind.value.attempt = 9), 'illegal', 3, 1, 'law 2'],
    [(log) => (log.kept[3].event.kind.value.fence = 1), 'illegal', 4, 1, 'law 2'],
    [(log) => void (log.kept.length = 7), 'divergent', 8, 2, 'R16'],
    [(log) => (log.kept[0].event.kind.value.tenant = 'other'), 'divergent', 2, 0, 'R2'],
  ];
  for (const [change, verdict, sequence, decisions, rule] of table) {
    assert.deepEqual(await found(forged('completed', change)), [verdict, sequence, decisions, rule], String(change));
  }
});

test('a divergence says what was expected, what was found, and what the guest makes of it', async () => {
  const log = forged('completed', (it) => (it.kept[1].event.kind.value.queue = 'model'));
  const { divergence } = await audit(log, options);
  assert.ok(divergence !== null);
  const { code, compared, difference, state_hash, advice, message } = divergence;
  assert.deepEqual([code, compared, advice], ['other_decision', 'guest_with_log', 'compare_copies']);
  assert.equal(message, 'the guest decides otherwise, at event 2');
  assert.deepEqual(difference, [{ pointer: '/queue_type', expected: 'tool', found: 'model' }]);
  assert.match(state_hash ?? '', /^[0-9a-f]{64}$/);
  const document = writePretty(auditJson(await audit(log, options)));
  assert.match(document, /"message": "node `fetch` is dispatched at the next step, as far as max_dispatch_per_tick reaches"/);
});

test('a log that is owed a step may end where the guest was cut off, and nowhere else', async () => {
  const log = opened(goldenLog('completed'));
  log.kept.length = 7;
  const audits = [true, false].map((owed_a_step) => audit(written(rechained(log), { owed_a_step }), options));
  const [owed, not] = await Promise.all(audits);
  assert.deepEqual([owed.verdict, owed.owed_a_step, not.verdict], ['clean', true, 'divergent']);
});

test('kinds of a newer program are set aside, and damaged ones are unreadable', async () => {
  const text = new TextDecoder().decode(goldenLog('completed'));
  for (const [to, verdict] of [
    ['node_melted', 'newer'],
    ['Node', 'unreadable'],
  ]) {
    const [found_, sequence] = await found(text.replace('"type":"node_started"', `"type":"${to}"`));
    assert.deepEqual([found_, sequence], [verdict, 3]);
  }
  assert.deepEqual((await found(text.replace('refrain-log/2', 'refrain-log/9'))).slice(0, 2), ['newer', 0]);
  const { execution_id, events, head } = await audit('{', options);
  assert.deepEqual([execution_id, events, head], [null, 0, null]);
});

test('a component that is not at hand is an error, and no verdict', async () => {
  await assert.rejects(audit(goldenLog('completed')), { name: 'AuditError', message: /is not at hand/ });
});

function keyPair() {
  const pair = generateKeyPairSync('ed25519');
  return { privateKey: pair.privateKey, pem: String(pair.publicKey.export({ type: 'spki', format: 'pem' })) };
}

/**
 * A golden log, erased.
 * @param {string} name
 */
function erased(name) {
  const log = opened(goldenLog(name));
  const lines = new TextDecoder().decode(goldenLog(name)).split('\n').slice(1, -1);
  const kept = log.kept.map((it, place) => {
    const { erasable } = canonical(it.event);
    const committed = hex(commitment(/** @type {string} */ (it.salt), erasable));
    const fields = JSON.parse(lines[place]);
    const personal = ['initial_input', 'key', 'item_digest', 'worker_id', 'output', 'state_patch', 'final_state', 'telemetry'];
    const genAi = ['gen_ai_system', 'gen_ai_model', 'input_tokens', 'output_tokens', 'finish_reason', 'salt'];
    for (const field of [...personal, ...genAi]) delete fields[field];
    return { ...fields, commitment: committed };
  });
  const head = log.header.head.hash;
  const attestation = {
    at: '2026-01-01T00:00:00.000Z',
    verdict: 'clean',
    guest_digest: log.header.guest_digest,
    events: kept.length,
    head,
    by: 'ada',
  };
  const { execution_id, workflow, guest_digest } = log.header;
  const header = { format: 'refrain-log/2', execution_id, workflow, guest_digest, events: kept.length, head, erased: attestation };
  return { header, kept, text: () => [header, ...kept].map((line) => `${JSON.stringify(line)}\n`).join('') };
}

test('an erased log is audited without a guest, and who vouches for it is told', async () => {
  const log = erased('completed');
  const clean = await audit(log.text(), {});
  assert.deepEqual([clean.verdict, clean.decisions, clean.signature], ['erased', 0, { result: 'unsigned' }]);
  const { privateKey, pem } = keyPair();
  const key = publicKey(pem);
  const read = /** @type {Recording} */ (readLog(log.text()));
  assert.ok(read.header.erased !== null);
  const bytes = sign(null, signedBytes(read.header.erased, read.executionId), privateKey).toString('hex');
  Object.assign(log.header.erased, { signature: { algorithm: 'ed25519', key, bytes } });
  const name = fingerprint(key);
  const signed = log.text();
  assert.deepEqual((await audit(signed, { trust: [pem] })).signature, { result: 'trusted', key: name });
  assert.deepEqual(await verifyAttestation(/** @type {Recording} */ (readLog(signed))), { result: 'untrusted', key: name });
  log.header.erased.by = 'eve';
  const bad = await audit(log.text(), { trust: [pem] });
  assert.deepEqual([bad.verdict, bad.signature, bad.divergence?.sequence], ['tampered', { result: 'bad', key: name }, 0]);
});

test('a log is erased where it is said to be, as a whole, and only after its end', async () => {
  /** @type {[(log: ReturnType<typeof erased>) => void, string, RegExp][]} */
  const table = [
    [(log) => void Reflect.deleteProperty(log.header, 'erased'), 'tampered', /no attestation says by whom/],
    [(log) => (log.header.erased.events = 7), 'tampered', /the attestation is of another log/],
    [(log) => (log.kept[3].commitment = '0'.repeat(64)), 'tampered', /event 4 was changed/],
    [(log) => Object.assign(log.kept[3], { output: 1 }), 'unreadable', /an erased event has no such field/],
    [(log) => Reflect.deleteProperty(log.kept[3], 'commitment'), 'unreadable', /`commitment`: it is missing/],
  ];
  for (const [change, verdict, said] of table) {
    const log = erased('completed');
    change(log);
    const { verdict: got, divergence } = await audit(log.text(), {});
    assert.equal(got, verdict, String(said));
    assert.match(divergence?.message ?? '', said);
  }
  const partly = erased('completed').text().split('\n').with(3, new TextDecoder().decode(goldenLog('completed')).split('\n')[3]);
  const { divergence } = await audit(partly.join('\n'), {});
  assert.match(divergence?.message ?? '', /event 3 is not erased, and those before it are: a log is erased as a whole/);
});

test('law 4: anchors tell whole from signed and complete, and find a cut tail', async () => {
  const log = opened(goldenLog('completed'));
  const { privateKey, pem } = keyPair();
  const key = publicKey(pem);
  const line = (/** @type {number} */ sequence, /** @type {object} */ changes = {}) => {
    const head = { sequence, hash: log.kept[sequence - 1].hash };
    const anchor = { place: '', execution_id: log.executionId, head, at: 1767225600000, signature: null };
    const bytes = sign(null, anchoredBytes(anchor, key), privateKey).toString('hex');
    const signature = { algorithm: 'ed25519', key, bytes };
    const { execution_id } = anchor;
    const fields = { format: 'refrain-anchor/1', execution_id, sequence, head: head.hash, at: '2026-01-01T00:00:00.000Z' };
    return `${JSON.stringify({ ...fields, key_id: fingerprint(key), signature, ...changes })}\n`;
  };
  const unsigned = { key_id: undefined, signature: undefined };
  const told = async (/** @type {string} */ text, /** @type {string[]} */ trust = [pem]) =>
    (await audit(goldenLog('completed'), { ...options, trust, anchors: [{ text, place: 'heads' }] })).anchor;
  const name = fingerprint(key);
  assert.deepEqual(await told(line(8)), {
    place: 'heads, line 1',
    sequence: 8,
    at: 1767225600000,
    complete: true,
    signature: { result: 'trusted', key: name },
  });
  assert.deepEqual((await told(line(5) + line(3)))?.sequence, 5);
  assert.deepEqual((await told(line(8), []))?.signature, { result: 'untrusted', key: name });
  assert.deepEqual((await told(line(8, unsigned)))?.signature, { result: 'unsigned' });
  assert.deepEqual((await told(line(8) + line(5, { at: '2026-01-01T00:00:00.001Z' })))?.signature, { result: 'bad', key: name });
  const other = { key_id: 'k1', signature: { algorithm: 'ml-dsa', more: [1] } };
  assert.deepEqual((await told(line(8, other)))?.signature, { result: 'not_checked', algorithm: 'ml-dsa' });
  const cut = await audit(written(rechained(Object.assign(opened(goldenLog('completed')), { kept: log.kept.slice(0, 6) }))), {
    ...options,
    anchors: [{ text: line(8, unsigned), place: 'heads' }],
  });
  assert.deepEqual([cut.verdict, cut.divergence?.sequence], ['tampered', 7]);
  for (const text of ['', '{', '{}', line(8).slice(0, 90), line(8).replace('anchor/1', 'anchor/2'), line(8, { key_id: 'k' }), `${line(8)}\n`]) {
    await assert.rejects(told(text), { name: 'AnchorError', message: /^heads cannot be used for anchors/ }, text);
  }
  await assert.rejects(audit(goldenLog('completed'), { trust: ['no key'] }), { name: 'KeyError' });
});
