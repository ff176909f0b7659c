// What a live host shares with an auditor: the component runner, the table of events, the
// chain, the rules of orders. `@refrain/engine` is built on it.

export { digest, sha256 } from './sha256.js';
export { hex, utf8, utf8Length } from './bytes.js';
export { quoted } from './text.js';
export { members } from './json/scan.js';
export { FORMAT, FORMAT_VERSION, START, canonicalLength, isSame, linkOf, writeKept } from './log/event.js';
export { KIND_NAMES, authorOf } from './log/form.js';
export { instanceOf, nodeOfRun } from './log/id.js';
export { ComponentError } from './component/cursor.js';
export { Component } from './contract/component.js';
export { Guest, GuestFailure, PortRefusal, Refusal } from './contract/guest.js';
export { workItemDigest } from './orders/digest.js';
export { OrderRules } from './orders/rules.js';
export { partsOf as templateParts } from './orders/templates.js';

/** @typedef {import('./log/event.js').Event} Event */
/** @typedef {import('./log/event.js').Kind} Kind */
/** @typedef {import('./log/event.js').KeptEvent} KeptEvent */

/**
 * A work item, in the contract's shape.
 * @typedef {object} WorkItem
 * @property {string} node_id
 * @property {number} attempt
 * @property {number} max_attempts
 * @property {string} queue
 * @property {string} tenant
 * @property {number} priority
 * @property {import('./bytes.js').Whole} not_before
 * @property {string} payload
 */

/**
 * How things stand after a step, in the contract's shape.
 * @typedef {object} Outcome
 * @property {'running' | 'paused' | 'stalled' | 'completed' | 'failed' | 'cancelled'} status
 * @property {import('./bytes.js').Whole} last_sequence
 * @property {import('./bytes.js').Whole | null} next_wake
 * @property {boolean} more
 * @property {{index: number, code: string, message: string}[]} refused
 * @property {'policy' | 'host' | null} stalled_by
 */
