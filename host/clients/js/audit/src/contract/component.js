// A scheduler component: bytes that are refused by name, or of which guests can be had.

import { parse } from '../component/binary.js';
import { ComponentError } from '../component/cursor.js';
import { compileAhead } from '../component/instance.js';
import { COMPONENT_BYTES_MAX } from '../limits.js';
import { digest } from '../sha256.js';
import { EXPORT, IMPORTS, VERSION } from './doors.js';
import { Guest } from './guest.js';

/** A scheduler component. */
export class Component {
  /**
   * Reads a component; its core modules are compiled at the first use.
   * @param {Uint8Array} bytes
   */
  constructor(bytes) {
    if (bytes.length > COMPONENT_BYTES_MAX) {
      throw new ComponentError(`the component has ${bytes.length} bytes, and a guest may have ${COMPONENT_BYTES_MAX}`);
    }
    /** The SHA-256 of its bytes. */
    this.digest = digest(bytes);
    this.definitions = parse(bytes);
    this.isChecked = false;
    checkNames(this.definitions);
  }

  /**
   * Reads a component and compiles it, without holding up whatever else is done meanwhile: in
   * the main thread of a browser, nothing else is allowed.
   * @param {Uint8Array} bytes
   * @returns {Promise<Component>}
   */
  static async load(bytes) {
    const component = new Component(bytes);
    await compileAhead(component.definitions);
    return component;
  }

  /**
   * A fresh instance.
   * @returns {Guest}
   */
  instance() {
    const guest = new Guest(this.definitions, !this.isChecked);
    this.isChecked = true;
    return guest;
  }
}

/**
 * Refuses a component by the names of its imports and exports.
 * @param {import('../component/binary.js').Definition[]} definitions
 */
function checkNames(definitions) {
  const named = definitions.flatMap((it) => (it.do === 'import' || it.do === 'export' ? [it] : []));
  const names = named.map((it) => it.name);
  const isGuest = names.includes(EXPORT);
  const other = names.find((name) => name.startsWith('refrain:scheduler/') && !name.endsWith(`@${VERSION}`));
  if (!isGuest && other?.includes('@')) {
    throw new ComponentError(
      `the component was built for version ${other.slice(other.lastIndexOf('@') + 1)} of the contract, and this program speaks ${VERSION}; build it for that, and hand its executions over to a guest of it`,
    );
  }
  const undeclared = named.find((it) => it.do === 'import' && !IMPORTS.includes(it.name));
  if (undeclared !== undefined) {
    throw new ComponentError(
      `the component imports \`${undeclared.name}\`, and a guest may import only refrain:scheduler's types, storage, clock and queue of version ${VERSION}; build it without WASI, for wasm32-unknown-unknown`,
    );
  }
  if (!isGuest) {
    throw new ComponentError(
      `the component does not export \`${EXPORT}\`; build it for the world \`scheduler\` of Refrain's wit/`,
    );
  }
}
