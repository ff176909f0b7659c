// The log answers instead of the world.
//
// Storage serves the log's first events, the clock reads what the log says, append compares
// instead of writing, and orders are held against the decisions when the call ends. What
// does not compare is noted: whatever the guest makes of a refusal, the note is what counts.

import { isSame } from '../log/event.js';
import { workItemDigest } from '../orders/digest.js';
import { Awaited, concernsChildren, saidOfChild, uncancelled, unfounded } from '../orders/children.js';
import { OrderRules } from '../orders/rules.js';
import { digest } from '../sha256.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('../log/recording.js').Recording} Recording */

/**
 * Something that the guest did, and the log says otherwise.
 * @typedef {{is: 'decision', event: Event}
 *   | {is: 'head', expected: Whole}
 *   | {is: 'order', item: any, digest: string}
 *   | {is: 'child', fault: string}
 *   | {is: 'unlawful', item: any, fault: string}} Mismatch
 */

/**
 * The work item that an event orders.
 * @param {Event} event
 * @returns {{node: string, attempt: number, digest: string} | undefined}
 */
export function orderedBy({ kind: { tag, value } }) {
  if (tag !== 'node_scheduled' && tag !== 'retry_scheduled') return undefined;
  return { node: value.node_id, attempt: value.attempt, digest: value.item_digest };
}

/**
 * An order as a text: the same for the same order, and for no other.
 * @param {{node: string, attempt: number, digest: string}} order
 */
function spelledOrder({ node, attempt, digest }) {
  return `${attempt} ${digest} ${node}`;
}

/** One execution's log, opened as far as it has been replayed. */
export class ReplayPorts {
  /**
   * The log with nothing shown.
   * @param {Recording} recording
   */
  constructor(recording) {
    this.recording = recording;
    /** The guest sees the first so many events. */
    this.shown = 0;
    /** What the clock reads. @type {Whole} */
    this.time = 0;
    /** It saw so many before this call: what lies between, it decided. */
    this.before = 0;
    /** The work items ordered in this call. @type {any[]} */
    this.items = [];
    /** What was ordered about children. @type {any[]} */
    this.children = [];
    /** The items' digests. @type {string[]} */
    this.digests = [];
    /** The first thing that the guest did and the log does not have. @type {Mismatch | null} */
    this.mismatch = null;
    /** What the workflow lets be ordered; prepared at the first order. @type {OrderRules | null} */
    this.prepared = null;
    /** @type {Map<string, import('../orders/rules.js').Attempts>} */
    this.attempts = new Map();
    this.attemptsAt = 0;
    this.awaited = new Awaited();
    this.awaitedAt = 0;
  }

  get rules() {
    this.prepared ??= new OrderRules(this.recording.workflow);
    return this.prepared;
  }

  /**
   * Prepares for one call, with the clock at this time.
   * @param {Whole} time
   */
  begin(time) {
    this.time = time;
    this.before = this.shown;
    this.items = [];
    this.children = [];
    this.digests = [];
    this.mismatch = null;
  }

  /**
   * Shows the guest the first so many events.
   * @param {number} events
   */
  showFirst(events) {
    this.shown = events;
    this.before = events;
  }

  /** The decisions of the last call. @returns {Event[]} */
  get batch() {
    return this.recording.kept.slice(this.before, this.shown).map((kept) => kept.event);
  }

  /** @param {Mismatch} mismatch */
  note(mismatch) {
    // Later ones are its echo.
    this.mismatch ??= mismatch;
    return 'the log says otherwise';
  }

  /** The digests of the inputs of the children that were ordered, with the events that ask for them. */
  inputsOfChildren() {
    const inputs = this.children.filter((order) => order.tag === 'start_child').map((order) => order.value.input);
    const asking = this.batch.filter((event) => event.kind.tag === 'child_requested');
    return asking.slice(0, inputs.length).map((event, place) => ({ sequence: event.sequence, input: digest(inputs[place]) }));
  }

  /**
   * The call has ended, and all that it decided is in the log. Notes the first item that it
   * ordered without such a decision, or that the workflow does not hold.
   */
  checkOrders() {
    const named = new Set(this.batch.map(orderedBy).filter((order) => order !== undefined).map(spelledOrder));
    const seen = new Set();
    const unnamed = this.items.findIndex(({ node_id: node, attempt }, place) => {
      const isRepeated = seen.has(node);
      seen.add(node);
      return isRepeated || !named.has(spelledOrder({ node, attempt, digest: this.digests[place] }));
    });
    if (unnamed >= 0) {
      this.note({ is: 'order', item: this.items[unnamed], digest: this.digests[unnamed] });
      return;
    }
    for (const item of this.items) {
      const fault = this.faultOf(item);
      if (fault !== undefined) this.note({ is: 'unlawful', item, fault });
    }
    this.checkChildren();
  }

  /**
   * Why an item is none that the workflow holds.
   * @param {any} item
   */
  faultOf(item) {
    const { started } = this.recording;
    if (item.tenant !== started.tenant) return "is not this execution's";
    for (; this.attemptsAt < this.before; this.attemptsAt += 1) {
      this.rules.follow(this.attempts, this.recording.kept[this.attemptsAt].event.kind);
    }
    return this.rules.fault(item, started.priority, this.attempts.get(item.node_id) ?? { last: 0, budgetAfter: 0 });
  }

  /**
   * Notes the first order about a child that no decision asks for, or that the workflow does
   * not hold; and the first child that is not cancelled as its node is stopped.
   */
  checkChildren() {
    const { batch, children } = this;
    const concerns = ['child_requested', 'node_cancelled', 'node_timed_out'];
    if (children.length === 0 && !batch.some(({ kind }) => concerns.includes(kind.tag))) return;
    const started = children.filter((order) => order.tag === 'start_child');
    const faults = [
      () => unfounded(batch, children),
      ...started.map((order) => () => this.rules.childFault(order.value)),
      () => this.cancelFault(batch, children),
    ];
    for (const find of faults) {
      const fault = find();
      if (fault === undefined) continue;
      this.note({ is: 'child', fault });
      return;
    }
  }

  /**
   * @param {Event[]} batch
   * @param {any[]} children
   */
  cancelFault(batch, children) {
    const rulesOf = this.rules.childOf;
    const decisions = batch.map((event) => event.kind);
    if (!concernsChildren(decisions, children, rulesOf)) return undefined;
    for (; this.awaitedAt < this.before; this.awaitedAt += 1) {
      this.awaited.follow(saidOfChild(this.recording.kept[this.awaitedAt].event.kind, rulesOf));
    }
    this.awaitedAt = this.shown;
    return uncancelled(this.awaited, decisions, children, rulesOf);
  }

  loadWorkflow() {
    return this.recording.workflow;
  }

  /** Never: an audit trusts the log alone (law 10). */
  loadSnapshot() {
    return null;
  }

  /**
   * Not what the current call has appended: that is not in the log yet.
   * @param {Whole} first
   * @param {number} max
   */
  readEvents(first, max) {
    return this.recording.page(first, max, this.before);
  }

  /**
   * @param {Whole} expected
   * @param {Event[]} events
   */
  appendEvents(expected, events) {
    const refused = (/** @type {any} */ value) => ({ tag: /** @type {'err'} */ ('err'), value });
    if (expected !== this.shown) {
      this.note({ is: 'head', expected });
      return refused({ tag: 'conflict', value: this.shown });
    }
    for (const event of events) {
      const found = this.recording.kept[this.shown]?.event;
      if (!isSame(found, event)) {
        return refused({ tag: 'refused', value: this.note({ is: 'decision', event }) });
      }
      this.shown += 1;
    }
    return { tag: /** @type {'ok'} */ ('ok'), value: null };
  }

  now() {
    return this.time;
  }

  /**
   * @param {any[]} orders
   * @returns {string[]}
   */
  order(orders) {
    const from = this.digests.length;
    for (const order of orders) {
      if (order.tag === 'enqueue') {
        this.digests.push(workItemDigest(order.value));
        this.items.push(order.value);
      } else if (order.tag !== 'cancel') {
        // What else is cancelled follows from the decisions, and those are compared.
        this.children.push(order);
      }
    }
    return this.digests.slice(from);
  }
}
