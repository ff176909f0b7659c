// A clock that a test moves.

/** Time that stands still until it is moved. */
export class ManualClock {
  #now = 1_700_000_000_000;
  #monotonic = 0;
  /** @type {Set<{at: number, then: () => void}>} */
  #timers = new Set();

  now = () => this.#now;
  monotonic = () => this.#monotonic;

  /** @type {import('../../src/clock.js').Clock['timer']} */
  timer = (ms, then) => {
    const timer = { at: this.#monotonic + ms, then };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /**
   * So much time passes.
   * @param {number} ms
   */
  async pass(ms) {
    this.#monotonic += ms;
    this.set(ms);
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#monotonic) continue;
      this.#timers.delete(timer);
      timer.then();
    }
    await settled();
  }

  /**
   * The wall clock is set on, or back.
   * @param {number} ms
   */
  set(ms) {
    this.#now += ms;
  }
}

/** Until what was begun has come to rest. */
export async function settled() {
  for (let tasks = 0; tasks < 30; tasks += 1) await new Promise((resolve) => setImmediate(resolve));
}
