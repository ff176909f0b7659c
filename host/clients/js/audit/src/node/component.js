// The component that comes with the package, where files can be read (Node, Deno, Bun).

import { readFileSync } from 'node:fs';

import { Component } from '../contract/component.js';

/**
 * The bytes of the scheduler component that this package has, which is Refrain's own.
 * @returns {Uint8Array}
 */
export function bundledComponentBytes() {
  return new Uint8Array(readFileSync(new URL('../../component/refrain-scheduler.wasm', import.meta.url)));
}

/**
 * That component.
 * @returns {Component}
 */
export function bundledComponent() {
  return new Component(bundledComponentBytes());
}
