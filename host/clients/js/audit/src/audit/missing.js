// What another log names of a log, and is not there: a log can have been exported before its
// execution went on. What is there can be compared (law 11); what is missing is named.

import { TERMINAL } from './integrity.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/recording.js').Recording} Recording */

/**
 * Events that a log at hand does not have, and another log names. Nothing is wrong with the log
 * for that, but what they say was not compared.
 * @typedef {object} Missing
 * @property {string} execution_id The execution whose log ends before them.
 * @property {Whole} from The first of them.
 * @property {Whole} to The last one that the other log names.
 */

/**
 * What is missing of a log up to this event. `undefined` if the log has it, or has ended: then
 * nothing can be missing behind its end.
 * @param {{executionId: string, kept: Recording['kept']}} log One that is whole in itself.
 * @param {Whole} to
 * @returns {Missing | undefined}
 */
export function missingUpTo({ executionId, kept }, to) {
  const ends = kept.length;
  if (to <= ends || TERMINAL.has(kept[ends - 1].event.kind.tag)) return undefined;
  return { execution_id: executionId, from: ends + 1, to };
}

/**
 * What is missing, in a sentence.
 * @param {Missing} missing
 */
export function missingSentence({ execution_id, from, to }) {
  const events = from === to ? `event ${from} of ${execution_id} is` : `events ${from} to ${to} of ${execution_id} are`;
  return `${events} missing: its log ends with event ${Number(from) - 1}`;
}
