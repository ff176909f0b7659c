// The bars of one row of a chart: what several are at, as one sees it.

/** @typedef {import('./tracks.js').Span} Span */
/** @typedef {import('./scale.js').Scale} Scale */
/** @typedef {Span & {count: number}} Bar */

/** What is nearer than this part of the width cannot be told apart. */
const SEEN_APART = 1 / 2000;

/**
 * Spans of the same activity that overlap, or that nobody could see apart, as one bar. There
 * are no more bars of an activity than there are places on the scale.
 * @param {Iterable<Span>} spans
 * @param {Scale} scale
 * @returns {Bar[]}
 */
export function barsOf(spans, scale) {
  const sorted = [...spans].sort((a, b) => a.from - b.from);
  /** @type {Map<string, Bar>} */
  const open = new Map();
  /** @type {Bar[]} */
  const bars = [];
  for (const span of sorted) {
    const last = open.get(span.activity);
    if (last !== undefined && scale.place(span.from) - scale.place(last.until) < SEEN_APART) {
      last.until = Math.max(last.until, span.until);
      last.count += 1;
      continue;
    }
    const bar = { ...span, count: 1 };
    open.set(span.activity, bar);
    bars.push(bar);
  }
  return bars;
}

/**
 * Times without those that nobody could see apart.
 * @param {Iterable<number>} times
 * @param {Scale} scale
 * @returns {number[]}
 */
export function pointsOf(times, scale) {
  const sorted = [...times].sort((a, b) => a - b);
  /** @type {number[]} */
  const points = [];
  for (const time of sorted) {
    const last = points.at(-1);
    if (last === undefined || scale.place(time) - scale.place(last) >= SEEN_APART) points.push(time);
  }
  return points;
}
