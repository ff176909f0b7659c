// Where a node is, and why: in codes and data, which the host puts into words.

import { isHeld } from './apply.js';

/** The state of the node at this place in the chain. */
export function stateOf(execution, place) {
  if (place === execution.place) return execution.node;
  return place < execution.place ? 'completed' : 'pending';
}

/** An explanation of the node at this place in the chain. */
export function explained(execution, chain, place) {
  const node = chain.nodes[place];
  const reasons = [...ofNode(execution, chain, place), ...ofAll(execution)];
  return { nodeId: node.id, state: stateOf(execution, place), reasons };
}

function ofNode(execution, chain, place) {
  const { id, queue, attempts } = chain.nodes[place];
  const { attempt, since, notBefore, worker, failure } = execution;
  if (place > execution.place) {
    const before = { nodeId: chain.nodes[place - 1].id, state: stateOf(execution, place - 1) };
    return execution.ended ? [] : [reason('unmet-predecessor', before)];
  }
  const failed = failure && { attempt, maxAttempts: attempts, cause: failure.cause, errorClass: failure.errorClass };
  const remedy = { tag: 'start-worker', val: queue };
  switch (stateOf(execution, place)) {
    case 'scheduled':
      return [reason('waits-for-worker', { attempt, queue, since }, remedy)];
    case 'backing-off':
      return [reason('not-before', notBefore), reason('waits-for-worker', { attempt, queue, since }, remedy)];
    case 'running':
      return [reason('worker-at-work', { attempt, workerId: worker, since })];
    case 'failing':
      return [reason('last-failure', failed)];
    case 'failed':
      return [reason('failed-for-good', failed)];
    case 'cancelled':
      return [reason('was-stopped', 'cancel-requested')];
    case 'pending':
      return isHeld(execution) || execution.ended ? [] : [reason('next-step', 'dispatch')];
    default:
      return [reason('was-completed', { ...execution.completions.get(id), chosenTarget: undefined })];
  }
}

function ofAll({ hostStall, paused, cancel, ended }) {
  if (ended) return [reason('has-ended', ended)];
  const reasons = [];
  if (hostStall) reasons.push(reason('stalled-by-host', hostStall.reason, { tag: 'lift' }));
  if (paused) reasons.push(reason('paused', undefined, { tag: 'unpause' }));
  if (cancel) reasons.push(reason('being-cancelled'));
  return reasons;
}

function reason(tag, val, ...remedies) {
  return { cause: { tag, val }, remedies };
}
