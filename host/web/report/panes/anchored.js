// What heads that were noted elsewhere say of a log, in the words of the command line.

/** @typedef {import('../view/proof.js').Audit} Audit */

/**
 * @param {Audit} audit
 * @param {boolean} isGood Whether its verdict says that all is well.
 * @returns {string | undefined} Nothing, where the verdict is about the log alone.
 */
export function anchored({ anchor, events }, isGood) {
  if (!anchor) return 'No anchor among these files is of this execution.';
  const { place, sequence, complete, signature } = anchor;
  if (signature.result === 'bad') {
    return `${place}: the key ${signature.key} has not signed this anchor: it was changed, or its signature was forged.`;
  }
  if (!isGood) return undefined;
  const at = anchor.at ? ` at ${anchor.at}` : '';
  const event = complete ? `event ${sequence}, its last` : `event ${sequence} of ${events}`;
  switch (signature.result) {
    case 'trusted':
      if (complete) return `Signed and complete: the trusted key ${signature.key} has signed ${event}${at}.`;
      return `Signed up to there: the trusted key ${signature.key} has signed ${event}${at}, and nobody has signed what came later.`;
    case 'untrusted':
      return `Whole: the anchor at ${event}${at} is signed with the key ${signature.key}, which nobody named as trusted; drop the public key of whom you trust, too.`;
    case 'unsigned':
      return `Whole: the anchor at ${event}${at} is not signed.`;
    default:
      return `Whole: the anchor at ${event}${at} is signed with ${signature.algorithm}, which cannot be checked here: signature not checked.`;
  }
}
