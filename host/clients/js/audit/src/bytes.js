// Bytes and their written forms: hexadecimal digits, UTF-8, and whole numbers of up to
// 64 bits.
//
// A whole number is a `number` as far as that is exact, and a `bigint` beyond: so two
// that are equal are always equal by `===`, whichever way they came.

/** @typedef {number | bigint} Whole A whole number from 0 to 2^64 - 1. */

const encoder = new TextEncoder();
// A mark of byte order is a character like any other: it is hashed.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @type {string[]} */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * The bytes as hexadecimal digits, in lower case.
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function hex(bytes) {
  let text = '';
  for (let place = 0; place < bytes.length; place += 1) text += HEX[bytes[place]];
  return text;
}

/**
 * Whether a text is so many bytes in hexadecimal digits, in lower case.
 * @param {string} text
 * @param {number} bytes
 * @returns {boolean}
 */
export function isHex(text, bytes) {
  return text.length === 2 * bytes && /^[0-9a-f]*$/.test(text);
}

/**
 * The bytes that a text of hexadecimal digits stands for.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function fromHex(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let place = 0; place < bytes.length; place += 1) {
    bytes[place] = hexDigit(text.charCodeAt(2 * place)) * 16 + hexDigit(text.charCodeAt(2 * place + 1));
  }
  return bytes;
}

/**
 * The value of a hexadecimal digit, in lower case.
 * @param {number} code Of the sign.
 * @returns {number}
 */
export function hexDigit(code) {
  return code < 58 ? code - 48 : code - 87;
}

/**
 * The UTF-8 bytes of a text.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function utf8(text) {
  return encoder.encode(text);
}

/**
 * Writes a text as UTF-8 and answers how many bytes that took. There must be room: three
 * bytes for each unit of the text are always enough.
 * @param {string} text
 * @param {Uint8Array} to
 * @returns {number}
 */
export function utf8Into(text, to) {
  return encoder.encodeInto(text, to).written;
}

/**
 * How many bytes a text has in UTF-8.
 * @param {string} text
 * @returns {number}
 */
export function utf8Length(text) {
  let bytes = text.length;
  for (let place = 0; place < text.length; place += 1) {
    const code = text.charCodeAt(place);
    if (code < 0x80) continue;
    // The halves of a pair make four bytes together.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/**
 * The text of UTF-8 bytes; `undefined` if they are none.
 * @param {Uint8Array} bytes
 * @returns {string | undefined}
 */
export function strictText(bytes) {
  try {
    return strict.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * All of these bytes in one array.
 * @param {Uint8Array[]} parts
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

/**
 * The whole number of a `bigint`.
 * @param {bigint} value
 * @returns {Whole}
 */
export function whole(value) {
  return value <= 9007199254740991n ? Number(value) : value;
}

/**
 * The sum of two whole numbers.
 * @param {Whole} a
 * @param {Whole} b
 * @returns {Whole}
 */
export function add(a, b) {
  return whole(BigInt(a) + BigInt(b));
}

/**
 * Compares two texts by their code points, and so by their UTF-8 bytes.
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
export function byBytes(a, b) {
  const end = Math.min(a.length, b.length);
  for (let place = 0; place < end; place += 1) {
    const [x, y] = [a.charCodeAt(place), b.charCodeAt(place)];
    if (x === y) continue;
    const [isHighX, isHighY] = [(x & 0xf800) === 0xd800, (y & 0xf800) === 0xd800];
    // Units of pairs stand for what is beyond all that has one unit.
    return isHighX === isHighY ? x - y : Number(isHighX) - Number(isHighY);
  }
  return a.length - b.length;
}
