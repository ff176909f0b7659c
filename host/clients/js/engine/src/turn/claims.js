// Own workers claim work, and their claims are renewed and ended.

import { EngineError } from '../errors.js';
import { CLAIMS_PER_TURN_MAX } from '../limits.js';
import { leaseExpired, nodeStarted } from '../values/facts.js';
import { leaseMs } from '../workflows.js';
import { mustHaveTaken, offer, offerAll } from './offer.js';
import { catchUp } from './step.js';

/** @typedef {import('../execution/staged.js').Staged} Staged */
/** @typedef {import('../store/contract.js').ItemRecord} ItemRecord */
/** @typedef {import('./transaction.js').Transaction} Transaction */
/** @typedef {import('../values/facts.js').ClaimId} ClaimId */

/**
 * Free workers claim as much as they can. Says whether anything was claimed.
 * @param {Transaction} transaction
 */
export async function claimAll(transaction) {
  const { pool } = transaction.core;
  let any = false;
  for (const queue of pool.queues()) {
    const granted = transaction.granted.filter(({ item }) => item.queue === queue).length;
    const room = Math.min(pool.free(queue) - granted, CLAIMS_PER_TURN_MAX - transaction.granted.length);
    if (room > 0 && (await claimOn(transaction, queue, room))) any = true;
  }
  return any;
}

/**
 * @param {Transaction} transaction
 * @param {string} queue
 * @param {number} room
 */
async function claimOn(transaction, queue, room) {
  let any = false;
  for (const [id, nodeIds] of candidates(transaction, queue, room)) {
    if (await transaction.unlessSetAside(id, (staged) => claimItems(transaction, staged, nodeIds))) any = true;
  }
  return any;
}

/**
 * Items that wait on a queue, by execution, at most so many.
 * @param {Transaction} transaction
 * @param {string} queue
 * @param {number} room
 * @returns {Map<string, string[]>}
 */
function candidates(transaction, queue, room) {
  const { cache, setAside } = transaction.core;
  /** @type {Map<string, string[]>} */
  const found = new Map();
  let left = room;
  for (const { id, nodeId } of cache.claimable.on(queue)) {
    if (left === 0) return found;
    const record = transaction.staged.get(id)?.record ?? cache.get(id)?.record;
    const items = transaction.staged.get(id)?.items;
    const isWaiting = items === undefined || canBeClaimed(items.of(nodeId), transaction.now);
    if (record === undefined || !isRunning(record) || !isWaiting || setAside.has(id)) continue;
    found.set(id, [...(found.get(id) ?? []), nodeId]);
    left -= 1;
  }
  // What this turn has ordered stands in no index yet.
  for (const [id, staged] of transaction.staged) {
    if (left === 0) return found;
    if (!isRunning(staged.record)) continue;
    for (const [nodeId, item] of staged.items.changes()) {
      const isNew = item !== null && item.item.queue === queue && canBeClaimed(item, transaction.now);
      if (left === 0 || !isNew || found.get(id)?.includes(nodeId)) continue;
      found.set(id, [...(found.get(id) ?? []), nodeId]);
      left -= 1;
    }
  }
  return found;
}

/**
 * @param {ItemRecord | undefined} record
 * @param {number} now
 */
function canBeClaimed(record, now) {
  return record !== undefined && record.state === 'waiting' && record.item.not_before <= now;
}

/** @param {import('../store/contract.js').ExecutionRecord} record */
function isRunning({ status, held }) {
  return status === 'running' && !held;
}

/**
 * Claims these items of one execution, in one call. Says whether any was claimed.
 * @param {Transaction} transaction
 * @param {Staged} staged
 * @param {string[]} nodeIds
 */
async function claimItems(transaction, staged, nodeIds) {
  const { core, now } = transaction;
  if (!(await catchUp(transaction, staged)) || !isRunning(staged.record)) return false;
  const items = nodeIds.map((nodeId) => staged.items.of(nodeId)).filter((record) => canBeClaimed(record, now));
  const claimed = /** @type {ItemRecord[]} */ (items).map(({ item }) => item);
  if (claimed.length === 0) return false;
  const { workerId } = core.settings;
  /** @type {import('./offer.js').Taken[]} */
  let taken;
  try {
    taken = await offerAll(
      transaction,
      staged,
      claimed.map((item) => nodeStarted(item.node_id, workerId, item.attempt)),
    );
  } catch (thrown) {
    mustHaveTaken(transaction, staged, thrown);
    return false;
  }
  for (const [place, fence] of taken.entries()) {
    const item = claimed[place];
    if (fence instanceof EngineError) {
      mustHaveTaken(transaction, staged, fence);
      continue;
    }
    // What followed at once may have taken the item back.
    const id = { execution: staged.record.id, nodeId: item.node_id, attempt: item.attempt, fence };
    if (!holds(staged, id)) continue;
    const lease = leaseMs(staged.workflow, item.node_id) ?? core.settings.leaseMs;
    staged.items.leaseUntil(item.node_id, now + lease);
    const { workflowId, version } = staged.workflow;
    transaction.granted.push({ id, item, workflow: { workflowId, version }, at: now, leaseMs: lease });
  }
  return true;
}

/**
 * Whether this claim holds its item.
 * @param {Staged} staged
 * @param {ClaimId} claim
 */
export function holds(staged, { nodeId, attempt, fence }) {
  const record = staged.items.of(nodeId);
  return record !== undefined && record.lease?.fence === fence && record.item.attempt === attempt;
}

/**
 * Renews the leases of own workers in time.
 * @param {Transaction} transaction
 */
export async function renewOwn(transaction) {
  const { core, now } = transaction;
  for (const { id, leaseMs } of core.pool.toRenew(now)) {
    await transaction.unlessSetAside(id.execution, async (staged) => {
      if (!holds(staged, id)) return;
      staged.items.leaseUntil(id.nodeId, now + leaseMs);
      transaction.renewed.push({ id, expiresAt: now + leaseMs });
    });
  }
}

/**
 * Ends the claims of an execution whose leases are over (rule R13), own ones never.
 * @param {Transaction} transaction
 * @param {Staged} staged
 */
export async function endLeases(transaction, staged) {
  const { core, now } = transaction;
  const over = [...staged.items.all()].filter(
    (record) => record.lease !== null && core.leaseEnds(staged.record.id, record) <= now,
  );
  for (const { item, lease } of over) {
    if (lease === null) continue;
    const id = { execution: staged.record.id, nodeId: item.node_id, attempt: item.attempt, fence: lease.fence };
    if (!(await catchUp(transaction, staged))) return;
    if (!holds(staged, id)) continue;
    try {
      await offer(transaction, staged, leaseExpired(id));
    } catch (thrown) {
      mustHaveTaken(transaction, staged, thrown);
    }
  }
}
