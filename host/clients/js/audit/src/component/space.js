// The memory of a guest, as its values are read from it and put into it.

import { utf8Into, utf8Length } from '../bytes.js';
import { TRANSFER_BYTES_MAX } from '../limits.js';
import { Trap } from './trap.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true });

/** Texts up to so long are read sign by sign, which is quicker than a decoder. */
const SHORT = 32;

/** In `latin1+utf16`, the bit of a length that tells of UTF-16. */
const UTF16_TAG = 0x80000000;

/** What a guest may still do in the current call. */
export class Allowance {
  constructor() {
    this.left = TRANSFER_BYTES_MAX;
    /** Why the call has failed, whatever the guest makes of that. @type {unknown} */
    this.failed = undefined;
  }

  /** A call begins. */
  refill() {
    this.left = TRANSFER_BYTES_MAX;
    this.failed = undefined;
  }

  /** @param {number} bytes */
  take(bytes) {
    this.left -= bytes;
    if (this.left < 0) {
      const problem = `the guest transferred over too much: one call may append, order and answer ${TRANSFER_BYTES_MAX} bytes together`;
      throw new Trap(problem, 'too_much');
    }
  }
}

/** A memory, and how texts and room in it are had. */
export class Space {
  /**
   * @param {WebAssembly.Memory | null} memory
   * @param {Function | null} realloc
   * @param {string} encoding
   * @param {Allowance} allowance
   * @param {{mayEnter: boolean, mayLeave: boolean}} owner The instance whose memory it is.
   */
  constructor(memory, realloc, encoding, allowance, owner) {
    this.memory = memory;
    this.realloc = realloc;
    this.encoding = encoding;
    this.allowance = allowance;
    this.owner = owner;
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.refresh();
  }

  /** The memory may have grown. */
  refresh() {
    const buffer = this.memory?.buffer;
    if (buffer === undefined || this.bytes.buffer === buffer) return;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /**
   * So many bytes must lie there.
   * @param {number} at
   * @param {number} bytes
   * @param {number} align
   */
  check(at, bytes, align) {
    if (at % align !== 0) throw new Trap('a pointer that is not aligned');
    if (at + bytes > this.bytes.length) throw new Trap('a pointer out of bounds of memory');
    this.allowance.take(bytes);
  }

  /**
   * Room for so many bytes, of the guest's own giving.
   * @param {number} bytes
   * @param {number} align
   * @returns {number}
   */
  allocate(bytes, align) {
    if (this.realloc === null) throw new Trap('there is no function to have memory from');
    this.owner.mayLeave = false;
    const place = this.realloc(0, 0, align, bytes) >>> 0;
    this.owner.mayLeave = true;
    this.refresh();
    if (place % align !== 0) throw new Trap('memory that is not aligned');
    if (place + bytes > this.bytes.length) throw new Trap('memory out of bounds');
    return place;
  }

  /**
   * A text of the guest's.
   * @param {number} at
   * @param {number} length As the encoding counts it.
   * @returns {string}
   */
  text(at, length) {
    if (this.encoding === 'utf8') return this.utf8(at, length);
    const isWide = this.encoding === 'utf16' || length >= UTF16_TAG;
    if (!isWide) {
      this.check(at, length, 2);
      return Array.from(this.bytes.subarray(at, at + length), (code) => String.fromCharCode(code)).join('');
    }
    const bytes = 2 * (length % UTF16_TAG);
    this.check(at, bytes, 2);
    return decoded(utf16, this.bytes.subarray(at, at + bytes));
  }

  /**
   * @param {number} at
   * @param {number} length
   */
  utf8(at, length) {
    this.check(at, length, 1);
    const { bytes } = this;
    if (length <= SHORT) {
      let text = '';
      let place = 0;
      for (; place < length && bytes[at + place] < 0x80; place += 1) text += String.fromCharCode(bytes[at + place]);
      if (place === length) return text;
    }
    return decoded(utf8, bytes.subarray(at, at + length));
  }

  /**
   * Puts a text into the guest's memory: where it is, and how long as the encoding counts.
   * @param {string} text
   * @returns {{place: number, length: number}}
   */
  putText(text) {
    if (this.encoding !== 'utf8') return this.putUtf16(text);
    const length = utf8Length(text);
    const place = this.allocate(length, 1);
    if (length === text.length && length <= SHORT) {
      for (let i = 0; i < length; i += 1) this.bytes[place + i] = text.charCodeAt(i);
    } else {
      utf8Into(text, this.bytes.subarray(place, place + length));
    }
    return { place, length };
  }

  /** @param {string} text */
  putUtf16(text) {
    const place = this.allocate(2 * text.length, 2);
    for (let i = 0; i < text.length; i += 1) this.view.setUint16(place + 2 * i, text.charCodeAt(i), true);
    const tag = this.encoding === 'utf16' ? 0 : UTF16_TAG;
    return { place, length: text.length + tag };
  }
}

/**
 * @param {TextDecoder} decoder
 * @param {Uint8Array} bytes
 */
function decoded(decoder, bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Trap('a text that is not in its encoding');
  }
}
