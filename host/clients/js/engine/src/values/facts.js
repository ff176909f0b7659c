// What the world reports, as the facts that the log gets, checked at the door.

import { EngineError, WorkError, said } from '../errors.js';
import { ERROR_CLASS_BYTES_MAX, TEXT_BYTES_MAX, WAKE_SPAN_MS_MAX } from '../limits.js';
import { isObject, objectOf, payloadOf } from './json_text.js';
import { objectGiven, optionalText, shortened, textOf } from './texts.js';

/** @typedef {import('@refrain/audit/host').Kind} Kind */

/**
 * Which claim on a work item: what every answer must present (law 7).
 * @typedef {object} ClaimId
 * @property {string} execution
 * @property {string} nodeId
 * @property {number} attempt
 * @property {number} fence
 */

/**
 * What a worker concluded, where it has more to say than its output.
 */
export class Answer {
  /**
   * @param {object} parts
   * @param {unknown} [parts.output] what the node produced
   * @param {unknown} [parts.statePatch] an object whose keys are merged into the state,
   *   instead of what follows from the output: an object's own keys, any other value under
   *   the node's id
   * @param {string} [parts.chosenTarget] the edge to this node is taken, and no other
   * @param {{system?: string, model?: string, inputTokens?: number, outputTokens?: number,
   *   finishReason?: string}} [parts.genAi] what the call of a model was
   * @param {unknown} [parts.telemetry] what else was measured, an object; `cost_usd` in it is
   *   what the work cost in US dollars
   */
  constructor(parts) {
    this.output = parts.output ?? null;
    this.statePatch = parts.statePatch;
    this.chosenTarget = parts.chosenTarget;
    this.genAi = parts.genAi;
    this.telemetry = parts.telemetry;
  }
}

/**
 * What a worker says in texts: its answer, checked, without a claim.
 * @typedef {object} Completion
 * @property {string} output
 * @property {string} state_patch
 * @property {string | null} chosen_target
 * @property {object | null} gen_ai
 * @property {string | null} telemetry
 */

/**
 * A worker's answer, checked.
 * @param {string} nodeId
 * @param {unknown} answered an {@link Answer}, or the output alone
 * @returns {Completion}
 */
export function completion(nodeId, answered) {
  const answer = answered instanceof Answer ? answered : new Answer({ output: answered });
  const output = payloadOf('output', answer.output);
  const patch = answer.statePatch === undefined ? patchOf(nodeId, output) : objectOf('state patch', answer.statePatch);
  return {
    output,
    state_patch: patch,
    chosen_target: optionalText('chosen target', answer.chosenTarget),
    gen_ai: answer.genAi === undefined ? null : genAi(answer.genAi),
    telemetry: answer.telemetry === undefined ? null : objectOf('telemetry', answer.telemetry),
  };
}

/**
 * What the state gets of an output.
 * @param {string} nodeId
 * @param {string} output
 */
function patchOf(nodeId, output) {
  return isObject(output) ? output : `{${JSON.stringify(nodeId)}:${output}}`;
}

/** @param {NonNullable<Answer['genAi']>} call */
function genAi({ system, model, inputTokens, outputTokens, finishReason }) {
  return {
    system: optionalText('system of the model', system),
    model: optionalText('model', model),
    input_tokens: tokens(inputTokens),
    output_tokens: tokens(outputTokens),
    finish_reason: optionalText('finish reason', finishReason),
  };
}

/** @param {number | undefined} count */
function tokens(count) {
  if (count === undefined || count === null) return null;
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new EngineError('invalid_argument', `${count} is no number of tokens; give a whole number`);
}

/**
 * A worker completed its item.
 * @param {ClaimId} claim
 * @param {Completion} completion
 * @param {number} durationMs
 * @returns {Kind}
 */
export function completed(claim, completion, durationMs) {
  const place = { node_id: claim.nodeId, attempt: claim.attempt, fence: claim.fence };
  const { output, state_patch, chosen_target, gen_ai, telemetry } = completion;
  const value = {
    ...place,
    output,
    state_patch,
    duration_ms: durationMs,
    chosen_target,
    gen_ai,
    telemetry,
    edited_by: null,
  };
  return { tag: 'node_completed', value };
}

/**
 * A worker failed at its item. Whatever was thrown, the failure stands: too long a text is
 * shortened.
 * @param {ClaimId} claim
 * @param {unknown} thrown
 * @returns {Kind}
 */
export function failed(claim, thrown) {
  const error = thrown instanceof WorkError ? thrown : new WorkError(withCauses(thrown));
  return {
    tag: 'node_failed',
    value: {
      node_id: claim.nodeId,
      attempt: claim.attempt,
      fence: claim.fence,
      error: shortened(wellFormed(error.message), TEXT_BYTES_MAX),
      error_class: error.class === undefined ? null : errorClass(error.class),
      retryable: error.retryable,
      retry_after_ms: span(error.retryAfterMs),
    },
  };
}

/** The most causes of an error that are told: one may be its own. */
const CAUSES_MAX = 8;

/**
 * A thrown value with the causes that it names and that its own text does not repeat.
 * @param {unknown} thrown
 */
function withCauses(thrown) {
  let text = said(thrown);
  let cause = thrown instanceof Error ? thrown.cause : undefined;
  for (let depth = 0; cause !== undefined && cause !== null && depth < CAUSES_MAX; depth += 1) {
    if (!text.includes(said(cause))) text += `: ${said(cause)}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return text;
}

/** @param {string} text */
function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/**
 * A class is a code that is never personal, because it stays when a log is erased: whatever
 * else a worker says is `other`.
 * @param {unknown} name
 */
function errorClass(name) {
  const isCode = typeof name === 'string' && name.length <= ERROR_CLASS_BYTES_MAX && /^[a-z0-9_.-]+$/.test(name);
  return isCode ? name : 'other';
}

/** @param {number | undefined} ms */
function span(ms) {
  if (ms === undefined || !(ms >= 0)) return null;
  return Math.min(Math.floor(ms), WAKE_SPAN_MS_MAX);
}

/**
 * A worker gives its item back (rule R25).
 * @param {ClaimId} claim
 * @param {string | null} by
 * @returns {Kind}
 */
export function released(claim, by) {
  return { tag: 'node_released', value: { node_id: claim.nodeId, attempt: claim.attempt, fence: claim.fence, by } };
}

/**
 * A claim's lease is over (rule R13).
 * @param {ClaimId} claim
 * @returns {Kind}
 */
export function leaseExpired(claim) {
  return { tag: 'lease_expired', value: { node_id: claim.nodeId, attempt: claim.attempt, fence: claim.fence } };
}

/**
 * A worker claims an item.
 * @param {string} nodeId
 * @param {string} workerId
 * @param {number} attempt
 * @returns {Kind}
 */
export function nodeStarted(nodeId, workerId, attempt) {
  return { tag: 'node_started', value: { node_id: nodeId, worker_id: workerId, attempt } };
}

/**
 * A person's decision on a node that waits for it.
 * @typedef {object} Decision
 * @property {string} userId who decided
 * @property {string} [comment]
 * @property {unknown} [statePatch] an object whose keys are merged into the state
 * @property {string} [by] who reports it, which may be a program
 */

/**
 * A person decided.
 * @param {string} nodeId
 * @param {'approved' | 'rejected'} decision
 * @param {Decision} decided
 * @returns {Kind}
 */
export function approval(nodeId, decision, decided) {
  const { userId, comment, statePatch, by } = objectGiven('the decision', "{ userId: 'ada' }", decided);
  return {
    tag: 'approval_received',
    value: {
      node_id: textOf('node id', nodeId),
      user_id: textOf('user', userId),
      decision,
      comment: optionalText('comment', comment),
      state_patch: statePatch === undefined ? null : objectOf('state patch', statePatch),
      by: optionalText('name of who does it', by),
    },
  };
}

/**
 * An external event arrived.
 * @param {string} correlationKey
 * @param {unknown} payload
 * @param {{eventId?: string, by?: string}} options
 * @returns {Kind}
 */
export function signal(correlationKey, payload, { eventId, by }) {
  return {
    tag: 'external_event_received',
    value: {
      correlation_key: textOf('correlation key', correlationKey),
      payload: payloadOf('external event', payload),
      event_id: optionalText('event id', eventId),
      by: optionalText('name of who does it', by),
    },
  };
}

/** What an operator has to say. @typedef {{reason?: string, by?: string}} Note */

/**
 * An operator's act on the execution.
 * @param {'cancel_requested' | 'execution_paused' | 'execution_unpaused' | 'stall_lifted'} tag
 * @param {Note} note
 * @returns {Kind}
 */
export function note(tag, { reason, by }) {
  return { tag, value: { reason: optionalText('reason', reason), by: optionalText('name of who does it', by) } };
}

/**
 * An operator's request about a node.
 * @param {'retry_requested' | 'skip_requested'} tag
 * @param {string} nodeId
 * @param {Note} note
 * @returns {Kind}
 */
export function nodeRequest(tag, nodeId, { reason, by }) {
  const value = {
    node_id: textOf('node id', nodeId),
    reason: optionalText('reason', reason),
    by: optionalText('name of who does it', by),
  };
  return { tag, value };
}

/**
 * The scheduler has failed twice.
 * @param {string} reason
 * @returns {Kind}
 */
export function hostStalled(reason) {
  return { tag: 'host_stalled', value: { reason: shortened(wellFormed(reason), TEXT_BYTES_MAX) } };
}
