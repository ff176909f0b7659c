// What a log says of its nodes behind any event: their states, attempts and times.
//
// This is a reading of the log, not the scheduler's judgement: it is at hand at once, also
// where no scheduler can be asked.

import { instanceOf } from '../../../clients/js/audit/src/log/id.js';
import { milliseconds } from '../base/time.js';
import { CHANGES, Node } from './node.js';

/** @typedef {import('./standing.js').Event} Event */
/** @typedef {import('./log.js').Log} Log */

/** Events from one mark to the next, at least. */
const EVENTS_BETWEEN_MARKS = 512;

/** Nodes that all marks together may hold. */
const MARKED_NODES_MAX = 400_000;

/**
 * The nodes that the events so far tell of, in the order in which they first do. A node is
 * never changed, another one takes its place: so copies share those that are the same.
 */
export class Nodes {
  /** @param {Map<string, Node>} [byId] */
  constructor(byId = new Map()) {
    this.byId = byId;
  }

  /** @returns {Nodes} */
  copy() {
    return new Nodes(new Map(this.byId));
  }

  /**
   * The node of this id, to be changed. `undefined` if no event has told of it yet.
   * @param {string} id
   * @returns {Node | undefined}
   */
  #renewed(id) {
    const node = this.byId.get(id)?.copy();
    if (node !== undefined) this.byId.set(id, node);
    return node;
  }

  /**
   * Applies the next event. The node whose state it says; `undefined` if it says none.
   * @param {Event} event
   * @param {Record<string, any>} workflow
   * @returns {Node | undefined}
   */
  apply(event, workflow) {
    const at = milliseconds(event.at);
    const id = event.node_id;
    if (event.type === 'execution_forked') this.#beginAnew(at);
    if (typeof id !== 'string') return undefined;
    if (event.type === 'retry_requested') return reopened(this.#renewed(id), at);
    if (event.type === 'child_started') return started(this.#renewed(id), event, workflow, at);
    const change = Object.hasOwn(CHANGES, event.type) ? CHANGES[event.type] : undefined;
    if (change === undefined) return undefined;
    const node = this.#renewed(id) ?? this.#added(id);
    change(node, event, at);
    return node;
  }

  /** @param {string} id */
  #added(id) {
    const node = new Node(id);
    this.byId.set(id, node);
    return node;
  }

  /**
   * A fork begins anew what was under way in its origin.
   * @param {number} at
   */
  #beginAnew(at) {
    for (const { id, state, instances } of [...this.byId.values()]) {
      if (state === 'running') this.#renewed(id)?.enter('scheduled', at);
      else if (state === 'waiting' && instances === undefined) this.#renewed(id)?.enter('ready', at);
    }
  }
}

/**
 * A failed map that is retried waits for its instances again, without a further decision.
 * @param {Node | undefined} node
 * @param {number} at
 */
function reopened(node, at) {
  if (node?.instances === undefined || node.state !== 'failed') return undefined;
  node.enter('waiting', at);
  node.error = undefined;
  return node;
}

/**
 * @param {string} id
 * @param {Record<string, any>} workflow
 */
function isDetached(id, workflow) {
  const map = instanceOf(id)?.node;
  const kind = map === undefined ? workflow.nodes?.[id]?.kind : workflow.nodes?.[map]?.kind?.body;
  return kind?.detached === true;
}

/**
 * A child was started. Nobody waits for the end of one that is detached.
 * @param {Node | undefined} node
 * @param {Event} event
 * @param {Record<string, any>} workflow
 * @param {number} at
 */
function started(node, event, workflow, at) {
  if (node === undefined) return undefined;
  node.child = event.child_id;
  if (isDetached(node.id, workflow) && node.state === 'waiting') node.end('completed', at);
  return node;
}

/** The nodes behind any event of a log: from the nearest mark, the events in between. */
export class NodesAt {
  /** @type {{sequence: number, nodes: Nodes}[]} */
  #marks = [];
  #behind = new Nodes();
  #sequence = 0;
  #every = EVENTS_BETWEEN_MARKS;

  /** @param {Log} log */
  constructor(log) {
    this.log = log;
  }

  /**
   * Takes the next event, while the log is read for the first time.
   * @param {Event} event
   * @param {number} sequence
   * @returns {Node | undefined} The node whose state it says.
   */
  take(event, sequence) {
    const changed = this.#behind.apply(event, this.log.workflow);
    this.#sequence = sequence;
    if (sequence % this.#every === 0) {
      this.#marks.push({ sequence, nodes: this.#behind.copy() });
      this.#thin();
    }
    return changed;
  }

  /** Where the marks hold too much, every other one goes, now and from now on. */
  #thin() {
    const held = this.#marks.reduce((sum, mark) => sum + mark.nodes.byId.size, 0);
    if (held <= MARKED_NODES_MAX || this.#marks.length < 2) return;
    this.#every *= 2;
    this.#marks = this.#marks.filter((mark) => mark.sequence % this.#every === 0);
  }

  /**
   * The nodes behind this event. They are not to be changed, and are others at the next call.
   * @param {number} sequence
   * @returns {Nodes}
   */
  at(sequence) {
    if (sequence < this.#sequence) {
      const mark = this.#marks.findLast((it) => it.sequence <= sequence);
      this.#behind = mark?.nodes.copy() ?? new Nodes();
      this.#sequence = mark?.sequence ?? 0;
    } else {
      const mark = this.#marks.findLast((it) => it.sequence <= sequence);
      if (mark !== undefined && mark.sequence > this.#sequence) {
        this.#behind = mark.nodes.copy();
        this.#sequence = mark.sequence;
      }
    }
    while (this.#sequence < sequence) {
      this.#sequence += 1;
      this.#behind.apply(this.log.event(this.#sequence), this.log.workflow);
    }
    return this.#behind;
  }
}
