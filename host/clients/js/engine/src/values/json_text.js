// JSON that belongs to the user, kept to the letter, and its check at the door: grammar,
// size, nesting, repeated keys. Numbers keep their spelling, because they are never read.

import { quoted, utf8Length } from '@refrain/audit/host';
import { EngineError } from '../errors.js';
import { JSON_DEPTH_MAX, PAYLOAD_BYTES_MAX } from '../limits.js';

/** A JSON text, to be kept as it is written. */
export class JsonText {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }

  /** What other programs of JavaScript read in it. */
  toJSON() {
    return JSON.parse(this.text);
  }
}

/**
 * A JSON text, to be kept as it is written: with it, a number may have more digits than
 * numbers of JavaScript keep.
 * @param {string} text
 * @returns {JsonText}
 */
export function json(text) {
  return new JsonText(text);
}

/**
 * The text of a payload: of a {@link JsonText} to the letter, of any other value as
 * `JSON.stringify` writes it, where `undefined` is null.
 * @param {string} what what it is, for the error
 * @param {unknown} value
 * @returns {string}
 */
export function payloadOf(what, value) {
  const text = value instanceof JsonText ? value.text : written(what, value);
  const fault = faultOf(text, PAYLOAD_BYTES_MAX, value instanceof JsonText);
  if (fault !== undefined) throw invalid(what, fault);
  return text;
}

/**
 * The same, of an object.
 * @param {string} what
 * @param {unknown} value
 * @returns {string}
 */
export function objectOf(what, value) {
  const text = payloadOf(what, value);
  if (isObject(text)) return text;
  throw invalid(
    what,
    'it is no JSON object, and only an object’s keys can be merged into the state; put it under a key',
  );
}

/**
 * Whether this JSON text is an object.
 * @param {string} text
 * @returns {boolean}
 */
export function isObject(text) {
  return text.trimStart().startsWith('{');
}

/**
 * Why a text is not the JSON that is accepted; undefined if it is.
 * @param {string} text
 * @param {number} bytesMax
 * @param {boolean} mayBeAnything whether it may be no JSON at all, or repeat a key
 * @returns {string | undefined}
 */
export function faultOf(text, bytesMax, mayBeAnything = true) {
  const bytes = utf8Length(text);
  if (bytes > bytesMax) {
    return `the JSON text has ${bytes} bytes, and ${bytesMax} are allowed; keep large data elsewhere, and pass a reference to it`;
  }
  if (mayBeAnything) {
    try {
      JSON.parse(text);
    } catch (thrown) {
      return `the text is not JSON (${/** @type {Error} */ (thrown).message}); correct it there`;
    }
  }
  return walk(text);
}

/**
 * @param {string} what
 * @param {unknown} value
 */
function written(what, value) {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (thrown) {
    throw invalid(
      what,
      `it cannot be written as JSON (${/** @type {Error} */ (thrown).message}); write numbers that are too large for JSON as texts, and leave out what refers to itself`,
    );
  }
}

/**
 * @param {string} what
 * @param {string} fault
 */
function invalid(what, fault) {
  return new EngineError('invalid_json', `the ${what}: ${fault}`);
}

/**
 * What the grammar leaves open, of a text that is JSON: one walk with a stack of its own.
 * @param {string} text
 * @returns {string | undefined}
 */
function walk(text) {
  /** @type {(Set<string> | null)[]} */
  const open = [];
  let isKey = false;
  for (let place = 0; place < text.length; place += 1) {
    const sign = text[place];
    if (sign === '{' || sign === '[') {
      isKey = sign === '{';
      open.push(isKey ? new Set() : null);
      if (open.length > JSON_DEPTH_MAX) {
        return `it is nested more than ${JSON_DEPTH_MAX} deep, at column ${place + 1}; make it flatter`;
      }
    } else if (sign === '}' || sign === ']') {
      open.pop();
      isKey = false;
    } else if (sign === ',') {
      isKey = open[open.length - 1] !== null;
    } else if (sign === '"') {
      const end = endOfString(text, place);
      const token = text.slice(place, end);
      const keys = open[open.length - 1];
      const fault = isKey && keys ? keyFault(token, keys) : textFault(token);
      if (fault !== undefined) return `${fault} at column ${place + 1}`;
      isKey = false;
      place = end - 1;
    }
  }
  return undefined;
}

/**
 * @param {string} text
 * @param {number} from
 */
function endOfString(text, from) {
  let end = text.indexOf('"', from + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

/**
 * @param {string} text
 * @param {number} place
 */
function isEscaped(text, place) {
  let before = place;
  while (text[before - 1] === '\\') before -= 1;
  return (place - before) % 2 === 1;
}

/**
 * @param {string} token
 * @param {Set<string>} keys
 */
function keyFault(token, keys) {
  /** @type {string} */
  const key = JSON.parse(token);
  if (keys.has(key)) return `the key ${quoted(key)} is repeated; leave one out`;
  keys.add(key);
  return textFault(token);
}

/** @param {string} token */
function textFault(token) {
  const mayBeHalf = token.includes('\\u') || /\p{Surrogate}/u.test(token);
  if (!mayBeHalf || !/\p{Surrogate}/u.test(JSON.parse(token))) return undefined;
  return 'a text holds half of a character that takes two units; leave it out';
}
