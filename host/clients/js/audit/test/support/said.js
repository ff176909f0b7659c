// What an auditor answers to a case of the conformance kit, here and in a page.

import { audit, AuditError } from '../../src/index.js';

/** @type {{[verdict: string]: number}} */
const EXITS = { clean: 0, erased: 0, newer: 2 };

/**
 * What is said of a log, as far as all auditors agree on it.
 * @param {Uint8Array} log
 * @param {import('../../src/index.js').Component[]} components
 */
export async function said(log, components) {
  try {
    const { verdict, divergence, decisions, owed_a_step, signature } = await audit(log, { components });
    return {
      verdict,
      exit: EXITS[verdict] ?? 1,
      sequence: divergence?.sequence ?? null,
      decisions,
      code: divergence?.code ?? null,
      ...(owed_a_step ? { owed_a_step } : {}),
      ...(signature === null ? {} : { signature: signature.result }),
    };
  } catch (error) {
    // A scheduler that the log names is not at hand.
    if (!(error instanceof AuditError)) throw error;
    return { verdict: null, exit: 2, sequence: null, decisions: 0, code: null };
  }
}
