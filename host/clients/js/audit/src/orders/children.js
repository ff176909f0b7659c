// What a guest orders about children, held against the workflow and its decisions (rule
// R22).

import { isSame } from '../log/event.js';
import { quoted } from '../text.js';
import { ifShaped, objectOf, optional, optionalCount, optionalText } from './shape.js';

/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('../log/event.js').Kind} Kind */

/** The kind that starts a child. */
export const SUBGRAPH = 'subgraph';

/**
 * What a node, or each instance of a map, lets be ordered about children.
 * @typedef {object} ChildRules
 * @property {{workflow_id: string, version: string} | null} workflow The workflow that it names.
 * @property {string | null} inPlace The workflow's text, where it is written in place.
 * @property {boolean} isDetached Whether nobody waits for the child.
 * @property {number} iterations The most iterations (rule R23).
 */

/**
 * The rules of a kind; `undefined` if it starts no child.
 * @param {string} kind
 * @returns {ChildRules | undefined}
 */
export function childRules(kind) {
  return ifShaped(() => {
    const object = objectOf(kind);
    if (optionalText(object, 'type') !== SUBGRAPH) return undefined;
    const [id, version] = [optionalText(object, 'workflow_id'), optionalText(object, 'version')];
    const inPlace = optional(object, 'body') ?? null;
    const repeat = optional(object, 'repeat');
    const iterations = repeat === undefined ? 1 : optionalCount(objectOf(repeat), 'max');
    const isNamed = id !== undefined && version !== undefined;
    if ((inPlace === null && !isNamed) || iterations === undefined) return undefined;
    const workflow = inPlace === null && isNamed ? { workflow_id: id, version } : null;
    return { workflow, inPlace, isDetached: optional(object, 'detached') === 'true', iterations };
  });
}

/**
 * Why a child is none that the workflow holds; `undefined` if it is one.
 * @param {ChildRules | undefined} rules
 * @param {any} order A `child-order`.
 * @returns {string | undefined}
 */
export function childFault(rules, { name, workflow }) {
  const node = quoted(name.node_id);
  const fault = (/** @type {string} */ text) => `the child of node ${node} ${text}`;
  if (rules === undefined) return fault('is of a node that starts none');
  if (!isSame(workflow, rules.workflow)) return fault("is of another workflow than the node's");
  if (name.iteration < rules.iterations && name.attempt > 0) return undefined;
  return fault(
    `is attempt ${name.attempt} of iteration ${name.iteration}, and the node has attempts from 1, and ${rules.iterations} iterations`,
  );
}

/**
 * What is wrong with the children that were ordered in a step, held against what it decided.
 * @param {Event[]} decisions
 * @param {any[]} orders
 * @returns {string | undefined}
 */
export function unfounded(decisions, orders) {
  const started = orders.filter((order) => order.tag === 'start_child').map((order) => order.value);
  const requested = decisions.filter((event) => event.kind.tag === 'child_requested');
  for (const [place, { kind }] of requested.entries()) {
    const { node_id, attempt, iteration, workflow } = kind.value;
    const order = started[place];
    const isIt = order !== undefined && isSame(order.name, { node_id, attempt, iteration });
    if (!isIt || !isSame(order.workflow, workflow)) {
      return `node ${quoted(node_id)} was decided to have a child, and it was not ordered so`;
    }
  }
  const more = started[requested.length];
  if (more === undefined) return undefined;
  return `a child of node ${quoted(more.name.node_id)} was ordered without a decision`;
}

/** Which child a node has. @typedef {{node_id: string, attempt: number, iteration: number}} ChildName */

/**
 * What an event says of the child of a node: that the node waits for it, that it waits for
 * none, or that no node does. `undefined` if it says nothing of one.
 * @param {Kind} kind
 * @param {(nodeId: string) => ChildRules | undefined} rulesOf
 * @returns {{node: string | null, waitsFor: ChildName | null} | undefined}
 */
export function saidOfChild({ tag, value }, rulesOf) {
  const node = value?.node_id;
  switch (tag) {
    case 'child_requested':
      return { node, waitsFor: nameOf(value) };
    case 'child_started':
      return { node, waitsFor: rulesOf(node)?.isDetached ? null : nameOf(value) };
    case 'child_refused':
    case 'child_ended':
      return { node, waitsFor: null };
    case 'node_cancelled':
    case 'node_timed_out':
    case 'node_exhausted':
      return rulesOf(node) === undefined ? undefined : { node, waitsFor: null };
    case 'execution_forked':
      return { node: null, waitsFor: null };
    default:
      return undefined;
  }
}

/** @param {any} value @returns {ChildName} */
function nameOf({ node_id, attempt, iteration }) {
  return { node_id, attempt, iteration };
}

/** The children that nodes wait for, by node. */
export class Awaited {
  constructor() {
    /** @type {Map<string, ChildName>} */
    this.names = new Map();
  }

  /**
   * Takes in what an event says. Answers the child that was waited for up to it, if that is
   * over.
   * @param {ReturnType<typeof saidOfChild>} said
   * @returns {ChildName | undefined}
   */
  follow(said) {
    if (said === undefined) return undefined;
    if (said.node === null) {
      this.names.clear();
      return undefined;
    }
    const before = this.names.get(said.node);
    if (said.waitsFor !== null) {
      this.names.set(said.node, said.waitsFor);
      return undefined;
    }
    this.names.delete(said.node);
    return before;
  }
}

/** @param {Kind} kind */
function stops({ tag }) {
  return tag === 'node_cancelled' || tag === 'node_timed_out';
}

/**
 * Whether a step stops nodes that may have children, or cancels some: most do not.
 * @param {Kind[]} decisions
 * @param {any[]} orders
 * @param {(nodeId: string) => ChildRules | undefined} rulesOf
 * @returns {boolean}
 */
export function concernsChildren(decisions, orders, rulesOf) {
  const isStopped = decisions.some((kind) => stops(kind) && rulesOf(kind.value.node_id) !== undefined);
  return isStopped || orders.some((order) => order.tag === 'cancel_child');
}

/**
 * What is wrong with what a step cancelled, held against what it stopped. `awaited` is what
 * was waited for before it, and is after it what is waited for then.
 * @param {Awaited} awaited
 * @param {Kind[]} decisions
 * @param {any[]} orders
 * @param {(nodeId: string) => ChildRules | undefined} rulesOf
 * @returns {string | undefined}
 */
export function uncancelled(awaited, decisions, orders, rulesOf) {
  const cancelled = orders.filter((order) => order.tag === 'cancel_child').map((order) => order.value);
  for (const kind of decisions) {
    const name = awaited.follow(saidOfChild(kind, rulesOf));
    if (name === undefined || !stops(kind)) continue;
    const place = cancelled.findIndex((it) => isSame(it, name));
    if (place < 0) {
      return `node ${quoted(name.node_id)} was stopped while it waited for a child, and that was not cancelled`;
    }
    // The last one takes its place.
    const last = cancelled.pop();
    if (place < cancelled.length) cancelled[place] = last;
  }
  if (cancelled.length === 0) return undefined;
  const [{ node_id, attempt, iteration }] = cancelled;
  return `the child of attempt ${attempt} and iteration ${iteration} of node ${quoted(node_id)} was cancelled, and its node was not stopped while it waited for it`;
}
