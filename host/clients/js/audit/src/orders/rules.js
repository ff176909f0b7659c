// The trust boundary of orders: a guest decides *when* a node is worked on, the workflow
// says *what* that work is. What one workflow lets be ordered, prepared once from its text.

import { JsonError, elements, isJson, stringOf } from '../json/scan.js';
import { instanceOf, undoneBy } from '../log/id.js';
import { quoted } from '../text.js';
import { SUBGRAPH, childFault, childRules } from './children.js';
import { LiteralKind } from './literal.js';
import { ShapeError, ifShaped, objectOf, optional, optionalCount, optionalText } from './shape.js';

/** @typedef {import('./children.js').ChildRules} ChildRules */
/** @typedef {import('../log/event.js').Kind} Kind */

/**
 * Work that may be ordered.
 * @typedef {object} WorkRules
 * @property {string} kind Its JSON, verbatim.
 * @property {string | undefined} queue (Rule R5.) `undefined` if the scheduler settles it itself (R6).
 * @property {LiteralKind | undefined} literal Its literal parts, if its texts hold expressions.
 * @property {ChildRules | undefined} child The child that it starts, if it does.
 */

/**
 * What may be ordered of one node.
 * @typedef {object} NodeRules
 * @property {WorkRules} own
 * @property {WorkRules | undefined} body What each of its instances does, if it is a map (R21).
 * @property {WorkRules | undefined} undo What undoes it, or each of its instances (R27).
 * @property {number | undefined} priority
 * @property {number} maxAttempts
 */

/** The kind that runs its body for each element of a list. */
const MAP = 'map';

/** The attempts of a node that names no policy (rule R12). */
const ATTEMPTS_UNNAMED = 3;

/** The queue of each kind that has one of its own (rule R5). @type {Map<string, string>} */
const QUEUES = new Map([
  ['command', 'command'],
  ['http', 'http'],
  ['model', 'model'],
  ['tool', 'tool'],
  ['finalizer', 'tool'],
  ['mcp_tool', 'tool'],
  ['a2a_task', 'tool'],
  ['python_fn', 'python_tool'],
  ['java_fn', 'java_tool'],
  ['memory_retrieval', 'retrieval'],
]);

/** The kinds that the scheduler settles itself (rules R6, R21 and R22). */
const SETTLED = new Set(['parallel', 'wait', 'human_approval', 'limit_exceeded', 'terminate', MAP, SUBGRAPH]);

/**
 * How often a node was ordered, and from where its attempts count.
 * @typedef {{last: number, budgetAfter: number}} Attempts
 */

/** What one workflow lets be ordered. */
export class OrderRules {
  /**
   * What is not of the form that the contract gives a workflow holds no node.
   * @param {string} text
   */
  constructor(text) {
    /** @type {Map<string, NodeRules>} */
    this.nodes = ifShaped(() => nodesOf(text)) ?? new Map();
    /** What this node, or instance, lets be ordered about children. */
    this.childOf = (/** @type {string} */ nodeId) => {
      const node = this.nodes.get(nodeId);
      return node === undefined ? this.bodyOf(nodeId)?.work.child : node.own.child;
    };
  }

  /**
   * @param {string} nodeId
   * @returns {{node: NodeRules, work: WorkRules} | undefined}
   */
  bodyOf(nodeId) {
    const instance = instanceOf(nodeId);
    const node = instance === undefined ? undefined : this.nodes.get(instance.node);
    return node?.body === undefined ? undefined : { node, work: node.body };
  }

  /**
   * The node of a run, and what undoes that run. Of a map, its instances are undone.
   * @param {string} undone
   * @returns {{node: NodeRules, work: WorkRules} | undefined}
   */
  undoOf(undone) {
    const own = this.nodes.get(undone);
    const node = own === undefined ? this.bodyOf(undone)?.node : own.body === undefined ? own : undefined;
    return node?.undo === undefined ? undefined : { node, work: node.undo };
  }

  /**
   * What an item of this node, instance or compensation has to be.
   * @param {string} nodeId
   * @returns {{node: NodeRules, work: WorkRules} | undefined}
   */
  lawful(nodeId) {
    const node = this.nodes.get(nodeId);
    if (node !== undefined) return { node, work: node.own };
    const undone = undoneBy(nodeId);
    return undone === undefined ? this.bodyOf(nodeId) : this.undoOf(undone);
  }

  /**
   * Takes one event of the log, in order, for the nodes that it orders or is asked to retry.
   * @param {Map<string, Attempts>} all
   * @param {Kind} kind
   */
  follow(all, { tag, value }) {
    if (tag === 'retry_requested') {
      const isMap = this.nodes.get(value.node_id)?.body !== undefined;
      for (const [id, attempts] of all) {
        const isOf = id === value.node_id || (isMap && instanceOf(id)?.node === value.node_id);
        if (isOf) attempts.budgetAfter = attempts.last;
      }
    }
    if (tag === 'node_scheduled' || tag === 'retry_scheduled') {
      const attempts = all.get(value.node_id);
      if (attempts === undefined) all.set(value.node_id, { last: value.attempt, budgetAfter: 0 });
      else attempts.last = value.attempt;
    }
  }

  /**
   * Why a child is none that the workflow holds; `undefined` if it is one.
   * @param {any} order
   * @returns {string | undefined}
   */
  childFault(order) {
    return childFault(this.childOf(order.name.node_id), order);
  }

  /**
   * Why an item is none that the workflow holds, as the end of a sentence; `undefined` if it
   * is one. Whose it is, is the caller's to compare.
   * @param {any} item
   * @param {number} priority The execution's.
   * @param {Attempts} before
   * @returns {string | undefined}
   */
  fault(item, priority, before) {
    const found = this.lawful(item.node_id);
    if (found === undefined) return 'is of a node that the workflow does not have';
    const { node, work } = found;
    if (work.queue === undefined) return 'is of a node that the scheduler settles itself, without a worker';
    if (item.queue !== work.queue) {
      return `is for the queue ${quoted(item.queue)}, and the node belongs on ${quoted(work.queue)}`;
    }
    const due = node.priority ?? priority;
    if (item.priority !== due) return `is of priority ${item.priority}, and the node's is ${due}`;
    const next = before.last + 1;
    if (item.attempt !== next) return `should be of attempt ${next}, the next one of the node`;
    const last = before.budgetAfter + node.maxAttempts;
    if (item.max_attempts !== last || item.attempt > last) {
      return `may be tried until attempt ${item.max_attempts}, and the node's retry policy ends at attempt ${last}`;
    }
    return payloadFault(work, item);
  }
}

/**
 * @param {WorkRules} work
 * @param {any} item
 * @returns {string | undefined}
 */
function payloadFault({ kind, literal }, { node_id, payload }) {
  const usual = `{"node_id":${JSON.stringify(node_id)},"kind":${kind},"input":`;
  const isUsual = payload.startsWith(usual) && payload.endsWith('}');
  if (literal === undefined && isUsual && isJson(payload.slice(usual.length, -1))) return undefined;
  /** @type {ReturnType<typeof readPayload>} */
  let read;
  try {
    read = readPayload(payload);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return `has a payload that is not {node_id, kind, input, templates?}: ${error.message}`;
  }
  const isKind = literal === undefined ? read.kind === kind : literal.isIn(read.kind);
  const expected = literal?.forWorker ?? [];
  const areListed = read.templates.length === expected.length && read.templates.every((it, i) => it === expected[i]);
  const differs = (/** @type {string} */ what) => `has a \`${what}\` in its payload that is not the workflow's`;
  if (read.nodeId !== node_id) return differs('node_id');
  if (!isKind) return differs('kind');
  // The worker looks for the member as it is spelt here.
  if (!areListed || (expected.length > 0 && !payload.includes('"templates"'))) return differs('templates');
  return undefined;
}

/** @param {string} payload */
function readPayload(payload) {
  const object = objectOf(payload);
  const other = [...object.keys()].find((name) => !['node_id', 'kind', 'input', 'templates'].includes(name));
  if (other !== undefined) throw new ShapeError(`unknown field \`${other}\``);
  const [nodeId, kind] = [optionalText(object, 'node_id'), object.get('kind')];
  if (nodeId === undefined) throw new ShapeError('missing field `node_id`');
  if (kind === undefined) throw new ShapeError('missing field `kind`');
  if (!object.has('input')) throw new ShapeError('missing field `input`');
  return { nodeId, kind, templates: textsOf(object.get('templates') ?? '[]') };
}

/** @param {string} list */
function textsOf(list) {
  try {
    return elements(list).map((token) => {
      const text = token.startsWith('"') ? stringOf(token) : undefined;
      if (text === undefined) throw new ShapeError('`templates` is no list of strings');
      return text;
    });
  } catch (error) {
    if (error instanceof JsonError) throw new ShapeError(error.message);
    throw error;
  }
}

/**
 * @param {string} text
 * @returns {Map<string, NodeRules>}
 */
function nodesOf(text) {
  const workflow = objectOf(text);
  const policies = new Map();
  for (const [name, policy] of objectOf(optional(workflow, 'retry_policies') ?? '{}')) {
    const attempts = optionalCount(objectOf(policy), 'max_attempts');
    if (attempts === undefined) throw new ShapeError(`policy ${name} has no max_attempts`);
    policies.set(name, attempts);
  }
  const nodes = new Map();
  for (const [id, node] of objectOf(workflow.get('nodes') ?? '')) {
    const rules = nodeRules(objectOf(node), policies);
    if (rules !== undefined) nodes.set(id, rules);
  }
  return nodes;
}

/**
 * @param {Map<string, string>} node
 * @param {Map<string, number>} policies
 * @returns {NodeRules | undefined}
 */
function nodeRules(node, policies) {
  const kind = node.get('kind');
  if (kind === undefined) throw new ShapeError('a node has no kind');
  const [policy, queue] = [optionalText(node, 'retry_policy'), optionalText(node, 'queue')];
  const priority = optionalCount(node, 'priority');
  const compensate = optional(node, 'compensate');
  const own = workRules(kind, queue);
  if (own === undefined) return undefined;
  const body = bodyOf(kind);
  return {
    own: { ...own, child: childRules(kind) },
    body: body === undefined ? undefined : workRules(body, queue, true),
    undo: compensate === undefined ? undefined : workRules(compensate, queue),
    priority,
    maxAttempts: attemptsOf(policy, policies),
  };
}

/**
 * The body of a map.
 * @param {string} kind
 */
function bodyOf(kind) {
  return ifShaped(() => {
    const object = objectOf(kind);
    return optionalText(object, 'type') === MAP ? optional(object, 'body') : undefined;
  });
}

/**
 * Work of a kind. `undefined` if the kind has no name.
 * @param {string} kind
 * @param {string | undefined} own The queue that the node names.
 * @param {boolean} [mayStartChild]
 * @returns {WorkRules | undefined}
 */
function workRules(kind, own, mayStartChild = false) {
  return ifShaped(() => {
    const object = objectOf(kind);
    const name = optionalText(object, 'type');
    if (name === undefined) return undefined;
    const ofKind = queueOf(name, object);
    const queue = ofKind === undefined || name === 'task' ? ofKind : (own ?? ofKind);
    const child = mayStartChild ? childRules(kind) : undefined;
    return { kind, queue, literal: LiteralKind.of(name, kind), child };
  });
}

/**
 * The queue of a kind (rule R5). `undefined` if the scheduler settles it itself (rule R6).
 * @param {string} name
 * @param {Map<string, string>} kind
 */
function queueOf(name, kind) {
  const strategy = optional(kind, 'merge_strategy');
  const isSettled =
    SETTLED.has(name) ||
    (name === 'condition' && /^\[\s*[^\s\]]/.test(optional(kind, 'branches') ?? '')) ||
    // A join that merges by a function of its own has a worker.
    (name === 'join' && !(strategy !== undefined && isCustom(strategy)));
  if (isSettled) return undefined;
  if (name === 'task') return ifShaped(() => optionalText(kind, 'queue'));
  return QUEUES.get(name) ?? 'general';
}

/** @param {string} strategy */
function isCustom(strategy) {
  return ifShaped(() => objectOf(strategy).has('custom')) ?? false;
}

/**
 * The attempts that a policy of this name gives: the workflow's own, else a built-in one.
 * @param {string | undefined} name
 * @param {Map<string, number>} policies
 */
function attemptsOf(name, policies) {
  if (name === undefined) return ATTEMPTS_UNNAMED;
  const builtIn = name === 'no_retry' ? 1 : name === 'io_default' ? 5 : ATTEMPTS_UNNAMED;
  return policies.get(name) ?? builtIn;
}

