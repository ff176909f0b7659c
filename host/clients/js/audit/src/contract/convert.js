// Between the contract's values and those of the log: they have the same shape, but for the
// digest of a work item, which the contract has as four numbers.

import { isHex } from '../bytes.js';
import { KINDS } from '../log/form.js';
import { sha } from '../log/codecs.js';
import { Trap } from '../component/trap.js';

/** @typedef {import('../log/event.js').Event} Event */

/** The kinds that name a work item by its digest. */
const ORDERING = new Set(['node_scheduled', 'retry_scheduled']);

/**
 * Digests as a guest takes and gives them.
 * @param {string} digits
 */
export function digestToGuest(digits) {
  const word = (/** @type {number} */ from) => BigInt(`0x${digits.slice(from, from + 16)}`);
  return { a: word(0), b: word(16), c: word(32), d: word(48) };
}

/** @param {{[word: string]: number | bigint}} words */
function digestFromGuest({ a, b, c, d }) {
  return [a, b, c, d].map((word) => word.toString(16).padStart(16, '0')).join('');
}

/**
 * An event as a guest takes it.
 * @param {Event} event
 */
export function eventToGuest(event) {
  const { tag, value } = event.kind;
  if (!ORDERING.has(tag)) return event;
  const item_digest = digestToGuest(value.item_digest);
  return { ...event, kind: { tag, value: { ...value, item_digest } } };
}

/** The fields of each kind that are digests as texts. */
const DIGESTS = new Map(
  Object.entries(KINDS).map(([tag, fields]) => [
    tag,
    fields.filter(({ name, codec }) => codec === sha && name !== 'item_digest').map(({ name }) => name),
  ]),
);

/**
 * An event as a guest gives it.
 * @param {any} event
 * @returns {Event}
 */
export function eventFromGuest(event) {
  const { tag, value } = event.kind;
  if (ORDERING.has(tag)) value.item_digest = digestFromGuest(value.item_digest);
  for (const name of DIGESTS.get(tag) ?? []) {
    if (!isHex(value[name], 32)) throw new Trap(`\`${name}\`: it should be 64 lower-case hexadecimal digits`);
  }
  return event;
}
