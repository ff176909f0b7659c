// What an event does to the work item of its node.

import { RELEASES_MAX } from '../limits.js';

/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('../store/contract.js').ItemRecord} ItemRecord */

/**
 * What becomes of a node's item, if it has one.
 * @typedef {'enqueue' | 'lease' | 'release' | 'dead letter' | 'remove'} Change
 */

/**
 * What each kind of event does; all others do nothing to an item. `stops` says that an
 * attempt may still be under way, so that its item has to be cancelled.
 * @type {Record<string, {change: Change, stops?: boolean}>}
 */
const EFFECTS = {
  node_scheduled: { change: 'enqueue' },
  retry_scheduled: { change: 'enqueue' },
  node_started: { change: 'lease' },
  node_released: { change: 'release' },
  node_failed: { change: 'dead letter' },
  lease_expired: { change: 'dead letter' },
  node_exhausted: { change: 'dead letter' },
  node_timed_out: { change: 'dead letter', stops: true },
  node_completed: { change: 'remove' },
  node_settled: { change: 'remove' },
  node_skipped: { change: 'remove' },
  node_cancelled: { change: 'remove', stops: true },
};

/**
 * What an event of this kind does to an item; undefined if it concerns none.
 * @param {Kind} kind
 * @returns {{nodeId: string, change: Change, stops: boolean} | undefined}
 */
export function effectOf(kind) {
  const effect = EFFECTS[kind.tag];
  return effect && { nodeId: kind.value.node_id, change: effect.change, stops: effect.stops ?? false };
}

/**
 * An item as it is ordered.
 * @param {ItemRecord['item']} item
 * @param {number} at
 * @returns {ItemRecord}
 */
export function ordered(item, at) {
  return { item, enqueuedAt: at, releases: 0, state: 'waiting', lease: null };
}

/**
 * An item after an event of its node; null if it leaves the queue. The log does not say
 * until when a claim holds: its lease has no end until it is given one.
 * @param {ItemRecord} record
 * @param {Kind} kind
 * @param {number} sequence
 * @returns {ItemRecord | null}
 */
export function itemAfter(record, kind, sequence) {
  switch (effectOf(kind)?.change) {
    case undefined:
    case 'enqueue':
      return record;
    case 'lease': {
      const lease = { workerId: kind.value.worker_id, fence: sequence, expiresAt: Infinity };
      return { ...record, state: 'leased', lease };
    }
    case 'release':
      if (record.releases >= RELEASES_MAX) return dead(record);
      return { ...record, releases: record.releases + 1, state: 'waiting', lease: null };
    case 'dead letter':
      return dead(record);
    case 'remove':
      return null;
  }
}

/**
 * @param {ItemRecord} record
 * @returns {ItemRecord}
 */
function dead(record) {
  return { ...record, releases: 0, state: 'dead', lease: null };
}

/**
 * Whether an answer is still to come: the item is no dead letter.
 * @param {ItemRecord | undefined} record
 * @returns {boolean}
 */
export function isUnsettled(record) {
  return record !== undefined && record.state !== 'dead';
}

/**
 * Whether an operator asks by this event for the node to be tried again, or for the map that
 * it is an instance of.
 * @param {Kind} kind
 * @param {string} nodeId
 * @returns {boolean}
 */
export function asksAgain(kind, nodeId) {
  if (kind.tag !== 'retry_requested') return false;
  const asked = kind.value.node_id;
  return asked === nodeId || asked === mapOf(nodeId);
}

/**
 * The map that a node is an instance of; undefined if it is none.
 * @param {string} nodeId
 * @returns {string | undefined}
 */
export function mapOf(nodeId) {
  return /^(.+)\[(?:0|[1-9][0-9]*)\]$/s.exec(nodeId)?.[1];
}

/**
 * Whether the host stalls the execution after these facts, if it did or did not before.
 * @param {boolean} before
 * @param {Kind[]} facts
 * @returns {boolean}
 */
export function heldAfter(before, facts) {
  return facts.reduce(
    (held, { tag }) => (tag === 'host_stalled' ? true : tag === 'stall_lifted' ? false : held),
    before,
  );
}

/** @type {Record<string, import('../store/contract.js').Status>} */
const ENDINGS = { workflow_completed: 'completed', workflow_failed: 'failed', workflow_cancelled: 'cancelled' };

/**
 * The status that an event of this kind ends an execution with; undefined if it ends none.
 * @param {Kind | undefined} kind
 * @returns {import('../store/contract.js').Status | undefined}
 */
export function endingOf(kind) {
  return kind && ENDINGS[kind.tag];
}
