// Heads that were noted elsewhere (law 4): files of anchors, and the documents of the command
// line that name heads.

import { JsonError, skipSpace, skipValue } from '../json/scan.js';
import { readEd25519 } from './attestation.js';
import { FieldError, Fields } from './fields.js';
import { isId } from './id.js';
import { Parts } from './parts.js';
import { fingerprint } from './signed.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('./event.js').Head} Head */
/** @typedef {import('./attestation.js').Signature} Signature */

/**
 * The head of a log at a time, and who vouches for it.
 * @typedef {object} Anchor
 * @property {string} place The document, and the line in it.
 * @property {string} execution_id
 * @property {Head} head
 * @property {Whole | null} at `null` where the document does not say.
 * @property {Signature | {algorithm: string} | null} signature Of Ed25519, or of an algorithm that is not known here.
 */

/** A text holds no heads. */
export class AnchorError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(problem);
    this.name = 'AnchorError';
  }
}

const FORMAT = 'refrain-anchor/1';
const FAMILY = 'refrain-anchor/';

/**
 * The heads in a text: a file of anchors, one a line; a list of executions of the command
 * line, or one of them; or the header of an export, whatever follows it.
 * @param {string} text
 * @param {string} place Names the document in what is found.
 * @returns {Anchor[]}
 */
export function readAnchors(text, place) {
  try {
    return read(text, place);
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    throw new AnchorError(`${place} cannot be used for anchors: ${error.message}`);
  }
}

/**
 * @param {string} text
 * @param {string} place
 * @returns {Anchor[]}
 */
function read(text, place) {
  if (text.startsWith(`{"format":"${FAMILY}`)) return lines(text, place);
  const document = firstObject(text);
  const format = document.left.get('format') ?? '';
  if (format.startsWith(`"${FAMILY}`)) return lines(text, place);
  return noHeads(() => {
    if (document.has('executions')) return document.list('executions', (it) => entry(it, place));
    return [entry(document, place)];
  });
}

/**
 * @template T
 * @param {() => T} read
 * @returns {T}
 */
function noHeads(read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FieldError) && !(error instanceof JsonError)) throw error;
    throw new AnchorError(
      `it holds no heads; give a file of anchors, a list of executions in JSON, one of them, or an exported log: ${error.message}`,
    );
  }
}

/** @param {string} text */
function firstObject(text) {
  return noHeads(() => {
    const start = skipSpace(text, 0);
    if (start === text.length) throw new JsonError('it is empty', 0);
    return new Fields(text.slice(start, skipValue(text, start)));
  });
}

/**
 * A head among other fields.
 * @param {Fields} fields
 * @param {string} place
 * @returns {Anchor}
 */
function entry(fields, place) {
  const execution_id = idOf(fields);
  const head = { sequence: fields.whole('events'), hash: fields.hex('head') };
  fields.leaveRest();
  return { place, execution_id, head, at: null, signature: null };
}

/** @param {Fields} fields */
function idOf(fields) {
  const id = fields.text('execution_id');
  if (isId(id)) return id;
  throw fields.mismatch('execution_id', id, '"exec_" and 32 hexadecimal digits');
}

/**
 * One anchor a line.
 * @param {string} text
 * @param {string} place
 * @returns {Anchor[]}
 */
function lines(text, place) {
  const all = text.split('\n');
  const last = all.pop();
  const anchors = all.map((line, index) => anchorOf(line, index + 1, place));
  if (last !== '') throw lineError(all.length + 1, 'it has no end');
  return anchors;
}

/**
 * @param {number} line
 * @param {string} problem
 */
function lineError(line, problem) {
  return new AnchorError(
    `line ${line} is no anchor: ${problem}; where a write was cut off there, remove the line and note the heads anew; else take the file from where it was kept`,
  );
}

/**
 * @param {string} text
 * @param {number} line
 * @param {string} place
 * @returns {Anchor}
 */
function anchorOf(text, line, place) {
  try {
    const fields = new Fields(text);
    fields.choice('format', [FORMAT]);
    const execution_id = idOf(fields);
    const head = { sequence: fields.whole('sequence'), hash: fields.hex('head') };
    const at = fields.time('at');
    const signature = signatureOf(fields);
    if (head.sequence === 0) throw fields.error('sequence', 'it should be 1 or more: no log is empty');
    fields.end();
    return { place: `${place}, line ${line}`, execution_id, head, at, signature };
  } catch (error) {
    if (error instanceof FieldError) throw lineError(line, error.message);
    throw error;
  }
}

/** @param {Fields} fields */
function signatureOf(fields) {
  if (!fields.isPresent('key_id') && !fields.isPresent('signature')) return null;
  const keyId = fields.text('key_id');
  const signature = fields.record('signature', (inner) => {
    const algorithm = inner.text('algorithm');
    if (algorithm === 'ed25519') return readEd25519(inner);
    inner.leaveRest();
    return { algorithm };
  });
  if ('key' in signature && fingerprint(signature.key) !== keyId) {
    throw fields.error('key_id', `it should be ${fingerprint(signature.key)}, the id of the key in \`signature\``);
  }
  return signature;
}

/**
 * What is signed of an anchor, with this key.
 * @param {Anchor} anchor
 * @param {string} key
 * @returns {Uint8Array}
 */
export function anchoredBytes({ execution_id, head, at }, key) {
  const { to } = new Parts();
  to.text(FORMAT);
  to.text(execution_id);
  to.whole(head.sequence);
  to.hex(head.hash);
  to.whole(at ?? 0);
  to.text(fingerprint(key));
  return to.all;
}
