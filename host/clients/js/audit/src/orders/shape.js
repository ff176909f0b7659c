// The shape that the contract gives a workflow's text, read as far as orders depend on it.

import { JsonError, members, stringOf } from '../json/scan.js';

/** A text is of another shape. */
export class ShapeError extends Error {}

/**
 * The members of an object's text, by name.
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function objectOf(text) {
  try {
    return members(text);
  } catch (error) {
    if (error instanceof JsonError) throw new ShapeError(error.message);
    throw error;
  }
}

/**
 * The text of a member; `undefined` if it is missing or null.
 * @param {Map<string, string>} object
 * @param {string} name
 * @returns {string | undefined}
 */
export function optional(object, name) {
  const found = object.get(name);
  return found === 'null' ? undefined : found;
}

/**
 * A member that is a text; `undefined` if it is missing or null.
 * @param {Map<string, string>} object
 * @param {string} name
 * @returns {string | undefined}
 */
export function optionalText(object, name) {
  const found = optional(object, name);
  if (found === undefined) return undefined;
  const text = found.startsWith('"') ? stringOf(found) : undefined;
  if (text === undefined) throw new ShapeError(`\`${name}\` is no string`);
  return text;
}

/**
 * A member that is a number of 32 bits; `undefined` if it is missing or null.
 * @param {Map<string, string>} object
 * @param {string} name
 * @returns {number | undefined}
 */
export function optionalCount(object, name) {
  const found = optional(object, name);
  if (found === undefined) return undefined;
  if (!/^(?:0|[1-9][0-9]{0,9})$/.test(found) || Number(found) > 0xffffffff) {
    throw new ShapeError(`\`${name}\` is no number of 32 bits`);
  }
  return Number(found);
}

/**
 * What `read` makes of a text, unless that is of another shape.
 * @template T
 * @param {() => T} read
 * @returns {T | undefined}
 */
export function ifShaped(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}
