// JSON values as the reports hold and write them: objects with sorted keys, numbers in one
// spelling each.

import { byBytes } from '../bytes.js';
import { JsonError, elements, isWellFormed, members, skipSpace } from './scan.js';

/** JSON as it is spelled: a number that is no whole one, or what was written before. @typedef {{spelled: string}} JsonText */

/** An object that a program has put together. @typedef {{[key: string]: any}} JsonObject */

/**
 * A JSON value, which can be sent to another thread. What was read has its objects as `Map`s,
 * so that no key means more than itself.
 * @typedef {null | boolean | number | bigint | string | JsonText | JsonObject | Map<string, any> | any[]} Json
 */

/** How deep a text may be nested to be read into a value. */
const DEPTH_MAX = 127;

/**
 * The value of a JSON text. `undefined` if it is none, or too deep, or has a number beyond
 * all that a program computes with.
 * @param {string} text
 * @returns {Json | undefined}
 */
export function valueOf(text) {
  try {
    return read(text.trim(), 0);
  } catch (error) {
    if (error instanceof JsonError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * @param {string} text
 * @param {number} depth
 * @returns {Json}
 */
function read(text, depth) {
  const first = text.charAt(0);
  if ((first === '{' || first === '[') && depth >= DEPTH_MAX) throw new JsonError('it is nested too deeply', 0);
  if (first === '[') return elements(text).map((element) => read(element, depth + 1));
  if (first === '{') {
    /** @type {[string, Json][]} */
    const entries = [...objectOf(text)].map(([name, value]) => [name, read(value, depth + 1)]);
    return new Map(entries.sort(([a], [b]) => byBytes(a, b)));
  }
  if (first === '-' || (first >= '0' && first <= '9')) return numberOf(text);
  const value = JSON.parse(text);
  if (typeof value === 'string' && !isWellFormed(value)) throw new JsonError('half a character', 0);
  return value;
}

/**
 * The members of an object in which the last of several with one name counts.
 * @param {string} text
 */
function objectOf(text) {
  try {
    return members(text);
  } catch (error) {
    if (!(error instanceof JsonError) || !error.message.includes('is there twice')) throw error;
    const keys = Object.entries(JSON.parse(text));
    return new Map(keys.map(([name, value]) => [name, JSON.stringify(value)]));
  }
}

/** @param {string} text */
function numberOf(text) {
  const at = skipSpace(text, 0);
  const spelled = text.slice(at);
  if (/^-?[0-9]+$/.test(spelled) && spelled !== '-0') {
    const exact = BigInt(spelled);
    if (exact >= -(2n ** 63n) && exact < 2n ** 64n) return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  }
  const number = Number(spelled);
  if (!Number.isFinite(number)) throw new JsonError('a number out of range', 0);
  return { spelled: spelledFloat(number) };
}

/**
 * How a floating-point number is written: with a point or an exponent, so that it is known
 * as one.
 * @param {number} number
 */
function spelledFloat(number) {
  if (number === 0) return Object.is(number, -0) ? '-0.0' : '0.0';
  const [mantissa, exponent] = Math.abs(number).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const point = Number(exponent) + 1;
  const sign = number < 0 ? '-' : '';
  if (point >= digits.length && point <= 16) return `${sign}${digits.padEnd(point, '0')}.0`;
  if (point > 0 && point <= 16) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  if (point > -5 && point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits[0]}${rest}e${point - 1}`;
}

/**
 * Whether two values are the same.
 * @param {Json} a
 * @param {Json} b
 * @returns {boolean}
 */
export function isSame(a, b) {
  return write(a) === write(b);
}

/**
 * The entries of an object; `undefined` if the value is none.
 * @param {Json | undefined} value
 * @returns {[string, Json][] | undefined}
 */
export function entriesOf(value) {
  if (value instanceof Map) return [...value];
  if (value === null || typeof value !== 'object') return undefined;
  if (Array.isArray(value) || 'spelled' in value) return undefined;
  return Object.entries(value);
}

/**
 * The text of a value, in one line.
 * @param {Json} value
 * @returns {string}
 */
export function write(value) {
  return written(value, '', '');
}

/**
 * The text of a value, a line for each member, set in by two columns.
 * @param {Json} value
 * @returns {string}
 */
export function writePretty(value) {
  return written(value, '\n', '  ');
}

/**
 * @param {Json} value
 * @param {string} line What stands before each member.
 * @param {string} indent
 * @returns {string}
 */
function written(value, line, indent) {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return spelled(value);
  if ('spelled' in value) return value.spelled;
  const within = line + indent;
  const entries = entriesOf(value);
  const colon = indent === '' ? ':' : ': ';
  const parts =
    entries === undefined
      ? /** @type {Json[]} */ (value).map((element) => within + written(element, within, indent))
      : entries.map(([name, member]) => within + spelled(name) + colon + written(member, within, indent));
  const [open, close] = entries === undefined ? '[]' : '{}';
  return parts.length === 0 ? open + close : open + parts.join(',') + line + close;
}

/** @param {null | boolean | number | string} value */
function spelled(value) {
  return JSON.stringify(value);
}
