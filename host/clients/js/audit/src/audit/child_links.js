// Law 11 as far as one log alone shows it: a child's id follows from what its event 1 says
// of its parent, and the ids and workflows of the children that a log names follow from it.

import { CHILD_DEPTH_MAX } from '../limits.js';
import { idOfChild, isId, nodeOfRun } from '../log/id.js';
import { OrderRules } from '../orders/rules.js';
import { digest } from '../sha256.js';
import { quoted } from '../text.js';
import { Finding, between, plain } from './divergence.js';

/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('../log/recording.js').Recording} Recording */

/**
 * Throws what no log of this execution can say of its parent and its children.
 * @param {Recording} recording
 */
export function checkChildLinks(recording) {
  const fault = originFault(recording);
  if (fault !== undefined) throw new Finding('illegal', plain(1, fault));
  checkChildren(recording);
}

/**
 * What is wrong with the origin of a child, if it is one.
 * @param {Recording} recording
 * @returns {string | undefined}
 */
function originFault({ started, executionId }) {
  const named = started?.parent ?? null;
  if (named === null) return undefined;
  if (started.forked_from !== null) {
    return "event 1 names a parent, and the origin of a fork: a fork is nobody's child";
  }
  const { execution_id: parent, node_id, attempt, iteration, root, depth } = named;
  if (!isId(parent) || !isId(root)) return "event 1 names a parent or a root that is no execution's id";
  const derived = idOfChild(parent, node_id, attempt, iteration);
  if (derived !== executionId) {
    return `event 1 names attempt ${attempt} and iteration ${iteration} of node ${quoted(node_id)} of ${parent}, and the child of that is ${derived}`;
  }
  if (depth < 1 || depth > CHILD_DEPTH_MAX) {
    return `event 1 says that the child is ${depth} levels below its root, and there are 1 to ${CHILD_DEPTH_MAX}`;
  }
  if (root !== executionId && (depth === 1) === (root === parent)) return undefined;
  return `event 1 says that the child is ${depth} levels below ${root}, and that its parent is ${parent}: who is one level below its root is its child`;
}

/**
 * The events of a log's own; what stands before them in a fork's is of its origin's children.
 * @param {Recording} recording
 * @returns {Event[]}
 */
function ownEvents({ started, kept }) {
  const common = started?.forked_from?.sequence ?? 0;
  return kept.map(({ event }) => event).filter((event) => event.sequence > common);
}

/**
 * The ids of the children that a log asks for, in its order.
 * @param {Recording} recording
 * @returns {string[]}
 */
export function askedFor(recording) {
  const asking = ownEvents(recording).filter((event) => event.kind.tag === 'child_requested');
  return asking.map(({ kind: { value } }) =>
    idOfChild(recording.executionId, value.node_id, value.attempt, value.iteration),
  );
}

/**
 * Throws at the first child whose id does not follow from this execution and from what it was
 * started for, or whose workflow is not the one that the node has written in place.
 * @param {Recording} recording
 */
function checkChildren(recording) {
  /** The digests of the workflows that nodes have written in place. @type {Map<string, string | undefined>} */
  const inPlace = new Map();
  /** @type {OrderRules | undefined} */
  let rules;
  for (const { sequence, kind } of ownEvents(recording)) {
    if (kind.tag !== 'child_started' && kind.tag !== 'child_ended') continue;
    const { node_id, attempt, iteration, child_id } = kind.value;
    const child = idOfChild(recording.executionId, node_id, attempt, iteration);
    if (child !== child_id) {
      const message = `event ${sequence} names ${child_id} as the child of node ${quoted(node_id)}, and that is another one's id: the child is ${child}`;
      throw new Finding('illegal', plain(sequence, message));
    }
    if (kind.tag === 'child_ended') continue;
    const node = nodeOfRun(node_id);
    if (!inPlace.has(node)) {
      rules ??= new OrderRules(recording.workflow);
      const text = rules.childOf(node_id)?.inPlace ?? undefined;
      inPlace.set(node, text === undefined ? undefined : digest(text));
    }
    const expected = inPlace.get(node);
    if (expected === undefined || expected === kind.value.workflow_digest) continue;
    const message = `event ${sequence} says that the child of node ${quoted(node_id)} is of another workflow text than the one that is written there`;
    throw new Finding('illegal', between(sequence, message, expected, kind.value.workflow_digest));
  }
}
