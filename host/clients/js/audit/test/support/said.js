// What an auditor answers to a case of the conformance kit, here and in a page.

import { audit, auditEach, AuditError } from '../../src/index.js';

/** @typedef {import('../../src/audit/audit.js').Audit} Audit */
/** @typedef {import('../../src/index.js').Component} Component */

/** @type {{[verdict: string]: number}} */
const EXITS = { clean: 0, erased: 0, newer: 2 };

/**
 * What is said of each log of a case, and what should be.
 * @param {any} given A case, as the list of a kit has it: one log, or several that are given together.
 * @param {(file: string) => Uint8Array | Promise<Uint8Array>} read
 * @param {Component[]} components
 * @returns {Promise<{file: string, expected: any, found: any}[]>}
 */
export async function saidOfCase(given, read, components) {
  /** @type {{file: string, expected: any}[]} */
  const logs = given.logs ?? [given];
  const texts = await Promise.all(logs.map(({ file }) => read(file)));
  const answers = given.logs === undefined ? [await alone(texts[0], components)] : await auditEach(texts, { components });
  return logs.map(({ file, expected }, place) => ({ file, expected, found: said(answers[place]) }));
}

/**
 * One log, audited as most people do it.
 * @param {Uint8Array} log
 * @param {Component[]} components
 * @returns {Promise<Audit | AuditError>}
 */
async function alone(log, components) {
  try {
    return await audit(log, { components });
  } catch (error) {
    if (error instanceof AuditError) return error;
    throw error;
  }
}

/**
 * What is said of a log, as far as all auditors agree on it.
 * @param {Audit | AuditError} answer
 */
function said(answer) {
  // A scheduler that the log names is not at hand.
  if (answer instanceof AuditError) return { verdict: null, exit: 2, sequence: null, decisions: 0, code: null };
  const { verdict, divergence, decisions, owed_a_step, signature, missing } = answer;
  const link = (answer.child_of ?? answer.forked_from)?.link ?? 'origin_missing';
  return {
    verdict,
    exit: EXITS[verdict] ?? 1,
    sequence: divergence?.sequence ?? null,
    decisions,
    code: divergence?.code ?? null,
    ...(owed_a_step ? { owed_a_step } : {}),
    ...(signature === null ? {} : { signature: signature.result }),
    ...(link === 'origin_missing' ? {} : { link }),
    ...(missing.length === 0 ? {} : { missing }),
  };
}
