// How an execution stands, for people and for pages: by its own scheduler.

import { GuestFailure, Refusal, quoted } from '@refrain/audit/host';
import { EngineError } from './errors.js';

/** @typedef {import('@refrain/audit/host').Guest} Guest */
/** @typedef {import('./execution/ports.js').CallPorts} CallPorts */

/**
 * Why a node is where it is.
 * @typedef {object} NodeExplanation
 * @property {string} nodeId
 * @property {string} state
 * @property {{cause: {tag: string, value: any}, remedies: {tag: string, value: any}[]}[]} reasons
 *   the most telling first
 */

/**
 * @param {Guest} guest
 * @param {CallPorts} ports
 * @param {string} id
 * @param {string} nodeId
 * @returns {NodeExplanation}
 */
export function explained(guest, ports, id, nodeId) {
  const { node_id, state, reasons } = guest.explain(ports, id, nodeId);
  return { nodeId: node_id, state, reasons };
}

/**
 * The whole of an execution.
 * @param {Guest} guest
 * @param {CallPorts} ports
 * @param {import('./execution/staged.js').Staged} staged
 */
export function shown(guest, ports, { record, workflow, items }) {
  const { state } = guest.inspect(ports, record.id);
  const nodeIds = ports.needsLog ? [] : Object.keys(JSON.parse(workflow.text).nodes);
  return {
    id: record.id,
    workflowId: record.workflowId,
    workflowVersion: record.workflowVersion,
    status: record.status,
    isStalledByHost: record.held,
    labels: record.labels,
    events: record.sequence,
    head: record.head,
    guestDigest: record.guestDigest,
    startedAt: record.startedAt,
    lastAt: record.lastAt,
    nextWake: record.nextWake,
    state: JSON.parse(state).state ?? {},
    nodes: nodeIds.map((nodeId) => explained(guest, ports, record.id, nodeId)),
    items: [...items.all()].map(({ item, state, lease }) => ({
      nodeId: item.node_id,
      attempt: item.attempt,
      queue: item.queue,
      state,
      lease,
    })),
  };
}

/**
 * What a caller is told where a question came to nothing.
 * @param {string} id
 * @param {unknown} thrown
 */
export function answerTo(id, thrown) {
  if (thrown instanceof Refusal && thrown.error.tag === 'unknown_node') {
    return new EngineError(
      'unknown_node',
      `execution ${id} has no node ${quoted(thrown.error.value)}; its workflow's text says which nodes it has`,
    );
  }
  if (thrown instanceof Refusal || thrown instanceof GuestFailure) {
    return new EngineError('guest_failed', `the scheduler of ${id} gave no answer: ${thrown.message}`);
  }
  return thrown;
}
