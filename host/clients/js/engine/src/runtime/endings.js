// Those who wait for the ends of executions.

import { unknownExecution } from '../errors.js';
import { hasEnded } from '../store/contract.js';

/** @typedef {import('../execution_handle.js').Ending} Ending */
/** @typedef {{resolve: (ending: Ending) => void, reject: (error: unknown) => void}} Waiter */

/** Who waits, by execution. */
export class Endings {
  #store;
  /** @type {Map<string, Waiter[]>} */
  #waiters = new Map();

  /** @param {import('../store/contract.js').Store} store */
  constructor(store) {
    this.#store = store;
  }

  /**
   * Waits for the end of an execution.
   * @param {string} id
   * @returns {Promise<Ending>}
   */
  wait(id) {
    return new Promise((resolve, reject) => {
      // First of all, so that an end that comes meanwhile is not missed.
      this.#waiters.set(id, [...(this.#waiters.get(id) ?? []), { resolve, reject }]);
      void this.#lookAt(id);
    });
  }

  /**
   * This was committed.
   * @param {import('./event_loop.js').News[]} news
   */
  tell(news) {
    for (const { execution, status, events } of news) {
      const last = events.at(-1);
      if (hasEnded(status) && last !== undefined) this.#resolve(execution, endingOf(last));
    }
  }

  /** Others may have written. */
  look() {
    for (const id of this.#waiters.keys()) void this.#lookAt(id);
  }

  /**
   * Nobody is told any more.
   * @param {unknown} error
   */
  fail(error) {
    for (const id of [...this.#waiters.keys()]) this.#reject(id, error);
  }

  /** @param {string} id */
  async #lookAt(id) {
    try {
      const record = await this.#store.execution(id);
      if (record === undefined) this.#reject(id, unknownExecution(id));
      else if (hasEnded(record.status)) {
        const [last] = await this.#store.events(id, record.sequence, 1);
        this.#resolve(id, endingOf(last.event));
      }
    } catch (thrown) {
      this.#reject(id, thrown);
    }
  }

  /**
   * @param {string} id
   * @param {Ending} ending
   */
  #resolve(id, ending) {
    for (const { resolve } of this.#taken(id)) resolve(ending);
  }

  /**
   * @param {string} id
   * @param {unknown} error
   */
  #reject(id, error) {
    for (const { reject } of this.#taken(id)) reject(error);
  }

  /** @param {string} id */
  #taken(id) {
    const waiters = this.#waiters.get(id) ?? [];
    this.#waiters.delete(id);
    return waiters;
  }
}

/**
 * What a terminal event says.
 * @param {import('@refrain/audit/host').Event} event
 * @returns {Ending}
 */
function endingOf({ kind: { tag, value } }) {
  const status = tag === 'workflow_completed' ? 'completed' : tag === 'workflow_failed' ? 'failed' : 'cancelled';
  return { status, finalState: JSON.parse(value.final_state), finalStateText: value.final_state, cause: value.cause };
}
