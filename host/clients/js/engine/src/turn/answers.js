// Workers answer. An answer counts if its claim holds the item (law 7).

import { isSame, quoted } from '@refrain/audit/host';
import { EngineError, WorkError } from '../errors.js';
import { completed, failed, released } from '../values/facts.js';
import { holds } from './claims.js';
import { offer } from './offer.js';

/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('../values/facts.js').ClaimId} ClaimId */
/** @typedef {import('../execution/staged.js').Staged} Staged */
/** @typedef {import('./transaction.js').Transaction} Transaction */

/**
 * What became of an attempt: a completion, what was thrown, or nothing: it is given back.
 * @typedef {{done: import('../values/facts.js').Completion} | {thrown: unknown} | {released: true}} Outcome
 */

/**
 * What became of an answer: it is in the log now, it was before, or the scheduler had
 * stopped its work.
 * @typedef {'recorded' | 'already_recorded' | 'stopped'} Receipt
 */

/**
 * A worker has come to this. An answer that the scheduler does not take is followed by a
 * failure that says why: without one the item would never be settled.
 * @param {Transaction} transaction
 * @param {Staged} staged which has caught up
 * @param {ClaimId} claim
 * @param {Outcome} outcome
 * @param {number} claimedAt
 * @returns {Promise<Receipt>}
 */
export async function answered(transaction, staged, claim, outcome, claimedAt) {
  const fact = factOf(claim, outcome, Math.max(0, transaction.now - claimedAt), transaction.core.settings.workerId);
  if (!holds(staged, claim)) return repeated(transaction, staged, claim, fact);
  try {
    await offer(transaction, staged, fact);
  } catch (thrown) {
    if (!(thrown instanceof EngineError) || thrown.code !== 'refused' || fact.tag !== 'node_completed') throw thrown;
    const error = new WorkError(`the worker's answer was not taken: ${thrown.message}`, { retryable: false });
    await offer(transaction, staged, failed(claim, error));
  }
  return 'recorded';
}

/**
 * @param {ClaimId} claim
 * @param {Outcome} outcome
 * @param {number} durationMs
 * @param {string} workerId
 * @returns {Kind}
 */
function factOf(claim, outcome, durationMs, workerId) {
  if ('done' in outcome) return completed(claim, outcome.done, durationMs);
  return 'thrown' in outcome ? failed(claim, outcome.thrown) : released(claim, workerId);
}

/**
 * An answer whose claim holds no longer: it is stale, unless it is the very one that settled
 * the item, or the scheduler had stopped the work.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {ClaimId} claim
 * @param {Kind} fact
 * @returns {Promise<Receipt>}
 */
async function repeated(transaction, staged, claim, fact) {
  if (staged.log === null && staged.expected.sequence > 0) await transaction.loadLog(staged);
  const behind = [...(staged.log ?? []), ...staged.events].slice(claim.fence).map(({ event }) => event);
  const settled = behind.find(({ kind }) => ANSWERS.includes(kind.tag) && isOf(kind, claim));
  if (settled !== undefined && isSameAnswer(settled.kind, fact)) return 'already_recorded';
  const stopped = behind.some(({ kind }) => STOPS.includes(kind.tag) && kind.value.node_id === claim.nodeId);
  if (stopped) return 'stopped';
  const why = settled === undefined ? 'its claim is over' : `event ${settled.sequence} settled it with another answer`;
  throw new EngineError(
    'stale',
    `the answer to attempt ${claim.attempt} of node ${quoted(claim.nodeId)} of ${claim.execution} comes too late: ${why}`,
    { claim },
  );
}

const ANSWERS = ['node_completed', 'node_failed', 'node_released'];
const STOPS = ['node_cancelled', 'node_timed_out'];

/**
 * @param {Kind} kind
 * @param {ClaimId} claim
 */
function isOf({ value }, { nodeId, attempt, fence }) {
  return value.node_id === nodeId && value.attempt === attempt && value.fence === fence;
}

/**
 * Whether two answers say the same. How long the work took is measured by the host, and so
 * it is no part of what the worker said.
 * @param {Kind} recorded
 * @param {Kind} offered
 */
function isSameAnswer(recorded, offered) {
  if (recorded.tag !== offered.tag) return false;
  if (recorded.tag === 'node_released') return true;
  const said = (/** @type {Kind} */ { value }) => ({ ...value, duration_ms: 0 });
  return isSame(said(recorded), said(offered));
}
