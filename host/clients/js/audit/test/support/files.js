// The files of the repository that the tests look at.

import { readFileSync, readdirSync } from 'node:fs';

import { Component } from '../../src/index.js';
import { bundledComponentBytes } from '../../src/node/component.js';

const ROOT = new URL('../../../../../../', import.meta.url);

/**
 * @param {string} path From the repository's root.
 * @returns {Uint8Array}
 */
export function bytesOf(path) {
  return new Uint8Array(readFileSync(new URL(path, ROOT)));
}

/**
 * The golden logs of every component that has some, with all components that they name.
 * @returns {{name: string, bytes: Uint8Array}[]}
 */
export function goldenLogs() {
  const folders = readdirSync(new URL('tests/golden/', ROOT));
  return folders.flatMap((folder) => {
    const files = readdirSync(new URL(`tests/golden/${folder}/`, ROOT)).filter((it) => it.endsWith('.ndjson'));
    return files.map((file) => ({ name: file, bytes: bytesOf(`tests/golden/${folder}/${file}`) }));
  });
}

/**
 * The golden log of this name.
 * @param {string} name
 * @returns {Uint8Array}
 */
export function goldenLog(name) {
  const log = goldenLogs().find((it) => it.name === `${name}.ndjson`);
  if (log === undefined) throw new Error(`there is no golden log ${name}`);
  return log.bytes;
}

/** The components that golden logs name. @returns {Uint8Array[]} */
export function componentBytes() {
  const folders = readdirSync(new URL('tests/golden/', ROOT));
  const golden = folders.map((folder) => bytesOf(`tests/golden/${folder}/guest.wasm`));
  return [bundledComponentBytes(), bytesOf('tests/guests/divergent.wasm'), ...golden];
}

/** The same, read. @returns {Component[]} */
export function components() {
  return componentBytes().map((bytes) => new Component(bytes));
}
