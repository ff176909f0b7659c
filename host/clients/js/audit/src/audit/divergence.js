// The finding of an audit: the first place where a log is not what it should be.

import { byBytes } from '../bytes.js';
import { entriesOf, isSame } from '../json/value.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../json/value.js').Json} Json */

/** @typedef {'clean' | 'erased' | 'divergent' | 'tampered' | 'illegal' | 'unreadable' | 'newer'} Verdict */

/** One value that differs. @typedef {{pointer: string, expected: Json, found: Json}} Difference */

/**
 * The first place where a log is not what it should be. The names are those of its JSON.
 * @typedef {object} Divergence
 * @property {Whole} sequence The event concerned.
 * @property {'log_unsound' | 'other_decision' | 'no_decision' | 'guest_failed' | 'other_order'} code
 * @property {string} message What is wrong, in a sentence.
 * @property {'guest_with_log' | null} compared Who says what is expected.
 * @property {Json} expected What should be there.
 * @property {Json} found What stands there.
 * @property {Difference[]} difference The places in which the two differ.
 * @property {string | null} rule The rule of what the guest decides there, or the law that is broken.
 * @property {string | null} state_hash The SHA-256 of the execution's state just before.
 * @property {Json} explanation Why the guest has the node concerned where it is.
 * @property {'compare_copies' | 'keep_guest' | 'use_newer'} advice What to do next.
 */

/** What was found of a log: the audit of it ends here. */
export class Finding extends Error {
  /**
   * @param {Verdict} verdict
   * @param {Divergence} divergence
   */
  constructor(verdict, divergence) {
    super(divergence.message);
    this.name = 'Finding';
    this.verdict = verdict;
    this.divergence = divergence;
  }
}

/** An audit cannot be done. */
export class AuditError extends Error {
  /**
   * @param {string} problem
   * @param {unknown} [cause]
   */
  constructor(problem, cause) {
    super(problem, { cause });
    this.name = 'AuditError';
  }
}

/**
 * A divergence of which the message says everything.
 * @param {Whole} sequence
 * @param {string} message
 * @returns {Divergence}
 */
export function plain(sequence, message) {
  return {
    sequence,
    code: 'log_unsound',
    message,
    compared: null,
    expected: null,
    found: null,
    difference: [],
    rule: null,
    state_hash: null,
    explanation: null,
    advice: 'compare_copies',
  };
}

/**
 * A divergence between two values; `null` where nothing is.
 * @param {Whole} sequence
 * @param {string} message
 * @param {Json} expected
 * @param {Json} found
 * @returns {Divergence}
 */
export function between(sequence, message, expected, found) {
  if (expected !== null && found !== null) return compared(sequence, message, expected, found);
  return { ...plain(sequence, message), expected, found };
}

/**
 * The same, where `null` is a value like others.
 * @param {Whole} sequence
 * @param {string} message
 * @param {Json} expected
 * @param {Json} found
 * @returns {Divergence}
 */
export function compared(sequence, message, expected, found) {
  return { ...plain(sequence, message), expected, found, difference: differences(expected, found) };
}

/**
 * The places in which two values differ, in the order of the pointers.
 * @param {Json} expected
 * @param {Json} found
 * @returns {Difference[]}
 */
function differences(expected, found) {
  /** @type {Difference[]} */
  const all = [];
  /** @type {[string, Json | undefined, Json | undefined][]} */
  const places = [['', expected, found]];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const [pointer, a, b] = place;
    const [left, right] = [childrenOf(a), childrenOf(b)];
    if (left !== undefined && right !== undefined && left.isList === right.isList) {
      for (const key of new Set([...left.children.keys(), ...right.children.keys()])) {
        places.push([`${pointer}/${escaped(key)}`, left.children.get(key), right.children.get(key)]);
      }
    } else if (a === undefined || b === undefined || !isSame(a, b)) {
      all.push({ pointer, expected: a ?? null, found: b ?? null });
    }
  }
  return all.sort((a, b) => byBytes(a.pointer, b.pointer));
}

/** @param {Json | undefined} value */
function childrenOf(value) {
  if (Array.isArray(value)) {
    return { isList: true, children: new Map(value.map((element, index) => [String(index), element])) };
  }
  const entries = entriesOf(value);
  return entries === undefined ? undefined : { isList: false, children: new Map(entries) };
}

/** @param {string} key */
function escaped(key) {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** What to do about a divergence, in a sentence without its end. */
export const ADVICE = {
  compare_copies:
    'compare the log with a backup or an export, and trust neither before it is clear which was changed',
  keep_guest: 'leave the execution with its own scheduler, which decides what the log says',
  use_newer: 'use a newer program',
};

/** The node, instance or compensation that an event is about; `null` if it is about the execution.
 * @param {import('../log/event.js').Kind} kind
 * @returns {string | null}
 */
export function nodeOf({ tag, value }) {
  if (tag === 'stalled') return value.reason.value.node_id ?? null;
  return value?.node_id ?? null;
}
