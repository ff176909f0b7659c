// One execution goes on, as far as its share of the turn reaches.
//
// An execution that is cut off is *owed a step*. What it decided so far is written with the
// turn, and its record says so: who opens the store next knows it too, after a crash. It goes
// on with the clock reading of its last event, for law 2 wants all that follows at one time
// decided before anything of a later time; until it has, no fact is appended to it.

import { GuestFailure, Refusal } from '@refrain/audit/host';
import { BYTES_PER_TURN, STEPS_PER_TURN_MAX } from '../limits.js';
import { hasEnded } from '../store/contract.js';
import { payloadBytes } from '../execution/payload_bytes.js';
import { step } from './call.js';
import { stall } from './offer.js';

/** @typedef {import('../execution/staged.js').Staged} Staged */
/** @typedef {import('./transaction.js').Transaction} Transaction */

/**
 * Steps this execution until nothing more follows, or it is cut off.
 * @param {Transaction} transaction
 * @param {Staged} staged
 */
export async function stepOn(transaction, staged) {
  const { record } = staged;
  transaction.toStep.delete(record.id);
  while (!record.held && !hasEnded(record.status)) {
    if (staged.steps >= STEPS_PER_TURN_MAX || staged.bytes >= BYTES_PER_TURN) {
      record.owed = true;
      return;
    }
    if (!(await stepOnce(transaction, staged))) return;
  }
}

/**
 * One step without facts. Says whether another is due in this turn.
 * @param {Transaction} transaction
 * @param {Staged} staged
 */
async function stepOnce(transaction, staged) {
  const { record } = staged;
  const appended = staged.events.length;
  try {
    const outcome = await step(transaction, staged, [], record.owed ? record.lastAt : transaction.now);
    staged.steps += 1;
    for (const { event } of staged.events.slice(appended)) staged.bytes += payloadBytes(event.kind);
    if (outcome.more) return true;
  } catch (thrown) {
    if (!(thrown instanceof GuestFailure || thrown instanceof Refusal)) throw thrown;
    stall(transaction, staged, thrown.message);
    return false;
  }
  // One that was owed a step has come to the time of the turn, and something may have come
  // to be due since.
  const wasOwed = record.owed;
  record.owed = false;
  return wasOwed && record.nextWake !== null && record.nextWake <= transaction.now;
}

/**
 * What is due comes before any fact: steps the execution until nothing that is due is left.
 * Says whether facts may be offered to it in this turn.
 * @param {Transaction} transaction
 * @param {Staged} staged
 */
export async function catchUp(transaction, staged) {
  const { record } = staged;
  const isDue =
    record.owed ||
    transaction.toStep.has(record.id) ||
    (record.nextWake !== null && record.nextWake <= transaction.now);
  // At one reading it would decide the same once more.
  if (isDue && (staged.steps === 0 || record.owed || transaction.toStep.has(record.id))) {
    await stepOn(transaction, staged);
  }
  return !record.owed;
}

/**
 * Steps all executions of which more may be decided.
 * @param {Transaction} transaction
 */
export async function stepAll(transaction) {
  for (const id of transaction.toStep) await transaction.unlessSetAside(id, (staged) => stepOn(transaction, staged));
}
