// SHA-256 (FIPS 180-4), synchronous: WebCrypto's costs more for the promise than for the
// hash where a few hundred bytes are hashed a hundred thousand times.

import { hex, utf8 } from './bytes.js';

/** @param {number} count */
function primes(count) {
  /** @type {number[]} */
  const found = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

/**
 * The first 32 bits of the fraction of a root.
 * @param {number} root
 */
function fraction(root) {
  return Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
}

// The constants are the fractions of the roots of the first primes, by definition.
const K = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

const BLOCK = 64;
const schedule = new Int32Array(64);

/** A hash in the making. */
export class Sha256 {
  constructor() {
    this.state = new Int32Array(START);
    this.block = new Uint8Array(BLOCK);
    this.filled = 0;
    this.length = 0;
  }

  /**
   * Takes more bytes.
   * @param {Uint8Array} bytes
   * @returns {this}
   */
  update(bytes) {
    const end = bytes.length;
    this.length += end;
    let place = 0;
    if (this.filled > 0) {
      place = Math.min(BLOCK - this.filled, end);
      this.block.set(place === end ? bytes : bytes.subarray(0, place), this.filled);
      this.filled += place;
      if (this.filled < BLOCK) return this;
      compress(this.state, this.block, 0);
      this.filled = 0;
    }
    for (; place + BLOCK <= end; place += BLOCK) compress(this.state, bytes, place);
    if (place < end) {
      this.block.set(bytes.subarray(place), 0);
      this.filled = end - place;
    }
    return this;
  }

  /**
   * The hash of all that was taken. Nothing may be taken after it.
   * @returns {Uint8Array}
   */
  digest() {
    const { block, state } = this;
    block[this.filled] = 0x80;
    block.fill(0, this.filled + 1);
    if (this.filled + 1 > BLOCK - 8) {
      compress(state, block, 0);
      block.fill(0);
    }
    const view = new DataView(block.buffer);
    view.setUint32(BLOCK - 8, Math.floor(this.length / 2 ** 29));
    view.setUint32(BLOCK - 4, (this.length << 3) >>> 0);
    compress(state, block, 0);
    const hash = new Uint8Array(32);
    for (let word = 0; word < 8; word += 1) {
      const value = state[word];
      hash[4 * word] = value >>> 24;
      hash[4 * word + 1] = value >>> 16;
      hash[4 * word + 2] = value >>> 8;
      hash[4 * word + 3] = value;
    }
    return hash;
  }
}

/**
 * @param {Int32Array} state
 * @param {Uint8Array} bytes
 * @param {number} from
 */
function compress(state, bytes, from) {
  const w = schedule;
  for (let i = 0, place = from; i < 16; i += 1, place += 4) {
    w[i] = (bytes[place] << 24) | (bytes[place + 1] << 16) | (bytes[place + 2] << 8) | bytes[place + 3];
  }
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/**
 * The SHA-256 of these bytes, one after the other.
 * @param {...Uint8Array} parts
 * @returns {Uint8Array}
 */
export function sha256(...parts) {
  const hash = new Sha256();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * The SHA-256 of a text or of bytes, as 64 hexadecimal digits.
 * @param {string | Uint8Array} of
 * @returns {string}
 */
export function digest(of) {
  return hex(sha256(typeof of === 'string' ? utf8(of) : of));
}
