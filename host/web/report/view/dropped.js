// The files that are dropped on the audit page: logs, and what they are held against.

import { AnchorError, readAnchors } from '../../../clients/js/audit/src/log/anchor.js';
import { KeyError, publicKey } from '../../../clients/js/audit/src/log/signed.js';
import { ANCHORS_BYTES_MAX, COMPONENT_BYTES_MAX, KEY_BYTES_MAX } from '../../../clients/js/audit/src/limits.js';
import { grouped } from '../base/time.js';

/** A log, as a report may have it. */
const LOG_BYTES_MAX = 256 * 1024 * 1024;

/** So much of a file tells what it is. */
const BEGINNING_BYTES = 4096;

/** What a key begins with, behind lines of words about it. */
const KEY = /^-----BEGIN /m;

/**
 * @typedef {object} Dropped
 * @property {{name: string, bytes: Uint8Array}[]} logs
 * @property {Uint8Array[]} components Schedulers that the logs may name.
 * @property {{text: string, place: string}[]} anchors Documents in which heads were noted.
 * @property {string[]} trust Public keys whose word is trusted, as PEM.
 */

/** A file cannot be taken, for a reason that its owner can do something about. */
export class Refused extends Error {}

/**
 * What the files hold. Without a log among them they come to those that were dropped before.
 * @param {File[]} files
 * @param {Dropped | undefined} before
 * @returns {Promise<Dropped>}
 */
export async function readDropped(files, before) {
  /** @type {Dropped} */
  const dropped = { logs: [], components: [], anchors: [], trust: [] };
  for (const file of files) await take(file, dropped);
  if (dropped.logs.length > 0) return dropped;
  if (before === undefined) throw new Refused('there is no log among these files: drop one that refrain export wrote, NAME.ndjson');
  return {
    logs: before.logs,
    components: [...before.components, ...dropped.components],
    anchors: [...before.anchors, ...dropped.anchors],
    trust: [...before.trust, ...dropped.trust],
  };
}

/**
 * @param {File} file
 * @param {Dropped} to
 */
async function take(file, to) {
  const { name } = file;
  const beginning = (await file.slice(0, BEGINNING_BYTES).text()).trimStart();
  if (name.endsWith('.wasm')) {
    to.components.push(await bytesOf(file, COMPONENT_BYTES_MAX));
  } else if (KEY.test(beginning)) {
    to.trust.push(keyOf(name, await bytesOf(file, KEY_BYTES_MAX)));
  } else if (beginning.startsWith('{"format":"refrain-anchor/') || name.endsWith('.json')) {
    to.anchors.push(anchorsOf(name, await bytesOf(file, ANCHORS_BYTES_MAX)));
  } else {
    to.logs.push({ name, bytes: await bytesOf(file, LOG_BYTES_MAX) });
  }
}

/**
 * @param {File} file
 * @param {number} bytesMax
 */
async function bytesOf(file, bytesMax) {
  if (file.size > bytesMax) {
    throw new Refused(`${file.name} has ${grouped(file.size)} bytes, and this page takes ${grouped(bytesMax)}; audit it with refrain audit --file, or refrain-audit`);
  }
  return new Uint8Array(await file.arrayBuffer());
}

/**
 * The text of a public key.
 * @param {string} name
 * @param {Uint8Array} bytes
 */
function keyOf(name, bytes) {
  const pem = new TextDecoder().decode(bytes);
  try {
    publicKey(pem);
    return pem;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new Refused(`the key in ${name} cannot be used: ${error.message}`);
  }
}

/**
 * A document with heads.
 * @param {string} name
 * @param {Uint8Array} bytes
 */
function anchorsOf(name, bytes) {
  const text = new TextDecoder().decode(bytes);
  try {
    readAnchors(text, name);
    return { text, place: name };
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    throw new Refused(error.message);
  }
}
