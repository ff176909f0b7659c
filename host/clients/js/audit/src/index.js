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
//   audit/      the laws, held against logs
//   travel/     the state behind any event, as the guest itself says
//   contained/  audits in a worker, with a deadline
//   node/       what needs files and threads: the bundled component, the command line

import { checkAttestation, signedInLog } from './audit/vouching.js';
import { Signatures, publicKey } from './log/signed.js';

export { ComponentError } from './component/cursor.js';
export { Component } from './contract/component.js';
export { AnchorError } from './log/anchor.js';
export { KeyError } from './log/signed.js';
export { Recording } from './log/recording.js';
export { audit, auditAll, auditEach, readLog } from './audit/all.js';
export { AuditError } from './audit/divergence.js';
export { auditJson } from './audit/document.js';
export { Travel, TravelError } from './travel/travel.js';
export { auditContained, auditEachContained } from './contained/contained.js';

/**
 * Who vouches for the attestation of an erased log. `null` if the log is whole.
 * @param {import('./log/recording.js').Recording} log
 * @param {string[]} [trust] Public keys whose word is trusted, as PEM.
 * @returns {Promise<import('./audit/vouching.js').SignatureCheck | null>}
 */
export async function verifyAttestation(log, trust = []) {
  const signatures = await Signatures.check(signedInLog(log));
  return checkAttestation(log, { signatures, trusted: new Set(trust.map(publicKey)) });
}
