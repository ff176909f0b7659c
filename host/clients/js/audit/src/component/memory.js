// Memories and tables of core modules, bounded: a guest that asks for more than that is told
// that there is none, as where a machine has no more.

import { concat } from '../bytes.js';
import { MEMORY_PAGES_MAX, TABLE_ELEMENTS_MAX } from '../limits.js';
import { ComponentError, Cursor } from './cursor.js';

const TABLES = 4;
const MEMORIES = 5;

/**
 * The same module, with a bound on each of its memories and tables.
 * @param {Uint8Array} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bounded(bytes) {
  const at = new Cursor(bytes, 8, bytes.length);
  /** @type {Uint8Array[]} */
  const parts = [bytes.subarray(0, 8)];
  while (!at.isAtEnd) {
    const start = at.at;
    const id = at.byte();
    const length = at.number();
    const body = new Cursor(bytes, at.at, at.at + length);
    at.take(length);
    const isOther = id !== MEMORIES && id !== TABLES;
    parts.push(isOther ? bytes.subarray(start, at.at) : section(id, id === MEMORIES ? memories(body) : tables(body)));
  }
  return concat(parts);
}

/** @param {Cursor} at */
function memories(at) {
  const all = at.list(() => limits(at, MEMORY_PAGES_MAX, 'pages of memory'));
  return [...leb(all.length), ...all.flat()];
}

/** @param {Cursor} at */
function tables(at) {
  const all = at.list(() => {
    const type = at.byte();
    // One with an initial value, or of a type of its own, is left for the engine to judge.
    if (type !== 0x70 && type !== 0x6f) throw new ComponentError('the component cannot be loaded: it has a table of no known type');
    return [type, ...limits(at, TABLE_ELEMENTS_MAX, 'elements in a table')];
  });
  return [...leb(all.length), ...all.flat()];
}

/**
 * @param {Cursor} at
 * @param {number} max
 * @param {string} what
 * @returns {number[]}
 */
function limits(at, max, what) {
  const flags = at.byte();
  if (flags > 1) throw new ComponentError('the component cannot be loaded: it has a shared memory, or one of 64 bits');
  const initial = at.number();
  const own = flags === 1 ? at.number() : max;
  if (initial > max) throw new ComponentError(`the component asks for ${initial} ${what}, and a guest may have ${max}`);
  return [1, ...leb(initial), ...leb(Math.min(own, max))];
}

/**
 * @param {number} id
 * @param {number[]} body
 */
function section(id, body) {
  return Uint8Array.from([id, ...leb(body.length), ...body]);
}

/** @param {number} value */
function leb(value) {
  const bytes = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80);
  return [...bytes, left];
}
