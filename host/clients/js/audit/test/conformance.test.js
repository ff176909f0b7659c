// The conformance kit, where it is expanded: `refrain conformance tests/conformance -o DIR`,
// and REFRAIN_CONFORMANCE names DIR.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { audit, AuditError, Component } from '../src/index.js';

const folder = process.env.REFRAIN_CONFORMANCE;

test('every case of the kit has the verdict that it should', { skip: folder === undefined }, async () => {
  const from = String(folder);
  const read = (/** @type {string} */ path) => new Uint8Array(readFileSync(join(from, path)));
  const components = readdirSync(from).filter((it) => it.endsWith('.wasm')).map((it) => new Component(read(it)));
  /** @type {any[]} */
  const cases = JSON.parse(new TextDecoder().decode(read('expected.json')));
  assert.ok(cases.length > 0);
  const differing = [];
  for (const { name, file, expected } of cases) {
    const found = await said(read(file), components);
    if (!isDeepStrictEqual(found, expected)) differing.push({ name, expected, found });
  }
  assert.deepEqual(differing, []);
});

/** @type {{[verdict: string]: number}} */
const EXITS = { clean: 0, erased: 0, newer: 2 };

/**
 * What is said of a log, as far as all auditors agree on it.
 * @param {Uint8Array} log
 * @param {Component[]} components
 */
async function said(log, components) {
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
