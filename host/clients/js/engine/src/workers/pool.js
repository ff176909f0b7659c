// The workers of an engine, by queue, and the attempts that they are at.

import { quoted } from '@refrain/audit/host';
import { EngineError } from '../errors.js';
import { renewAt } from '../lease_watch.js';
import { WORKER_SLOTS_DEFAULT } from '../limits.js';
import { attempt } from './attempt.js';

/** @typedef {import('../values/facts.js').ClaimId} ClaimId */
/** @typedef {import('../turn/transaction.js').Granted} Granted */
/** @typedef {import('../turn/answers.js').Outcome} Outcome */

/**
 * An attempt that a worker is at.
 * @typedef {object} Running
 * @property {Granted} granted
 * @property {AbortController} abort
 * @property {number} expiresAt when its lease ends
 * @property {boolean} hasAnswered whether its worker has come to its end
 */

/**
 * A worker: an async function of an item. What it answers is the node's output (an `Answer`
 * says more); what it throws is a failed attempt.
 * @typedef {(item: import('./attempt.js').WorkerItem, context: import('./attempt.js').WorkerContext) => unknown} Worker
 */

/** Workers and their attempts. */
export class Pool {
  /** @type {Map<string, {worker: Worker, slots: number}>} */
  #workers = new Map();
  /** By execution, then by node and fence. @type {Map<string, Map<string, Running>>} */
  #running = new Map();
  /** By queue, how many are at work. @type {Map<string, number>} */
  #busy = new Map();
  #secrets;
  #deliver;
  #onEnd;
  #isClosing = false;
  /** Called when the last attempt is over, once. @type {(() => void) | undefined} */
  #onEmpty;

  /**
   * @param {import('./put_in.js').Secrets | undefined} secrets
   * @param {(granted: Granted, outcome: Outcome) => Promise<void>} deliver hands over what an
   *   attempt came to, and resolves when that is written
   * @param {(execution: string) => void} onEnd is told when an attempt is over
   */
  constructor(secrets, deliver, onEnd) {
    this.#secrets = secrets;
    this.#deliver = deliver;
    this.#onEnd = onEnd;
  }

  /**
   * From now on, this worker works on the items of a queue.
   * @param {string} queue
   * @param {Worker | {run: Worker, slots?: number}} worker
   */
  add(queue, worker) {
    const { run, slots = WORKER_SLOTS_DEFAULT } = typeof worker === 'function' ? { run: worker } : worker;
    const place = `the worker of the queue ${quoted(queue)}`;
    if (typeof run !== 'function') {
      throw new EngineError('invalid_argument', `${place} is no function; give an async function of an item`);
    }
    if (!Number.isInteger(slots) || slots < 1) {
      throw new EngineError('invalid_argument', `${place} has ${slots} slots; give it 1 or more`);
    }
    if (this.#workers.has(queue)) {
      throw new EngineError('invalid_argument', `${place} is there already; give one function for each queue`);
    }
    this.#workers.set(queue, { worker: run, slots });
  }

  /** @param {string} queue */
  has(queue) {
    return this.#workers.has(queue);
  }

  /** The queues that have a worker. */
  queues() {
    return [...this.#workers.keys()];
  }

  /**
   * How many more items the worker of a queue can take.
   * @param {string} queue
   */
  free(queue) {
    return (this.#workers.get(queue)?.slots ?? 0) - (this.#busy.get(queue) ?? 0);
  }

  /**
   * Whether an own worker is at this claim.
   * @param {string} execution
   * @param {string} nodeId
   * @param {number} fence
   */
  holds(execution, nodeId, fence) {
    return this.#running.get(execution)?.has(keyOf(nodeId, fence)) ?? false;
  }

  /** How many attempts are under way. */
  get size() {
    return [...this.#all()].length;
  }

  /**
   * Those whose leases have to be renewed by now.
   * @param {number} now
   * @returns {Granted[]}
   */
  toRenew(now) {
    const due = [...this.#all()].filter(({ granted, expiresAt }) => renewAt(expiresAt, granted.leaseMs) <= now);
    return due.map(({ granted }) => granted);
  }

  /** When the next lease has to be renewed; Infinity if none has. */
  nextRenewal() {
    let next = Infinity;
    for (const { granted, expiresAt } of this.#all()) next = Math.min(next, renewAt(expiresAt, granted.leaseMs));
    return next;
  }

  /**
   * A lease was renewed.
   * @param {ClaimId} id
   * @param {number} expiresAt
   */
  renewed({ execution, nodeId, fence }, expiresAt) {
    const running = this.#running.get(execution)?.get(keyOf(nodeId, fence));
    if (running !== undefined) running.expiresAt = expiresAt;
  }

  /**
   * Begins an attempt, whose claim is committed.
   * @param {Granted} granted
   */
  start(granted) {
    const { id, item, at, leaseMs } = granted;
    const entry = this.#workers.get(item.queue);
    if (entry === undefined) return;
    const running = { granted, abort: new AbortController(), expiresAt: at + leaseMs, hasAnswered: false };
    const those = this.#running.get(id.execution) ?? new Map();
    those.set(keyOf(id.nodeId, id.fence), running);
    this.#running.set(id.execution, those);
    this.#busy.set(item.queue, (this.#busy.get(item.queue) ?? 0) + 1);
    void this.#work(running, entry.worker);
  }

  /**
   * Stops the attempts of an execution whose claims hold no longer.
   * @param {string} execution
   * @param {(nodeId: string, fence: number) => boolean} isHeld
   */
  stopUnheld(execution, isHeld) {
    for (const { granted, abort, hasAnswered } of this.#running.get(execution)?.values() ?? []) {
      if (hasAnswered || isHeld(granted.id.nodeId, granted.id.fence)) continue;
      abort.abort(
        new EngineError(
          'stale',
          'the work of this attempt is not wanted any more: it was cancelled, ran out of time, or is another worker’s now',
        ),
      );
    }
  }

  /**
   * Stops all attempts, and waits until they are over, at most so long. Answers those that
   * go on all the same.
   * @param {number} patienceMs
   * @returns {Promise<Granted[]>}
   */
  async close(patienceMs) {
    this.#isClosing = true;
    for (const { abort } of this.#all()) {
      abort.abort(new EngineError('shut_down', 'the engine is closed; its work is given back'));
    }
    if (this.size > 0) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, patienceMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
    return [...this.#all()].map(({ granted }) => granted);
  }

  /**
   * @param {Running} running
   * @param {Worker} worker
   */
  async #work(running, worker) {
    const { granted, abort } = running;
    const outcome = await attempt(granted, worker, this.#secrets, abort.signal);
    running.hasAnswered = true;
    // What a worker throws because it is stopped says nothing of its work.
    const isGivenBack = this.#isClosing && abort.signal.aborted && 'thrown' in outcome;
    try {
      await this.#deliver(granted, isGivenBack ? { released: true } : outcome);
    } finally {
      this.#end(granted);
    }
  }

  /** @param {Granted} granted */
  #end({ id, item }) {
    const those = this.#running.get(id.execution);
    those?.delete(keyOf(id.nodeId, id.fence));
    if (those?.size === 0) this.#running.delete(id.execution);
    this.#busy.set(item.queue, (this.#busy.get(item.queue) ?? 1) - 1);
    this.#onEnd(id.execution);
    if (this.#running.size === 0) this.#onEmpty?.();
  }

  *#all() {
    for (const those of this.#running.values()) yield* those.values();
  }
}

/**
 * @param {string} nodeId
 * @param {number} fence
 */
function keyOf(nodeId, fence) {
  return `${fence} ${nodeId}`;
}
