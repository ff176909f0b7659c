// Why a node is where it is: a guest's reasons in sentences, with names, numbers and times.

import { instanceOf, isId } from '../log/id.js';
import { rfc3339 } from '../time.js';
import { nodeFailure, stall } from './failure.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {(node: string, it: any) => string} Sentence */

/** @param {Whole} at */
function time(at) {
  return rfc3339(at) ?? 'after the year 9999';
}

/** @param {any} failure */
function why({ cause }) {
  return cause === null ? 'no error given' : nodeFailure(cause);
}

/** @type {Sentence} */
function falseCondition(node, { node_id, condition, seen }) {
  const sentence =
    node_id === node
      ? `node \`${node}\` was settled by what it read at \`${condition}\``
      : `the condition \`${condition}\` from \`${node_id}\` to \`${node}\` was false when node \`${node_id}\` was settled`;
  return seen.length === 0 ? sentence : `${sentence}: ${seen.map(seenValue).join(', ')}`;
}

/** @param {any} seen */
function seenValue({ path, value }) {
  if (value.tag === 'missing') return `\`${path}\` was missing`;
  return `\`${path}\` was ${value.tag === 'value' ? value.value : `a value of ${value.value} bytes`}`;
}

/** @type {Sentence} */
function workerAtWork(node, { attempt, worker_id, since }) {
  if (isId(worker_id)) {
    return `child ${worker_id} has been running for attempt ${attempt} of node \`${node}\` since ${time(since)}`;
  }
  if (worker_id === '') return `attempt ${attempt} of node \`${node}\` has asked for its child since ${time(since)}`;
  return `worker \`${worker_id}\` has been doing attempt ${attempt} of node \`${node}\` since ${time(since)}`;
}

/** @type {Sentence} */
function lastFailure(node, it) {
  const ofClass = it.error_class === null ? '' : ` of class ${it.error_class}`;
  return `node \`${node}\` is at attempt ${it.attempt} of ${it.max_attempts}; the last failure${ofClass}: ${why(it)}`;
}

/** @type {{[step: string]: (node: string) => string}} */
const NEXT_STEPS = {
  dispatch: (node) => `node \`${node}\` is dispatched at the next step, as far as max_dispatch_per_tick reaches`,
  settle: (node) => `node \`${node}\` is settled by the scheduler at its next step`,
  skip: (node) => `node \`${node}\` is skipped at the next step`,
  judge_failure: (node) => `what follows the failure of node \`${node}\` is decided at the next step`,
  skip_by_operator: (node) => `an operator asked for node \`${node}\` to be skipped; this is done at the next step`,
};

/** @type {{[reason: string]: string}} */
const STOPPED = {
  cancel_requested: 'the execution is cancelled',
  workflow_timed_out: "the workflow's time ran out",
  by_operator: 'an operator asked for it',
  join_satisfied: 'the join that it led to is satisfied without it',
  map_settled: 'its map is settled without it',
  terminated: 'the workflow was terminated',
  budget_exceeded: "the workflow's budget is spent",
};

/** @type {Sentence} */
function completed(node, { at, worker_id, attempt, chosen_target }) {
  const by = worker_id === null ? 'the scheduler itself' : `worker \`${worker_id}\` at attempt ${attempt}`;
  const chosen = chosen_target === null ? '' : `, with \`${chosen_target}\` as the chosen target`;
  return `node \`${node}\` was completed by ${by} at ${time(at)}${chosen}`;
}

/** @type {Sentence} */
function failedForGood(node, it) {
  const after = it.attempt === 0 ? '' : ` after ${it.attempt} of ${it.max_attempts} attempts`;
  return `node \`${node}\` failed for good${after}: ${why(it)}`;
}

/** @type {{[cause: string]: Sentence}} */
const SENTENCES = {
  unmet_predecessor: (node, it) => `node \`${node}\` needs node \`${it.node_id}\`, which is ${it.state}`,
  failed_predecessor: (node, it) => {
    const needs = `node \`${node}\` needs node \`${it.node_id}\`, which failed for good`;
    return it.cause === null ? needs : `${needs}: ${nodeFailure(it.cause)}`;
  },
  more_predecessors: (_, count) => `${count} more predecessors are not settled`,
  skipped_predecessor: (node, from) => `node \`${node}\` comes after node \`${from}\`, which was skipped`,
  other_target: (node, it) => `node \`${it.node_id}\` chose \`${it.chosen_target}\`, not \`${node}\``,
  no_target: (node, from) => `node \`${from}\` chose no target, and \`${node}\` runs only when chosen`,
  false_condition: falseCondition,
  dead_edge: (node, from) => `the edge from \`${from}\` to \`${node}\` is dead`,
  more_dead_edges: (_, count) => `${count} more incoming edges are dead`,
  no_edge: (node) => `nothing leads to node \`${node}\``,
  not_at_the_end: (node, it) =>
    `finalizer \`${node}\` runs when the execution ends; ${it.under_way} node(s) are under way, and ${it.ready} can go on`,
  earlier_finalizers: (node, count) =>
    `finalizer \`${node}\` comes after ${count} other finalizer(s) that have not ended`,
  other_ending: (node) => `finalizer \`${node}\` does not run on the ending that the execution comes to`,
  waits_for_worker: (node, it) =>
    `attempt ${it.attempt} of node \`${node}\` waits on the queue \`${it.queue}\` for a worker, since ${time(it.since)}`,
  worker_at_work: workerAtWork,
  not_before: (node, at) => `the next attempt of node \`${node}\` may begin at ${time(at)}`,
  times_out: (node, at) => `the attempt of node \`${node}\` times out at ${time(at)}`,
  last_failure: lastFailure,
  no_room: (node, it) => {
    // A scheduler says of the bound of a map and of that of the execution the same.
    const bounds = instanceOf(node) === undefined ? '' : 'max_concurrent of its map, or ';
    return `node \`${node}\` could run, but ${it.used} of ${it.allowed} nodes (${bounds}max_concurrent_nodes) are in flight`;
  },
  waits_for_approval: (node, question) =>
    `node \`${node}\` waits for a person to decide${question === '' ? '' : ` on "${question}"`}`,
  waits_for_event: (node, key) => `node \`${node}\` waits for the external event \`${key}\``,
  wait_ends: (node, at) => `the wait of node \`${node}\` ends by itself at ${time(at)}`,
  next_step: (node, step) => NEXT_STEPS[step](node),
  skipped_once_lifted: (node) =>
    `an operator asked for node \`${node}\` to be skipped; this is done when the stall is lifted`,
  was_completed: completed,
  failed_for_good: failedForGood,
  skipped_by_operator: (node) => `an operator asked for node \`${node}\` to be skipped; it counts as completed`,
  was_stopped: (node, reason) => `node \`${node}\` was stopped because ${STOPPED[reason]}`,
  not_needed: (node) => `node \`${node}\` was skipped because the join that it led to is satisfied without it`,
  stalled_by_policy: (_, reason) => `the execution is stalled: ${stall(reason)}`,
  stalled_by_host: (_, reason) => `the execution is stalled: the scheduler could not go on: ${reason}`,
  paused: () => 'the execution is paused',
  being_cancelled: () => 'the execution is being cancelled',
  out_of_time: () => "the workflow's time ran out, and the execution is ending",
  has_ended: (_, status) => `the execution has ended (${status})`,
};

/** The causes that there are. */
export const CAUSES = Object.keys(SENTENCES);

/**
 * The reason in a sentence.
 * @param {string} node
 * @param {{tag: string, value: any}} cause
 * @returns {string}
 */
export function sentence(node, { tag, value }) {
  return SENTENCES[tag](node, value);
}
