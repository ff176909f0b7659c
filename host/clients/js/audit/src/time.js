// Times in JSON: RFC 3339, UTC, milliseconds, one spelling each.

/** @typedef {import('./bytes.js').Whole} Whole */

/** The last millisecond of the year 9999: RFC 3339 knows no later one. */
const WRITTEN_MAX = 253402300799999;

/**
 * A time as text, such as `2026-01-01T00:00:00.000Z`. `undefined` if it is after the year
 * 9999.
 * @param {Whole} time Milliseconds since 1970.
 * @returns {string | undefined}
 */
export function rfc3339(time) {
  return time <= WRITTEN_MAX ? new Date(Number(time)).toISOString() : undefined;
}

const FORM = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

/**
 * The time that {@link rfc3339} writes like this. `undefined` for any other spelling.
 * @param {string} text
 * @returns {number | undefined}
 */
export function parseRfc3339(text) {
  if (!FORM.test(text)) return undefined;
  const time = Date.parse(text);
  return time >= 0 && rfc3339(time) === text ? time : undefined;
}

/**
 * A span of milliseconds, to the millisecond: `30 s`, `1500 ms`.
 * @param {Whole} ms
 * @returns {string}
 */
export function exactSpan(ms) {
  const seconds = BigInt(ms) / 1000n;
  return seconds * 1000n === BigInt(ms) ? `${seconds} s` : `${ms} ms`;
}
