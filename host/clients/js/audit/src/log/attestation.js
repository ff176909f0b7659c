// What is left of an erased log's audit: an attestation (law 4).

import { FORMAT } from './event.js';
import { Parts } from './parts.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('./fields.js').Fields} Fields */
/** @typedef {import('./event.js').Head} Head */

/** @typedef {{key: string, bytes: string}} Signature A public key and its signature, Ed25519, in hexadecimal digits. */

/**
 * @typedef {object} Attestation
 * @property {Whole} at When the log was erased.
 * @property {string} verdict What its audit said just before.
 * @property {string} guest_digest The guest that the execution ended with.
 * @property {Head} head The log's head, which is the same before and after.
 * @property {string} by Who erased it.
 * @property {Signature | null} signature
 */

/**
 * @param {Fields} fields

 * @returns {Attestation}
 */
export function readAttestation(fields) {
  return {
    at: fields.time('at'),
    verdict: fields.choice('verdict', ['clean', 'divergent', 'illegal']),
    guest_digest: fields.hex('guest_digest'),
    head: { sequence: fields.whole('events'), hash: fields.hex('head') },
    by: fields.text('by'),
    signature: fields.isPresent('signature') ? fields.record('signature', readSignature) : null,
  };
}

/**
 * @param {Fields} fields
 * @returns {Signature}
 */
function readSignature(fields) {
  fields.choice('algorithm', ['ed25519']);
  return readEd25519(fields);
}

/**
 * A signature, behind the name of its algorithm.
 * @param {Fields} fields
 * @returns {Signature}
 */
export function readEd25519(fields) {
  const key = fields.hex('key');
  const bytes = fields.text('bytes');
  if (!/^[0-9a-f]{128}$/.test(bytes)) {
    throw fields.error('bytes', 'it should be 128 lower-case hexadecimal digits');
  }
  return { key, bytes };
}

/**
 * What is signed of the attestation of this execution.
 * @param {Attestation} attestation
 * @param {string} execution
 * @returns {Uint8Array}
 */
export function signedBytes(attestation, execution) {
  const { to } = new Parts();
  to.text('refrain-attestation/1');
  to.text(FORMAT);
  to.text(execution);
  to.whole(attestation.at);
  to.text(attestation.verdict);
  to.hex(attestation.guest_digest);
  to.whole(attestation.head.sequence);
  to.hex(attestation.head.hash);
  to.text(attestation.by);
  return to.all;
}
