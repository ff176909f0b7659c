// The rule or the law that stands behind a decision, or behind what a guest says of a node:
// a reader finds it by its number in the documents.

import { instanceOf, undoneBy } from '../log/id.js';

/** @typedef {import('../log/event.js').Kind} Kind */

/** @type {{[kind: string]: number}} */
const OF_KINDS = {
  node_settled: 6,
  node_timed_out: 14,
  workflow_timed_out: 14,
  node_exhausted: 12,
  retry_scheduled: 12,
  interrupt_raised: 19,
  timer_created: 19,
  timer_fired: 19,
  map_expanded: 21,
  workflow_completed: 16,
  workflow_failed: 16,
  workflow_cancelled: 17,
};

/** @type {{[reason: string]: number}} */
const OF_SKIPS = { unreached: 9, by_operator: 20, run_on: 16, not_needed: 24 };

/** @type {{[reason: string]: number}} */
const OF_CANCELS = {
  cancel_requested: 17,
  workflow_timed_out: 14,
  by_operator: 20,
  map_settled: 21,
  join_satisfied: 24,
  terminated: 24,
  budget_exceeded: 28,
};

/** @type {{[cause: string]: number}} */
const OF_CAUSES = {
  unmet_predecessor: 3,
  more_predecessors: 3,
  failed_predecessor: 15,
  skipped_predecessor: 9,
  dead_edge: 9,
  more_dead_edges: 9,
  no_edge: 9,
  other_target: 7,
  no_target: 7,
  false_condition: 7,
  not_at_the_end: 16,
  earlier_finalizers: 16,
  other_ending: 16,
  waits_for_worker: 5,
  worker_at_work: 5,
  not_before: 12,
  failed_for_good: 12,
  times_out: 14,
  out_of_time: 14,
  last_failure: 11,
  no_room: 4,
  waits_for_approval: 19,
  waits_for_event: 19,
  wait_ends: 19,
  next_step: 2,
  skipped_once_lifted: 20,
  skipped_by_operator: 20,
  not_needed: 24,
  paused: 18,
  being_cancelled: 17,
};

/** @param {{tag: string}} reason */
function ofStall({ tag }) {
  return tag === 'budget_exceeded' ? 28 : 12;
}

/** @param {Kind} kind @returns {number | undefined} */
function numberOf({ tag, value }) {
  switch (tag) {
    case 'node_scheduled':
      if (undoneBy(value.node_id) !== undefined) return 27;
      return instanceOf(value.node_id) === undefined ? 2 : 21;
    case 'node_skipped':
      return OF_SKIPS[value.reason];
    case 'node_cancelled':
      return OF_CANCELS[value.reason];
    case 'child_requested':
      return value.iteration > 0 ? 23 : 22;
    case 'stalled':
      return ofStall(value.reason);
    default:
      return OF_KINDS[tag];
  }
}

/**
 * The rule by which this was decided. `null` for a fact, which nobody decides.
 * @param {Kind} kind
 * @returns {string | null}
 */
export function ruleOfDecision(kind) {
  const number = numberOf(kind);
  return number === undefined ? null : `R${number}`;
}

/**
 * The rule that has a node where a guest says that it is.
 * @param {{tag: string, value: any}} cause
 * @returns {string | null}
 */
export function ruleOfCause({ tag, value }) {
  if (tag === 'stalled_by_host') return 'law 9';
  if (tag === 'has_ended') return 'law 6';
  if (tag === 'was_stopped') return `R${OF_CANCELS[value]}`;
  if (tag === 'stalled_by_policy') return `R${ofStall(value)}`;
  return tag in OF_CAUSES ? `R${OF_CAUSES[tag]}` : null;
}
