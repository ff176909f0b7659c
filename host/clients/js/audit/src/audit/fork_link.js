// Law 11: a fork's event 1 names its origin, the last event that both have in common, and
// the head up to it. Anyone who has both logs can check that.

import { hex } from '../bytes.js';
import { canonical, commitment, isSame } from '../log/event.js';
import { Finding, between, plain } from './divergence.js';
import { checkIntegrity } from './integrity.js';
import { missingUpTo } from './missing.js';

/** @typedef {import('../log/recording.js').Recording} Recording */
/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('./audit.js').Link} Link */

/** The log that another one names, if it is at hand. @typedef {'missing' | Recording} Origin */

/**
 * Compares a fork, which is whole in itself, with the log of its origin.
 * @param {Recording} fork
 * @param {any} named What its event 1 says of the origin.
 * @param {Origin} origin
 * @returns {{link: Link, finding: Finding | null, missing?: import('./missing.js').Missing}}
 */
export function checkFork(fork, named, origin) {
  const { execution_id, sequence } = named;
  const link = (/** @type {Link['link']} */ state) => ({ execution_id, sequence, link: state });
  if (origin === 'missing') return { link: link('origin_missing'), finding: null };
  if (!isSound(origin)) return { link: link('origin_unsound'), finding: null };
  try {
    const missing = compare(fork, named, origin);
    return { link: link(missing === undefined ? 'linked' : 'cut'), finding: null, missing };
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    return { link: link('broken'), finding: error };
  }
}

/**
 * Whether nothing is wrong with a log in itself, as far as no guest is asked.
 * @param {Recording} recording
 * @returns {boolean}
 */
export function isSound(recording) {
  try {
    checkIntegrity(recording);
    return true;
  } catch (error) {
    if (error instanceof Finding) return false;
    throw error;
  }
}

/**
 * Throws the first place in which the two do not agree. Answers what is missing of the origin.
 * @param {Recording} fork
 * @param {any} named
 * @param {Recording} origin
 */
function compare(fork, named, origin) {
  const { execution_id, sequence: common } = named;
  const missing = missingUpTo(origin, common);
  if (missing === undefined) hasHead(origin, named);
  if (fork.kept.length <= common) {
    throw broken(Number(common) + 1, `the log does not go its own way after event ${common}`);
  }
  notWithinABatch(origin, common);
  const compared = Math.min(Number(common), origin.kept.length);
  for (let place = 0; place < compared; place += 1) {
    const sequence = place + 1;
    if (sequence === 1) firstEvents(fork, origin);
    else if (committed(fork, place) !== committed(origin, place)) {
      throw broken(sequence, `event ${sequence} is not the one of ${execution_id}, from which it was copied`);
    }
  }
  return missing;
}

/**
 * The origin has the last event in common.
 * @param {Recording} origin
 * @param {any} named
 */
function hasHead(origin, { execution_id, sequence: common, head }) {
  const there = origin.kept.find(({ event }) => event.sequence === common);
  if (there === undefined) {
    throw broken(1, `event 1 says that ${common} events are those of ${execution_id}, and that log has not so many`);
  }
  if (there.hash === head) return;
  const message = `event 1 names another event ${common} of ${execution_id}`;
  throw new Finding('tampered', between(1, message, there.hash, head));
}

/**
 * @param {import('../bytes.js').Whole} sequence
 * @param {string} message
 */
function broken(sequence, message) {
  return new Finding('tampered', plain(sequence, message));
}

/**
 * What was decided at one time is forked as a whole.
 * @param {Recording} origin
 * @param {number} common
 */
function notWithinABatch(origin, common) {
  const [last, next] = origin.kept.slice(common - 1, common + 1).map(({ event }) => event);
  if (next === undefined) return; // The origin ends there, or before.
  const areDecisions = last.origin === 'decision' && next.origin === 'decision';
  if (areDecisions && last.at === next.at) {
    throw broken(common, `the fork cuts apart what was decided with event ${common}`);
  }
}

/**
 * Event 1 of a fork differs from its origin's only in what a fork may change. What is erased
 * in one of them is not compared.
 * @param {Recording} fork
 * @param {Recording} origin
 */
function firstEvents(fork, origin) {
  const [own, others] = [fork.started, origin.started];
  const same = (/** @type {string} */ what, /** @type {boolean} */ isIt) => {
    if (isIt) return;
    throw broken(1, `event 1 has another ${what} than event 1 of the execution that it was forked from`);
  };
  same('time', fork.kept[0].event.at === origin.kept[0].event.at);
  same('seed', own.seed === others.seed);
  same('tenant', own.tenant === others.tenant);
  same('kind of time', own.simulated === others.simulated);
  same('priority', own.priority === others.priority);
  same('limits', isSame(own.limits, others.limits));
  if (fork.isErased || origin.isErased) return;
  same('input', own.forked_from.sequence === 1 || own.initial_input === others.initial_input);
  same('set of labels', isSame(own.labels, others.labels));
}

/**
 * The plain fields of an event and the commitment to the others: all that does not depend on
 * the execution.
 * @param {Recording} recording
 * @param {number} place
 */
function committed({ kept }, place) {
  const { event, salt, commitment: stored } = kept[place];
  const { plain: bytes, erasable } = canonical(event);
  const written = hex(bytes);
  return `${written} ${salt === null ? stored : hex(commitment(salt, erasable))}`;
}
