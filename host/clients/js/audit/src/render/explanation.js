// Explanations in JSON: codes and their data, and each reason in a sentence.

import { valueOf } from '../json/value.js';
import { nodeFailure, stallReason } from '../log/form.js';
import { ObjectText } from '../log/object.js';
import { rfc3339 } from '../time.js';
import { sentence } from './reason.js';

/** @typedef {import('../json/value.js').Json} Json */
/** @typedef {{tag: string, value: any}} Coded */

/**
 * An object with its keys in order, as all reports have them.
 * @param {{[key: string]: Json}} object
 * @returns {Json}
 */
export function sorted(object) {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * An explanation of a guest's as JSON.
 * @param {any} explanation
 * @returns {Json}
 */
export function explanationJson({ node_id, state, reasons }) {
  return sorted({ node_id, state, reasons: reasons.map((/** @type {any} */ it) => reasonJson(node_id, it)) });
}

/**
 * @param {string} node
 * @param {any} reason
 */
function reasonJson(node, { cause, remedies }) {
  return sorted({
    reason: cause.tag,
    data: sorted(dataOf(cause)),
    message: sentence(node, cause),
    remedies: remedies.map(remedyJson),
  });
}

/** @type {{[remedy: string]: string}} */
const REMEDY_DATA = {
  approve: 'node_id',
  signal: 'correlation_key',
  retry: 'node_id',
  skip: 'node_id',
  start_worker: 'queue',
};

/** @param {Coded} remedy */
function remedyJson({ tag, value }) {
  return sorted(tag in REMEDY_DATA ? { remedy: tag, [REMEDY_DATA[tag]]: value } : { remedy: tag });
}

/**
 * A code with its data, as the log has it.
 * @param {string} name
 * @param {import('../log/codecs.js').Codec} codec
 * @param {any} value
 * @returns {{[key: string]: Json}}
 */
function coded(name, codec, value) {
  const to = new ObjectText();
  codec.show(value, name, to);
  return Object.fromEntries(/** @type {Map<string, Json>} */ (valueOf(to.toString()) ?? new Map()));
}

/** @param {any} cause */
function failureJson(cause) {
  return cause === null ? {} : coded('cause', nodeFailure, cause);
}

/** @param {any} it */
function attemptJson(it) {
  const { attempt, max_attempts, error_class, cause } = it;
  return { ...failureJson(cause), attempt, max_attempts, error_class };
}

/** @param {any} seen @returns {Json} */
function seenJson({ path, value }) {
  if (value.tag === 'missing') return sorted({ path, missing: true });
  // As text: it keeps the spelling of its numbers.
  return sorted(value.tag === 'value' ? { path, value: value.value } : { path, bytes: value.value });
}

/** @param {import('../bytes.js').Whole} at @returns {Json} */
function time(at) {
  return rfc3339(at) ?? null;
}

/** @type {{[cause: string]: string}} */
const ONE_VALUE = {
  more_predecessors: 'count',
  more_dead_edges: 'count',
  earlier_finalizers: 'count',
  skipped_predecessor: 'node_id',
  no_target: 'node_id',
  dead_edge: 'node_id',
  waits_for_approval: 'question',
  waits_for_event: 'correlation_key',
  next_step: 'step',
  was_stopped: 'why',
  stalled_by_host: 'why',
  has_ended: 'status',
};

/**
 * The data of a reason.
 * @param {Coded} cause
 * @returns {{[key: string]: Json}}
 */
function dataOf({ tag, value }) {
  if (tag in ONE_VALUE) return { [ONE_VALUE[tag]]: value };
  switch (tag) {
    case 'failed_predecessor':
      return { ...failureJson(value.cause), node_id: value.node_id };
    case 'false_condition':
      return { node_id: value.node_id, condition: value.condition, seen: value.seen.map(seenJson) };
    case 'waits_for_worker':
    case 'worker_at_work':
      return { ...value, since: time(value.since) };
    case 'not_before':
    case 'times_out':
    case 'wait_ends':
      return { at: time(value) };
    case 'last_failure':
    case 'failed_for_good':
      return attemptJson(value);
    case 'was_completed':
      return { ...value, at: time(value.at) };
    case 'stalled_by_policy':
      return coded('why', stallReason, value);
    default:
      return value ?? {};
  }
}
