// Why a node or an execution failed, or stands still, in sentences. A log holds codes and
// their data; texts in those came from the world and stand here as they came.

import { exactSpan } from '../time.js';

/** @typedef {{tag: string, value: any}} Coded */

/**
 * @param {string} what
 * @param {string | null} text
 */
function said(what, text) {
  return text === null ? what : `${what}: ${text}`;
}

/**
 * @param {number} count
 * @param {string} noun
 */
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** @type {{[code: string]: string}} */
const REFUSALS = {
  unknown_workflow:
    'its workflow is not registered in the version that is asked for, or it is written in place and its name, `WORKFLOW/NODE`, is that of another registered text: register what is missing, or give this workflow another id, then fork the execution from before this node',
  too_deep: 'it would be more than 32 levels below its root',
  too_many: 'its root has 100000 descendants, as many as it may have',
};

/**
 * Why a node failed.
 * @param {Coded} failure
 * @returns {string}
 */
export function nodeFailure({ tag, value }) {
  switch (tag) {
    case 'attempt_failed':
      return value;
    case 'timeout':
      return `timed out after ${exactSpan(value)}`;
    case 'lease_expired':
      return 'lease expired: worker presumed dead';
    case 'rejected':
      return said(`rejected by ${value.user_id}`, value.comment);
    case 'approval_timeout':
      return `nobody approved or rejected it within ${exactSpan(value)}`;
    case 'event_timeout':
      return `no external event \`${value.correlation_key}\` within ${exactSpan(value.timeout_ms)}`;
    case 'limit_exceeded':
      return said('limit exceeded', value);
    case 'instances_failed': {
      const rest = value.nodes.length < value.count ? ', …' : '';
      return `${counted(value.count, 'instance')} failed: ${value.nodes.join(', ')}${rest}`;
    }
    case 'not_a_list':
      return 'what it maps over is not a list';
    case 'too_many_items':
      return `what it maps over has ${counted(value, 'element')}, more than it may`;
    case 'too_large':
      return `what the expression at \`${value}\` comes to is too large or too deep`;
    case 'unresolved_expression':
      return `an expression at \`${value}\` comes to null`;
    case 'child_failed':
      return said('its child failed', value);
    case 'child_cancelled':
      return 'its child was cancelled';
    case 'child_refused':
      return `its child cannot be started: ${REFUSALS[value]}`;
    default:
      return `its condition still held after ${value} iterations, the most there may be`;
  }
}

/** @param {any} exhausted */
function exhaustion({ attempts, cause }) {
  return cause.tag === 'lease_expired' ? `exhausted ${attempts} attempts: lease expired` : nodeFailure(cause);
}

/** @param {any} excess */
function budgetExcess({ budget, allowed, spent }) {
  const what = budget === 'tokens' ? 'tokens are used' : 'US dollars are spent';
  return `${spent} ${what}, and the workflow allows ${allowed}`;
}

/**
 * Why a policy stalled an execution.
 * @param {Coded} reason
 * @returns {string}
 */
export function stall({ tag, value }) {
  if (tag === 'budget_exceeded') return `${budgetExcess(value)}, and the workflow asks for a person`;
  return `node \`${value.node_id}\` failed at attempt ${value.attempts} (${exhaustion(value)}), and its policy asks for a person`;
}

/**
 * Why an execution failed.
 * @param {Coded} failure
 * @returns {string}
 */
export function workflowFailure({ tag, value }) {
  switch (tag) {
    case 'nodes_failed':
      return `node(s) failed terminally: ${value.join(', ')}`;
    case 'timeout':
      return `workflow timed out after ${exactSpan(value)}`;
    case 'terminated':
      return said('terminated', value);
    default:
      return budgetExcess(value);
  }
}

/**
 * What went wrong, where an event says that something did. `undefined` if nothing did.
 * @param {Coded} kind
 * @returns {string | undefined}
 */
export function errorOf({ tag, value }) {
  switch (tag) {
    case 'node_failed':
      return value.error;
    case 'lease_expired':
      return nodeFailure({ tag, value: null });
    case 'node_timed_out':
      return nodeFailure({ tag: 'timeout', value: value.timeout_ms });
    case 'node_exhausted':
      return exhaustion(value);
    case 'child_refused':
      return nodeFailure({ tag, value: value.code });
    case 'child_ended':
      return value.error ?? undefined;
    case 'workflow_failed':
      return workflowFailure(value.cause);
    case 'workflow_cancelled':
      return value.reason ?? undefined;
    case 'stalled':
      return stall(value.reason);
    case 'host_stalled':
      return `the scheduler could not go on: ${value.reason}`;
    default:
      return undefined;
  }
}
