// The export of a log: one header line, the components that it names, then one event a line
// with its salt. It can be audited anywhere.

import { FORMAT, writeKept } from '@refrain/audit/host';
import { unknownExecution } from './errors.js';
import { EVENTS_PAGE_MAX } from './limits.js';

/**
 * The export of an execution's log, as it is stored.
 * @param {import('./store/contract.js').Store} store
 * @param {string} id
 * @param {boolean} withGuest whether the scheduler component goes into it
 * @returns {Promise<string>}
 */
export async function logOf(store, id, withGuest) {
  const record = await store.execution(id);
  if (record === undefined) throw unknownExecution(id);
  const workflow = await store.workflow(record.tenant, record.workflowId, record.workflowVersion);
  const bytes = withGuest ? await store.component(record.guestDigest) : undefined;
  const components = bytes === undefined ? [] : [{ digest: record.guestDigest, bytes }];
  const kept = await Promise.all(components.map(componentLine));
  const lines = [JSON.stringify(headerOf(record, workflow?.text ?? '', components)), ...kept];
  for (let first = 1; first <= record.sequence; first += EVENTS_PAGE_MAX) {
    const page = await store.events(id, first, Math.min(EVENTS_PAGE_MAX, record.sequence - first + 1));
    for (const stored of page) lines.push(writeKept({ ...stored, commitment: null }));
  }
  return `${lines.join('\n')}\n`;
}

/**
 * @param {import('./store/contract.js').ExecutionRecord} record
 * @param {string} workflow
 * @param {{digest: string}[]} components
 */
function headerOf({ id, guestDigest, sequence, head, owed }, workflow, components) {
  return {
    format: FORMAT,
    execution_id: id,
    workflow,
    guest_digest: guestDigest,
    events: sequence,
    head,
    ...(owed ? { owed_a_step: true } : {}),
    ...(components.length > 0 ? { components: components.map(({ digest }) => digest) } : {}),
  };
}

/** @param {{digest: string, bytes: Uint8Array}} component */
async function componentLine({ digest, bytes }) {
  const stream = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)])
    .stream()
    .pipeThrough(new CompressionStream('deflate'));
  const compressed = new Uint8Array(await new Response(stream).arrayBuffer());
  return JSON.stringify({ component: digest, bytes: bytes.length, zlib: base64(compressed) });
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = '';
  for (let from = 0; from < bytes.length; from += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(from, from + 0x8000));
  }
  return btoa(text);
}
