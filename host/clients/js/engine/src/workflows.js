// Registered workflows, with what a host has to know of them.

import { OrderRules, digest, nodeOfRun, quoted } from '@refrain/audit/host';
import { EngineError } from './errors.js';
import { WORKFLOW_BYTES_MAX } from './limits.js';
import { faultOf } from './values/json_text.js';

/**
 * A workflow that is at hand.
 * @typedef {object} KnownWorkflow
 * @property {string} tenant
 * @property {string} workflowId
 * @property {string} version
 * @property {string} text
 * @property {string} digest the SHA-256 of the text
 * @property {OrderRules} rules what it lets be ordered
 * @property {Map<string, number>} leases how long claims hold, in milliseconds, of nodes that say it
 */

/**
 * What a host has to know of a workflow.
 * @param {import('./store/contract.js').WorkflowRecord} record
 * @returns {KnownWorkflow}
 */
export function known(record) {
  const leases = entriesOf(JSON.parse(record.text)?.nodes).flatMap(([id, node]) => {
    const seconds = node?.lease_secs;
    return typeof seconds === 'number' ? [/** @type {[string, number]} */ ([id, seconds * 1000])] : [];
  });
  return { ...record, digest: digest(record.text), rules: new OrderRules(record.text), leases: new Map(leases) };
}

/**
 * How many attempts the policy of a node, or of a run of it, gives; 0: there is no such
 * node.
 * @param {KnownWorkflow} workflow
 * @param {string} nodeId
 * @returns {number}
 */
export function maxAttempts({ rules }, nodeId) {
  return rules.nodes.get(nodeOfRun(nodeId))?.maxAttempts ?? 0;
}

/**
 * How long a claim of the items of this node, or run, holds; undefined if the workflow does
 * not say it.
 * @param {KnownWorkflow} workflow
 * @param {string} nodeId
 * @returns {number | undefined}
 */
export function leaseMs({ leases }, nodeId) {
  return leases.get(nodeOfRun(nodeId));
}

/** Workflows that executions are of. */
export class Workflows {
  #store;
  /** @type {Map<string, KnownWorkflow>} */
  #known = new Map();
  #bytes = 0;

  /** @param {import('./store/contract.js').Store} store */
  constructor(store) {
    this.#store = store;
  }

  /**
   * A registered workflow; undefined if there is none.
   * @param {string} tenant
   * @param {string} workflowId
   * @param {string} version
   * @returns {Promise<KnownWorkflow | undefined>}
   */
  async get(tenant, workflowId, version) {
    const key = JSON.stringify([tenant, workflowId, version]);
    const found = this.#known.get(key);
    if (found !== undefined) return found;
    const record = await this.#store.workflow(tenant, workflowId, version);
    if (record === undefined) return undefined;
    // They are quickly made anew, so that no order of use is kept.
    if (this.#bytes + record.text.length > WORKFLOW_BYTES_MAX) {
      this.#known.clear();
      this.#bytes = 0;
    }
    const workflow = known(record);
    this.#known.set(key, workflow);
    this.#bytes += record.text.length;
    return workflow;
  }
}

/**
 * The text of a workflow: as it is, or as JSON of a value.
 * @param {unknown} workflow
 * @returns {string}
 */
export function workflowText(workflow) {
  const text = typeof workflow === 'string' ? workflow : JSON.stringify(workflow);
  if (typeof text !== 'string') {
    throw new EngineError('invalid_json', 'the workflow is nothing; give its JSON, as text or as an object');
  }
  const fault = faultOf(text, WORKFLOW_BYTES_MAX);
  if (fault !== undefined) throw new EngineError('invalid_json', `the workflow: ${fault}`);
  return text;
}

/**
 * Refuses a workflow that starts children, which this host does not have.
 * @param {string} text
 */
export function refuseChildren(text) {
  const place = kindsOf(text).find(({ kind }) => kind.type === 'subgraph')?.pointer;
  if (place === undefined) return;
  throw new EngineError(
    'unsupported',
    `at ${place}: this host runs no children, and a \`subgraph\` starts one; run the workflow with \`refrain run\`, or write the child's nodes into it`,
    { pointer: place },
  );
}

/** The kinds whose work other hosts do by themselves: who names one expects that. */
const BUILT_IN = ['command', 'http'];

/**
 * Refuses a workflow with nodes of built-in kinds for which nobody works here (law 9).
 * @param {string} text
 * @param {(queue: string) => boolean} hasWorker
 */
export function refuseWithoutWorker(text, hasWorker) {
  const missing = kindsOf(text).find(
    ({ kind, queue }) => BUILT_IN.includes(String(kind.type)) && !hasWorker(queue ?? String(kind.type)),
  );
  if (missing === undefined) return;
  const queue = missing.queue ?? String(missing.kind.type);
  const remedy =
    missing.kind.type === 'http'
      ? 'give `httpWorker()`, or a worker of your own'
      : 'a page runs no programs; give a worker of your own';
  throw new EngineError(
    'no_worker',
    `at ${missing.pointer}: nothing here works on the queue ${quoted(queue)}, where a \`${missing.kind.type}\` waits; ${remedy}, for this queue when the engine is opened`,
    { pointer: missing.pointer, queue },
  );
}

/**
 * The kinds that a workflow holds: of nodes, of the bodies of maps, of compensations; with
 * the queue that the node names.
 * @param {string} text
 * @returns {{pointer: string, kind: Record<string, unknown>, queue: string | undefined}[]}
 */
function kindsOf(text) {
  const { nodes } = JSON.parse(text) ?? {};
  return entriesOf(nodes).flatMap(([id, node]) => {
    const at = `/nodes/${id.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    const queue = typeof node?.queue === 'string' ? node.queue : undefined;
    const kinds = [
      { pointer: `${at}/kind`, kind: node?.kind },
      { pointer: `${at}/kind/body`, kind: node?.kind?.body },
      { pointer: `${at}/compensate`, kind: node?.compensate },
    ];
    return kinds.filter(({ kind }) => typeof kind === 'object' && kind !== null).map((found) => ({ ...found, queue }));
  });
}

/**
 * @param {unknown} object
 * @returns {[string, any][]}
 */
function entriesOf(object) {
  return typeof object === 'object' && object !== null ? Object.entries(object) : [];
}
