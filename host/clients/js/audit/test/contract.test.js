import assert from 'node:assert/strict';
import { test } from 'node:test';

import { snake } from '../src/component/values.js';
import { shortDescription, shortError, shortFaults } from '../src/contract/texts.js';
import { KINDS, KIND_NAMES } from '../src/log/form.js';
import { CAUSES, sentence } from '../src/render/reason.js';
import { shortened } from '../src/text.js';
import { utf8Length } from '../src/bytes.js';
import { bundledComponent } from '../src/node/component.js';

/** @typedef {import('../src/component/types.js').ValueType} ValueType */

const { exports } = bundledComponent().instance();

/** @param {ValueType} type @param {...string} way @returns {ValueType} */
function within(type, ...way) {
  const [name, ...rest] = way;
  if (name === undefined) return type;
  const part = type.parts.find((it) => it.name === name) ?? type.parts[0];
  return within(/** @type {ValueType} */ (part.type), ...rest);
}

/** @param {ValueType} type */
const names = (type) => type.parts.map((part) => snake(part.name));

test('the table of kinds and fields is the contract\'s', () => {
  const { params } = exports.get('step').value.type;
  const kinds = within(params[2].type, '');
  assert.deepEqual(names(kinds), KIND_NAMES);
  for (const [place, kind] of KIND_NAMES.entries()) {
    const record = kinds.parts[place].type;
    assert.deepEqual(record === null ? [] : names(record), KINDS[kind].map((field) => field.name), kind);
  }
});

test('of an instance, both bounds are named that it may wait for', () => {
  const cause = { tag: 'no_room', value: { used: 2, allowed: 2 } };
  assert.equal(sentence('n', cause), 'node `n` could run, but 2 of 2 nodes (max_concurrent_nodes) are in flight');
  assert.match(sentence('m[3]', cause), /\(max_concurrent of its map, or max_concurrent_nodes\)/);
});

test('every reason of the contract has its sentence', () => {
  const causes = within(exports.get('explain').value.type.result, 'ok', 'reasons', '', 'cause');
  assert.deepEqual([...names(causes)].sort(), [...CAUSES].sort());
});

test('what a guest says is made short', () => {
  const long = '\u0000'.repeat(100_000);
  for (const error of [
    { tag: 'illegal', value: { sequence: 7, code: 'stale', reason: long } },
    { tag: 'storage', value: { tag: 'refused', value: long } },
    { tag: 'queue', value: long },
    { tag: 'unknown_node', value: long },
    { tag: 'invalid_workflow', value: new Array(1_007).fill({ pointer: '', message: 'm', remedy: long }) },
  ]) {
    assert.ok(JSON.stringify(shortError(error)).length < 1_007 * 8 * 1024 * 7, error.tag);
    assert.match(JSON.stringify(shortError(error)), /left out/);
  }
  const conflict = { tag: 'storage', value: { tag: 'conflict', value: 7 } };
  assert.deepEqual(shortError(conflict), conflict);
  assert.equal(shortFaults(new Array(1_007).fill({ pointer: '', message: '', remedy: '' })).at(-1)?.message, '7 more faults are left out');
  assert.ok(utf8Length(shortDescription({ name: long, version: '1' }).name) <= 256);
  for (const letter of ['x', 'ä', '€', '🦀']) {
    const short = shortened(letter.repeat(101), 100);
    const [kept, mark] = short.split('…');
    assert.ok(utf8Length(short) <= 100);
    assert.equal(mark, ` (${utf8Length(letter.repeat(101)) - utf8Length(kept)} bytes left out)`);
    assert.equal(shortened(letter, 100), letter);
  }
});
