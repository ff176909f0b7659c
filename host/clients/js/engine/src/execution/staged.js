// One execution within a turn: how it is stored, and what the turn adds to it. Nothing here
// is written before the turn is committed.

import { linkOf } from '@refrain/audit/host';
import { itemAfter } from './effects.js';
import { Items } from './items.js';

/** @typedef {import('@refrain/audit/host').Event} Event */
/** @typedef {import('../store/contract.js').ExecutionRecord} ExecutionRecord */
/** @typedef {import('../store/contract.js').ItemRecord} ItemRecord */
/** @typedef {import('../store/contract.js').StoredEvent} StoredEvent */

/** An execution while a turn is open. */
export class Staged {
  /** What of its stored log is at hand; null as long as nobody needed it. @type {StoredEvent[] | null} */
  log = null;
  /** What the turn appended. @type {StoredEvent[]} */
  events = [];
  /** How often it was stepped in this turn, and the bytes of payload that this came to. */
  steps = 0;
  bytes = 0;
  #salt;
  #owedBefore;
  #isLifted = false;

  /**
   * @param {ExecutionRecord} record how it is stored; of one that begins, with sequence 0
   * @param {ReadonlyMap<string, ItemRecord>} items
   * @param {import('../workflows.js').KnownWorkflow} workflow
   * @param {() => string} salt draws the salt of an event
   */
  constructor(record, items, workflow, salt) {
    this.record = { ...record };
    this.expected = { sequence: record.sequence, head: record.head };
    this.items = new Items(items);
    this.workflow = workflow;
    this.#salt = salt;
    this.#owedBefore = record.owed;
  }

  /**
   * Appends an event that has been checked.
   * @param {Event} event
   */
  push(event) {
    const salt = this.#salt();
    const hash = linkOf(this.record.head, { event, salt, hash: '', commitment: null });
    this.events.push({ event, salt, hash });
    this.record.head = hash;
    this.record.sequence = Number(event.sequence);
    this.record.lastAt = Number(event.at);
  }

  /**
   * Appends a fact, and does to its node's item what follows from it.
   * @param {import('@refrain/audit/host').Kind} kind
   * @param {number} at
   * @returns {number} its sequence
   */
  pushFact(kind, at) {
    const sequence = this.record.sequence + 1;
    this.push({ sequence, at, origin: 'fact', kind });
    const record = this.items.of(kind.value?.node_id);
    if (record !== undefined) {
      const after = itemAfter(record, kind, sequence);
      if (after !== record) this.items.set(record.item.node_id, after);
    }
    return sequence;
  }

  /** The last event, if the turn appended any. */
  lastEvent() {
    return this.events.at(-1)?.event;
  }

  /**
   * An operator lifted the host's stall: what came to be due meanwhile is decided at once.
   * @param {number} now
   */
  lift(now) {
    Object.assign(this.record, { held: false, status: 'running', nextWake: now });
    this.#isLifted = true;
  }

  /** The host stalls it. */
  hold() {
    Object.assign(this.record, { held: true, status: 'stalled', nextWake: null, owed: false });
  }

  /** Whether the turn has to write anything of it. */
  hasChanged() {
    return (
      this.events.length > 0 || this.items.haveChanged() || this.#isLifted || this.record.owed !== this.#owedBefore
    );
  }

  /**
   * What the turn writes.
   * @returns {import('../store/contract.js').ExecutionChange}
   */
  change() {
    const { expected, record, events } = this;
    return { expected, record, events, items: this.items.changes() };
  }
}
