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

const LENGTH = '2026-01-01T00:00:00.000Z'.length;

/** What stands between the digits. */
const BETWEEN = [
  [4, '-'],
  [7, '-'],
  [10, 'T'],
  [13, ':'],
  [16, ':'],
  [19, '.'],
  [23, 'Z'],
].map(([place, sign]) => ({ place: Number(place), code: String(sign).charCodeAt(0) }));

/**
 * The time that {@link rfc3339} writes like this. `undefined` for any other spelling.
 * @param {string} text
 * @returns {number | undefined}
 */
export function parseRfc3339(text) {
  if (text.length !== LENGTH) return undefined;
  for (const { place, code } of BETWEEN) {
    if (text.charCodeAt(place) !== code) return undefined;
  }
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)];
  const ms = digits(text, 20, 23);
  // What is no number is in no range.
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && year >= 1970;
  if (!isDate || !(hour < 24 && minute < 60 && second < 60 && ms < 1000)) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

/**
 * The number of these digits; none if one of them is no digit.
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
function digits(text, from, to) {
  let number = 0;
  for (let place = from; place < to; place += 1) {
    const digit = text.charCodeAt(place) - 48;
    if (digit < 0 || digit > 9) return NaN;
    number = 10 * number + digit;
  }
  return number;
}

/**
 * @param {number} year
 * @param {number} month
 */
function daysIn(year, month) {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (month === 2) return isLeap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
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
