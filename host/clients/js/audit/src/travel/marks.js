// Snapshots on the way through a log, so that going back is not going from the beginning.

import { EVENTS_BETWEEN_MARKS, EVENTS_TO_NEAR_MARK, MARKS_BYTES_MAX, NEAR_MARKS_MAX } from '../limits.js';

/**
 * A snapshot of a guest's, of which only that guest knows the form.
 * @typedef {{guest_digest: string, sequence: number, head: string, state: Uint8Array}} Mark
 */

/**
 * Snapshots of one log: some about as far from each other, and a few near the places where
 * a cursor went back.
 */
export class Marks {
  constructor() {
    /** In the order of their events. @type {Mark[]} */
    this.marks = [];
    /** Events from one to the next: twice as many each time that they have become too large. */
    this.distance = EVENTS_BETWEEN_MARKS;
    /** In the order in which they were taken. @type {Mark[]} */
    this.near = [];
  }

  /**
   * The places between two others at which snapshots are to be taken: what lies between them
   * is read again and again.
   * @param {number} from The events that a guest knows already.
   * @param {number} to
   * @returns {number[]}
   */
  missing(from, to) {
    const places = [];
    const first = Math.floor(from / this.distance) + 1;
    for (let place = first * this.distance; place < to; place += this.distance) places.push(place);
    const nearest = to - (to % EVENTS_TO_NEAR_MARK);
    const last = places[places.length - 1] ?? from;
    if (nearest - last >= EVENTS_TO_NEAR_MARK) places.push(nearest);
    return places;
  }

  /**
   * Takes a snapshot. Where there are too many of them, or too many bytes, some go.
   * @param {Mark} mark
   */
  add(mark) {
    if (mark.sequence % this.distance !== 0) {
      this.near.push(mark);
      if (this.near.length > NEAR_MARKS_MAX) this.near.shift();
      return;
    }
    this.marks.push(mark);
    this.marks.sort((a, b) => a.sequence - b.sequence);
    while (this.marks.length > 1 && this.bytes > MARKS_BYTES_MAX) {
      this.distance *= 2;
      this.marks = this.marks.filter((it) => it.sequence % this.distance === 0);
    }
  }

  get bytes() {
    return this.marks.reduce((bytes, mark) => bytes + mark.state.length, 0);
  }

  /**
   * The last one of this guest that holds no more than so many events.
   * @param {number} events
   * @param {string} guestDigest
   * @returns {Mark | undefined}
   */
  before(events, guestDigest) {
    const known = [...this.marks, ...this.near].filter((it) => it.sequence <= events && it.guest_digest === guestDigest);
    return known.reduce(
      (/** @type {Mark | undefined} */ last, it) => (last === undefined || it.sequence > last.sequence ? it : last),
      undefined,
    );
  }
}
