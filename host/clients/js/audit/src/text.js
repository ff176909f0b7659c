// Foreign text as it may be shown: what steers a terminal or hides is spelled out, and what
// is too long is cut.

import { utf8Length } from './bytes.js';

const STEERING =
  /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** @type {{[sign: string]: string}} */
const SHORT = { '\0': '\\0', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** @param {string} sign */
function spelledOut(sign) {
  const code = /** @type {number} */ (sign.codePointAt(0)).toString(16);
  return SHORT[sign] ?? `\\u{${code}}`;
}

/**
 * The same text in one line, with what steers spelled out.
 * @param {string} text
 * @returns {string}
 */
export function escaped(text) {
  return text.replace(STEERING, (sign) => (sign === '\0' ? '\\u{0}' : spelledOut(sign)));
}

/**
 * The same, but for line ends.
 * @param {string} text
 * @returns {string}
 */
export function escapedLines(text) {
  return text.split('\n').map(escaped).join('\n');
}

/**
 * A text in quotation marks, as messages name it.
 * @param {string} text
 * @returns {string}
 */
export function quoted(text) {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(STEERING, spelledOut)}"`;
}

/**
 * JSON with the same value: what steers stands in its strings as `\uXXXX`.
 * @param {string} json
 * @returns {string}
 */
export function escapedJson(json) {
  return json.replace(STEERING, (sign) => {
    if (sign === '\n') return sign;
    const units = Array.from({ length: sign.length }, (_, place) => sign.charCodeAt(place));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}

/**
 * The text, if it has at most so many bytes; else as much of its beginning as fits with the
 * mark `… (N bytes left out)`.
 * @param {string} text
 * @param {number} bytesMax
 * @returns {string}
 */
export function shortened(text, bytesMax) {
  const bytes = utf8Length(text);
  if (bytes <= bytesMax) return text;
  const mark = (/** @type {number} */ leftOut) => `… (${leftOut} bytes left out)`;
  const room = bytesMax - utf8Length(mark(bytes));
  let [kept, place] = [0, 0];
  for (const sign of text) {
    const size = utf8Length(sign);
    if (kept + size > room) break;
    kept += size;
    place += sign.length;
  }
  return text.slice(0, place) + mark(bytes - kept);
}
