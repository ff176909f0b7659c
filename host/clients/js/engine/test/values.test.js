// Values at the door, ids, and clocks.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LogClock } from '../src/clock.js';
import { LeaseWatch } from '../src/lease_watch.js';
import { RandomSource, idOfKey, isExecutionId } from '../src/random.js';
import { faultOf } from '../src/values/json_text.js';
import { shortened } from '../src/values/texts.js';
import { ManualClock } from './support/manual_clock.js';

/** Texts, and why they are not accepted. @type {[string, RegExp | undefined][]} */
const TEXTS = [
  ['{"a": [1, {"a": 2, "b": "\\"}"}], "b": {"a": "{"}}', undefined],
  ['{"\\\\": 1, "\\"": 2}', undefined],
  ['"\\ud83d\\ude00 \u{1f600}"', undefined],
  ['[]', undefined],
  ['', /not JSON/],
  ['{"a": 1,}', /not JSON/],
  ['{"a": {"b": 1, "c": 2, "b": 3}}', /the key "b" is repeated; leave one out at column/],
  ['{"a": 1, "\\u0061": 2}', /the key "a" is repeated/],
  ['{"\\ude00": 1}', /half of a character/],
  ['["\\ud83d"]', /half of a character/],
  ['['.repeat(100) + ']'.repeat(100), undefined],
  ['['.repeat(101) + ']'.repeat(101), /more than 100 deep, at column 101/],
  [`"${'ä'.repeat(60)}"`, /122 bytes, and 121 are allowed/],
];

for (const [text, fault] of TEXTS) {
  test(`JSON is looked at as a whole: ${text.slice(0, 60)}`, () => {
    const bytesMax = text.includes('ä') ? 121 : 1_000;
    if (fault === undefined) assert.equal(faultOf(text, bytesMax), undefined);
    else assert.match(faultOf(text, bytesMax) ?? '', fault);
  });
}

test('what does not fit is cut between characters, and counted', () => {
  for (const letter of ['x', 'ä', '€', '🦀']) {
    for (const count of [1, 40, 101, 1_000]) {
      const text = letter.repeat(count);
      const short = shortened(text, 100);
      if (Buffer.byteLength(text) <= 100) {
        assert.equal(short, text);
        continue;
      }
      const [kept, mark] = short.split('…');
      assert.ok(Buffer.byteLength(short) <= 100 && text.startsWith(kept), short);
      assert.equal(mark, ` (${Buffer.byteLength(text) - Buffer.byteLength(kept)} bytes left out)`);
    }
  }
});

test('law 8: the id of a key follows from tenant and key, in every host alike', () => {
  assert.equal(idOfKey('default', 'order-17'), 'exec_a21a70ff3bc78095856d3ffdeeca8143');
  assert.equal(idOfKey('default', ''), 'exec_2cc8dd3075a985ad80d5b72f2c48d51b');
  assert.equal(idOfKey('müller', 'order-17'), 'exec_528ebe44b33f849698615d89e54eef49');
});

test('ids, seeds and salts are of their forms, and no two are the same', () => {
  const random = new RandomSource();
  const ids = Array.from({ length: 1_000 }, () => random.executionId());
  const salts = Array.from({ length: 1_000 }, () => random.salt());
  assert.ok(ids.every((id) => isExecutionId(id) && /^exec_.{12}4.{3}[89ab]/.test(id)));
  assert.ok(salts.every((salt) => /^[0-9a-f]{32}$/.test(salt)));
  assert.equal(new Set([...ids, ...salts]).size, 2_000);
  const most = new RandomSource((bytes) => bytes.fill(255));
  assert.equal(most.jitterSeed(), 2 ** 53 - 1);
});

test('law 5: time never goes back, and no part of a millisecond is lost', () => {
  const clock = new ManualClock();
  /** @type {string[]} */
  const told = [];
  const log = new LogClock(clock, (text) => told.push(text));
  const start = log.read();
  log.wrote(start);
  clock.set(-60_000);
  let last = start.at;
  for (let step = 0; step < 1_000; step += 1) {
    void clock.pass(0.5);
    const reading = log.read();
    assert.ok(reading.at >= last);
    last = reading.at;
    log.wrote(reading);
  }
  assert.equal(last, start.at + 500);
  clock.set(120_000);
  assert.equal(log.read().at, start.at + 500 + 60_000);
  log.follow(start.at + 3_600_000);
  assert.equal(log.now(), start.at + 3_600_000);
  assert.equal(told.length, 1);
});

/** What a watch sees each second, and when leases of 10 s may be ended. @type {[string, (second: number) => [at: number, monotonic: number] | undefined, number][]} */
const WATCHES = [
  ['time that goes as it should', (second) => [second * 1_000, second * 1_000], 10_000],
  ['a clock that jumps ahead', (second) => [second * 1_000 + (second >= 5 ? 3_600_000 : 0), second * 1_000], 15_000],
  ['a clock that is set back', (second) => [second * 1_000 - (second >= 5 ? 3_600_000 : 0), second * 1_000], 10_000],
  ['many small jumps', (second) => [second * 1_400, second * 1_000], 28_000],
  ['a page that slept', (second) => (second > 3 && second < 20 ? undefined : [second * 1_000, second * 1_000]), 30_000],
];

for (const [name, seen, from] of WATCHES) {
  test(`law 5: leases of others are ended after a lease of fair time: ${name}`, () => {
    const watch = new LeaseWatch(10_000);
    assert.equal(watch.from(), Infinity);
    for (let second = 0; second < 21; second += 1) {
      const reading = seen(second);
      if (reading !== undefined) watch.read(...reading);
    }
    assert.equal(watch.from(), from);
  });
}

test('the component of the package is that of the auditor', () => {
  const digest = (/** @type {string} */ name) =>
    createHash('sha256')
      .update(readFileSync(new URL(`../../${name}/component/refrain-scheduler.wasm`, import.meta.url)))
      .digest('hex');
  assert.equal(digest('engine'), digest('audit'), '`cargo rebuild-component` writes both');
});
