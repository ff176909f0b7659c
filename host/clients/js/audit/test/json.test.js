import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JsonError, elements, members, skipValue, stringOf } from '../src/json/scan.js';
import { isSame, valueOf, write, writePretty } from '../src/json/value.js';

test('members are found as they are spelled', () => {
  const text = ' { "a" : 1.50e2 , "b":[ {"a":"}\\""} , [] ],"\\u0063": "x" , "d":{}} ';
  assert.deepEqual(
    [...members(text)],
    [
      ['a', '1.50e2'],
      ['b', '[ {"a":"}\\""} , [] ]'],
      ['c', '"x"'],
      ['d', '{}'],
    ],
  );
  assert.deepEqual(members('{}').size, 0);
  assert.deepEqual(elements('[1, "a,]" ,[2]]'), ['1', '"a,]"', '[2]']);
  assert.deepEqual(elements(' [ ] '), []);
});

test('what is no JSON is refused, as the platform does it', () => {
  for (const text of [
    '',
    '{',
    '{"a":1',
    '{"a" 1}',
    '{"a":}',
    '{"a":1,}',
    '{,}',
    '{"a":01}',
    '{"a":1.}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":1e}',
    '{"a":nul}',
    '{"a":"\u0001"}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a":[1 2]}',
    '{"a":[1,]}',
    '{"a":[}]}',
    '{"a":1}}',
    '{"a":1} 2',
    '{a:1}',
    "{'a':1}",
    '{"a":"b}',
    '\ufeff{}',
    '{}\u00a0',
  ]) {
    assert.throws(() => JSON.parse(text), SyntaxError, text);
    assert.throws(() => members(text), JsonError, text);
  }
});

test('a key that is there twice is refused, however it is spelled', () => {
  for (const text of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"ü":1,"b":0,"\\u00fc":2}']) {
    assert.throws(() => members(text), /is there twice/, text);
  }
  assert.equal(members('{"a":{"b":1,"b":2}}').get('a'), '{"b":1,"b":2}');
});

test('nesting costs no stack', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  assert.equal(skipValue(deep, 0), deep.length);
  assert.equal(valueOf(deep), undefined);
});

test('half a character is no text', () => {
  assert.equal(stringOf('"\\ud83d\\ude00"'), '😀');
  assert.equal(stringOf('"\\ud83d"'), undefined);
  assert.equal(stringOf('"\\ude00\\ud83d"'), undefined);
});

test('values have one spelling, and sorted keys', () => {
  for (const [text, expected] of [
    ['{"b":1,"a":[true,null,"\\u0041"]}', '{"a":[true,null,"A"],"b":1}'],
    ['[18446744073709551615,-9223372036854775808,9007199254740993]', '[18446744073709551615,-9223372036854775808,9007199254740993]'],
    ['[1.0,1.50,1e3,1e21,1e-7,123456789.125,-0,-0.0,1e16,12345678901234567890123]', '[1.0,1.5,1000.0,1e21,1e-7,123456789.125,-0.0,-0.0,1e16,1.2345678901234568e22]'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"__proto__":{"x":1}}', '{"__proto__":{"x":1}}'],
  ]) {
    assert.equal(write(valueOf(text) ?? null), expected, text);
  }
  for (const none of ['1e999', '{', '"\\ud800"']) assert.equal(valueOf(none), undefined, none);
  assert.ok(isSame(valueOf('{"a":1,"b":2}') ?? null, valueOf('{"b":2,"a":1}') ?? null));
  assert.ok(!isSame(valueOf('1') ?? null, valueOf('1.0') ?? null));
});

test('documents are set in by two columns', () => {
  const value = { a: [], b: {}, c: [1, { d: 2n ** 60n }], e: null };
  assert.equal(
    writePretty(value),
    '{\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    {\n      "d": 1152921504606846976\n    }\n  ],\n  "e": null\n}',
  );
});
