// The canonical bytes of an event in their two parts: the plain fields, and those that can
// be erased.

import { hexDigit, utf8Into } from '../bytes.js';

/** @typedef {import('../bytes.js').Whole} Whole */

/** Bytes that are put one behind the other. */
export class Bytes {
  constructor() {
    this.bytes = new Uint8Array(4096);
    this.view = new DataView(this.bytes.buffer);
    this.length = 0;
  }

  /**
   * Makes room for so many more.
   * @param {number} more
   */
  reserve(more) {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  /**
   * A number as eight bytes, the least significant first.
   * @param {Whole} value
   */
  whole(value) {
    this.reserve(8);
    if (typeof value === 'number') {
      this.view.setUint32(this.length, value >>> 0, true);
      this.view.setUint32(this.length + 4, Math.floor(value / 2 ** 32), true);
    } else {
      this.view.setBigUint64(this.length, value, true);
    }
    this.length += 8;
  }

  /**
   * A text: its length in bytes, and its bytes.
   * @param {string} text
   */
  text(text) {
    this.reserve(8 + 3 * text.length);
    const written = utf8Into(text, this.bytes.subarray(this.length + 8));
    this.whole(written);
    this.length += written;
  }

  /**
   * The bytes of hexadecimal digits.
   * @param {string} digits
   */
  hex(digits) {
    this.reserve(digits.length / 2);
    for (let place = 0; place < digits.length; place += 2) {
      this.bytes[this.length] = hexDigit(digits.charCodeAt(place)) * 16 + hexDigit(digits.charCodeAt(place + 1));
      this.length += 1;
    }
  }

  /** @param {boolean} value */
  flag(value) {
    this.reserve(1);
    this.bytes[this.length] = value ? 1 : 0;
    this.length += 1;
  }

  /** What was put so far. It holds until something is put or cleared. */
  get all() {
    return this.bytes.subarray(0, this.length);
  }
}

/** Both parts, and the one that is being written. */
export class Parts {
  constructor() {
    this.plain = new Bytes();
    this.erasable = new Bytes();
    this.to = this.plain;
  }

  clear() {
    this.plain.length = 0;
    this.erasable.length = 0;
    this.to = this.plain;
  }
}
