// The conformance kit, where it is expanded: `refrain conformance tests/conformance -o DIR`,
// and REFRAIN_CONFORMANCE names DIR.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { Component } from '../src/index.js';
import { saidOfCase } from './support/said.js';

const folder = process.env.REFRAIN_CONFORMANCE;

test('every case of the kit has the verdict that it should', { skip: folder === undefined }, async () => {
  const from = String(folder);
  const read = (/** @type {string} */ path) => new Uint8Array(readFileSync(join(from, path)));
  const components = readdirSync(from).filter((it) => it.endsWith('.wasm')).map((it) => new Component(read(it)));
  /** @type {any[]} */
  const cases = JSON.parse(new TextDecoder().decode(read('expected.json')));
  assert.ok(cases.length > 0);
  assert.ok(cases.some(({ logs }) => logs !== undefined));
  const differing = [];
  for (const given of cases) {
    const answers = await saidOfCase(given, read, components);
    differing.push(...answers.filter(({ found, expected }) => !isDeepStrictEqual(found, expected)));
  }
  assert.deepEqual(differing, []);
});
