// Execution ids: `exec_` and 32 hexadecimal digits. That of a child follows from its parent
// and from what it was asked for as.

import { fromHex, hex, utf8 } from '../bytes.js';
import { sha256 } from '../sha256.js';

const PREFIX = 'exec_';
const FORM = /^exec_[0-9a-f]{32}$/;

/**
 * Whether a text is an execution's id.
 * @param {string} text
 * @returns {boolean}
 */
export function isId(text) {
  return FORM.test(text);
}

/**
 * The two numbers that a guest is called with.
 * @param {string} id
 * @returns {{high: bigint, low: bigint}}
 */
export function numbersOf(id) {
  const digits = id.slice(PREFIX.length);
  return { high: BigInt(`0x${digits.slice(0, 16)}`), low: BigInt(`0x${digits.slice(16)}`) };
}

/**
 * Numbers, the most significant byte first.
 * @param {[value: number | bigint, bytes: 4 | 8][]} numbers
 */
function bigEndian(numbers) {
  const digits = numbers.map(([value, bytes]) => value.toString(16).padStart(2 * bytes, '0'));
  return fromHex(digits.join(''));
}

/**
 * The id of the child that a node of an execution asks for: a UUID of version 8 whose
 * first two bytes are the parent's.
 * @param {string} parent
 * @param {string} nodeId
 * @param {number} attempt
 * @param {number} iteration
 * @returns {string}
 */
export function idOfChild(parent, nodeId, attempt, iteration) {
  const above = fromHex(parent.slice(PREFIX.length));
  const node = utf8(nodeId);
  const hash = sha256(
    utf8('refrain: a child\0'),
    above,
    bigEndian([[node.length, 8]]),
    node,
    bigEndian([
      [attempt, 4],
      [iteration, 4],
    ]),
  );
  const bytes = hash.slice(0, 16);
  bytes.set(above.subarray(0, 2));
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return PREFIX + hex(bytes);
}

/**
 * The node and the index in the id of an instance, such as `resize[3]`. `undefined` if it
 * is the id of a node.
 * @param {string} id
 * @returns {{node: string, index: number} | undefined}
 */
export function instanceOf(id) {
  const found = /^([^]+)\[(0|[1-9][0-9]*)\]$/.exec(id);
  if (found === null || Number(found[2]) > 0xffffffff) return undefined;
  return { node: found[1], index: Number(found[2]) };
}

/**
 * The run that a compensation undoes: `charge` of `charge!undo`. `undefined` if it is the
 * id of none.
 * @param {string} id
 * @returns {string | undefined}
 */
export function undoneBy(id) {
  return id.endsWith('!undo') && id.length > 5 ? id.slice(0, -5) : undefined;
}

/**
 * The node that a run is of: an instance's map, the node that is undone, else itself.
 * @param {string} id
 * @returns {string}
 */
export function nodeOfRun(id) {
  const run = undoneBy(id) ?? id;
  return instanceOf(run)?.node ?? run;
}
