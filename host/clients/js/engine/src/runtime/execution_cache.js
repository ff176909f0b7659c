// The executions that have not ended, as they are stored, with their items: what a host works
// on. Another tab may write only where a commit of this one would conflict.

import { PAST_WAKE_PAUSE_MS } from '../limits.js';
import { hasEnded } from '../store/contract.js';
import { Agenda } from './agenda.js';
import { Claimable } from './claimable.js';

/** @typedef {import('../store/contract.js').ExecutionRecord} ExecutionRecord */
/** @typedef {import('../store/contract.js').ItemRecord} ItemRecord */
/** @typedef {{record: ExecutionRecord, items: Map<string, ItemRecord>}} Cached */

/** Executions that have not ended. */
export class ExecutionCache {
  /** @type {Map<string, Cached>} */
  #executions = new Map();
  #agenda = new Agenda();
  claimable = new Claimable();
  /** @type {(id: string, record: ItemRecord) => number} */
  #leaseEnds;

  /**
   * @param {(id: string, record: ItemRecord) => number} leaseEnds when the claim on an item
   *   is to be looked at; Infinity for those of own workers
   */
  constructor(leaseEnds) {
    this.#leaseEnds = leaseEnds;
  }

  /**
   * Takes over what is stored.
   * @param {import('../store/contract.js').OpenWork} work
   * @param {number} now
   */
  load({ executions, items }, now) {
    this.#executions.clear();
    this.#agenda.clear();
    this.claimable.clear();
    for (const record of executions) this.#executions.set(record.id, { record, items: new Map() });
    for (const [id, nodeId, item] of items) this.#executions.get(id)?.items.set(nodeId, item);
    // Those that wait longest come first.
    const waiting = items
      .filter(([, , { state }]) => state === 'waiting')
      .sort(([, , a], [, , b]) => a.enqueuedAt - b.enqueuedAt);
    for (const [id, , item] of waiting) if (Number(item.item.not_before) <= now) this.claimable.add(id, item);
    // All is looked at once.
    for (const id of this.#executions.keys()) this.#agenda.set(id, 0);
  }

  /**
   * @param {string} id
   * @returns {Cached | undefined}
   */
  get(id) {
    return this.#executions.get(id);
  }

  /** How many there are. */
  get size() {
    return this.#executions.size;
  }

  /**
   * This change was committed at this time.
   * @param {import('../store/contract.js').ExecutionChange} change
   * @param {number} now
   */
  committed({ record, items }, now) {
    const { id } = record;
    if (hasEnded(record.status)) {
      this.#executions.delete(id);
      this.#agenda.set(id, null);
      this.claimable.removeAll(id);
      return;
    }
    const cached = this.#executions.get(id) ?? { record, items: new Map() };
    cached.record = record;
    this.#executions.set(id, cached);
    for (const [nodeId, item] of items) {
      this.claimable.remove(id, nodeId);
      if (item === null) cached.items.delete(nodeId);
      else cached.items.set(nodeId, item);
    }
    this.look(id, now);
  }

  /**
   * Executions whose time has come, off the agenda until they are looked at again.
   * @param {number} now
   * @param {number} max
   */
  due(now, max) {
    return this.#agenda.due(now, max);
  }

  /** When the next is due; Infinity if none will be. */
  nextTime() {
    return this.#agenda.next();
  }

  /**
   * Looks at an execution as of this time: which of its items can be claimed, and when it
   * is to be looked at again.
   * @param {string} id
   * @param {number} now
   * @param {boolean} [isStepped] whether it has been stepped at this time: one that still
   *   asks for a time that has passed would decide the same once more
   */
  look(id, now, isStepped = true) {
    const cached = this.#executions.get(id);
    if (cached === undefined) return;
    const { record, items } = cached;
    let at = record.owed ? now : Infinity;
    const rests = isStepped && record.nextWake !== null && record.nextWake <= now;
    if (record.nextWake !== null) at = Math.min(at, rests ? now + PAST_WAKE_PAUSE_MS : record.nextWake);
    for (const item of items.values()) at = Math.min(at, this.#lookAtItem(id, item, now));
    this.#agenda.set(id, at === Infinity ? null : at);
  }

  /**
   * @param {string} id
   * @param {ItemRecord} record
   * @param {number} now
   */
  #lookAtItem(id, record, now) {
    switch (record.state) {
      case 'dead':
        return Infinity;
      case 'leased':
        return Math.max(this.#leaseEnds(id, record), now + 1);
      case 'waiting': {
        const notBefore = Number(record.item.not_before);
        if (notBefore > now) return notBefore;
        this.claimable.add(id, record);
        return Infinity;
      }
    }
  }
}
