import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { run } from '../src/node/command.js';
import { escaped, escapedJson, quoted } from '../src/text.js';
import { bytesOf, goldenLog } from './support/files.js';
import { opened, rechained, written } from './support/forge.js';

const folder = mkdtempSync(join(tmpdir(), 'refrain-audit-'));
test.after(() => rmSync(folder, { recursive: true }));

/** @param {string} name @param {string | Uint8Array} content */
function file(name, content) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** @param {...string} words */
async function said(...words) {
  let [out, err] = ['', ''];
  const streams = { out: (/** @type {string} */ text) => void (out += text), err: (/** @type {string} */ text) => void (err += text) };
  const golden = file('guest.wasm', bytesOf('tests/guests/divergent.wasm'));
  const code = await run([...words, ...(words.includes('--help') ? [] : ['--with', golden])], streams);
  return { code, out, err };
}

test('verdicts, exit codes and documents are those of the command line', async () => {
  const clean = file('clean.ndjson', goldenLog('completed'));
  const { code, out } = await said(clean);
  assert.deepEqual([code, out], [0, 'exec_13219b831bf88ee4870f58eccb1c6d89  clean  8 events, 3 decisions replayed\n']);
  const log = opened(goldenLog('completed'));
  log.kept[1].event.kind.value.queue = 'model';
  const forged = file('forged.ndjson', written(rechained(log)));
  const bad = await said(forged);
  assert.equal(bad.code, 1);
  for (const line of [
    'exec_13219b831bf88ee4870f58eccb1c6d89  divergent  8 events, 0 decisions replayed',
    '  event 2: the guest decides otherwise, at event 2',
    '    at "/queue_type": the guest decides "tool", the log has "model"',
    '    rule: R2',
    '    the guest on node "fetch", which is ready:',
    '    next: compare the log with a backup or an export, and trust neither before it is clear which was changed',
  ]) {
    assert.ok(bad.out.split('\n').some((it) => it.startsWith(line)), `${line}\n${bad.out}`);
  }
  const both = await said(clean, forged, '--json');
  assert.deepEqual([both.code, JSON.parse(both.out).executions.map((/** @type {any} */ it) => it.verdict)], [1, ['clean', 'divergent']]);
});

const command = new URL('../bin/refrain-audit.js', import.meta.url).pathname;
const program = process.env.REFRAIN_PROGRAM;

test('of several logs each names its file, word for word as `refrain` does', { skip: program === undefined && 'REFRAIN_PROGRAM names no program' }, () => {
  const clean = file('clean.ndjson', goldenLog('completed'));
  const log = opened(goldenLog('completed'));
  log.kept[1].event.kind.value.queue = 'model';
  const forged = file('forged.ndjson', written(rechained(log)));
  const noLog = file('no\u0007log.ndjson', '{}\n');
  const guest = ['--guest', file('guest.wasm', bytesOf('tests/guests/divergent.wasm'))];
  for (const logs of [[clean], [forged, noLog, clean]]) {
    for (const options of [[], ['--json'], guest, [...guest, '--json']]) {
      const ours = spawnSync(process.execPath, [command, ...logs, ...options], { encoding: 'utf8' });
      const theirs = spawnSync(String(program), ['audit', '--file', ...logs, ...options], { encoding: 'utf8' });
      assert.deepEqual([ours.status, ours.stdout, ours.stderr], [theirs.status, theirs.stdout, theirs.stderr]);
    }
  }
});

test('a file that cannot be read does not keep the others from being audited', async () => {
  const clean = file('clean.ndjson', goldenLog('completed'));
  const missing = join(folder, 'missing.ndjson');
  const { code, out, err } = await said(missing, clean, '--json');
  const { executions, failed } = JSON.parse(out);
  assert.deepEqual([code, executions.length, executions[0].file, executions[0].verdict], [2, 1, clean, 'clean']);
  assert.deepEqual([failed.length, failed[0].execution_id, failed[0].error.code], [1, missing, 'log_unreadable']);
  assert.match(err, /cannot read the log .*missing\.ndjson[^]*1 of 2 executions could not be audited/);
  const only = await said(missing, '--json');
  assert.deepEqual([only.code, JSON.parse(only.out).error.code], [2, 'log_unreadable']);
});

test('what is newer, or cannot be audited, is an error', async () => {
  const text = new TextDecoder().decode(goldenLog('completed'));
  const newer = await said(file('newer.ndjson', text.replace('node_started', 'node_melted')), '--json');
  assert.deepEqual([newer.code, JSON.parse(newer.out).executions[0].verdict], [2, 'newer']);
  assert.match(newer.err, /1 of 1 executions are of a newer program/);
  const clean = file('clean.ndjson', goldenLog('completed'));
  for (const [words, code, part] of /** @type {[string[], string, string][]} */ ([
    [[], 'usage', 'no log is named'],
    [['--colour'], 'usage', 'there is no option --colour'],
    [[clean, '--guest'], 'invalid_component', 'is not a scheduler component'],
    [[join(folder, 'none.ndjson')], 'log_unreadable', 'cannot read the log'],
    [[clean, '--anchors', clean, '--trust', clean], 'invalid_key', 'cannot be used'],
    [[clean, '--anchors', file('empty', '')], 'invalid_anchors', 'it holds no heads'],
    [[clean, `--guest=${clean}`], 'invalid_component', 'no WebAssembly component'],
    [[clean, '--trust', file('long', 'x'.repeat(65_537))], 'invalid_key', 'it is longer than 65536 bytes, which is the limit'],
    [[clean, '--anchors', file('marked', '\ufeff{}')], 'anchors_unreadable', 'it begins with a byte order mark'],
    [[clean, '--anchors', file('bytes', Uint8Array.of(0x7b, 0xff, 0x7d))], 'anchors_unreadable', 'it is no text in UTF-8'],
    [['-', '-'], 'usage', 'stdin is named twice'],
    [['-', '--anchors=-'], 'usage', 'stdin is named twice'],
  ])) {
    const refused = words.at(-1) === '--guest' ? await said(...words.slice(0, -1), '--guest', clean, '--json') : await said(...words, '--json');
    assert.equal(refused.code, 2, code);
    const { error } = JSON.parse(refused.out);
    assert.deepEqual([error.code, error.message.includes(part)], [code, true], error.message);
  }
});

test('a log that cannot be audited does not keep the others from it', async () => {
  const log = opened(goldenLog('completed'));
  log.started.guest_digest = log.header.guest_digest = '1'.repeat(64);
  const unknown = file('unknown.ndjson', written(rechained(log)));
  const clean = file('clean.ndjson', goldenLog('retries'));
  const { code, out, err } = await said(unknown, clean, '--json');
  const { executions, failed } = JSON.parse(out);
  assert.deepEqual([code, executions.length, executions[0].verdict], [2, 1, 'clean']);
  assert.deepEqual([failed.length, failed[0].execution_id, failed[0].error.code], [1, unknown, 'not_audited']);
  assert.match(err, /cannot audit .*unknown\.ndjson: the scheduler component 1{64}, .* is not at hand/);
  assert.match(err, /1 of 2 executions could not be audited/);
  const only = await said(unknown, '--json');
  assert.deepEqual([only.code, JSON.parse(only.out).error.code], [2, 'not_audited']);
});

test('a guest of another version of the contract is refused', async () => {
  const few = file('few.wasm', bytesOf('tests/guests/few.wasm'));
  for (const words of [['--guest', few], ['--with', few]]) {
    const { code, out } = await said(file('clean.ndjson', goldenLog('completed')), ...words, '--json');
    const { error } = JSON.parse(out);
    assert.deepEqual([code, error.code], [2, 'invalid_component']);
    assert.match(error.message, /was built for version 0\.1\.0-few of the contract, and this program speaks 0\.2\.0/);
  }
});

test('another guest is asked exactly, and summed up', async () => {
  const clean = file('clean.ndjson', goldenLog('crash'));
  const guest = file('other.wasm', bytesOf('tests/guests/divergent.wasm'));
  const { code, out } = await said(clean, '--guest', guest, '--json');
  const { mode, summary, executions } = JSON.parse(out);
  assert.deepEqual([code, mode, summary.diverge, executions[0].outcome], [1, 'exact', 1, 'diverges']);
  assert.equal(executions[0].divergence.advice, 'keep_guest');
  const text = await said(clean, '--guest', guest);
  assert.match(text.out, /\nexact: 1 log would be decided otherwise, 0 the same; 1 log with 17 events replayed\n$/);
});

test('a folder stands for the logs in it', async () => {
  const logs = mkdtempSync(join(folder, 'logs-'));
  assert.match((await said(logs)).err, /there is no log in the folder/);
  for (const name of ['retries', 'completed']) writeFileSync(join(logs, `${name}.ndjson`), goldenLog(name));
  const { code, out } = await said(logs);
  assert.deepEqual([code, out.split('\n').length], [0, 3]);
});

/**
 * What the program answers whose output goes where a shell sends it.
 * @param {string} redirected
 */
function typed(redirected) {
  const log = file('typed.ndjson', goldenLog('completed'));
  const { status, stderr } = spawnSync('bash', ['-c', `node "$0" "$1" ${redirected}`, command, log], { encoding: 'utf8' });
  return { status, stderr };
}

test('whoever hears no more leaves the verdict as it is', () => {
  assert.deepEqual(typed('| true; exit "${PIPESTATUS[0]}"'), { status: 0, stderr: '' });
  assert.deepEqual(typed('>&-'), { status: 0, stderr: '' });
});

test('an answer that cannot be written is an error', { skip: !existsSync('/dev/full') }, () => {
  const { status, stderr } = typed('>/dev/full');
  assert.deepEqual([status, stderr.split(':', 2)], [2, ['error', ' cannot write to stdout']]);
});

test('a log comes from stdin, and one without an end is refused', { skip: !existsSync('/dev/zero') }, () => {
  const piped = spawnSync('node', [command, '-'], { input: goldenLog('completed'), encoding: 'utf8' });
  assert.deepEqual([piped.status, piped.stdout.includes('  clean  8 events')], [0, true]);
  const endless = spawnSync('bash', ['-c', 'node "$0" "$1" --anchors /dev/zero', command, file('typed.ndjson', goldenLog('completed'))], { encoding: 'utf8' });
  assert.deepEqual([endless.status, endless.stderr.includes('it is longer than 268435456 bytes')], [2, true]);
});

test('help is help', async () => {
  const { code, out } = await said('--help');
  assert.deepEqual([code, out.startsWith('Replay executions from their logs')], [0, true]);
});

test('what steers a terminal is spelled out, in text and in JSON', async () => {
  const hostile = '\u001b[2J\u202e\r\n\u0000\u2028x';
  assert.equal(escaped(hostile), '\\u{1b}[2J\\u{202e}\\r\\n\\u{0}\\u{2028}x');
  assert.equal(quoted('a"\\\n'), '"a\\"\\\\\\n"');
  const json = JSON.stringify({ hostile });
  assert.ok(!/[\u202e\u2028]/.test(escapedJson(json)));
  assert.deepEqual(JSON.parse(escapedJson(json)), { hostile });
  const log = opened(goldenLog('completed'));
  log.kept[1].event.kind.value.node_id = hostile;
  const { out } = await said(file('hostile.ndjson', written(rechained(log))));
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/.test(out), out);
});
