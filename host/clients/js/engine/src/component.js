// The scheduler component that comes with the package.

import { Component, ComponentError } from '@refrain/audit/host';
import { EngineError, said } from './errors.js';

const OWN = new URL('../component/refrain-scheduler.wasm', import.meta.url);

/**
 * The bytes of the package's own component.
 * @returns {Promise<Uint8Array>}
 */
export async function ownComponent() {
  try {
    if (OWN.protocol === 'file:') {
      const { readFile } = await import('node:fs/promises');
      return new Uint8Array(await readFile(OWN));
    }
    const response = await fetch(OWN);
    if (!response.ok) throw new Error(`it was answered with ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (thrown) {
    throw new EngineError(
      'setup_failed',
      `the scheduler component ${OWN} cannot be read: ${said(thrown)}; serve the folder \`component\` of the package, or give the bytes as \`component\``,
    );
  }
}

/**
 * The component of these bytes, compiled.
 * @param {Uint8Array} bytes
 * @returns {Promise<Component>}
 */
export async function componentOf(bytes) {
  try {
    return await Component.load(bytes);
  } catch (thrown) {
    if (!(thrown instanceof ComponentError)) throw thrown;
    throw new EngineError('setup_failed', thrown.message);
  }
}
