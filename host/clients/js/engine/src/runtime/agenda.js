// When which execution is to be looked at: a heap by time, in which an entry that was
// overtaken is dropped when it comes up. Of those of one time, the first that was set comes
// first.

/** @typedef {{at: number, order: number, id: string}} Entry */

/** Times by execution, the earliest first. */
export class Agenda {
  /** @type {Entry[]} */
  #heap = [];
  /** @type {Map<string, number>} */
  #times = new Map();
  #order = 0;

  /**
   * The execution is to be looked at then; null: not at all.
   * @param {string} id
   * @param {number | null} at
   */
  set(id, at) {
    if (at === null) {
      this.#times.delete(id);
      return;
    }
    if (this.#times.get(id) === at) return;
    this.#times.set(id, at);
    this.#push({ at, order: (this.#order += 1), id });
    // What was overtaken must not fill the heap.
    if (this.#heap.length > 64 + 4 * this.#times.size) this.#rebuild();
  }

  /** The earliest time; Infinity if there is none. */
  next() {
    this.#dropOvertaken();
    return this.#heap[0]?.at ?? Infinity;
  }

  /**
   * Takes those whose time has come off the agenda, the earliest first.
   * @param {number} now
   * @param {number} max
   * @returns {string[]}
   */
  due(now, max) {
    /** @type {string[]} */
    const due = [];
    while (due.length < max && this.next() <= now) {
      const { id } = this.#pop();
      this.#times.delete(id);
      due.push(id);
    }
    return due;
  }

  clear() {
    this.#heap = [];
    this.#times.clear();
  }

  #dropOvertaken() {
    while (this.#heap.length > 0 && this.#times.get(this.#heap[0].id) !== this.#heap[0].at) this.#pop();
  }

  #rebuild() {
    const entries = this.#heap.filter(({ id, at }) => this.#times.get(id) === at);
    this.#heap = [];
    for (const entry of entries) this.#push(entry);
  }

  /** @param {Entry} entry */
  #push(entry) {
    const heap = this.#heap;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (isBefore(heap[parent], entry)) break;
      heap[place] = heap[parent];
      place = parent;
    }
    heap[place] = entry;
  }

  #pop() {
    const heap = this.#heap;
    const first = heap[0];
    const last = /** @type {Entry} */ (heap.pop());
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
      if (isBefore(last, heap[child])) break;
      heap[place] = heap[child];
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

/**
 * @param {Entry} a
 * @param {Entry} b
 */
function isBefore(a, b) {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
