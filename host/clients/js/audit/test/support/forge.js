// Logs that are changed, with the chain made whole again or not.

import { readLog } from '../../src/index.js';
import { Recording } from '../../src/log/recording.js';
import { START, linkOf, writeEvent } from '../../src/log/event.js';
import { goldenLog } from './files.js';

/**
 * A log of its own, which may be changed.
 * @param {Uint8Array} bytes
 * @returns {Recording}
 */
export function opened(bytes) {
  const log = readLog(bytes);
  if (!(log instanceof Recording)) throw new Error(log.message);
  return log;
}

/**
 * Numbers the events anew, and makes the chain whole.
 * @param {Recording} log
 * @returns {Recording}
 */
export function rechained(log) {
  let previous = START;
  log.kept.forEach((kept, place) => {
    kept.event.sequence = place + 1;
    kept.hash = linkOf(previous, kept);
    previous = kept.hash;
  });
  return log;
}

/**
 * The log as an export.
 * @param {Recording} log
 * @param {{[field: string]: unknown}} [fields] Other fields of the header.
 * @returns {string}
 */
export function written({ header, kept }, fields = {}) {
  const { execution_id, workflow, guest_digest, owed_a_step } = header;
  const head = kept[kept.length - 1]?.hash ?? START;
  const owed = owed_a_step ? { owed_a_step } : {};
  const first = { format: 'refrain-log/2', execution_id, workflow, guest_digest, events: kept.length, head, ...owed };
  const lines = kept.map(({ event, hash, salt, commitment }) => {
    const hidden = salt === null ? `"commitment":"${commitment}"` : `"salt":"${salt}"`;
    return `{${hidden},"hash":"${hash}",${writeEvent(event).slice(1)}`;
  });
  return [JSON.stringify({ ...first, ...fields }), ...lines, ''].join('\n');
}

/**
 * A golden log, changed and made whole again.
 * @param {string} name
 * @param {(log: Recording) => void} change
 */
export function forged(name, change) {
  const log = opened(goldenLog(name));
  change(log);
  return written(rechained(log));
}
