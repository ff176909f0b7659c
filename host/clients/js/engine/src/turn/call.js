// One call of a scheduler about an execution. One that fails is made once more, alone, in a
// fresh instance; what the first did is dropped.

import { GuestFailure, Refusal } from '@refrain/audit/host';
import { CallPorts } from '../execution/ports.js';
import { Malformed, settle } from '../execution/settle.js';

/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('../execution/staged.js').Staged} Staged */
/** @typedef {import('./transaction.js').Transaction} Transaction */

/** An execution whose event 1 may not stand there does not begin. */
const ENDS_START = ['illegal', 'invalid_workflow'];

/**
 * One step: these facts in, decisions out, all of it staged; or nothing is.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {Kind[]} facts
 * @param {number} [now] the reading of the call, where it is not the turn's
 * @returns {Promise<import('@refrain/audit/host').Outcome>}
 * @throws {GuestFailure} the scheduler failed, in a fresh instance too
 * @throws {Refusal} an execution cannot begin so
 */
export function step(transaction, staged, facts, now = transaction.now) {
  const begins = staged.record.sequence === 0;
  return call(
    transaction,
    staged,
    { now, offered: facts, isAnswer: ({ error }) => begins && ENDS_START.includes(error.tag) },
    (guest, ports) => {
      const outcome = guest.step(ports, staged.record.id, staged.record.sequence, facts);
      if (!ports.needsLog) settle(ports, facts, outcome);
      return outcome;
    },
  );
}

/**
 * A question, which changes nothing.
 * @template T
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {(guest: import('@refrain/audit/host').Guest, ports: CallPorts) => T} ask
 * @returns {Promise<T>}
 */
export function question(transaction, staged, ask) {
  return call(transaction, staged, { now: transaction.now, offered: null, isAnswer: () => true }, ask);
}

/**
 * @template T
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {{now: number, offered: Kind[] | null, isAnswer: (error: Refusal) => boolean}} about
 * @param {(guest: import('@refrain/audit/host').Guest, ports: CallPorts) => T} use
 * @returns {Promise<T>}
 */
async function call(transaction, staged, about, use) {
  const { guests } = transaction.core;
  const { id, guestDigest } = staged.record;
  /** @type {string} */
  let reason = '';
  for (const isFresh of [false, true]) {
    if (isFresh) guests.discard(guestDigest);
    const guest = await guests.get(guestDigest, id);
    try {
      return await withLog(transaction, staged, about, (ports) => use(guest, ports));
    } catch (thrown) {
      if (thrown instanceof Refusal && about.isAnswer(thrown)) throw thrown;
      if (!(thrown instanceof Refusal || thrown instanceof GuestFailure || thrown instanceof Malformed)) throw thrown;
      reason = thrown.message;
    }
  }
  guests.discard(guestDigest);
  throw new GuestFailure(reason);
}

/**
 * Makes a call; once more with the log at hand where it needed that.
 * @template T
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {{now: number, offered: Kind[] | null}} about
 * @param {(ports: CallPorts) => T} use
 * @returns {Promise<T>}
 */
async function withLog(transaction, staged, { now, offered }, use) {
  const ports = new CallPorts(staged, now, offered);
  /** @type {unknown} */
  let failure;
  try {
    const value = use(ports);
    if (!ports.needsLog) return value;
  } catch (thrown) {
    if (!ports.needsLog) throw thrown;
    failure = thrown;
  }
  // Of a scheduler that trapped there is nothing left to be asked.
  if (failure instanceof GuestFailure) throw failure;
  await transaction.loadLog(staged);
  return use(new CallPorts(staged, now, offered));
}
