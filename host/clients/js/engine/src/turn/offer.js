// Facts are offered to the scheduler of their execution, which takes them, or says why they
// may not stand there, and decides what follows.
//
// One that fails at that is not asked again and again: the host stalls the execution, and
// offers the same facts once more. A scheduler decides nothing while the host stalls its
// execution, so that what the world reported is not lost because something that follows from
// it cannot be decided.

import { GuestFailure, Refusal } from '@refrain/audit/host';
import { EngineError } from '../errors.js';
import { hostStalled } from '../values/facts.js';
import { hasEnded } from '../store/contract.js';
import { step } from './call.js';

/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('@refrain/audit/host').Outcome} Outcome */
/** @typedef {import('../execution/staged.js').Staged} Staged */
/** @typedef {import('./transaction.js').Transaction} Transaction */

/** What became of a fact: its sequence, or why it may not stand there. @typedef {number | EngineError} Taken */

/**
 * Offers a fact. Answers its sequence, or throws why it may not stand there.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {Kind} fact
 * @returns {Promise<number>}
 */
export async function offer(transaction, staged, fact) {
  const [taken] = await offerAll(transaction, staged, [fact]);
  if (taken instanceof EngineError) throw taken;
  return taken;
}

/**
 * Offers facts, in one call. Answers what became of each.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {Kind[]} facts
 * @returns {Promise<Taken[]>}
 */
export async function offerAll(transaction, staged, facts) {
  const before = staged.record.sequence;
  try {
    const outcome = await step(transaction, staged, facts);
    return answers(transaction, staged, outcome, before, facts.length);
  } catch (thrown) {
    if (thrown instanceof Refusal) throw refusedStart(thrown, staged);
    if (!(thrown instanceof GuestFailure)) throw thrown;
    if (staged.record.held || hasEnded(staged.record.status)) throw failed(staged, thrown.message);
    return offerStalled(transaction, staged, facts, thrown.message);
  }
}

/**
 * The facts at which the scheduler failed, with the host's stall before them; an execution
 * begins with its event 1 all the same. One that fails again is not asked about the stall,
 * and the facts are not taken.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {Kind[]} facts
 * @param {string} reason
 * @returns {Promise<Taken[]>}
 */
async function offerStalled(transaction, staged, facts, reason) {
  const before = staged.record.sequence;
  const stalled = hostStalled(reason);
  transaction.core.warn(`${staged.record.id} is stalled, because its scheduler failed: ${reason}`);
  try {
    const outcome = await step(transaction, staged, before === 0 ? [...facts, stalled] : [stalled, ...facts]);
    // A scheduler has no say in the host's stall.
    if (!staged.record.held) stall(transaction, staged, reason);
    const taken = answers(transaction, staged, outcome, before, facts.length + 1);
    return before === 0 ? taken.slice(0, -1) : taken.slice(1);
  } catch (thrown) {
    if (!(thrown instanceof GuestFailure || thrown instanceof Refusal)) throw thrown;
    if (before > 0) stall(transaction, staged, reason);
    throw failed(staged, reason);
  }
}

/**
 * Stalls an execution whose scheduler failed: its log says so (law 9). It is not asked.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {string} reason
 */
export function stall(transaction, staged, reason) {
  transaction.core.warn(`${staged.record.id} is stalled, because its scheduler failed: ${reason}`);
  staged.pushFact(hostStalled(reason), transaction.now);
  staged.hold();
  transaction.toStep.delete(staged.record.id);
  transaction.core.guests.forget(staged.record.guestDigest, staged.record.id);
}

/**
 * The scheduler does not take a fact that must be taken: an item that it ordered is begun,
 * or ends. The execution says so in its log.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {unknown} error
 */
export function mustHaveTaken(transaction, staged, error) {
  if (!(error instanceof EngineError)) throw error;
  if (error.code === 'guest_failed') return;
  if (error.code !== 'refused') throw error;
  const { record } = staged;
  if (record.sequence > 0 && !record.held && !hasEnded(record.status)) stall(transaction, staged, error.message);
}

/**
 * What became of so many facts that were offered behind this event.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {Outcome} outcome
 * @param {number} before
 * @param {number} offered
 * @returns {Taken[]}
 */
function answers(transaction, staged, outcome, before, offered) {
  if (outcome.more) transaction.toStep.add(staged.record.id);
  const refused = new Map(outcome.refused.map((refusal) => [refusal.index, refusal]));
  let sequence = before;
  return Array.from({ length: offered }, (_, place) => {
    const refusal = refused.get(place);
    if (refusal === undefined) return (sequence += 1);
    return new EngineError('refused', refusal.message, { execution: staged.record.id, code: refusal.code });
  });
}

/**
 * @param {Staged} staged
 * @param {string} reason
 */
function failed({ record }, reason) {
  return new EngineError('guest_failed', `the scheduler component ${record.guestDigest} failed: ${reason}`, {
    execution: record.id,
    digest: record.guestDigest,
  });
}

/**
 * @param {Refusal} error
 * @param {Staged} staged
 */
function refusedStart(error, { record }) {
  const code = error.error.tag === 'invalid_workflow' ? 'invalid_workflow' : 'refused';
  return new EngineError(code, error.message, { execution: record.id, error: error.error });
}
