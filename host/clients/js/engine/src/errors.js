// What goes wrong at the doors. Programs go by `code`; messages name the place and the
// remedy.

import { quoted } from '@refrain/audit/host';

/**
 * Why the engine did not do what it was asked to. `code` is one of `unknown_execution`,
 * `unknown_node`, `unknown_workflow`, `invalid_workflow`, `workflow_differs`, `unsupported`,
 * `no_worker`, `key_taken`, `invalid_json`, `invalid_argument`, `too_long`, `invalid_label`,
 * `invalid_priority`, `refused`, `stale`, `overloaded`, `conflict`, `guest_failed`,
 * `unknown_guest`, `tampered`, `store_failed`, `setup_failed`, `shut_down`,
 * `engine_died`.
 */
export class EngineError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {Record<string, unknown>} [details] what else is known, as data
   */
  constructor(code, message, details = {}) {
    super(message);
    this.name = 'EngineError';
    this.code = code;
    this.details = details;
  }
}

/**
 * A failed attempt, as a worker tells it. Any other error that a worker throws is a
 * retryable failure without a class.
 */
export class WorkError extends Error {
  /**
   * @param {string} message
   * @param {object} [options]
   * @param {boolean} [options.retryable] whether a further attempt may help; true unless said
   * @param {string} [options.class] a code that retry policies can name: 1 to 64 of `a` to
   *   `z`, `0` to `9`, `_`, `.` and `-`; anything else becomes `other`
   * @param {number} [options.retryAfterMs] how long not to try again: a shorter delay of the
   *   retry policy gives way to it
   */
  constructor(message, options = {}) {
    super(message);
    this.name = 'WorkError';
    this.retryable = options.retryable ?? true;
    this.class = options.class;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A commit that meets another state than it goes by. Nothing of it is written. */
export class ConflictError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'ConflictError';
  }
}

/**
 * @param {string} id
 * @returns {EngineError}
 */
export function unknownExecution(id) {
  return new EngineError(
    'unknown_execution',
    `there is no execution ${quoted(id)} in this store; check the id, and that it is the right store`,
  );
}

/**
 * @param {string} workflowId
 * @param {string} version
 * @returns {EngineError}
 */
export function workflowDiffers(workflowId, version) {
  return new EngineError(
    'workflow_differs',
    `workflow ${quoted(workflowId)} of version ${quoted(version)} is registered with another content, and a registered workflow never changes; give the new content a new version`,
  );
}

/**
 * The text of anything that was thrown.
 * @param {unknown} thrown
 * @returns {string}
 */
export function said(thrown) {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
  return String(thrown);
}
