// A store in memory: for tests, and for executions that need not outlive their page.

import { ConflictError, workflowDiffers } from '../errors.js';
import { conflictOf, hasEnded } from './contract.js';

/** @typedef {import('./contract.js').Store} Store */
/** @typedef {import('./contract.js').ExecutionRecord} ExecutionRecord */

/**
 * A store that is gone with its object. An engine that is opened with it after another was
 * closed goes on with what that one left.
 * @implements {Store}
 */
export class MemoryStore {
  name = 'memory';
  /** @type {null} */
  lock = null;
  #version = 0;
  #at = 0;
  /** @type {Map<string, ExecutionRecord>} */
  #executions = new Map();
  /** @type {Map<string, import('./contract.js').StoredEvent[]>} */
  #events = new Map();
  /** @type {Map<string, Map<string, import('./contract.js').ItemRecord>>} */
  #items = new Map();
  /** @type {Map<string, import('./contract.js').WorkflowRecord>} */
  #workflows = new Map();
  /** @type {Map<string, Uint8Array>} */
  #components = new Map();

  async version() {
    return this.#version;
  }

  async load() {
    const executions = [...this.#executions.values()].filter((record) => !hasEnded(record.status));
    /** @type {[string, string, import('./contract.js').ItemRecord][]} */
    const items = executions.flatMap(({ id }) =>
      [...(this.#items.get(id) ?? [])].map(
        ([nodeId, item]) => /** @type {[string, string, import('./contract.js').ItemRecord]} */ ([id, nodeId, item]),
      ),
    );
    return structuredClone({ version: this.#version, at: this.#at, executions, items });
  }

  /** @param {string} id */
  async execution(id) {
    return structuredClone(this.#executions.get(id));
  }

  /** @param {string} id */
  async items(id) {
    return structuredClone([...(this.#items.get(id) ?? [])]);
  }

  /**
   * @param {string} id
   * @param {number} first
   * @param {number} max
   */
  async events(id, first, max) {
    const events = this.#events.get(id) ?? [];
    return structuredClone(events.slice(first - 1, first - 1 + max));
  }

  /** @param {{max: number, after?: string}} options */
  async list({ max, after }) {
    const all = [...this.#executions.values()].sort(lastBegunFirst);
    const from = after === undefined ? 0 : all.findIndex((record) => record.id === after) + 1;
    return structuredClone(all.slice(from, from + max));
  }

  /**
   * @param {string} tenant
   * @param {string} workflowId
   * @param {string} version
   */
  async workflow(tenant, workflowId, version) {
    return structuredClone(this.#workflows.get(keyOf(tenant, workflowId, version)));
  }

  /** @param {string} digest */
  async component(digest) {
    return this.#components.get(digest)?.slice();
  }

  /** @param {import('./contract.js').Turn} turn */
  async commit(turn) {
    if (turn.version !== this.#version) {
      throw new ConflictError(`the store is at version ${this.#version}, and ${turn.version} was read`);
    }
    // All that can fail comes before the first write.
    const { executions, workflows, components } = structuredClone(turn);
    for (const change of executions) {
      const conflict = conflictOf(change, this.#executions.get(change.record.id));
      if (conflict !== undefined) throw new ConflictError(conflict);
    }
    for (const workflow of workflows) this.#mustBeNew(workflow);
    for (const { record, events, items } of executions) {
      this.#executions.set(record.id, record);
      appendTo(this.#events, record.id, events);
      const kept = this.#items.get(record.id) ?? new Map();
      this.#items.set(record.id, kept);
      for (const [nodeId, item] of items) item === null ? kept.delete(nodeId) : kept.set(nodeId, item);
    }
    for (const it of workflows) this.#workflows.set(keyOf(it.tenant, it.workflowId, it.version), it);
    for (const { digest, bytes } of components) this.#components.set(digest, bytes);
    this.#at = Math.max(this.#at, turn.at);
    this.#version += 1;
    return this.#version;
  }

  async close() {}

  /** @param {import('./contract.js').WorkflowRecord} workflow */
  #mustBeNew({ tenant, workflowId, version, text }) {
    const stored = this.#workflows.get(keyOf(tenant, workflowId, version));
    if (stored !== undefined && stored.text !== text) throw workflowDiffers(workflowId, version);
  }
}

/**
 * @template T
 * @param {Map<string, T[]>} lists
 * @param {string} key
 * @param {T[]} more
 */
function appendTo(lists, key, more) {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  for (const one of more) list.push(one);
}

/** @param {string[]} parts */
function keyOf(...parts) {
  return JSON.stringify(parts);
}

/**
 * @param {ExecutionRecord} a
 * @param {ExecutionRecord} b
 */
function lastBegunFirst(a, b) {
  return b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1);
}
