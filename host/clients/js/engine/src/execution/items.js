// The work items of one execution while a turn is open: those that are stored, and on top of
// them what the turn made of each.

/** @typedef {import('../store/contract.js').ItemRecord} ItemRecord */

/** Items by node. */
export class Items {
  #stored;
  /** @type {Map<string, ItemRecord | null>} */
  #changed;

  /**
   * @param {ReadonlyMap<string, ItemRecord>} stored
   * @param {Map<string, ItemRecord | null>} [changed]
   */
  constructor(stored, changed = new Map()) {
    this.#stored = stored;
    this.#changed = changed;
  }

  /**
   * The node's item.
   * @param {string} nodeId
   * @returns {ItemRecord | undefined}
   */
  of(nodeId) {
    const changed = this.#changed.get(nodeId);
    return changed === undefined ? this.#stored.get(nodeId) : (changed ?? undefined);
  }

  /**
   * The node's item becomes this; null: it leaves the queue. What changes last stands last:
   * orders keep their order.
   * @param {string} nodeId
   * @param {ItemRecord | null} record
   */
  set(nodeId, record) {
    this.#changed.delete(nodeId);
    this.#changed.set(nodeId, record);
  }

  /**
   * The claim on the node's item holds until then.
   * @param {string} nodeId
   * @param {number} expiresAt
   */
  leaseUntil(nodeId, expiresAt) {
    const record = this.of(nodeId);
    if (record?.lease) this.#changed.set(nodeId, { ...record, lease: { ...record.lease, expiresAt } });
  }

  /** All items that are there. */
  *all() {
    for (const [nodeId, record] of this.#stored) if (!this.#changed.has(nodeId)) yield record;
    for (const record of this.#changed.values()) if (record !== null) yield record;
  }

  /** What the turn changed. */
  changes() {
    return [...this.#changed];
  }

  /** Whether the turn changed any. */
  haveChanged() {
    return this.#changed.size > 0;
  }

  /** The same items, to be changed apart from these. */
  copy() {
    return new Items(this.#stored, new Map(this.#changed));
  }
}
