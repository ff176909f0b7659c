// State becomes the next decision. Nothing is changed here.

import { IN_FLIGHT, hasToFork, isHeld } from './apply.js';
import { textOf } from './json.js';

/**
 * What follows now.
 * @returns the decision, and the order that it needs, if it needs one; `undefined` if nothing
 *   follows until something happens
 */
export function decide(execution, chain, now) {
  if (execution.ended || execution.hostStall || hasToFork(execution)) return undefined;
  const node = chain.nodes[execution.place];
  const held = isHeld(execution);
  if (execution.cancel) {
    if (IN_FLIGHT.includes(execution.node)) return cancellation(execution, node);
    if (execution.node === 'failing') return exhaustion(execution, node);
    return held ? undefined : ending(execution, 'workflow-cancelled', { reason: execution.cancel.reason });
  }
  switch (execution.node) {
    case 'failing':
      if (!isRetried(execution, node)) return exhaustion(execution, node);
      return held ? undefined : retry(execution, node, now);
    case 'failed':
      return held ? undefined : ending(execution, 'workflow-failed', { cause: { tag: 'nodes-failed', val: [node.id] } });
    case 'pending':
      if (held) return undefined;
      return node ? dispatch(execution, node, now) : ending(execution, 'workflow-completed', {});
    default:
      return undefined;
  }
}

function dispatch(execution, node, now) {
  const kind = { tag: 'node-scheduled', val: { nodeId: node.id, queue: node.queue, attempt: 1 } };
  return { kind, order: item(execution, node, now) };
}

/** Rule R11: the worker says that another attempt may help, and there is one left. */
function isRetried({ attempt, failure }, node) {
  return failure.retryable && attempt < node.attempts;
}

function retry(execution, node, now) {
  const { attempt, failure } = execution;
  // Rule R12, without a policy; the other side may ask for more time.
  let delayMs = 1000n << BigInt(Math.min(attempt, 6));
  if (failure.retryAfter > delayMs) delayMs = failure.retryAfter;
  const kind = { tag: 'retry-scheduled', val: { nodeId: node.id, attempt: attempt + 1, delayMs } };
  return { kind, order: item(execution, node, now + delayMs) };
}

function exhaustion({ attempt, failure }, node) {
  const val = { nodeId: node.id, attempts: attempt, cause: failure.cause };
  return { kind: { tag: 'node-exhausted', val } };
}

function cancellation({ attempt }, node) {
  const kind = { tag: 'node-cancelled', val: { nodeId: node.id, reason: 'cancel-requested' } };
  return { kind, order: { tag: 'cancel', val: { nodeId: node.id, attempt } } };
}

function ending(execution, tag, val) {
  return { kind: { tag, val: { ...val, finalState: textOf(execution.state) } } };
}

/** The work item of a node's next attempt (rule R5). */
function item({ attempt, started, state }, node, notBefore) {
  const input = `{"state":${textOf(state)},"input":${started.initialInput}}`;
  const val = {
    nodeId: node.id,
    attempt: attempt + 1,
    maxAttempts: node.attempts,
    queue: node.queue,
    tenant: started.tenant,
    priority: started.priority,
    notBefore,
    payload: `{"node_id":${JSON.stringify(node.id)},"kind":${node.kind},"input":${input}}`,
  };
  return { tag: 'enqueue', val };
}
