// Texts of callers and workers, checked at the door, and long ones made short enough to be
// kept.

import { quoted, utf8, utf8Length } from '@refrain/audit/host';
import { EngineError } from '../errors.js';
import { LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, TEXT_BYTES_MAX } from '../limits.js';

/**
 * A text within the limits.
 * @param {string} what what it is, for the error
 * @param {unknown} value
 * @returns {string}
 */
export function textOf(what, value) {
  if (typeof value !== 'string') {
    throw new EngineError(
      'invalid_argument',
      `the ${what} is no text, but ${value === null ? 'null' : typeof value}; give a text`,
    );
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw new EngineError(
      'invalid_argument',
      `the ${what} holds half of a character that takes two units; leave it out`,
    );
  }
  const bytes = utf8Length(value);
  if (bytes <= TEXT_BYTES_MAX) return value;
  throw new EngineError('too_long', `the ${what} has ${bytes} bytes, and ${TEXT_BYTES_MAX} are allowed; shorten it`);
}

/**
 * The same, where there may be none.
 * @param {string} what
 * @param {unknown} value
 * @returns {string | null}
 */
export function optionalText(what, value) {
  return value === undefined || value === null ? null : textOf(what, value);
}

/**
 * An argument that has to be an object.
 * @template {object} T
 * @param {string} what what it is, for the error
 * @param {string} like how it is written
 * @param {T} value
 * @returns {T}
 */
export function objectGiven(what, like, value) {
  if (typeof value === 'object' && value !== null) return value;
  const given = value === null ? 'null' : typeof value;
  throw new EngineError('invalid_argument', `${what} is no object, but ${given}; give it as \`${like}\``);
}

/**
 * The labels of a start, as event 1 has them.
 * @param {Record<string, string>} labels
 * @returns {{name: string, value: string}[]}
 */
export function labelsOf(labels) {
  const entries = Object.entries(labels);
  if (entries.length > LABELS_MAX) {
    throw new EngineError(
      'invalid_label',
      `there are ${entries.length} labels, and ${LABELS_MAX} are allowed; leave some out`,
    );
  }
  return entries.map(([name, value]) => {
    const fault = labelFault(name, value);
    if (fault !== undefined) {
      throw new EngineError('invalid_label', `the label ${quoted(shortened(name, 80))}: ${fault}`);
    }
    return { name, value };
  });
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function labelFault(name, value) {
  if (!/^[A-Za-z0-9_./-]+$/.test(name) || name.length > LABEL_NAME_BYTES_MAX) {
    return `a name has 1 to ${LABEL_NAME_BYTES_MAX} letters and digits of ASCII, \`_\`, \`.\`, \`-\` and \`/\`; use these`;
  }
  if (typeof value !== 'string') return `its value is ${typeof value}; give a text`;
  if (/\p{Surrogate}/u.test(value)) return 'its value holds half of a character; leave it out';
  const bytes = utf8Length(value);
  if (bytes > LABEL_VALUE_BYTES_MAX) {
    return `its value has ${bytes} bytes, and ${LABEL_VALUE_BYTES_MAX} are allowed; shorten it, or give it as input`;
  }
  return undefined;
}

/**
 * A text as it is, if it has at most so many bytes; otherwise as much of its beginning as
 * fits together with a mark that counts what is left out. The same text is always shortened
 * alike, so that a repeated answer is recognised.
 * @param {string} text
 * @param {number} bytesMax
 * @returns {string}
 */
export function shortened(text, bytesMax) {
  const bytes = utf8(text);
  if (bytes.length <= bytesMax) return text;
  const room = Math.max(0, bytesMax - utf8Length(mark(bytes.length)));
  let end = room;
  // Bytes within a character begin with the bits 10.
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end)) + mark(bytes.length - end);
}

/** @param {number} leftOut */
function mark(leftOut) {
  return `… (${leftOut} bytes left out)`;
}
