// Events: their canonical bytes, their JSON form, and their place in a chain (law 4).

import { hex } from '../bytes.js';
import { Sha256 } from '../sha256.js';
import { putAll, showAll, takeAll } from './codecs.js';
import { Fields, FieldError } from './fields.js';
import { KINDS, KIND_NAMES, PLACE } from './form.js';
import { ObjectText } from './object.js';
import { Parts } from './parts.js';

/** @typedef {import('../bytes.js').Whole} Whole */

/**
 * What happened, in the contract's shape: the kind's name, and its record (`null` for the
 * kind that has none).
 * @typedef {{tag: string, value: any}} Kind
 */

/**
 * @typedef {object} Event
 * @property {Whole} sequence
 * @property {Whole} at
 * @property {'fact' | 'decision'} origin
 * @property {Kind} kind
 */

/**
 * An event as a log has it. A whole one has its salt; an erased one its commitment, and
 * blanks in the place of what was erased.
 * @typedef {object} KeptEvent
 * @property {Event} event
 * @property {string} hash The chain hash up to it, as it was stored.
 * @property {string | null} salt
 * @property {string | null} commitment
 */

/**
 * The last event of a log, and the chain hash up to it.
 * @typedef {{sequence: Whole, hash: string}} Head
 */

/** The name of the format: of what is hashed and how, and of exports. */
export const FORMAT = 'refrain-log/2';

/** The number of that format in event 1. */
export const FORMAT_VERSION = 2;

/** The hash before event 1: the SHA-256 of {@link FORMAT}. */
export const START = 'adb77d2e0070974d3143eb41f8b9d8e208b56e0d9c48036e21e848fd4ca03804';

const parts = new Parts();
const scratch = new Parts();

/** @param {Event} event */
function put(event) {
  parts.clear();
  putAll(PLACE, event, parts);
  parts.plain.text(event.kind.tag);
  putAll(KINDS[event.kind.tag], event.kind.value, parts);
}

/**
 * The canonical bytes of an event. They hold until the next event is written.
 * @param {Event} event
 * @returns {{plain: Uint8Array, erasable: Uint8Array}}
 */
export function canonical(event) {
  put(event);
  return { plain: parts.plain.all, erasable: parts.erasable.all };
}

/**
 * How many canonical bytes an event has.
 * @param {Event} event
 * @returns {number}
 */
export function canonicalLength(event) {
  put(event);
  return parts.plain.length + parts.erasable.length;
}

/** @param {string} digits */
function bytesOf(digits) {
  scratch.clear();
  scratch.to.hex(digits);
  return scratch.to.all;
}

/**
 * What stands for an event's erasable fields in the chain.
 * @param {string} salt
 * @param {Uint8Array} erasable
 * @returns {Uint8Array}
 */
export function commitment(salt, erasable) {
  return new Sha256().update(bytesOf(salt)).update(erasable).digest();
}

/**
 * The chain hash after an event that is kept like this.
 * @param {string} previous
 * @param {KeptEvent} kept
 * @returns {string}
 */
export function linkOf(previous, kept) {
  const { plain, erasable } = canonical(kept.event);
  const committed = kept.salt === null ? null : commitment(kept.salt, erasable);
  const hash = new Sha256().update(bytesOf(previous)).update(plain);
  return hex(hash.update(committed ?? bytesOf(/** @type {string} */ (kept.commitment))).digest());
}

/**
 * The event that a line of an export is.
 * @param {string} line
 * @returns {KeptEvent}
 */
export function readKept(line) {
  const fields = new Fields(line);
  const [isWhole, isErased] = [fields.has('salt'), fields.has('commitment')];
  if (isWhole && isErased) {
    throw fields.error(
      'commitment',
      'a salt stands next to it; an event is whole and has a salt, or is erased and has a commitment',
    );
  }
  fields.isErased = isErased || (!isWhole && isStripped(line));
  const salt = fields.isErased ? null : fields.hex('salt', 16);
  const committed = fields.isErased ? fields.hex('commitment') : null;
  const hash = fields.hex('hash');
  const event = readEvent(fields);
  fields.end();
  return { event, hash, salt, commitment: committed };
}

/**
 * @param {Fields} fields
 * @returns {Event}
 */
function readEvent(fields) {
  const place = takeAll(PLACE, fields);
  const tag = fields.kind('type', KIND_NAMES);
  const value = takeAll(KINDS[tag], fields);
  return { ...place, kind: { tag, value: KINDS[tag].length === 0 ? null : value } };
}

/**
 * Whether an event is readable only as an erased one: its kind has fields that can be
 * erased, and they are not there.
 * @param {string} line
 */
function isStripped(line) {
  return isReadable(line, true) && !isReadable(line, false);
}

/**
 * @param {string} line
 * @param {boolean} isErased
 */
function isReadable(line, isErased) {
  try {
    const fields = new Fields(line);
    fields.isErased = isErased;
    fields.hex('hash');
    readEvent(fields);
    fields.end();
    return true;
  } catch (error) {
    if (error instanceof FieldError) return false;
    throw error;
  }
}

/**
 * The JSON form of an event, without salt and hash.
 * @param {Event} event
 * @returns {string}
 */
export function writeEvent(event) {
  const to = new ObjectText();
  showAll(PLACE, event, to);
  to.text('type', event.kind.tag);
  showAll(KINDS[event.kind.tag], event.kind.value, to);
  return to.toString();
}

/**
 * The line of an export that a whole event is, without its end.
 * @param {KeptEvent} kept
 * @returns {string}
 */
export function writeKept({ event, salt, hash }) {
  const to = new ObjectText();
  showAll(PLACE, event, to);
  to.text('salt', /** @type {string} */ (salt));
  to.text('hash', hash);
  to.text('type', event.kind.tag);
  showAll(KINDS[event.kind.tag], event.kind.value, to);
  return to.toString();
}

/**
 * Whether two events, or two values in them, are the same.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function isSame(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => isSame(a[key], b[key]));
}
