// One execution, as a caller holds it.

import { EngineError } from './errors.js';
import * as facts from './values/facts.js';

/** @typedef {import('./engine.js').Engine} Engine */
/** @typedef {import('./values/facts.js').Note} Note */

/**
 * How an execution ended.
 * @typedef {object} Ending
 * @property {'completed' | 'failed' | 'cancelled'} status
 * @property {any} finalState
 * @property {string} finalStateText the same as JSON text, with every digit
 * @property {{tag: string, value: any} | undefined} cause why, where it failed
 */

/** What became of something that was accepted. @typedef {'recorded' | 'already_recorded'} Receipt */

/** An execution of an engine. */
export class Execution {
  #engine;

  /**
   * @param {Engine} engine
   * @param {string} id
   */
  constructor(engine, id) {
    this.#engine = engine;
    this.id = id;
  }

  /**
   * Waits for its end.
   * @returns {Promise<Ending>}
   */
  finished() {
    return this.#engine.finished(this.id);
  }

  /** How it stands: status, state, and each node with the scheduler's own reasons. */
  show() {
    return this.#engine.show(this.id);
  }

  /**
   * Why a node, or a run of one, is where it is: the scheduler's typed reasons and remedies.
   * @param {string} nodeId
   */
  explain(nodeId) {
    return this.#engine.explain(this.id, nodeId);
  }

  /**
   * Its log as NDJSON, which can be audited anywhere.
   * @param {{withGuest?: boolean}} [options] with the scheduler component in it: one file is
   *   all that an auditor needs then
   * @returns {Promise<string>}
   */
  log(options = {}) {
    return this.#engine.log(this.id, options);
  }

  /**
   * Sends an external event, for the node that waits for this correlation key. With an
   * `eventId`, the same one counts once.
   * @param {string} correlationKey
   * @param {unknown} [payload]
   * @param {{eventId?: string, by?: string}} [options]
   * @returns {Promise<Receipt>}
   */
  async signal(correlationKey, payload, options = {}) {
    const fact = facts.signal(correlationKey, payload, options);
    try {
      await this.#engine.offer(this.id, fact);
      return 'recorded';
    } catch (thrown) {
      const isRepeated =
        thrown instanceof EngineError && thrown.details.code === 'repeated' && options.eventId !== undefined;
      if (isRepeated) return 'already_recorded';
      throw thrown;
    }
  }

  /**
   * A person approves what a node waits for.
   * @param {string} nodeId
   * @param {import('./values/facts.js').Decision} decision
   */
  async approve(nodeId, decision) {
    await this.#engine.offer(this.id, facts.approval(nodeId, 'approved', decision));
  }

  /**
   * A person rejects it.
   * @param {string} nodeId
   * @param {import('./values/facts.js').Decision} decision
   */
  async reject(nodeId, decision) {
    await this.#engine.offer(this.id, facts.approval(nodeId, 'rejected', decision));
  }

  /** Holds it: no claims, no new items, no endings. @param {Note} [note] */
  async pause(note = {}) {
    await this.#engine.offer(this.id, facts.note('execution_paused', note));
  }

  /** Ends the pause. @param {Note} [note] */
  async unpause(note = {}) {
    await this.#engine.offer(this.id, facts.note('execution_unpaused', note));
  }

  /** Asks for it to be cancelled. @param {Note} [note] */
  async cancel(note = {}) {
    await this.#engine.offer(this.id, facts.note('cancel_requested', note));
  }

  /**
   * Asks for a failed or stalled node to be tried again, with a fresh budget of attempts.
   * @param {string} nodeId
   * @param {Note} [note]
   */
  async retry(nodeId, note = {}) {
    await this.#engine.offer(this.id, facts.nodeRequest('retry_requested', nodeId, note));
  }

  /**
   * Asks for a node to be skipped, or cancelled if it is in flight: it counts as completed.
   * @param {string} nodeId
   * @param {Note} [note]
   */
  async skip(nodeId, note = {}) {
    await this.#engine.offer(this.id, facts.nodeRequest('skip_requested', nodeId, note));
  }

  /** Lifts the stall that a failing scheduler, or a budget, has led to. @param {Note} [note] */
  async lift(note = {}) {
    await this.#engine.lift(this.id, facts.note('stall_lifted', note));
  }
}
