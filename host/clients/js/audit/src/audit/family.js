// What the log of a parent says of its children, and what its guest ordered for them.

import { idOfChild } from '../log/id.js';
import { digest } from '../sha256.js';
import { missingUpTo } from './missing.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/recording.js').Recording} Recording */
/** @typedef {import('../log/event.js').Head} Head */

/**
 * What a parent's guest says of its log: the inputs that it ordered, by the events that ask
 * for the children; that it does not decide the same; or that it cannot be asked.
 * @typedef {Map<Whole, string> | 'diverges' | 'unknown'} Asked
 */

/**
 * What a log says of one child.
 * @typedef {object} Told
 * @property {string} node_id
 * @property {number} attempt
 * @property {number} iteration
 * @property {{sequence: Whole, at: Whole}} requested
 * @property {{workflow_id: string, version: string} | null} workflow
 * @property {string | null} input The digest of the input that was ordered, where the guest was asked.
 * @property {{sequence: Whole, at: Whole, workflow_digest: string, guest_digest: string} | null} started
 * @property {Whole | null} refused The event that says that it cannot be started.
 * @property {{sequence: Whole, at: Whole, status: string, head: Head, output: string | null, error: string | null} | null} ended
 */

/**
 * A parent and its children, as its log has them.
 * @typedef {object} Family
 * @property {string} parent
 * @property {any} started Its event 1.
 * @property {boolean} isErased
 * @property {Asked} asked
 * @property {Map<string, Told>} children
 * @property {(to: Whole) => import('./missing.js').Missing | undefined} missingUpTo What is missing of its log up to an event.
 */

/**
 * The digest of a text, if there is one.
 * @param {string | null} text
 * @returns {string | null}
 */
export function digestOf(text) {
  return text === null ? null : digest(text);
}

/**
 * `undefined` if the log does not begin with a start: it is refused for that.
 * @param {Recording} recording
 * @param {Asked} asked
 * @returns {Family | undefined}
 */
export function familyOf(recording, asked) {
  const { started, executionId } = recording;
  if (started === undefined) return undefined;
  /** @type {Map<string, Told>} */
  const children = new Map();
  // What stands before that in a fork's log is of its origin's children.
  const common = started.forked_from?.sequence ?? 0;
  let { guest_digest } = started;
  for (const { event } of recording.kept) {
    const { tag, value } = event.kind;
    if (tag === 'guest_changed') ({ guest_digest } = value);
    if (event.sequence <= common || !tag.startsWith('child_')) continue;
    const child = idOfChild(executionId, value.node_id, value.attempt, value.iteration);
    if (tag === 'child_requested') {
      const input = asked instanceof Map ? (asked.get(event.sequence) ?? null) : null;
      children.set(child, requested(event, input));
    }
    const told = children.get(child);
    if (told !== undefined) tell(told, event, guest_digest);
  }
  return {
    parent: executionId,
    started,
    isErased: recording.isErased,
    asked,
    children,
    missingUpTo: (to) => missingUpTo(recording, to),
  };
}

/**
 * @param {import('../log/event.js').Event} event
 * @param {string | null} input
 * @returns {Told}
 */
function requested({ sequence, at, kind: { value } }, input) {
  const { node_id, attempt, iteration, workflow } = value;
  return {
    node_id,
    attempt,
    iteration,
    requested: { sequence, at },
    workflow,
    input,
    started: null,
    refused: null,
    ended: null,
  };
}

/**
 * @param {Told} told
 * @param {import('../log/event.js').Event} event
 * @param {string} guest_digest The guest that has the parent then.
 */
function tell(told, { sequence, at, kind: { tag, value } }, guest_digest) {
  if (tag === 'child_started') {
    told.started = { sequence, at, workflow_digest: value.workflow_digest, guest_digest };
  } else if (tag === 'child_refused') {
    told.refused = sequence;
  } else if (tag === 'child_ended') {
    told.ended = {
      sequence,
      at,
      status: value.status,
      head: { sequence: value.sequence, hash: value.head },
      output: digestOf(value.output),
      error: digestOf(value.error),
    };
  }
}
