// An event in one line: what it says besides its place, its kind and its node.

import { clipped } from '../base/escaped.js';
import { JsonError, members } from '../../../clients/js/audit/src/json/scan.js';
import { plain } from './json_text.js';

/** What the log holds an event together with, and what has a column of its own. */
const APART = new Set(['sequence', 'at', 'origin', 'type', 'node_id', 'salt', 'commitment', 'hash']);

/** Digits of a digest that are shown. */
const DIGEST_DIGITS = 12;

/** Characters of a value that are shown. */
const VALUE_MAX = 160;

/**
 * The fields of an event's line, each with the text of its value. Empty if it is no event.
 * @param {string} line
 * @returns {Map<string, string>}
 */
export function fieldsOf(line) {
  try {
    return members(line);
  } catch (error) {
    if (error instanceof JsonError) return new Map();
    throw error;
  }
}

/**
 * What a line says besides, as `name=value`.
 * @param {string} line
 * @param {Map<string, string> | undefined} [masked] Fields that were left out of the log, masked.
 * @returns {string}
 */
export function detail(line, masked = undefined) {
  const fields = [...fieldsOf(line), ...(masked ?? [])].filter(([name]) => !APART.has(name));
  const said = fields.map(([name, value]) => {
    const text = plain(value);
    if (name.endsWith('digest')) return `${name}=${text.slice(0, DIGEST_DIGITS)}`;
    const isWord = value !== text && text !== '' && !/\s/.test(text);
    return `${name}=${clipped(isWord ? text : value, VALUE_MAX)}`;
  });
  return said.join('  ');
}
