// A guest at a place of a log, and what it would do there. Nothing is compared, and nothing
// is kept.

import { workItemDigest } from '../orders/digest.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/event.js').Event} Event */

/** A log up to a place. */
export class TravelPorts {
  /**
   * @param {import('../log/recording.js').Recording} recording
   * @param {number} shown The guest sees the first so many events.
   * @param {Whole} time What the clock reads.
   * @param {import('./marks.js').Mark | null} snapshot What it begins with, if it has seen nothing.
   * @param {number} offered So many facts are offered to it.
   */
  constructor(recording, shown, time, snapshot, offered) {
    this.recording = recording;
    this.shown = shown;
    this.time = time;
    this.snapshot = snapshot;
    this.offered = offered;
    /** What it decided. @type {Event[]} */
    this.decisions = [];
    /** What it ordered. @type {any[]} */
    this.orders = [];
  }

  loadWorkflow() {
    return this.recording.workflow;
  }

  loadSnapshot() {
    return this.snapshot;
  }

  /**
   * @param {Whole} first
   * @param {number} max
   */
  readEvents(first, max) {
    return this.recording.page(first, max, this.shown);
  }

  /**
   * @param {Whole} expected
   * @param {Event[]} events
   */
  appendEvents(expected, events) {
    const last = this.shown + this.decisions.length;
    // Which of the facts it has taken, it says at the end of the call.
    if (expected < last || expected > last + this.offered) {
      return { tag: /** @type {'err'} */ ('err'), value: { tag: 'conflict', value: last } };
    }
    this.decisions.push(...events);
    return { tag: /** @type {'ok'} */ ('ok'), value: null };
  }

  now() {
    return this.time;
  }

  /** @param {any[]} orders */
  order(orders) {
    this.orders.push(...orders);
    return orders.filter((order) => order.tag === 'enqueue').map((order) => workItemDigest(order.value));
  }
}
