// The one table of event kinds and their fields, written from the contract and law 4.
//
// Names and order are for ever: they are hashed. `~` marks what can be erased: all that a
// person, a program or a workflow's state may have put there. Fields that are not marked
// are never personal.

import { choice, count, fieldsOf, flag, flattened, json, late, list, maybe, number, record, sha, text, texts, time, variant } from './codecs.js';

/** @typedef {import('./codecs.js').Field} Field */

const limits = fieldsOf({ max_concurrent_nodes: count, max_dispatch_per_tick: count });

const forkOrigin = fieldsOf({ execution_id: text, sequence: number, head: sha });

const parentOrigin = fieldsOf({
  execution_id: text,
  node_id: text,
  attempt: count,
  iteration: count,
  sequence: number,
  root: text,
  depth: count,
});

const label = fieldsOf({ name: text, value: text });

const genAi = fieldsOf({
  'system/gen_ai_system': maybe(text),
  'model/gen_ai_model': maybe(text),
  input_tokens: maybe(number),
  output_tokens: maybe(number),
  finish_reason: maybe(text),
});

const workflowName = fieldsOf({ workflow_id: text, version: text });

const excess = fieldsOf({ budget: choice('tokens', 'cost_usd'), allowed: json, spent: json });

const childRefusal = choice('unknown_workflow', 'too_deep', 'too_many');

/** Why an execution failed. */
export const workflowFailure = variant({
  nodes_failed: fieldsOf({ '=nodes': texts }),
  timeout: fieldsOf({ '=timeout_ms': number }),
  terminated: fieldsOf({ '~=reason': maybe(text) }),
  budget_exceeded: excess,
});

/** Why a node failed. */
export const nodeFailure = variant({
  attempt_failed: fieldsOf({ '~=error': text }),
  timeout: fieldsOf({ '=timeout_ms': number }),
  lease_expired: [],
  rejected: fieldsOf({ '~user_id': text, '~comment': maybe(text) }),
  approval_timeout: fieldsOf({ '=timeout_ms': number }),
  event_timeout: fieldsOf({ '~correlation_key': text, timeout_ms: number }),
  limit_exceeded: fieldsOf({ '~=description': maybe(text) }),
  instances_failed: fieldsOf({ count, nodes: texts }),
  not_a_list: [],
  too_many_items: fieldsOf({ '=count': count }),
  too_large: fieldsOf({ '~=pointer': text }),
  unresolved_expression: fieldsOf({ '~=pointer': text }),
  child_failed: fieldsOf({ '~=error': maybe(text) }),
  child_cancelled: [],
  child_refused: fieldsOf({ '=code': childRefusal }),
  repeat_limit: fieldsOf({ '=count': count }),
});

const exhausted = fieldsOf({ node_id: text, attempts: count, cause: nodeFailure });

/** Why a policy stalled an execution. */
export const stallReason = variant({ attempts_exhausted: exhausted, budget_exceeded: excess });

const skipReason = choice('unreached', 'by_operator', 'run_on', 'not_needed');

const cancelReason = choice(
  'cancel_requested',
  'workflow_timed_out',
  'by_operator',
  'join_satisfied',
  'map_settled',
  'terminated',
  'budget_exceeded',
);

const status = choice('running', 'paused', 'stalled', 'completed', 'failed', 'cancelled');

/** What an operator had to say. */
const note = fieldsOf({ '~reason': maybe(text), '~by': maybe(text) });

const nodeRequest = fieldsOf({ node_id: text, '~reason': maybe(text), '~by': maybe(text) });

/** Where an event stands. @type {Field[]} */
export const PLACE = fieldsOf({ sequence: number, at: time, origin: choice('fact', 'decision') });

/**
 * The fields of each kind.
 * @type {{[kind: string]: Field[]}}
 */
export const KINDS = {
  workflow_started: fieldsOf({
    format: count,
    execution_id: text,
    workflow_id: text,
    workflow_version: text,
    workflow_digest: sha,
    guest_digest: sha,
    '~initial_input': json,
    limits: record(limits),
    seed: number,
    tenant: text,
    simulated: flag,
    '~key': maybe(text),
    forked_from: maybe(record(forkOrigin)),
    parent: maybe(record(parentOrigin)),
    '~labels': list(label),
    priority: count,
    '~by': maybe(text),
  }),
  workflow_completed: fieldsOf({ '~final_state': json }),
  workflow_failed: fieldsOf({ cause: workflowFailure, '~final_state': json }),
  workflow_cancelled: fieldsOf({ '~reason': maybe(text), '~final_state': json }),
  workflow_timed_out: [],
  node_scheduled: fieldsOf({ node_id: text, 'queue/queue_type': text, attempt: count, '~item_digest': sha }),
  node_started: fieldsOf({ node_id: text, '~worker_id': text, attempt: count }),
  node_completed: fieldsOf({
    node_id: text,
    attempt: count,
    fence: number,
    '~output': json,
    '~state_patch': json,
    duration_ms: number,
    chosen_target: maybe(text),
    '~gen_ai': flattened(genAi),
    '~telemetry': maybe(json),
    '~edited_by': late(text),
  }),
  node_settled: fieldsOf({ node_id: text, '~output': json, '~state_patch': json, chosen_target: maybe(text) }),
  node_failed: fieldsOf({
    node_id: text,
    attempt: count,
    fence: number,
    '~error': text,
    error_class: maybe(text),
    retryable: flag,
    retry_after_ms: late(number),
  }),
  lease_expired: fieldsOf({ node_id: text, attempt: count, fence: number }),
  node_released: fieldsOf({ node_id: text, attempt: count, fence: number, '~by': maybe(text) }),
  node_timed_out: fieldsOf({ node_id: text, attempt: count, timeout_ms: number }),
  node_exhausted: exhausted,
  node_skipped: fieldsOf({ node_id: text, reason: skipReason }),
  node_cancelled: fieldsOf({ node_id: text, reason: cancelReason }),
  retry_scheduled: fieldsOf({ node_id: text, attempt: count, delay_ms: number, '~item_digest': sha }),
  interrupt_raised: fieldsOf({ node_id: text, '~reason': text, expires_at: maybe(time) }),
  approval_received: fieldsOf({
    node_id: text,
    '~user_id': text,
    decision: choice('approved', 'rejected'),
    '~comment': maybe(text),
    '~state_patch': maybe(json),
    '~by': maybe(text),
  }),
  timer_created: fieldsOf({ node_id: text, fire_at: maybe(time), '~correlation_key': maybe(text) }),
  timer_fired: fieldsOf({ node_id: text, '~correlation_key': maybe(text) }),
  external_event_received: fieldsOf({
    '~correlation_key': text,
    '~payload': json,
    '~event_id': maybe(text),
    '~by': maybe(text),
  }),
  map_expanded: fieldsOf({ node_id: text, count }),
  child_requested: fieldsOf({
    node_id: text,
    attempt: count,
    iteration: count,
    workflow: maybe(record(workflowName)),
  }),
  child_started: fieldsOf({
    node_id: text,
    attempt: count,
    iteration: count,
    child_id: text,
    workflow_digest: sha,
  }),
  child_refused: fieldsOf({ node_id: text, attempt: count, iteration: count, code: childRefusal }),
  child_ended: fieldsOf({
    node_id: text,
    attempt: count,
    iteration: count,
    child_id: text,
    status,
    'sequence/child_sequence': number,
    head: sha,
    '~output': maybe(json),
    '~error': maybe(text),
  }),
  cancel_requested: note,
  execution_paused: note,
  execution_unpaused: note,
  retry_requested: nodeRequest,
  skip_requested: nodeRequest,
  stalled: fieldsOf({ reason: stallReason }),
  host_stalled: fieldsOf({ '~reason': text }),
  stall_lifted: note,
  guest_changed: fieldsOf({ guest_digest: sha, '~by': maybe(text) }),
  execution_forked: fieldsOf({ '~by': maybe(text) }),
};

/** The names of all kinds, in the contract's order. */
export const KIND_NAMES = Object.keys(KINDS);

/** The kinds that only the world may author; all others are the guest's. */
const FACTS = new Set([
  'workflow_started',
  'node_started',
  'node_completed',
  'node_failed',
  'lease_expired',
  'node_released',
  'approval_received',
  'external_event_received',
  'child_started',
  'child_refused',
  'child_ended',
  'cancel_requested',
  'execution_paused',
  'execution_unpaused',
  'retry_requested',
  'skip_requested',
  'host_stalled',
  'stall_lifted',
  'guest_changed',
  'execution_forked',
]);

/**
 * Who may author events of this kind.
 * @param {string} kind
 * @returns {'fact' | 'decision'}
 */
export function authorOf(kind) {
  return FACTS.has(kind) ? 'fact' : 'decision';
}
