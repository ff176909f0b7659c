// Has logs derived again, in a worker, and says how far that is. A scheduler that gives no
// answer in time is ended with its worker, and that is the verdict about its log.

import { write } from '../../../clients/js/audit/src/json/value.js';
import { auditContained, auditJson } from '../../../clients/js/audit/src/index.js';

/** @typedef {import('./execution.js').Execution} Execution */

/**
 * Derives the logs of these executions together: forks and children among them are compared
 * with those that they come from.
 * @param {Execution[]} executions
 * @param {object} by What the audit goes by.
 * @param {string | URL} [by.workerUrl] The script of the worker. Unless it is given, the auditor's own.
 * @param {{text: string, place: string}[]} [by.anchors] Documents in which heads were noted.
 * @param {string[]} [by.trust] Public keys whose word is trusted, as PEM.
 */
export async function derive(executions, by) {
  const given = executions.map((it) => it.given);
  const progress = new Progress(executions);
  try {
    const audits = await auditContained(given.map((it) => it.log), {
      ...by,
      components: given.flatMap((it) => it.components),
      onProgress: ({ log, done }) => progress.reach(log, done),
    });
    progress.end();
    audits.forEach((audit, place) => executions[place].proof.end(JSON.parse(write(auditJson(audit)))));
  } catch (error) {
    progress.end();
    const why = error instanceof Error ? error.message : String(error);
    for (const { proof } of executions) proof.fail(`The audit could not be done: ${why}`);
  }
}

/** How far an audit is, shown once a frame. */
class Progress {
  /** The events that are behind it, of each log. @type {Map<number, number>} */
  #reached = new Map();
  #isOver = false;

  /** @param {Execution[]} executions */
  constructor(executions) {
    this.executions = executions;
  }

  /**
   * @param {number} log
   * @param {number} done
   */
  reach(log, done) {
    if (this.#reached.size === 0) requestAnimationFrame(() => this.#show());
    this.#reached.set(log, done);
  }

  #show() {
    const reached = [...this.#reached];
    this.#reached.clear();
    if (this.#isOver) return;
    for (const [log, done] of reached) this.executions[log]?.proof.reach(done);
  }

  end() {
    this.#isOver = true;
  }
}
