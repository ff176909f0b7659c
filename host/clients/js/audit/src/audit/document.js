// An audit in JSON, as the command line writes it.

import { ObjectText } from '../log/object.js';
import { rfc3339 } from '../time.js';

/** @typedef {import('../json/value.js').Json} Json */
/** @typedef {import('./audit.js').Audit} Audit */

/**
 * An audit as JSON. What does not apply is left out.
 * @param {Audit} audit
 * @returns {{[key: string]: Json}}
 */
export function auditJson(audit) {
  const { execution_id, verdict, events, head, decisions, divergence, anchor } = audit;
  /** @type {{[key: string]: any}} */
  const optional = {
    owed_a_step: audit.owed_a_step || null,
    forked_from: audit.forked_from,
    child_of: audit.child_of,
    missing: audit.missing.length === 0 ? null : audit.missing,
    erased: audit.erased === null ? null : { spelled: attestationJson(audit.erased) },
    signature: audit.signature,
    anchor: anchor === null ? null : { ...anchor, at: anchor.at === null ? null : (rfc3339(anchor.at) ?? null) },
  };
  const there = Object.entries(optional).filter(([, value]) => value !== null);
  return {
    execution_id,
    verdict,
    events,
    head,
    decisions,
    ...Object.fromEntries(there),
    divergence: /** @type {Json} */ (/** @type {unknown} */ (divergence)),
  };
}

/**
 * The JSON text of an attestation, as exports have it.
 * @param {import('../log/attestation.js').Attestation} attestation
 * @returns {string}
 */
function attestationJson({ at, verdict, guest_digest, head, by, signature }) {
  const to = new ObjectText();
  to.time('at', at);
  to.text('verdict', verdict);
  to.text('guest_digest', guest_digest);
  to.field('events', String(head.sequence));
  to.text('head', head.hash);
  to.text('by', by);
  if (signature !== null) {
    const within = new ObjectText();
    within.text('algorithm', 'ed25519');
    within.text('key', signature.key);
    within.text('bytes', signature.bytes);
    to.field('signature', within.toString());
  }
  return to.toString();
}
