// Time that passes faster: so that timers and back-offs of seconds take milliseconds.

/**
 * A clock so many times as fast as the machine's.
 * @param {number} speed
 * @param {number} [epoch] the machine's time at which this clock is at its start
 * @returns {import('../../src/clock.js').Clock}
 */
export function fastClock(speed, epoch = Date.now()) {
  const [start, began] = [1_700_000_000_000, epoch - performance.timeOrigin];
  const passed = () => (performance.now() - began) * speed;
  return {
    now: () => start + passed(),
    monotonic: passed,
    timer: (ms, then) => {
      const timer = setTimeout(then, Math.min(ms / speed, 1_000));
      return () => clearTimeout(timer);
    },
  };
}
