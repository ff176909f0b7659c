import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Allowance, Space } from '../src/component/space.js';
import { Trap } from '../src/component/trap.js';
import { layoutOf } from '../src/component/values.js';

/** @typedef {import('../src/component/types.js').ValueType} ValueType */

/** A memory of which room is given one after the other. @param {string} [encoding] */
function space(encoding = 'utf8') {
  const memory = new WebAssembly.Memory({ initial: 1 });
  let free = 1024;
  const realloc = (/** @type {number} */ _, /** @type {number} */ _old, /** @type {number} */ align, /** @type {number} */ bytes) => {
    const place = Math.ceil(free / align) * align;
    free = place + bytes;
    return place;
  };
  return new Space(memory, realloc, encoding, new Allowance(), { mayEnter: true, mayLeave: true });
}

/** @param {string} kind @param {...(ValueType | null)} types @returns {ValueType} */
const type = (kind, ...types) => ({ kind, parts: types.map((it, place) => ({ name: `part-${place}`, type: it })) });

const [u8, u16, u32, u64] = ['u8', 'u16', 'u32', 'u64'].map((kind) => type(kind));
const [s8, s16, s32, s64] = ['s8', 's16', 's32', 's64'].map((kind) => type(kind));
const [bool, char, string, f32, f64] = ['bool', 'char', 'string', 'f32', 'f64'].map((kind) => type(kind));
const enumeration = type('enum', null, null, null);
const option = (/** @type {ValueType} */ of) => type('option', of);

/** Types, and values of them. @type {[ValueType, unknown[]][]} */
const TABLE = [
  [bool, [true, false]],
  [u8, [0, 255]],
  [s8, [-128, 127]],
  [u16, [0, 65535]],
  [s16, [-32768, 32767]],
  [u32, [0, 4294967295]],
  [s32, [-2147483648, 2147483647]],
  [u64, [0, 2 ** 53 - 1, 2n ** 53n, 2n ** 64n - 1n]],
  [s64, [-(2n ** 63n), -1, 2n ** 63n - 1n]],
  [f32, [0.5, -1]],
  [f64, [0.1, 1e300]],
  [char, ['a', '漢', '😀']],
  [string, ['', 'abc', 'ü漢😀', '\ufeffmark', 'x'.repeat(1000), 'ü'.repeat(100)]],
  [enumeration, ['part_0', 'part_2']],
  [type('record', u8, u64, string), [{ part_0: 1, part_1: 2, part_2: 'x' }]],
  [type('tuple', u8, u16), [[1, 2]]],
  [type('list', u8), [Uint8Array.of(1, 2, 3), new Uint8Array(0)]],
  [type('list', string), [['a', 'b'], []]],
  [type('list', type('record', u8, u64)), [[{ part_0: 1, part_1: 2 }, { part_0: 3, part_1: 4 }]]],
  [option(u64), [null, 7]],
  [option(option(u8)), [null, [null], [7]]],
  [type('variant', u8, null, u64, f32, f64, string), [
    { tag: 'part_0', value: 7 },
    { tag: 'part_1', value: null },
    { tag: 'part_2', value: 2n ** 60n },
    { tag: 'part_3', value: 0.5 },
    { tag: 'part_4', value: 0.1 },
    { tag: 'part_5', value: 'x' },
  ]],
  [type('variant', u32, f32), [{ tag: 'part_0', value: 1 }, { tag: 'part_1', value: 1.5 }]],
  [type('result', string, enumeration), [{ tag: 'part_0', value: 'x' }, { tag: 'part_1', value: 'part_1' }]],
  [type('flags', null, null, null), [new Set(), new Set(['part_0', 'part_2'])]],
];

test('values come back from memory and from arguments', () => {
  for (const [of, values] of TABLE) {
    const layout = layoutOf(of);
    for (const value of values) {
      const memory = space();
      layout.store(memory, 64, value);
      assert.deepEqual(layout.load(memory, 64), value, of.kind);
      /** @type {any[]} */
      const flat = [];
      layout.lower(memory, value, flat);
      assert.equal(flat.length, layout.flat.length, of.kind);
      for (const [place, core] of flat.entries()) {
        assert.equal(typeof core, layout.flat[place] === 'i64' ? 'bigint' : 'number', of.kind);
      }
      const from = { values: flat, at: 0 };
      assert.deepEqual(layout.lift(memory, from), value, of.kind);
      assert.equal(from.at, flat.length);
    }
  }
});

test('texts come back in every encoding', () => {
  for (const encoding of ['utf16', 'latin1+utf16']) {
    const memory = space(encoding);
    const layout = layoutOf(string);
    for (const text of ['', 'abc', 'ü漢😀', '\ufeff']) {
      layout.store(memory, 64, text);
      assert.equal(layout.load(memory, 64), text, encoding);
    }
  }
  const latin1 = space('latin1+utf16');
  latin1.bytes.set([0x66, 0xfc, 0xff], 512);
  assert.equal(latin1.text(512, 3), 'füÿ');
});

test('places and sizes are those of the canonical ABI', () => {
  for (const [of, size, align] of /** @type {[ValueType, number, number][]} */ ([
    [type('record', u8, u64, u8), 24, 8],
    [type('record', u8, u16, u8), 6, 2],
    [type('variant', u64, null), 16, 8],
    [option(u8), 2, 1],
    [type('result', null, null), 1, 1],
    [string, 8, 4],
    [type('enum', ...new Array(256).fill(null)), 1, 1],
    [type('enum', ...new Array(257).fill(null)), 2, 2],
  ])) {
    const layout = layoutOf(of);
    assert.deepEqual([layout.size, layout.align], [size, align], of.kind);
  }
});

test('what is no value of its type traps', () => {
  const memory = space();
  const put = (/** @type {number[]} */ words) => words.forEach((word, place) => memory.view.setUint32(64 + 4 * place, word, true));
  for (const [of, words] of /** @type {[ValueType, number[]][]} */ ([
    [enumeration, [3]],
    [option(u8), [2]],
    [type('variant', u8, u8), [2]],
    [char, [0xd800]],
    [char, [0x110000]],
    [string, [65_530, 100]],
    [string, [0xfffffff0, 0x20]],
    [type('list', u64), [4, 1]],
    [type('list', u64), [65_528, 2]],
    [type('list', type('record', string, string)), [0, 0x10000000]],
  ])) {
    put(words);
    assert.throws(() => layoutOf(of).load(memory, 64), Trap, of.kind);
  }
  memory.bytes.set([0xff, 0xfe], 512);
  assert.throws(() => memory.text(512, 2), /not in its encoding/);
  memory.bytes.set([0xed, 0xa0, 0x80], 512);
  assert.throws(() => memory.text(512, 3), /not in its encoding/);
});

test('what a guest hands over in one call is counted', () => {
  const memory = space();
  memory.allowance.left = 100;
  memory.text(0, 100);
  assert.throws(() => memory.text(0, 1), { how: 'too_much' });
});
