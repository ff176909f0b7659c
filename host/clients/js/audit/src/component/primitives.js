// The primitive types of the canonical ABI: how each stands in memory and as an argument.

import { whole } from '../bytes.js';
import { Trap } from './trap.js';

/** @typedef {import('./space.js').Space} Space */

/** Core values one after the other. @typedef {{values: any[], at: number}} Flat */

/**
 * What is known of a type once and for all.
 * @typedef {object} Layout
 * @property {number} size
 * @property {number} align
 * @property {string[]} flat The core types that it has as an argument.
 * @property {(space: Space, at: number) => any} load
 * @property {(space: Space, at: number, value: any) => void} store
 * @property {(space: Space, from: Flat) => any} lift
 * @property {(space: Space, value: any, to: any[]) => void} lower
 */

/**
 * A type of one core value.
 * @param {number} size
 * @param {string} flat
 * @param {(space: Space, at: number) => any} load
 * @param {(space: Space, at: number, value: any) => void} store
 * @param {(core: any) => any} lift
 * @param {(value: any) => any} lower
 * @returns {Layout}
 */
function primitive(size, flat, load, store, lift, lower) {
  return {
    size,
    align: size,
    flat: [flat],
    load,
    store,
    lift: (_, from) => lift(from.values[from.at++]),
    lower: (_, value, to) => to.push(lower(value)),
  };
}

/** @param {number} code */
function char(code) {
  if (code >= 0x110000 || (code >= 0xd800 && code <= 0xdfff)) throw new Trap('a character that is none');
  return String.fromCodePoint(code);
}

/** @param {Space} space @param {number} at */
function loadU64(space, at) {
  const high = space.view.getUint32(at + 4, true);
  const low = space.view.getUint32(at, true);
  return high < 0x200000 ? high * 0x100000000 + low : space.view.getBigUint64(at, true);
}

/** @param {Space} space @param {number} at @param {number | bigint} value */
function storeU64(space, at, value) {
  if (typeof value === 'number') {
    space.view.setUint32(at, value >>> 0, true);
    space.view.setUint32(at + 4, Math.floor(value / 0x100000000), true);
  } else {
    space.view.setBigUint64(at, value, true);
  }
}

/** @param {Space} space @param {number} at */
function loadS64(space, at) {
  const value = space.view.getBigInt64(at, true);
  return signed(value);
}

/** @param {bigint} value */
function signed(value) {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** The layouts of the primitive types, but for texts. @type {{[name: string]: Layout}} */
export const PRIMITIVES = {
  bool: primitive(1, 'i32', (m, at) => m.bytes[at] !== 0, (m, at, v) => m.view.setUint8(at, v ? 1 : 0), (c) => c !== 0, (v) => (v ? 1 : 0)),
  u8: primitive(1, 'i32', (m, at) => m.bytes[at], (m, at, v) => m.view.setUint8(at, v), (c) => c & 0xff, (v) => v),
  s8: primitive(1, 'i32', (m, at) => m.view.getInt8(at), (m, at, v) => m.view.setInt8(at, v), (c) => (c << 24) >> 24, (v) => v),
  u16: primitive(2, 'i32', (m, at) => m.view.getUint16(at, true), (m, at, v) => m.view.setUint16(at, v, true), (c) => c & 0xffff, (v) => v),
  s16: primitive(2, 'i32', (m, at) => m.view.getInt16(at, true), (m, at, v) => m.view.setInt16(at, v, true), (c) => (c << 16) >> 16, (v) => v),
  u32: primitive(4, 'i32', (m, at) => m.view.getUint32(at, true), (m, at, v) => m.view.setUint32(at, v, true), (c) => c >>> 0, (v) => v),
  s32: primitive(4, 'i32', (m, at) => m.view.getInt32(at, true), (m, at, v) => m.view.setInt32(at, v, true), (c) => c | 0, (v) => v),
  u64: primitive(8, 'i64', loadU64, storeU64, (c) => whole(BigInt.asUintN(64, c)), (v) => BigInt(v)),
  s64: primitive(8, 'i64', loadS64, (m, at, v) => m.view.setBigInt64(at, BigInt(v), true), signed, (v) => BigInt(v)),
  f32: primitive(4, 'f32', (m, at) => m.view.getFloat32(at, true), (m, at, v) => m.view.setFloat32(at, v, true), (c) => c, (v) => v),
  f64: primitive(8, 'f64', (m, at) => m.view.getFloat64(at, true), (m, at, v) => m.view.setFloat64(at, v, true), (c) => c, (v) => v),
  char: primitive(4, 'i32', (m, at) => char(m.view.getUint32(at, true)), (m, at, v) => m.view.setUint32(at, v.codePointAt(0), true), (c) => char(c >>> 0), (v) => v.codePointAt(0)),
};
