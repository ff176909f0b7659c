// Audits the logs of Refrain's executions: by the very scheduler components that they name,
// in any host for WebAssembly.
//
// The modules, from the bottom up; each uses only what stands above it:
//   bytes, sha256, inflate, time, text, limits
//   json/       JSON texts, looked through without being changed; values of reports
//   component/  components of WebAssembly: their binary form, and how they are run
//   log/        events, their canonical bytes and chain, exports, attestations, anchors
//   contract/   the guest: a component of the contract's world, with its ports
//   orders/     what a workflow lets be ordered
//   render/     a guest's reasons in sentences
//   audit/      the laws, held against a log
//   travel/     the state behind any event, as the guest itself says
//   contained/  all that in a worker, with a deadline

import { utf8 } from './bytes.js';
import { Component } from './contract/guest.js';
import { Auditor } from './audit/audit.js';
import { Guests } from './audit/guests.js';
import { signedInAnchor, signedInLog, checkAttestation } from './audit/vouching.js';
import { readAnchors } from './log/anchor.js';
import { Recording, readRecording } from './log/recording.js';
import { Signatures, publicKey } from './log/signed.js';

export { ComponentError } from './component/binary.js';
export { AuditError } from './audit/divergence.js';
export { auditJson } from './audit/document.js';
export { AnchorError } from './log/anchor.js';
export { KeyError } from './log/signed.js';
export { Recording } from './log/recording.js';
export { Component };

/** @typedef {import('./audit/audit.js').Audit} Audit */
/** @typedef {import('./log/recording.js').Unreadable} Unreadable */

/**
 * What an audit goes by, besides the logs.
 * @typedef {object} AuditOptions
 * @property {(Component | Uint8Array)[]} [components] Scheduler components that the logs may name.
 * @property {Component | Uint8Array} [guest] The component to ask instead of those that the logs name.
 * @property {{text: string, place: string}[]} [anchors] Documents in which heads were noted.
 * @property {string[]} [trust] Public keys whose word is trusted, as PEM.
 * @property {(log: number, done: number, of: number) => void} [onProgress] Is told how many events of which log are behind.
 */

/**
 * Reads a log that `refrain export` wrote: a {@link Recording}, or why it cannot be read.
 * @param {Uint8Array | string} log
 * @returns {Recording | Unreadable}
 */
export function readLog(log) {
  return readRecording(typeof log === 'string' ? utf8(log) : log);
}

/**
 * Audits a log by the components that it names. A fault of the log is the answer, not an
 * error; it throws where the audit cannot be done.
 * @param {Uint8Array | string | Recording} log
 * @param {AuditOptions} [options]
 * @returns {Promise<Audit>}
 */
export async function audit(log, options = {}) {
  const [only] = await auditAll([log], options);
  return only;
}

/**
 * Audits several logs: forks and children among them are compared with those that they come
 * from.
 * @param {(Uint8Array | string | Recording)[]} logs
 * @param {AuditOptions} [options]
 * @returns {Promise<Audit[]>}
 */
export async function auditAll(logs, options = {}) {
  const readings = logs.map((log) => (log instanceof Recording ? log : readLog(log)));
  const recordings = readings.filter((it) => it instanceof Recording);
  const anchors = (options.anchors ?? []).flatMap(({ text, place }) => readAnchors(text, place));
  const signed = [...recordings.flatMap(signedInLog), ...anchors.flatMap(signedInAnchor)];
  const trusted = new Set((options.trust ?? []).map(publicKey));
  const guests = new Guests((options.components ?? []).map(componentOf));
  const other = options.guest === undefined ? null : componentOf(options.guest);
  if (other !== null) guests.add(other);
  let place = 0;
  const auditor = new Auditor({
    guests,
    other: other?.digest ?? null,
    anchors,
    vouching: { signatures: await Signatures.check(signed), trusted },
    origins: recordings.length > 1 ? recordings : [],
    onEvents: (done, of) => options.onProgress?.(place, done, of),
  });
  return readings.map((reading, index) => {
    place = index;
    return auditor.audit(reading);
  });
}

/** @param {Component | Uint8Array} it */
function componentOf(it) {
  return it instanceof Component ? it : new Component(it);
}

/**
 * Who vouches for the attestation of an erased log. `null` if the log is whole.
 * @param {Recording} log
 * @param {string[]} [trust] Public keys whose word is trusted, as PEM.
 * @returns {Promise<import('./audit/vouching.js').SignatureCheck | null>}
 */
export async function verifyAttestation(log, trust = []) {
  const signatures = await Signatures.check(signedInLog(log));
  return checkAttestation(log, { signatures, trusted: new Set(trust.map(publicKey)) });
}
