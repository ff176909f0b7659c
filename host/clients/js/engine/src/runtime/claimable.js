// The work items that wait for a worker now: by queue and priority, those that wait longest
// first.

import { PRIORITY_MAX } from '../limits.js';

/** @typedef {import('../store/contract.js').ItemRecord} ItemRecord */
/** @typedef {{id: string, nodeId: string}} Place */

/** Waiting items. */
export class Claimable {
  /** By queue, then by priority: a map keeps the order in which they came. @type {Map<string, Map<string, Place>[]>} */
  #queues = new Map();
  /** Where an item stands, by execution and node. @type {Map<string, Map<string, Map<string, Place>>>} */
  #places = new Map();

  /**
   * @param {string} id
   * @param {ItemRecord} record
   */
  add(id, { item }) {
    const { node_id: nodeId, queue, priority } = item;
    if (this.#places.get(id)?.has(nodeId)) return;
    const row = this.#rowsOf(queue)[Math.min(priority, PRIORITY_MAX)];
    row.set(keyOf(id, nodeId), { id, nodeId });
    const nodes = this.#places.get(id) ?? new Map();
    nodes.set(nodeId, row);
    this.#places.set(id, nodes);
  }

  /**
   * @param {string} id
   * @param {string} nodeId
   */
  remove(id, nodeId) {
    const nodes = this.#places.get(id);
    const row = nodes?.get(nodeId);
    if (nodes === undefined || row === undefined) return;
    row.delete(keyOf(id, nodeId));
    nodes.delete(nodeId);
    if (nodes.size === 0) this.#places.delete(id);
  }

  /** @param {string} id */
  removeAll(id) {
    for (const nodeId of [...(this.#places.get(id)?.keys() ?? [])]) this.remove(id, nodeId);
  }

  clear() {
    this.#queues.clear();
    this.#places.clear();
  }

  /** The queues on which something waits. */
  queues() {
    return [...this.#queues].filter(([, rows]) => rows.some((row) => row.size > 0)).map(([queue]) => queue);
  }

  /**
   * What waits on a queue, the most urgent first.
   * @param {string} queue
   * @returns {Iterable<Place>}
   */
  *on(queue) {
    const rows = this.#queues.get(queue) ?? [];
    for (let priority = rows.length - 1; priority >= 0; priority -= 1) yield* rows[priority].values();
  }

  /** @param {string} queue */
  #rowsOf(queue) {
    const rows = this.#queues.get(queue) ?? Array.from({ length: PRIORITY_MAX + 1 }, () => new Map());
    this.#queues.set(queue, rows);
    return rows;
  }
}

/**
 * @param {string} id
 * @param {string} nodeId
 */
function keyOf(id, nodeId) {
  return `${id} ${nodeId}`;
}
