// JSON text, looked through without being changed: where its members begin and end.
//
// A log's payloads are kept to the letter, and their numbers keep their spelling, so no
// value is read here that nobody asks for. Nothing recurses: nesting costs no stack.

/** A text is not the JSON that it should be. */
export class JsonError extends Error {
  /**
   * @param {string} problem
   * @param {number} place Where, in units of the text from 0.
   */
  constructor(problem, place) {
    super(`${problem} at column ${place + 1}`);
    this.name = 'JsonError';
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * The place of the next sign that is no space.
 * @param {string} text
 * @param {number} from
 * @returns {number}
 */
export function skipSpace(text, from) {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
  }
  return at;
}

/**
 * The end of the string that begins here with its quotation mark.
 * @param {string} text
 * @param {number} from
 * @returns {number}
 */
export function skipString(text, from) {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < 0x20) throw new JsonError('a control character in a string', at);
    if (code === BACKSLASH) {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) throw new JsonError('an escape that JSON does not have', at);
      at = ESCAPE.lastIndex - 1;
    }
  }
  throw new JsonError('a string without an end', from);
}

/**
 * The end of a number, `true`, `false` or `null`.
 * @param {string} text
 * @param {number} from
 * @returns {number}
 */
function skipScalar(text, from) {
  for (const word of ['null', 'true', 'false']) {
    if (text.startsWith(word, from)) return from + word.length;
  }
  NUMBER.lastIndex = from;
  if (!NUMBER.test(text)) throw new JsonError('a value is expected', from);
  return NUMBER.lastIndex;
}

/**
 * The end of the key that begins here, its colon and the space behind that included.
 * @param {string} text
 * @param {number} from
 */
function skipKey(text, from) {
  if (text.charCodeAt(from) !== QUOTE) throw new JsonError('a key is expected', from);
  const at = skipSpace(text, skipString(text, from));
  if (text.charCodeAt(at) !== COLON) throw new JsonError('a colon is expected', at);
  return skipSpace(text, at + 1);
}

/**
 * The end of the value that begins here.
 * @param {string} text
 * @param {number} from
 * @returns {number}
 */
export function skipValue(text, from) {
  /** @type {number[]} */
  const open = [];
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === OPEN_OBJECT || code === OPEN_LIST) {
      const close = code === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST;
      const inner = skipSpace(text, at + 1);
      if (text.charCodeAt(inner) !== close) {
        open.push(close);
        at = close === CLOSE_OBJECT ? skipKey(text, inner) : inner;
        continue;
      }
      at = inner + 1;
    } else {
      at = code === QUOTE ? skipString(text, at) : skipScalar(text, at);
    }
    for (;;) {
      if (open.length === 0) return at;
      at = skipSpace(text, at);
      const next = text.charCodeAt(at);
      if (next === COMMA) break;
      if (next !== open[open.length - 1]) throw new JsonError('a comma or an end is expected', at);
      open.pop();
      at += 1;
    }
    at = skipSpace(text, at + 1);
    if (open[open.length - 1] === CLOSE_OBJECT) at = skipKey(text, at);
  }
}

/**
 * Whether a text is one JSON value.
 * @param {string} text
 * @returns {boolean}
 */
export function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The text of a string's token, with its quotes. `undefined` if it holds half a character.
 * @param {string} token
 * @returns {string | undefined}
 */
export function stringOf(token) {
  if (!token.includes('\\')) return token.slice(1, -1);
  /** @type {string} */
  const text = JSON.parse(token);
  return isWellFormed(text) ? text : undefined;
}

/**
 * Whether a text has no half of a character that takes two units.
 * @param {string} text
 * @returns {boolean}
 */
export function isWellFormed(text) {
  return !/\p{Surrogate}/u.test(text);
}

/**
 * The members of a text that is one object: their values' texts by their names, each name
 * once.
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function members(text) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const start = skipSpace(text, 0);
  if (text.charCodeAt(start) !== OPEN_OBJECT) throw new JsonError('an object is expected', start);
  let at = skipSpace(text, start + 1);
  let isFirst = true;
  while (!(isFirst && text.charCodeAt(at) === CLOSE_OBJECT)) {
    isFirst = false;
    if (text.charCodeAt(at) !== QUOTE) throw new JsonError('a key is expected', at);
    const keyEnd = skipString(text, at);
    const name = stringOf(text.slice(at, keyEnd));
    if (name === undefined) throw new JsonError('half a character in a key', at);
    if (found.has(name)) throw new JsonError(`the field \`${name}\` is there twice`, at);
    const colon = skipSpace(text, keyEnd);
    if (text.charCodeAt(colon) !== COLON) throw new JsonError('a colon is expected', colon);
    const value = skipSpace(text, colon + 1);
    const end = skipValue(text, value);
    found.set(name, text.slice(value, end));
    at = skipSpace(text, end);
    if (text.charCodeAt(at) !== COMMA) break;
    at = skipSpace(text, at + 1);
  }
  if (text.charCodeAt(at) !== CLOSE_OBJECT) throw new JsonError('a comma or an end is expected', at);
  endsHere(text, at + 1);
  return found;
}

/**
 * The values' texts of a text that is one list.
 * @param {string} text
 * @returns {string[]}
 */
export function elements(text) {
  /** @type {string[]} */
  const found = [];
  const start = skipSpace(text, 0);
  if (text.charCodeAt(start) !== OPEN_LIST) throw new JsonError('a list is expected', start);
  let at = skipSpace(text, start + 1);
  while (!(found.length === 0 && text.charCodeAt(at) === CLOSE_LIST)) {
    const end = skipValue(text, at);
    found.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text.charCodeAt(at) !== COMMA) break;
    at = skipSpace(text, at + 1);
  }
  if (text.charCodeAt(at) !== CLOSE_LIST) throw new JsonError('a comma or an end is expected', at);
  endsHere(text, at + 1);
  return found;
}

/**
 * @param {string} text
 * @param {number} from
 */
function endsHere(text, from) {
  const at = skipSpace(text, from);
  if (at < text.length) throw new JsonError('something stands behind the value', at);
}
