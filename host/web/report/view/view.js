// The place that is looked at: an execution, behind one of its events, and one of its nodes.
// Whoever shows something listens.

/** @typedef {import('./execution.js').Execution} Execution */

export class View {
  /** @type {Set<(changed: {execution: boolean, sequence: boolean, node: boolean}) => void>} */
  #listeners = new Set();

  /** @param {Execution[]} executions */
  constructor(executions) {
    this.executions = executions;
    this.execution = executions[0];
    this.sequence = this.execution.log.count;
    /** The node that is chosen. @type {string | undefined} */
    this.node = undefined;
  }

  /** @param {(changed: {execution: boolean, sequence: boolean, node: boolean}) => void} listener */
  listen(listener) {
    this.#listeners.add(listener);
  }

  get log() {
    return this.execution.log;
  }

  get history() {
    return this.execution.history;
  }

  /** The time behind the event. */
  get at() {
    return this.log.at[this.sequence];
  }

  /** @param {number} sequence */
  go(sequence) {
    this.#change(this.execution, clamped(sequence, this.log.count), this.node);
  }

  /** @param {string | undefined} node */
  choose(node) {
    this.#change(this.execution, this.sequence, node);
  }

  /**
   * @param {Execution} execution
   * @param {number} [sequence] The last, unless one is given.
   * @param {string} [node]
   */
  open(execution, sequence = execution.log.count, node = undefined) {
    this.#change(execution, clamped(sequence, execution.log.count), node);
  }

  /**
   * The execution of this id, if the page has it.
   * @param {string | undefined} id
   * @returns {Execution | undefined}
   */
  known(id) {
    return this.executions.find((it) => it.log.executionId === id);
  }

  /**
   * @param {Execution} execution
   * @param {number} sequence
   * @param {string | undefined} node
   */
  #change(execution, sequence, node) {
    const changed = {
      execution: execution !== this.execution,
      sequence: execution !== this.execution || sequence !== this.sequence,
      node: execution !== this.execution || node !== this.node,
    };
    this.execution = execution;
    this.sequence = sequence;
    this.node = node;
    if (changed.sequence || changed.node) this.#tell(changed);
  }

  /** @param {{execution: boolean, sequence: boolean, node: boolean}} changed */
  #tell(changed) {
    for (const listener of this.#listeners) listener(changed);
  }

  /** Everything is to be shown anew. */
  refresh() {
    this.#tell({ execution: true, sequence: true, node: true });
  }
}

/**
 * @param {number} sequence
 * @param {number} last
 */
function clamped(sequence, last) {
  return Math.min(Math.max(Math.trunc(sequence) || 0, 0), last);
}
