import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exactSpan, parseRfc3339, rfc3339 } from '../src/time.js';

test('times have one spelling', () => {
  for (const [time, text] of /** @type {[number, string][]} */ ([
    [0, '1970-01-01T00:00:00.000Z'],
    [1767225600001, '2026-01-01T00:00:00.001Z'],
    [951782400000, '2000-02-29T00:00:00.000Z'],
    [253402300799999, '9999-12-31T23:59:59.999Z'],
  ])) {
    assert.equal(rfc3339(time), text);
    assert.equal(parseRfc3339(text), time);
  }
  assert.equal(rfc3339(253402300800000), undefined);
  assert.equal(rfc3339(2n ** 64n - 1n), undefined);
  for (const other of [
    '',
    '2026-01-01',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.0001Z',
    '2026-01-01T01:00:00.000+1',
    '1969-12-31T23:59:59.999Z',
    '2026-02-29T00:00:00.000Z',
    '1900-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:60:00.000Z',
    '2026-01-01T00:00:60.000Z',
    '2026-01-01 00:00:00.000Z',
    '2026-01-0xT00:00:00.000Z',
  ]) {
    assert.equal(parseRfc3339(other), undefined, other);
  }
});

test('every day of some years comes back', () => {
  for (let day = 0; day < 366 * 60; day += 1) {
    const time = day * 86_400_000 + 1;
    assert.equal(parseRfc3339(/** @type {string} */ (rfc3339(time))), time);
  }
});

test('spans are written to the millisecond', () => {
  assert.deepEqual([0, 1500, 5000, 2n ** 53n].map(exactSpan), ['0 s', '1500 ms', '5 s', '9007199254740992 ms']);
});
