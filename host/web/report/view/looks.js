// How each node of the picture looks at the place; of nodes within nodes, by the log of the
// child that is known.

import { instanceOf } from '../../../clients/js/audit/src/log/id.js';
import { runsOfLog } from './runs.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./execution.js').Execution} Execution */
/** @typedef {import('./runs.js').Run} Run */
/** @typedef {import('../panes/graph.js').Look} Look */

/** How deep children are looked into. */
const DEPTH_MAX = 32;

/**
 * @param {View} view
 * @param {Map<string, Run>} runs Those of the execution that is looked at.
 * @returns {(way: string) => Look | undefined}
 */
export function looksAt(view, runs) {
  const own = new Looks(view, runs, view.at, 0);
  return (way) => own.of(way.split('/'));
}

/** The nodes of one execution. */
class Looks {
  /** @type {Map<string, {done: number, failed: number}>} */
  #instances = new Map();
  /** @type {Map<string, Looks | undefined>} */
  #children = new Map();

  /**
   * @param {View} view
   * @param {Map<string, Run>} runs
   * @param {number} at
   * @param {number} depth
   */
  constructor(view, runs, at, depth) {
    this.view = view;
    this.runs = runs;
    this.at = at;
    this.depth = depth;
    for (const run of runs.values()) {
      const map = instanceOf(run.id)?.node;
      if (map === undefined) continue;
      const counts = this.#instances.get(map) ?? { done: 0, failed: 0 };
      this.#instances.set(map, counts);
      if (run.state === 'completed' || run.state === 'skipped') counts.done += 1;
      if (run.state === 'failed') counts.failed += 1;
    }
  }

  /**
   * @param {string[]} way
   * @returns {Look | undefined}
   */
  of([id, ...rest]) {
    if (rest.length > 0) return this.#below(id)?.of(rest);
    if (id === 'end') return undefined;
    const run = this.runs.get(id);
    if (run === undefined) return { state: 'pending' };
    return { state: run.state, count: this.#count(run), undo: this.runs.get(`${id}!undo`)?.state };
  }

  /** @param {Run} run */
  #count(run) {
    if (run.instances !== undefined) {
      const { done, failed } = this.#instances.get(run.id) ?? { done: 0, failed: 0 };
      return failed > 0 ? `${done}/${run.instances}, ${failed} failed` : `${done}/${run.instances}`;
    }
    return run.iterations > 1 ? `×${run.iterations}` : undefined;
  }

  /**
   * The nodes of the child of this node. `undefined` if its log is not known.
   * @param {string} id
   * @returns {Looks | undefined}
   */
  #below(id) {
    if (!this.#children.has(id)) this.#children.set(id, this.#child(id));
    return this.#children.get(id);
  }

  /** @param {string} id */
  #child(id) {
    if (this.depth >= DEPTH_MAX) return undefined;
    const run = this.runs.get(id);
    // One that was asked for, and whose log is not at hand, has states all the same.
    if (run === undefined || run.iterations === 0) return new Looks(this.view, new Map(), this.at, this.depth + 1);
    const child = run.child === undefined ? undefined : this.view.known(run.child);
    if (child === undefined) return undefined;
    // Logs of children have numbers of their own: they are shown up to the same time.
    const nodes = child.history.nodes.at(child.history.sequenceAt(this.at));
    return new Looks(this.view, runsOfLog(nodes.byId), this.at, this.depth + 1);
  }
}
