// The fields of one JSON object, read one by one; what is left at the end nobody knows.

import { byBytes, isHex, whole } from '../bytes.js';
import { JsonError, elements, members, stringOf } from '../json/scan.js';
import { parseRfc3339, rfc3339 } from '../time.js';

/** @typedef {import('../bytes.js').Whole} Whole */

/** A text is not the event, or the header, that it should be. */
export class FieldError extends Error {
  /**
   * @param {string} field The field, with those that it is in: `limits.max_concurrent_nodes`.
   * @param {string} problem What is wrong, and what would be right.
   * @param {boolean} [isNewer] Whether a newer program may know it.
   */
  constructor(field, problem, isNewer = false) {
    super(`field \`${field}\`: ${problem}`);
    this.name = 'FieldError';
    this.isNewer = isNewer;
  }
}

const U64_MAX = 2n ** 64n - 1n;
const WHOLE = /^(?:0|[1-9][0-9]*)$/;

/** The fields of an object. */
export class Fields {
  /**
   * @param {string} text
   * @param {string[]} [path] The fields that the object stands in.
   */
  constructor(text, path = []) {
    this.path = path;
    /** Whether the fields that can be erased are not there. */
    this.isErased = false;
    try {
      this.left = members(text);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      const field = path.length === 0 ? 'the whole line' : path.join('.');
      throw new FieldError(field, `it should be one JSON object: ${error.message}`);
    }
  }

  /** Nothing may be left: it could only be a mistake, or an edit that no hash covers. */
  end() {
    if (this.left.size === 0) return;
    const [first] = [...this.left.keys()].sort(byBytes);
    const what = this.isErased ? 'an erased event has no such field' : 'there is no such field here';
    throw this.error(first, `${what}; remove it`);
  }

  /** What is left is of a form that is not known here, and is left aside. */
  leaveRest() {
    this.left.clear();
  }

  /**
   * Whether this field is there, and has not been read.
   * @param {string} name
   */
  has(name) {
    return this.left.has(name);
  }

  /**
   * The same of a field that may stand there as a text.
   * @param {string} name
   */
  isPresent(name) {
    return this.left.has(name) || this.left.has(`${name}_text`);
  }

  /**
   * @param {string} name
   * @param {string} problem
   * @param {boolean} [isNewer]
   */
  error(name, problem, isNewer = false) {
    return new FieldError([...this.path, name].join('.'), problem, isNewer);
  }

  /**
   * @param {string} name
   * @param {string} found
   * @param {string} what
   */
  mismatch(name, found, what) {
    const signs = [...found.slice(0, 122)];
    const excerpt = signs.slice(0, 60).join('');
    const dots = excerpt.length < found.length ? '…' : '';
    return this.error(name, `${excerpt}${dots} should be ${what}`);
  }

  /**
   * The JSON text of a field.
   * @param {string} name
   * @returns {string}
   */
  take(name) {
    const found = this.left.get(name);
    if (found === undefined) {
      throw this.error(name, 'it is missing; add it, or take the line from the original');
    }
    this.left.delete(name);
    return found;
  }

  /**
   * @param {string} name
   * @returns {string}
   */
  text(name) {
    const found = this.take(name);
    const text = found.charCodeAt(0) === 0x22 ? stringOf(found) : undefined;
    if (text === undefined) throw this.mismatch(name, found, 'a string');
    return text;
  }

  /**
   * JSON text of the user's, as it stands there, or as a string in the field `NAME_text`.
   * @param {string} name
   * @returns {string}
   */
  json(name) {
    const asText = `${name}_text`;
    if (!this.left.has(asText)) return this.take(name);
    const text = this.text(asText);
    if (this.left.has(name)) {
      throw this.error(name, `it is there twice, as itself and as \`${asText}\`; remove one`);
    }
    return text;
  }

  /**
   * So many bytes in hexadecimal digits.
   * @param {string} name
   * @param {number} [bytes]
   * @returns {string}
   */
  hex(name, bytes = 32) {
    const text = this.text(name);
    if (isHex(text, bytes)) return text;
    throw this.mismatch(name, text, `${2 * bytes} lower-case hexadecimal digits`);
  }

  /**
   * @param {string} name
   * @param {number} [max] `undefined`: as much as 64 bits hold.
   * @returns {Whole}
   */
  whole(name, max) {
    const found = this.take(name);
    const value = WHOLE.test(found) && found.length <= 20 ? BigInt(found) : U64_MAX + 1n;
    if (value > U64_MAX) throw this.mismatch(name, found, 'a whole number, not negative');
    const number = whole(value);
    if (max !== undefined && number > max) throw this.mismatch(name, String(number), `at most ${max}`);
    return number;
  }

  /**
   * @param {string} name
   * @returns {Whole}
   */
  time(name) {
    const found = this.take(name);
    const what = 'a time like "2026-01-01T00:00:00.000Z"';
    if (found.charCodeAt(0) === 0x22) {
      const time = parseRfc3339(stringOf(found) ?? '');
      if (time !== undefined) return time;
    } else if (WHOLE.test(found) && found.length <= 20 && BigInt(found) <= U64_MAX) {
      // Only times that cannot be written as text are numbers.
      const time = whole(BigInt(found));
      if (rfc3339(time) === undefined) return time;
    }
    throw this.mismatch(name, found, what);
  }

  /**
   * @param {string} name
   * @returns {boolean}
   */
  flag(name) {
    const found = this.take(name);
    if (found === 'true' || found === 'false') return found === 'true';
    throw this.mismatch(name, found, 'true or false');
  }

  /**
   * One of a few names.
   * @param {string} name
   * @param {readonly string[]} names
   * @returns {string}
   */
  choice(name, names) {
    const found = this.text(name);
    if (names.includes(found)) return found;
    throw this.mismatch(name, found, `one of ${names.join(', ')}`);
  }

  /**
   * The name of a kind: of all names this is the one that a newer program may have more of.
   * @param {string} name
   * @param {readonly string[]} names
   * @returns {string}
   */
  kind(name, names) {
    const found = this.text(name);
    if (names.includes(found)) return found;
    if (/^[a-z_]{1,64}$/.test(found)) {
      throw this.error(name, `${found} is newer than this program; use a newer Refrain for it`, true);
    }
    throw this.mismatch(name, found, `one of ${names.join(', ')}`);
  }

  /**
   * Some objects, each read by `read`; none if the field is not there.
   * @template T
   * @param {string} name
   * @param {(fields: Fields) => T} read
   * @returns {T[]}
   */
  list(name, read) {
    if (!this.isPresent(name)) return [];
    const found = this.take(name);
    const texts = this.elements(name, found, 'a list');
    return texts.map((text) => this.inner(name, text, read));
  }

  /**
   * Some texts; none if the field is not there.
   * @param {string} name
   * @returns {string[]}
   */
  texts(name) {
    if (!this.isPresent(name)) return [];
    const found = this.take(name);
    const what = 'a list of strings';
    return this.elements(name, found, what).map((token) => {
      const text = token.charCodeAt(0) === 0x22 ? stringOf(token) : undefined;
      if (text === undefined) throw this.mismatch(name, found, what);
      return text;
    });
  }

  /**
   * An object in a field of its own.
   * @template T
   * @param {string} name
   * @param {(fields: Fields) => T} read
   * @returns {T}
   */
  record(name, read) {
    return this.inner(name, this.take(name), read);
  }

  /**
   * @template T
   * @param {string} name
   * @param {string} text
   * @param {(fields: Fields) => T} read
   * @returns {T}
   */
  inner(name, text, read) {
    const fields = new Fields(text, [...this.path, name]);
    const value = read(fields);
    fields.end();
    return value;
  }

  /**
   * @param {string} name
   * @param {string} found
   * @param {string} what
   */
  elements(name, found, what) {
    try {
      return elements(found);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw this.mismatch(name, found, what);
    }
  }
}
