// What callers and workers bring, until a turn takes it.

import { EngineError } from '../errors.js';

/** @typedef {import('../turn/transaction.js').Transaction} Transaction */

/** Something that is to be done in a turn, and told when that is committed. */
export class Write {
  /** @type {{value: unknown} | {error: EngineError} | undefined} */
  #outcome;
  /** Whether it has to wait for the next turn: its execution has to go on first. */
  comesLater = false;

  /**
   * @param {(transaction: Transaction) => Promise<unknown>} work what throws a {@link Later}
   *   comes into the next turn
   * @param {(value: any) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {boolean} mustBeWritten whether it is kept where the store fails
   */
  constructor(work, resolve, reject, mustBeWritten) {
    this.work = work;
    this.resolve = resolve;
    this.reject = reject;
    this.mustBeWritten = mustBeWritten;
  }

  /** @param {Transaction} transaction */
  async apply(transaction) {
    this.comesLater = false;
    try {
      this.#outcome = { value: await this.work(transaction) };
    } catch (thrown) {
      this.#outcome = undefined;
      if (thrown instanceof Later) this.comesLater = true;
      else if (thrown instanceof EngineError && thrown.code !== 'store_failed') this.#outcome = { error: thrown };
      else throw thrown;
    }
  }

  /** The turn is committed: tells what became of it. */
  tell() {
    const outcome = this.#outcome;
    if (outcome === undefined) return;
    if ('error' in outcome) this.reject(outcome.error);
    else this.resolve(outcome.value);
  }
}

/** An execution has to go on before anything is done to it. */
export class Later extends Error {}

/** A bounded queue of writes. */
export class Inbox {
  /** @type {Write[]} */
  #writes = [];
  /** @type {(() => void) | undefined} */
  #wake;
  #max;
  #isSignalled = false;

  /** @param {number} max */
  constructor(max) {
    this.#max = max;
  }

  /**
   * Brings something. What does not fit is told so at once.
   * @template T
   * @param {(transaction: Transaction) => Promise<T>} work
   * @param {{mustBeWritten?: boolean}} [options]
   * @returns {Promise<T>}
   */
  bring(work, { mustBeWritten = false } = {}) {
    return new Promise((resolve, reject) => {
      if (!mustBeWritten && this.#writes.length >= this.#max) {
        reject(
          new EngineError('overloaded', `${this.#max} callers wait for the engine already; try again in a moment`),
        );
        return;
      }
      this.#writes.push(new Write(work, resolve, reject, mustBeWritten));
      this.signal();
    });
  }

  /**
   * Takes what has been brought, at most so much.
   * @param {number} max
   */
  take(max) {
    return this.#writes.splice(0, Math.max(0, max));
  }

  /**
   * These come first in the next turn.
   * @param {Write[]} writes
   */
  putBack(writes) {
    this.#writes.unshift(...writes);
  }

  get isEmpty() {
    return this.#writes.length === 0;
  }

  /** There is something to do. */
  signal() {
    this.#isSignalled = true;
    this.#wake?.();
  }

  /**
   * Waits until something is brought or signalled, at most so long.
   * @param {number} ms
   * @param {(ms: number, then: () => void) => () => void} timer
   */
  async wait(ms, timer) {
    if (!this.#isSignalled && ms > 0) {
      await new Promise((resolve) => {
        const cancel = ms === Infinity ? () => undefined : timer(ms, () => resolve(undefined));
        this.#wake = () => {
          cancel();
          resolve(undefined);
        };
      });
    }
    this.#wake = undefined;
    this.#isSignalled = false;
  }
}
