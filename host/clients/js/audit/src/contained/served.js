// The side of a worker: it audits what it is given, and says what it is about to do.

import { auditEach } from '../audit/all.js';
import { AuditError } from '../audit/divergence.js';

/** @typedef {import('../audit/all.js').AuditOptions} AuditOptions */
/** @typedef {import('../audit/all.js').Progress} Progress */
/** @typedef {import('../audit/all.js').Stop} Stop */
/** @typedef {import('../audit/audit.js').Audit} Audit */

/**
 * What a worker is asked for.
 * @typedef {object} Task
 * @property {Uint8Array[]} logs
 * @property {AuditOptions} options Without functions, and with components as bytes.
 * @property {Stop[]} stops What guests were stopped at before.
 */

/**
 * What came of one log: its audit, or why it has none.
 * @typedef {{audit: Audit} | {unaudited: string}} Came
 */

/**
 * What a worker says: what it is about to do, what came of it, or why nothing can.
 * @typedef {{about: Progress} | {came: Came[]} | {error: {name: string, message: string}}} News
 */

/**
 * Does a task.
 * @param {Task} task
 * @param {(news: News) => void} tell
 */
export async function serve({ logs, options, stops }, tell) {
  try {
    const onProgress = (/** @type {Progress} */ about) => tell({ about });
    const answers = await auditEach(logs, { ...options, onProgress }, stops);
    tell({ came: answers.map((it) => (it instanceof AuditError ? { unaudited: it.message } : { audit: it })) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    tell({ error: { name, message } });
  }
}
