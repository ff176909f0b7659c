// Chance that can be had again: the same seed gives the same throws.

/** Dice of a seed. */
export class Dice {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
  }

  /** A number from 0 to 1, without 1. */
  throw() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /**
   * A whole number between these, both included.
   * @param {number} least
   * @param {number} most
   */
  between(least, most) {
    return least + Math.floor(this.throw() * (most - least + 1));
  }

  /**
   * Whether something of this likelihood happens.
   * @param {number} likelihood
   */
  chance(likelihood) {
    return this.throw() < likelihood;
  }

  /**
   * One of these.
   * @template T
   * @param {readonly T[]} those
   * @returns {T}
   */
  pick(those) {
    return those[Math.floor(this.throw() * those.length)];
  }
}
