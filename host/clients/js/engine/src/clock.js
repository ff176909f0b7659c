// Time. One reading serves a whole turn (law 5).
//
// ```text
// now = max(wall clock, last reading that was written + monotonic time since then)
// ```
//
// While the wall clock is right, that is the wall clock. While it lags behind the log,
// because it was set back, time goes on with the monotonic clock, and a warning says so.

import { TIMER_MS_MAX } from './limits.js';

/**
 * Where the time comes from.
 * @typedef {object} Clock
 * @property {() => number} now milliseconds since the Unix epoch, which may be set back
 * @property {() => number} monotonic milliseconds since whenever, which never go back
 * @property {(ms: number, then: () => void) => () => void} timer calls something when so many
 *   of its milliseconds have passed; answers what cancels that
 */

/** The machine's clocks. @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (ms, then) => {
    const timer = setTimeout(then, Math.min(ms, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};

/** Less than that behind, a wall clock is right. */
const LAG_TOLD_MS = 1_000;

/**
 * What time it is by the log, and the monotonic time at which it became that: so that no
 * part of a millisecond is lost, however often is written.
 * @typedef {{at: number, monotonic: number}} Reading
 */

/** The time of a store's logs. */
export class LogClock {
  #clock;
  #warn;
  /** @type {Reading | undefined} */
  #last;
  #lags = false;

  /**
   * @param {Clock} clock
   * @param {(text: string) => void} warn
   */
  constructor(clock, warn) {
    this.#clock = clock;
    this.#warn = warn;
  }

  /** The clock's time that never goes back, in milliseconds. */
  monotonic() {
    return this.#clock.monotonic();
  }

  /**
   * Calls something when so many milliseconds have passed; answers what cancels that.
   * @param {number} ms
   * @param {() => void} then
   */
  timer(ms, then) {
    return this.#clock.timer(ms, then);
  }

  /** What time it is between turns. */
  now() {
    return this.#now().at;
  }

  /**
   * A turn's reading.
   * @returns {Reading}
   */
  read() {
    const reading = this.#now();
    const behind = reading.at - Math.floor(this.#clock.now());
    const lags = behind > LAG_TOLD_MS;
    if (lags && !this.#lags) {
      this.#warn(
        `the wall clock is ${behind} ms behind the log: it was set back; time goes on with the monotonic clock until the wall clock has caught up`,
      );
    }
    this.#lags = lags;
    return reading;
  }

  /**
   * A turn of this reading was written.
   * @param {Reading} reading
   */
  wrote(reading) {
    this.#last = reading;
  }

  /**
   * This is the greatest reading that is stored: others may have written.
   * @param {number} at
   */
  follow(at) {
    if (at > (this.#last?.at ?? 0)) this.#last = { at, monotonic: this.#clock.monotonic() };
  }

  /** @returns {Reading} */
  #now() {
    const wall = { at: Math.floor(this.#clock.now()), monotonic: this.#clock.monotonic() };
    if (this.#last === undefined) return wall;
    const passed = Math.max(0, Math.floor(wall.monotonic - this.#last.monotonic));
    const at = this.#last.at + passed;
    return wall.at >= at ? wall : { at, monotonic: this.#last.monotonic + passed };
  }
}
