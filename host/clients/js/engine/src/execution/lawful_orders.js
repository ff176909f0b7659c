// A work item that a scheduler orders, held against what the workflow holds. What the
// workflow's rules need to know of the past is read from the node's item; only where an
// operator has given the node a fresh budget of attempts, from the log.

import { quoted } from '@refrain/audit/host';
import { maxAttempts } from '../workflows.js';
import { asksAgain, mapOf } from './effects.js';

/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('@refrain/audit/host').WorkItem} WorkItem */
/** @typedef {import('./staged.js').Staged} Staged */

/** The log is needed to judge an item, and is not at hand. */
export const LOG_NEEDED = 'the log is not at hand; the call is made anew when it is';

/**
 * An item as far as the workflow's rules go: why it is none that the workflow holds, and
 * whether it has a fresh budget because the call offers an operator's request for it. It is
 * lawful then only if the scheduler takes that request.
 * @typedef {{fault: string | undefined, needsOfferedRetry: boolean}} Judged
 */

/**
 * Judges an item by the workflow's rules.
 * @param {WorkItem} item
 * @param {Staged} staged
 * @param {Kind[]} offered
 * @returns {Judged}
 */
export function judgeItem(item, staged, offered) {
  const { record, workflow } = staged;
  const named = `the work item of attempt ${item.attempt} of node ${quoted(item.node_id)}`;
  if (item.tenant !== record.tenant) return { fault: `${named} is not this execution’s`, needsOfferedRetry: false };
  if (!Number.isSafeInteger(item.not_before)) {
    return { fault: `${named} waits for a time that never comes`, needsOfferedRetry: false };
  }
  const isRetryOffered = offered.some((fact) => asksAgain(fact, item.node_id));
  const past = pastOf(item, staged, isRetryOffered);
  if (past === null) return { fault: LOG_NEEDED, needsOfferedRetry: false };
  const fault = workflow.rules.fault(item, record.priority, past.attempts);
  return { fault: fault && `${named} ${fault}`, needsOfferedRetry: past.needsOfferedRetry };
}

/** @typedef {{attempts: {last: number, budgetAfter: number}, needsOfferedRetry: boolean}} Past */

/**
 * What was ordered of the node before; null if the log is needed to tell.
 * @param {WorkItem} item
 * @param {Staged} staged
 * @param {boolean} isRetryOffered
 * @returns {Past | null}
 */
function pastOf(item, staged, isRetryOffered) {
  // Its item stays, as a dead letter, until a further attempt is ordered.
  const before = staged.items.of(item.node_id)?.item;
  if (before !== undefined) {
    const budget = maxAttempts(staged.workflow, item.node_id);
    const attempts = { last: before.attempt, budgetAfter: Math.max(0, before.max_attempts - budget) };
    if (item.max_attempts === before.max_attempts) return { attempts, needsOfferedRetry: false };
    const past = retried(item, staged, isRetryOffered, before.attempt);
    return past === undefined ? { attempts, needsOfferedRetry: false } : past;
  }
  const attempts = { last: 0, budgetAfter: 0 };
  // The item of an instance is taken back as its map fails, and an operator has the map
  // retried.
  if (item.attempt === 1 || mapOf(item.node_id) === undefined) return { attempts, needsOfferedRetry: false };
  if (staged.log === null && staged.expected.sequence > 0) return null;
  const last = lastOf(staged, ({ tag, value }) =>
    isOrder(tag) && value.node_id === item.node_id ? value.attempt : undefined,
  );
  return (last !== undefined && retried(item, staged, isRetryOffered, last)) || { attempts, needsOfferedRetry: false };
}

/**
 * The past of a node that an operator gives a fresh budget; null if the log is needed to
 * tell, undefined if none does.
 * @param {WorkItem} item
 * @param {Staged} staged
 * @param {boolean} isRetryOffered
 * @param {number} last
 * @returns {Past | null | undefined}
 */
function retried(item, staged, isRetryOffered, last) {
  const past = { attempts: { last, budgetAfter: last }, needsOfferedRetry: isRetryOffered };
  if (isRetryOffered) return past;
  if (staged.log === null && staged.expected.sequence > 0) return null;
  const isRetry = lastOf(staged, (kind) => {
    if (asksAgain(kind, item.node_id)) return true;
    return isOrder(kind.tag) && kind.value.node_id === item.node_id ? false : undefined;
  });
  return isRetry ? past : undefined;
}

/** @param {string} tag */
function isOrder(tag) {
  return tag === 'node_scheduled' || tag === 'retry_scheduled';
}

/**
 * What is found last in the log, read from its end.
 * @template T
 * @param {Staged} staged
 * @param {(kind: Kind) => T | undefined} find
 * @returns {T | undefined}
 */
function lastOf(staged, find) {
  for (const events of [staged.events, staged.log ?? []]) {
    for (let place = events.length - 1; place >= 0; place -= 1) {
      const found = find(events[place].event.kind);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
