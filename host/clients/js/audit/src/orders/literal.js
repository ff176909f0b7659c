// The literal parts of a node's kind whose texts hold expressions (rule R29). What
// expressions come to is the guest's word; all else is the workflow's, to the letter.

import { JsonError, skipValue, stringOf } from '../json/scan.js';
import { partsOf, putIn, textsWithin } from './templates.js';

/** The fields whose texts may hold expressions, by kind. @type {{[kind: string]: string[]}} */
const FIELDS = { command: ['argv', 'cwd', 'env'], http: ['url', 'headers', 'body'] };

/** The fields of a task that hold none; all others may. */
const OF_TASKS_LITERAL = ['type', 'queue', 'input_mapping'];

/**
 * What is known of a text before its values are: what stands before, between and behind
 * its expressions, for each stretch between what the worker puts in.
 * @typedef {{isAnyValue: boolean, putsIn: string[], stretches: string[][]}} LiteralText
 */

/** A kind, cut where a text holds expressions. */
export class LiteralKind {
  /**
   * `undefined` if no text of the kind holds expressions.
   * @param {string} name
   * @param {string} kind
   * @returns {LiteralKind | undefined}
   */
  static of(name, kind) {
    /** @type {{before: string, text: LiteralText}[]} */
    const texts = [];
    /** @type {string[]} */
    const forWorker = [];
    let from = 0;
    for (const { start, end, field, pointer } of textsWithin(kind)) {
      const value = stringOf(kind.slice(start, end));
      if (value === undefined) return undefined;
      const text = mayHold(name, field) ? literalText(value) : undefined;
      if (text === undefined) continue;
      if (text.putsIn.length > 0) forWorker.push(pointer);
      texts.push({ before: kind.slice(from, start), text });
      from = end;
    }
    return texts.length === 0 ? undefined : new LiteralKind(texts, kind.slice(from), forWorker);
  }

  /**
   * @param {{before: string, text: LiteralText}[]} texts
   * @param {string} rest
   * @param {string[]} forWorker
   */
  constructor(texts, rest, forWorker) {
    this.texts = texts;
    this.rest = rest;
    /** The pointers of the texts into which the worker puts something. */
    this.forWorker = forWorker;
  }

  /**
   * Whether this is the kind with values in the place of its expressions.
   * @param {string} kind
   * @returns {boolean}
   */
  isIn(kind) {
    let at = 0;
    for (const { before, text } of this.texts) {
      if (!kind.startsWith(before, at)) return false;
      const start = at + before.length;
      const end = endOfValue(kind, start);
      if (end === undefined || !mayBecome(text, kind.slice(start, end))) return false;
      at = end;
    }
    return kind.slice(at) === this.rest;
  }
}

/**
 * @param {string} name
 * @param {string} field
 */
function mayHold(name, field) {
  if (Object.hasOwn(FIELDS, name)) return FIELDS[name].includes(field);
  return name === 'task' && !OF_TASKS_LITERAL.includes(field);
}

/**
 * @param {string} text
 * @param {number} from
 */
function endOfValue(text, from) {
  try {
    return skipValue(text, from);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/**
 * `undefined` if the text stands for itself.
 * @param {string} text
 * @returns {LiteralText | undefined}
 */
function literalText(text) {
  if (!text.includes('${')) return undefined;
  /** @type {string[]} */
  const putsIn = [];
  /** @type {string[][]} */
  const stretches = [];
  /** @type {string[]} */
  let around = [];
  let [literal, from] = ['', 0];
  for (let place = text.indexOf('${'); place >= 0; place = text.indexOf('${', from)) {
    const before = text.slice(from, place);
    from = place + 2;
    if (before.endsWith('$')) {
      literal += `${before.slice(0, -1)}\${`;
      continue;
    }
    around.push(literal + before);
    literal = '';
    const end = endOfExpression(text, from);
    const put = putIn(text.slice(from, end).trim());
    if (put !== undefined) {
      putsIn.push(put);
      stretches.push(around);
      around = [];
    }
    from = Math.min(end + 1, text.length);
  }
  around.push(literal + text.slice(from));
  stretches.push(around);
  const isAnyValue = putsIn.length === 0 && around.length === 2 && around.every((it) => it === '');
  return { isAnyValue, putsIn, stretches };
}

/**
 * Where the brace stands that closes an expression; one within a text of it closes nothing.
 * @param {string} text
 * @param {number} from
 */
function endOfExpression(text, from) {
  let [quote, isEscaped] = ['', false];
  for (let at = from; at < text.length; at += 1) {
    const sign = text[at];
    if (quote !== '') {
      if (isEscaped) isEscaped = false;
      else if (sign === '\\') isEscaped = true;
      else if (sign === quote) quote = '';
    } else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '}') return at;
  }
  return text.length;
}

/**
 * Whether this JSON can be what a text comes to. Null never is.
 * @param {LiteralText} text
 * @param {string} json
 */
function mayBecome({ isAnyValue, putsIn, stretches }, json) {
  if (isAnyValue) return json !== 'null';
  const value = json.startsWith('"') ? stringOf(json) : undefined;
  if (value === undefined) return false;
  if (putsIn.length === 0) return isAround(stretches[0], value);
  const parts = partsOf(value);
  if (parts === undefined || parts.putsIn.join() !== putsIn.join()) return false;
  return stretches.every((stretch, place) => isAround(stretch, parts.texts[place]));
}

/**
 * Whether a text is these, with values in between.
 * @param {string[]} around
 * @param {string} text
 */
function isAround(around, text) {
  const [first, ...others] = around;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const literal of others) {
    const place = text.indexOf(literal, at);
    if (place < 0) return false;
    at = place + literal.length;
  }
  return text.slice(at).endsWith(last);
}
