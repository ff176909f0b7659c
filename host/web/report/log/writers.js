// Which events gave a key of the state its value (rules R10, R21 and R22).

import { nodeOfRun } from '../../../clients/js/audit/src/log/id.js';

/** @typedef {import('./standing.js').Event} Event */

/** Keys whose writers are noted. A state with more says less of each. */
const KEYS_MAX = 20_000;

export class Writers {
  /** The events that wrote each key, in their order. @type {Map<string, number[]>} */
  #events = new Map();

  /**
   * @param {Event} event
   * @param {number} sequence
   * @param {Record<string, any>} workflow
   */
  take(event, sequence, workflow) {
    for (const key of keysOf(event, workflow)) {
      const found = this.#events.get(key);
      if (found !== undefined) found.push(sequence);
      else if (this.#events.size < KEYS_MAX) this.#events.set(key, [sequence]);
    }
  }

  /**
   * The last event up to this one that wrote the key. `undefined` if none did.
   * @param {string} key
   * @param {number} sequence
   * @returns {number | undefined}
   */
  before(key, sequence) {
    return this.#events.get(key)?.findLast((it) => it <= sequence);
  }
}

/**
 * The keys of the state that an event may give a value.
 * @param {Event} event
 * @param {Record<string, any>} workflow
 * @returns {string[]}
 */
function keysOf(event, workflow) {
  const id = event.node_id ?? '';
  // Patches of instances and compensations do not touch the state.
  if (nodeOfRun(id) !== id) return [];
  switch (event.type) {
    case 'node_completed':
    case 'node_settled':
    case 'approval_received':
      return keys(event.state_patch);
    case 'child_ended': {
      if (event.status !== 'completed') return [];
      const kind = workflow.nodes?.[id]?.kind ?? {};
      return kind.merge === true ? keys(event.output) : [String(kind.output_key ?? id)];
    }
    default:
      return [];
  }
}

/** @param {unknown} value */
function keys(value) {
  return value !== null && typeof value === 'object' ? Object.keys(value) : [];
}
