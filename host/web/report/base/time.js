// Times and spans as people read them.

/** The last millisecond of the year 9999: RFC 3339 knows no later one. */
const WRITTEN_MAX = 253_402_300_799_999;

/**
 * The milliseconds of a time in a log, which is RFC 3339, or a number behind the year 9999.
 * @param {unknown} written
 * @returns {number}
 */
export function milliseconds(written) {
  const found = typeof written === 'string' ? Date.parse(written) : Number(written);
  return Number.isFinite(found) ? found : 0;
}

/**
 * @param {number} ms
 * @returns {string}
 */
export function rfc3339(ms) {
  return ms >= 0 && ms <= WRITTEN_MAX ? new Date(ms).toISOString() : 'after the year 9999';
}

/**
 * A span in the two units that matter: `1.2 s`, `3 min 07 s`.
 * @param {number} ms
 * @returns {string}
 */
export function span(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${seconds}.${Math.floor((ms % 1000) / 100)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/**
 * A span that loses nothing: `5 s`, `1500 ms`.
 * @param {number} ms
 * @returns {string}
 */
export function exactSpan(ms) {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}

/**
 * A number with a space that does not break between thousands.
 * @param {number} number
 * @returns {string}
 */
export function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/**
 * @param {number} count
 * @param {string} noun
 * @returns {string}
 */
export function counted(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}
