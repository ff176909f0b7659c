// One attempt: the work, and what came of it, without the secrets that it was given.

import { members } from '@refrain/audit/host';
import { said, WorkError } from '../errors.js';
import { completion } from '../values/facts.js';
import { Masks } from './masks.js';
import { putIn } from './put_in.js';

/** @typedef {import('../turn/transaction.js').Granted} Granted */
/** @typedef {import('../turn/answers.js').Outcome} Outcome */

/**
 * A work item as a worker is given it.
 * @typedef {object} WorkerItem
 * @property {string} execution
 * @property {string} workflowId
 * @property {string} workflowVersion
 * @property {string} nodeId the node, or a run of it: `resize[3]`, `charge!undo`
 * @property {number} attempt from 1
 * @property {number} maxAttempts
 * @property {string} queue
 * @property {string} tenant
 * @property {number} priority
 * @property {any} kind the node's kind, its expressions resolved and its secrets put in
 * @property {any} input `{state, input}` unless the kind maps it otherwise
 * @property {string} inputText the same as JSON text, with every digit
 */

/**
 * What a worker can ask besides.
 * @typedef {object} WorkerContext
 * @property {AbortSignal} signal aborted when the work is not wanted any more. A worker that
 *   does not heed it keeps its slot, and its answer is not taken
 * @property {number} fence the number of the claim
 * @property {string} idempotencyKey the same for this attempt whenever it is made: for those
 *   that must not do a thing twice
 */

/**
 * Does the work.
 * @param {Granted} granted
 * @param {import('./pool.js').Worker} worker
 * @param {import('./put_in.js').Secrets | undefined} secrets
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
export async function attempt(granted, worker, secrets, signal) {
  const { id, item } = granted;
  let masks = Masks.none;
  try {
    const filled = await putIn(item, id.execution, secrets);
    masks = filled.masks;
    const context = { signal, fence: id.fence, idempotencyKey: idempotencyKey(id) };
    const answered = await worker(workerItem(granted, filled.kind), context);
    return { done: masks.hideCompletion(completion(id.nodeId, answered)) };
  } catch (thrown) {
    return { thrown: masks.isEmpty ? thrown : withoutSecrets(masks, thrown) };
  }
}

/**
 * @param {Granted} granted
 * @param {any} kind
 * @returns {WorkerItem}
 */
function workerItem({ id, item, workflow }, kind) {
  const inputText = members(item.payload).get('input') ?? 'null';
  return {
    execution: id.execution,
    workflowId: workflow.workflowId,
    workflowVersion: workflow.version,
    nodeId: item.node_id,
    attempt: item.attempt,
    maxAttempts: item.max_attempts,
    queue: item.queue,
    tenant: item.tenant,
    priority: item.priority,
    kind,
    input: JSON.parse(inputText),
    inputText,
  };
}

/** @param {import('../values/facts.js').ClaimId} id */
function idempotencyKey({ execution, nodeId, attempt }) {
  return `${execution}/${encodeURIComponent(nodeId).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)}/${attempt}`;
}

/**
 * @param {Masks} masks
 * @param {unknown} thrown
 */
function withoutSecrets(masks, thrown) {
  const error = thrown instanceof WorkError ? thrown : new WorkError(said(thrown));
  const { retryable, retryAfterMs } = error;
  const hidden = error.class === undefined ? undefined : masks.hide(error.class);
  return new WorkError(masks.hide(error.message), { retryable, retryAfterMs, class: hidden });
}
