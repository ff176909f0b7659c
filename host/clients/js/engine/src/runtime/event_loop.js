// The event loop: turn after turn, one at a time.

import { quoted } from '@refrain/audit/host';
import { ConflictError, EngineError, said } from '../errors.js';
import { CONFLICTS_IN_A_ROW_MAX, FACTS_PER_TURN_MAX, STORE_RETRY_PAUSE_MS } from '../limits.js';
import { hasEnded } from '../store/contract.js';
import { Inbox } from './inbox.js';
import { otherTasks, pause } from './pauses.js';
import { fill } from './turn.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./inbox.js').Write} Write */
/** @typedef {import('../turn/transaction.js').Transaction} Transaction */

/**
 * What was committed of an execution.
 * @typedef {object} News
 * @property {string} execution
 * @property {import('../store/contract.js').Status} status
 * @property {import('@refrain/audit/host').Event[]} events those that were appended
 */

/** The loop of an engine. */
export class EventLoop {
  #core;
  #lookEveryMs;
  #onNews;
  #onReload;
  #isStopping = false;
  /** Whether what is stored has to be read anew. */
  #mustLoad = false;
  /** What was told of the last turn that failed. */
  #trouble = '';
  /** Whether own workers may claim. */
  mayClaim = true;
  /** @type {Set<string>} */
  #unserved = new Set();

  /**
   * @param {Core} core
   * @param {object} options
   * @param {number} options.callersMax
   * @param {number} options.lookEveryMs how often it looks for what others have written,
   *   where others work on the store
   * @param {(news: News[]) => void} options.onNews is told what was committed
   * @param {() => void} options.onReload is told when others may have written
   */
  constructor(core, { callersMax, lookEveryMs, onNews, onReload }) {
    this.#core = core;
    this.#lookEveryMs = core.settings.isAlone ? Infinity : lookEveryMs;
    this.#onNews = onNews;
    this.#onReload = onReload;
    this.inbox = new Inbox(callersMax);
  }

  /** Runs until it is stopped, and has done what was brought before. */
  async run() {
    while (!(this.#isStopping && this.inbox.isEmpty)) {
      await this.inbox.wait(this.#waitMs(), (ms, then) => this.#core.clock.timer(ms, then));
      await this.#turn(this.inbox.take(FACTS_PER_TURN_MAX), 0);
      // What immediate answers bring would else leave no time for anything else.
      await otherTasks();
    }
  }

  stop() {
    this.#isStopping = true;
    this.inbox.signal();
  }

  #waitMs() {
    const { cache, pool, clock } = this.#core;
    if (this.#isStopping || this.#mustLoad || !this.inbox.isEmpty) return 0;
    const next = Math.min(cache.nextTime(), pool.nextRenewal());
    return Math.min(Math.max(0, next - clock.now()), this.#lookEveryMs);
  }

  /**
   * @param {Write[]} writes
   * @param {number} conflicts how many it has met already
   */
  async #turn(writes, conflicts) {
    const core = this.#core;
    try {
      if (this.#mustLoad || (!core.settings.isAlone && (await core.store.version()) !== core.version)) {
        await this.#load();
      }
      const transaction = await fill(core, writes, this.inbox, this.mayClaim);
      const turn = transaction.write();
      if (turn !== undefined) {
        core.version = await core.store.commit(turn);
        core.clock.wrote(transaction.reading);
      }
      this.#trouble = '';
      this.#committed(transaction, turn);
      this.inbox.putBack(writes.filter((write) => write.comesLater));
      for (const write of writes) write.tell();
    } catch (thrown) {
      this.#mustLoad = true;
      if (thrown instanceof ConflictError && conflicts < CONFLICTS_IN_A_ROW_MAX) {
        await this.#turn(writes, conflicts + 1);
      } else await this.#failed(writes, thrown);
    }
  }

  /** Reads everything anew: somebody else has written, or nobody knows what was. */
  async #load() {
    await this.#core.load();
    this.#mustLoad = false;
    this.#onReload();
  }

  /**
   * A turn was not written, or nobody knows. Callers are told; answers of workers wait.
   * @param {Write[]} writes
   * @param {unknown} thrown
   */
  async #failed(writes, thrown) {
    const core = this.#core;
    const told =
      thrown instanceof ConflictError
        ? new EngineError(
            'conflict',
            `others write to the store ${quoted(core.store.name)} all the time (${thrown.message}); try again`,
          )
        : thrown;
    // A trouble that lasts is told once.
    if (this.#trouble !== said(told)) core.warn(`a turn could not be written: ${said(told)}`);
    this.#trouble = said(told);
    const isKept = (/** @type {Write} */ write) => write.mustBeWritten && !this.#isStopping;
    this.inbox.putBack(writes.filter(isKept));
    for (const write of writes) if (!isKept(write)) write.reject(told);
    await pause(STORE_RETRY_PAUSE_MS);
  }

  /**
   * @param {Transaction} transaction
   * @param {import('../store/contract.js').Turn | undefined} turn
   */
  #committed(transaction, turn) {
    const core = this.#core;
    const { now } = transaction;
    if ((turn?.components.length ?? 0) > 0) core.isComponentKept = true;
    for (const { id, expiresAt } of transaction.renewed) core.pool.renewed(id, expiresAt);
    for (const granted of transaction.granted) core.pool.start(granted);
    for (const change of turn?.executions ?? []) core.cache.committed(change, now);
    for (const staged of transaction.staged.values()) {
      const { id, status, guestDigest } = staged.record;
      core.pool.stopUnheld(id, (nodeId, fence) => staged.items.of(nodeId)?.lease?.fence === fence);
      if (hasEnded(status)) core.guests.forget(guestDigest, id);
    }
    for (const id of transaction.looked) core.cache.look(id, now);
    this.#tellOfUnserved();
    if (turn !== undefined) this.#onNews(newsOf(turn));
  }

  /** Work that waits for a worker that nobody runs is told, once for each queue (law 9). */
  #tellOfUnserved() {
    const { cache, pool, warn } = this.#core;
    for (const queue of cache.claimable.queues()) {
      if (pool.has(queue) || this.#unserved.has(queue)) continue;
      this.#unserved.add(queue);
      warn(`work waits on the queue ${quoted(queue)}, and nobody works on it here; give the engine a worker for it`);
    }
  }
}

/**
 * @param {import('../store/contract.js').Turn} turn
 * @returns {News[]}
 */
function newsOf({ executions }) {
  return executions.map(({ record, events }) => ({
    execution: record.id,
    status: record.status,
    events: events.map(({ event }) => event),
  }));
}
