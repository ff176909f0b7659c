// What a guest says in sentences: why it refuses, and what is wrong with a workflow. Errors
// and reports repeat that, so it is made short before anybody does.

import { FAULTS_MAX, FAULT_TEXT_BYTES_MAX, NAME_BYTES_MAX, TEXT_BYTES_MAX } from '../limits.js';
import { shortened } from '../text.js';

/** @typedef {{tag: string, value: any}} SchedulerError */
/** @typedef {{pointer: string, message: string, remedy: string}} Fault */

/** @param {string} text */
const short = (text) => shortened(text, TEXT_BYTES_MAX);

/**
 * The same error, with texts that a line can hold.
 * @param {SchedulerError} error
 * @returns {SchedulerError}
 */
export function shortError({ tag, value }) {
  if (tag === 'illegal') return { tag, value: { ...value, reason: short(value.reason) } };
  if (tag === 'invalid_workflow') return { tag, value: shortFaults(value) };
  if (tag !== 'storage') return { tag, value: short(value) };
  return value.tag === 'conflict' ? { tag, value } : { tag, value: { ...value, value: short(value.value) } };
}

/**
 * The first faults, and how many more there are.
 * @param {Fault[]} faults
 * @returns {Fault[]}
 */
export function shortFaults(faults) {
  const each = (/** @type {string} */ text) => shortened(text, FAULT_TEXT_BYTES_MAX);
  const told = faults.slice(0, FAULTS_MAX).map(({ pointer, message, remedy }) => ({
    pointer: each(pointer),
    message: each(message),
    remedy: each(remedy),
  }));
  const leftOut = faults.length - told.length;
  if (leftOut === 0) return told;
  return [...told, { pointer: '', message: `${leftOut} more faults are left out`, remedy: 'mend these first' }];
}

/**
 * What a guest says of itself, as a line can hold it.
 * @param {{name: string, version: string}} description
 */
export function shortDescription({ name, version }) {
  return { name: shortened(name, NAME_BYTES_MAX), version: shortened(version, NAME_BYTES_MAX) };
}
