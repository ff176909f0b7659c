// Chance: execution ids, the seeds of all jitter, and the salts of events. Everything else
// in an engine follows from what it is given.

import { hex, sha256, utf8 } from '@refrain/audit/host';

/** Bytes of chance that are drawn at once: a call for each event would take longer than the rest. */
const DRAWN_AT_ONCE = 4096;

/** What stands before a key where an id is made of it. */
const KEY_DOMAIN = 'refrain: the execution of a start key\0';

/** Fills an array with chance. @typedef {(bytes: Uint8Array<ArrayBuffer>) => void} FillRandom */

/** Where chance comes from. */
export class RandomSource {
  #fill;
  #drawn = new Uint8Array(DRAWN_AT_ONCE);
  #used = DRAWN_AT_ONCE;

  /** @param {FillRandom} [fill] the platform's own unless it is said */
  constructor(fill = (bytes) => void globalThis.crypto.getRandomValues(bytes)) {
    this.#fill = fill;
  }

  /** The salt of an event, 32 hexadecimal digits. */
  salt() {
    return hex(this.#draw(16));
  }

  /** The id of an execution that begins. */
  executionId() {
    return idOf(this.#draw(16), 4);
  }

  /** The seed of an execution's jitter: of as many bits as numbers of JSON keep. */
  jitterSeed() {
    const bytes = this.#draw(7);
    return bytes.reduce((seed, byte, place) => seed * 256 + (place === 0 ? byte & 0x1f : byte), 0);
  }

  /** @param {number} bytes */
  #draw(bytes) {
    if (this.#used + bytes > DRAWN_AT_ONCE) {
      this.#fill(this.#drawn);
      this.#used = 0;
    }
    this.#used += bytes;
    return this.#drawn.slice(this.#used - bytes, this.#used);
  }
}

/**
 * The id of the execution that a start with this key begins (law 8): so a second start with
 * the key can only find the first.
 * @param {string} tenant
 * @param {string} key
 * @returns {string}
 */
export function idOfKey(tenant, key) {
  const tenantBytes = utf8(tenant);
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(tenantBytes.length));
  const hash = sha256(utf8(KEY_DOMAIN), new Uint8Array(length.buffer), tenantBytes, utf8(key));
  return idOf(hash.slice(0, 16), 8);
}

/** Whether a text is the id of an execution. @param {string} text */
export function isExecutionId(text) {
  return /^exec_[0-9a-f]{32}$/.test(text);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} version of the UUID that they become
 */
function idOf(bytes, version) {
  bytes[6] = (bytes[6] & 0x0f) | (version << 4);
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return `exec_${hex(bytes)}`;
}
