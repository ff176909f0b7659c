// Law 11: children and forks, and the logs that they come from.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { audit, auditAll, auditJson, Recording } from '../src/index.js';
import { auditLines } from '../src/audit/words.js';
import { digest } from '../src/sha256.js';
import { components, goldenLog } from './support/files.js';
import { family } from './support/child.js';
import { forged, opened, rechained, written } from './support/forge.js';

const options = { components: components() };

/**
 * A fork of a golden log, changed.
 * @param {(log: Recording) => void} change
 * @param {number} [common]
 */
function fork(change, common = 5) {
  const log = opened(goldenLog('completed'));
  const { hash } = log.kept[common - 1];
  log.kept.length = common;
  const id = `exec_${'7'.repeat(32)}`;
  const forked_from = { execution_id: log.executionId, sequence: common, head: hash };
  log.header.execution_id = id;
  Object.assign(log.started, { execution_id: id, key: null, forked_from });
  const forked = { tag: 'execution_forked', value: { by: null } };
  const event = { ...log.kept[common - 1].event, origin: /** @type {const} */ ('fact'), kind: forked };
  log.kept.push({ event, hash: '', salt: '00'.repeat(16), commitment: null });
  change(log);
  return written(rechained(log));
}

test('law 11: a child begins as its parent ordered it, from either side', async () => {
  const { parent, child } = family();
  const audits = await auditAll([written(parent), written(child)], options);
  assert.deepEqual(audits.map((it) => [it.verdict, it.child_of?.link ?? null]), [['clean', null], ['clean', 'linked']]);
  const [alone] = await auditAll([written(child)], options);
  assert.deepEqual([alone.verdict, alone.child_of?.link], ['clean', 'origin_missing']);
  /** @type {[(started: any) => void, string, RegExp][]} */
  const table = [
    [(it) => (it.initial_input = '{"of":"other"}'), 'tampered', /the guest of its parent orders another input/],
    [(it) => (it.priority = 9), 'tampered', /its event 1 has other values/],
    [(it) => (it.labels = [{ name: 'a', value: 'b' }]), 'tampered', /its event 1 has other values/],
    [(it) => (it.parent.sequence = 13), 'tampered', /event 13 of exec_\w+ does not ask for/],
    [(it) => (it.parent.attempt = 1), 'illegal', /and the child of that is exec_/],
    [(it) => (it.parent.depth = 2), 'illegal', /says that the child is 2 levels below/],
    [(it) => (it.parent.depth = 33), 'illegal', /33 levels below its root/],
    [(it) => (it.parent.root = 'exec'), 'illegal', /no execution's id/],
  ];
  for (const [change, verdict, said] of table) {
    const { child: forgedChild } = family();
    change(forgedChild.started);
    forgedChild.kept.length = 1;
    const log = written(rechained(forgedChild), { owed_a_step: true });
    const [ofParent, ofChild] = await auditAll([written(parent), log], options);
    assert.deepEqual([ofChild.verdict, ofChild.divergence?.sequence], [verdict, 1], String(said));
    assert.match(ofChild.divergence?.message ?? '', said);
    if (verdict === 'tampered') assert.equal(ofParent.verdict, 'tampered');
  }
});

test('law 11: the children that a log names are its own', async () => {
  for (const [field, value, said] of [
    ['child_id', `exec_${'7'.repeat(32)}`, /and that is another one's id/],
    ['workflow_digest', digest('{}'), /is of another workflow text than the one that is written there/],
  ]) {
    const log = forged('child', ({ kept }) => (kept[14].event.kind.value[String(field)] = value));
    const { verdict, divergence } = await audit(log, options);
    assert.deepEqual([verdict, divergence?.sequence], ['illegal', 15]);
    assert.match(divergence?.message ?? '', /** @type {RegExp} */ (said));
  }
});

test('law 11: a fork has the events of its origin up to the last common one', async () => {
  const judged = async (/** @type {string} */ log) => {
    const [, it] = await auditAll([goldenLog('completed'), log], options);
    return it;
  };
  const linked = await judged(fork(() => {}));
  assert.deepEqual([linked.verdict, linked.forked_from?.link], ['clean', 'linked']);
  const [alone] = await auditAll([fork(() => {})], options);
  assert.equal(alone.forked_from?.link, 'origin_missing');
  for (const [log, said] of /** @type {[string, RegExp][]} */ ([
    [fork((it) => (it.kept[3].salt = '11'.repeat(16))), /event 4 is not the one of/],
    [fork((it) => (it.started.forked_from.head = '0'.repeat(64))), /event 1 names another event 5/],
    [fork((it) => (it.started.forked_from.sequence = 99)), /that log has not so many/],
    [fork((it) => (it.started.seed = 7)), /event 1 has another seed/],
    [fork((it) => (it.started.limits.max_concurrent_nodes = 7)), /event 1 has another limits/],
    [fork((it) => (it.started.initial_input = '7')), /event 1 has another input/],
    [fork((it) => void it.kept.pop()), /does not go its own way after event 5/],
  ])) {
    const { verdict, divergence, forked_from } = await judged(log);
    assert.deepEqual([verdict, forked_from?.link], ['tampered', 'broken'], String(said));
    assert.match(divergence?.message ?? '', said);
  }
});

/**
 * A golden log as it was when it had no more than so many events, and its scheduler nothing to decide.
 * @param {string} name
 * @param {number} events
 */
function early(name, events) {
  const log = opened(goldenLog(name));
  while (log.kept.length > events || log.kept[log.kept.length - 1].event.origin === 'fact') log.kept.pop();
  return log;
}

test('law 11: a copy of a parent is not believed for the head that it claims', async () => {
  const { parent, child } = family();
  const whole = written(parent);
  const changed = whole.replace(/"salt":"(.)/, (_, digit) => `"salt":"${digit === 'f' ? '0' : 'f'}`);
  const link = async (/** @type {string[]} */ ...parents) => {
    const audits = await auditAll([...parents, written(child)], options);
    return audits[parents.length].child_of?.link;
  };
  assert.equal(await link(whole, changed), 'origin_unsound');
  assert.equal(await link(changed, whole), 'linked');
});

test('law 11: what is missing of a log is named, and nobody is blamed', async () => {
  const { parent, child } = family();
  const whole = opened(goldenLog('child'));
  const { node_id, attempt, iteration } = parent.kept[13].event.kind.value;
  const ends = whole.kept.map(({ event }) => event.kind).find(({ tag, value }) =>
    tag === 'child_ended' && value.node_id === node_id && value.attempt === attempt && value.iteration === iteration);
  const [from, to] = [child.kept.length + 1, ends?.value.sequence];
  assert.ok(from < to, `${from} to ${to}`);
  const missing = [{ execution_id: child.executionId, from, to }];
  const [ofParent, ofChild] = await auditAll([goldenLog('child'), written(child)], options);
  assert.deepEqual([ofParent.verdict, ofParent.missing], ['clean', missing]);
  assert.deepEqual([ofChild.verdict, ofChild.child_of?.link, ofChild.missing], ['clean', 'cut', missing]);
  assert.deepEqual(auditJson(ofChild).missing, missing);
  assert.match(auditLines(ofChild).join('\n'), /are missing: its log ends with event \d+: not compared/);

  // A log that lost its end, and not its header, says so itself.
  const torn = written(child).split('\n').slice(0, 2).join('\n');
  const [alone, tornChild] = await auditAll([goldenLog('child'), torn], options);
  assert.deepEqual([alone.verdict, alone.missing], ['clean', []]);
  assert.deepEqual([tornChild.verdict, tornChild.divergence?.sequence], ['tampered', 2]);

  const cutParent = early('child', 12);
  const [, ofEarly] = await auditAll([written(cutParent), written(child)], options);
  const until = { execution_id: parent.executionId, from: cutParent.kept.length + 1, to: 14 };
  assert.deepEqual([ofEarly.verdict, ofEarly.child_of?.link, ofEarly.missing], ['clean', 'cut', [until]]);

  const origin = early('completed', 4);
  const [, ofFork] = await auditAll([written(origin), fork(() => {})], options);
  const common = { execution_id: origin.executionId, from: origin.kept.length + 1, to: 5 };
  assert.deepEqual([ofFork.verdict, ofFork.forked_from?.link, ofFork.missing], ['clean', 'cut', [common]]);
  const other = fork((it) => (it.kept[1].salt = '11'.repeat(16)));
  const [, edited] = await auditAll([written(origin), other], options);
  assert.deepEqual([edited.verdict, edited.divergence?.sequence], ['tampered', 2]);
});

test('law 11: nobody is a child and a fork', async () => {
  const { child } = family();
  child.started.forked_from = { execution_id: `exec_${'7'.repeat(32)}`, sequence: 1, head: '0'.repeat(64) };
  const { verdict, divergence } = await audit(written(rechained(child)), options);
  assert.deepEqual([verdict, divergence?.sequence], ['illegal', 1]);
  assert.match(divergence?.message ?? '', /a fork is nobody's child/);
});
