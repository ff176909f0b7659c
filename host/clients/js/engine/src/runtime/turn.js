// What happens in a turn, and in which order: one transaction, and one commit.

import { WAKES_PER_TURN_MAX, FACTS_PER_TURN_MAX } from '../limits.js';
import { claimAll, endLeases, renewOwn } from '../turn/claims.js';
import { catchUp, stepAll } from '../turn/step.js';
import { Transaction } from '../turn/transaction.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./inbox.js').Write} Write */
/** @typedef {import('./inbox.js').Inbox} Inbox */

/**
 * Fills a turn: first what callers and workers brought, then what time brings, then steps and
 * claims until nothing moves, and nothing more is brought.
 * @param {Core} core
 * @param {Write[]} writes those of this turn, to which more are added
 * @param {Inbox} inbox
 * @param {boolean} mayClaim
 * @returns {Promise<Transaction>}
 */
export async function fill(core, writes, inbox, mayClaim) {
  const reading = core.clock.read();
  core.leaseWatch.read(reading.at, reading.monotonic);
  const transaction = new Transaction(core, reading);
  await renewOwn(transaction);
  for (const write of writes) await write.apply(transaction);
  await lookAtDue(transaction);
  for (;;) {
    await stepAll(transaction);
    if (mayClaim && (await claimAll(transaction))) continue;
    const more = inbox.take(FACTS_PER_TURN_MAX - writes.length);
    if (more.length === 0) return transaction;
    // All of them are this turn's, whatever becomes of it.
    writes.push(...more);
    for (const write of more) await write.apply(transaction);
  }
}

/**
 * Looks at the executions whose time has come: a wake, the end of a lease, an item that may
 * be claimed now.
 * @param {Transaction} transaction
 */
async function lookAtDue(transaction) {
  const { core, now } = transaction;
  for (const id of core.cache.due(now, WAKES_PER_TURN_MAX)) {
    if (core.setAside.has(id)) continue;
    transaction.looked.add(id);
    core.cache.look(id, now);
    await transaction.unlessSetAside(id, async (staged) => {
      await endLeases(transaction, staged);
      await catchUp(transaction, staged);
    });
  }
}
