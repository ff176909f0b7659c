// Who vouches for what is attested of an erased log, and for heads that were noted elsewhere
// (law 4). Which keys are trusted the auditor's user says, and no log.

import { START } from '../log/event.js';
import { anchoredBytes } from '../log/anchor.js';
import { signedBytes } from '../log/attestation.js';
import { fingerprint } from '../log/signed.js';
import { Finding, between, plain } from './divergence.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/recording.js').Recording} Recording */
/** @typedef {import('../log/anchor.js').Anchor} Anchor */
/** @typedef {import('../log/signed.js').Signatures} Signatures */
/** @typedef {import('../log/signed.js').Signed} Signed */

/**
 * Who vouches for an attestation or an anchor. A key is named by its fingerprint.
 * @typedef {{result: 'unsigned'} | {result: 'untrusted', key: string}
 *   | {result: 'trusted', key: string} | {result: 'bad', key: string}
 *   | {result: 'not_checked', algorithm: string}} SignatureCheck
 */

/**
 * What an anchor says of a log.
 * @typedef {object} AnchorCheck
 * @property {string} place
 * @property {Whole} sequence The event whose hash it names.
 * @property {Whole | null} at
 * @property {boolean} complete Whether that is the log's last event.
 * @property {SignatureCheck} signature
 */

/** Signatures that were checked, and keys whose word is trusted. @typedef {{signatures: Signatures, trusted: Set<string>}} Vouching */

/**
 * What is signed in an attestation, if it is.
 * @param {Recording} recording
 * @returns {Signed[]}
 */
export function signedInLog({ header }) {
  const { erased, execution_id } = header;
  if (erased === null || erased.signature === null) return [];
  return [{ signature: erased.signature, message: signedBytes(erased, execution_id) }];
}

/**
 * What is signed in an anchor, if it is, and by an algorithm that is known here.
 * @param {Anchor} anchor
 * @returns {Signed[]}
 */
export function signedInAnchor(anchor) {
  const { signature } = anchor;
  if (signature === null || !('key' in signature)) return [];
  return [{ signature, message: anchoredBytes(anchor, signature.key) }];
}

/**
 * @param {Signed[]} signed
 * @param {Vouching} vouching
 * @returns {SignatureCheck}
 */
function judged([signed], { signatures, trusted }) {
  if (signed === undefined) return { result: 'unsigned' };
  const holds = signatures.holds(signed);
  if (holds === undefined) return { result: 'not_checked', algorithm: 'ed25519' };
  const { key } = signed.signature;
  const result = !holds ? 'bad' : trusted.has(key) ? 'trusted' : 'untrusted';
  return { result, key: fingerprint(key) };
}

/**
 * Who vouches for what is said of a log's erasure. `null` if it is said to be whole.
 * @param {Recording} recording
 * @param {Vouching} vouching
 * @returns {SignatureCheck | null}
 */
export function checkAttestation(recording, vouching) {
  return recording.header.erased === null ? null : judged(signedInLog(recording), vouching);
}

/**
 * A signature that does not hold is a fault, whichever keys are trusted.
 * @param {SignatureCheck | null} check
 */
export function signatureHolds(check) {
  if (check?.result !== 'bad') return;
  const message = `the attestation in the header, line 1, is not what the key ${check.key} has signed for this execution: it was changed, or it is that of another execution, or its signature was changed`;
  throw new Finding('tampered', plain(0, message));
}

/**
 * @param {Anchor} anchor
 * @param {Vouching} vouching
 * @returns {SignatureCheck}
 */
function checkOne(anchor, vouching) {
  const { signature } = anchor;
  if (signature !== null && !('key' in signature)) return { result: 'not_checked', algorithm: signature.algorithm };
  return judged(signedInAnchor(anchor), vouching);
}

/** One that does not hold is told before all others. */
const TRUST = ['unsigned', 'not_checked', 'untrusted', 'trusted', 'bad'];

/**
 * What the anchors of a log say of it: the first signature that does not hold, else the best
 * of them. `null` if none is of it.
 * @param {Anchor[]} anchors
 * @param {Recording} recording
 * @param {Vouching} vouching
 * @returns {AnchorCheck | null}
 */
export function toldOf(anchors, recording, vouching) {
  const rank = (/** @type {AnchorCheck} */ it) => TRUST.indexOf(it.signature.result);
  /** @type {AnchorCheck | null} */
  let best = null;
  for (const anchor of anchors.filter((it) => it.execution_id === recording.executionId)) {
    const { place, at, head } = anchor;
    const complete = head.sequence === recording.kept.length;
    const told = { place, sequence: head.sequence, at, complete, signature: checkOne(anchor, vouching) };
    // Of several that are as good, the last counts.
    const isBetter =
      best === null || rank(told) > rank(best) || (rank(told) === rank(best) && told.sequence >= best.sequence);
    if (isBetter) best = told;
  }
  return best;
}

/**
 * The log, which is whole in itself, still has its noted heads. One under a signature that
 * does not hold is nobody's word.
 * @param {Anchor[]} anchors
 * @param {Recording} recording
 * @param {Vouching} vouching
 */
export function checkAnchors(anchors, recording, vouching) {
  const { kept, executionId } = recording;
  for (const anchor of anchors.filter((it) => it.execution_id === executionId)) {
    if (checkOne(anchor, vouching).result === 'bad') continue;
    const { sequence, hash } = anchor.head;
    const held = sequence === 0 ? START : kept[Number(sequence) - 1]?.hash;
    if (held === undefined) {
      const ends = kept.length === 0 ? 'the execution is not there at all' : `the log ends with event ${kept.length}`;
      const message = `event ${kept.length + 1} is missing: ${ends}, and its anchored head is event ${sequence}`;
      throw new Finding('tampered', plain(kept.length + 1, message));
    }
    if (held !== hash) {
      const message = `event ${sequence} is another than the anchored head names`;
      throw new Finding('tampered', between(sequence, message, hash, held));
    }
  }
}
