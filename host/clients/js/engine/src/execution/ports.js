// The world as a scheduler sees it in one call about one execution: reads see what is stored
// and what the turn has staged; orders are checked and kept. Nothing here is written, and a
// call that fails leaves nothing: what it ordered is dropped with it.

import { PortRefusal, authorOf, canonicalLength, quoted, workItemDigest } from '@refrain/audit/host';
import { DECISIONS_PER_STEP_MAX, EVENT_BYTES_MAX, EVENTS_PAGE_BYTES_MAX, EVENTS_PAGE_MAX } from '../limits.js';
import { endingOf } from './effects.js';
import { LOG_NEEDED, judgeItem } from './lawful_orders.js';
import { payloadBytes } from './payload_bytes.js';

/** @typedef {import('@refrain/audit/host').Event} Event */
/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('@refrain/audit/host').WorkItem} WorkItem */
/** @typedef {import('./staged.js').Staged} Staged */

/** The ports of one call. */
export class CallPorts {
  /** What the scheduler decided, numbered and stamped. @type {Event[]} */
  decisions = [];
  /** The sequence that it took for the last, the facts that it took included. @type {number | null} */
  appendedAfter = null;
  /** The items that it ordered, with their digests. @type {{item: WorkItem, digest: string}[]} */
  ordered = [];
  /** The items that it took back. @type {{node_id: string, attempt: number}[]} */
  cancelled = [];
  /** Nodes that were ordered as if an operator's request that this call offers were taken. @type {string[]} */
  retried = [];
  /** What was wrong with the first order that is none of the workflow's. @type {string | null} */
  refused = null;
  /** Whether the stored log is needed, and is not at hand. */
  needsLog = false;

  /**
   * @param {Staged} staged
   * @param {number} now the clock reading of the call
   * @param {Kind[] | null} offered the facts that it offers, if it is a step; no other call
   *   may append or order
   */
  constructor(staged, now, offered) {
    this.staged = staged;
    this.clock = now;
    this.offered = offered;
  }

  now() {
    return this.clock;
  }

  loadWorkflow() {
    return this.staged.workflow.text;
  }

  /** This host keeps no snapshots: the log is read instead. */
  loadSnapshot() {
    return null;
  }

  /**
   * @param {number | bigint} first
   * @param {number} max
   * @returns {Event[]}
   */
  readEvents(first, max) {
    const { staged } = this;
    const from = Math.max(1, Number(first));
    const isStored = from <= staged.expected.sequence;
    if (isStored && staged.log === null) {
      this.needsLog = true;
      throw new PortRefusal({ tag: 'failed', value: LOG_NEEDED });
    }
    const before = isStored ? from - 1 : from - 1 - staged.expected.sequence;
    const events = isStored ? /** @type {import('./staged.js').StoredEvent[]} */ (staged.log) : staged.events;
    return pageOf(events, before, Math.min(max, EVENTS_PAGE_MAX));
  }

  /**
   * @param {number | bigint} expected
   * @param {Event[]} events
   * @returns {{tag: 'ok' | 'err', value: any}}
   */
  appendEvents(expected, events) {
    const last = this.staged.record.sequence;
    const first = this.appendedAfter;
    const next = first === null ? last : first + this.decisions.length;
    // Which facts it took shows when the call ends.
    const spare = first === null ? (this.offered?.length ?? 0) : 0;
    if (expected < next || expected > next + spare) return { tag: 'err', value: { tag: 'conflict', value: next } };
    const fault = this.#decisionsFault(Number(expected), events);
    if (fault !== undefined) {
      this.refused ??= fault;
      return { tag: 'err', value: { tag: 'refused', value: fault } };
    }
    this.appendedAfter ??= Number(expected);
    this.decisions.push(...events);
    return { tag: 'ok', value: null };
  }

  /**
   * @param {{tag: string, value: any}[]} orders
   * @returns {string[]} the digests of the items, in their order
   */
  order(orders) {
    for (const order of orders) {
      const fault = this.#orderFault(order);
      if (fault === undefined) continue;
      if (fault === LOG_NEEDED) this.needsLog = true;
      this.refused ??= fault;
      throw new PortRefusal(fault);
    }
    const items = orders.flatMap(({ tag, value }) =>
      tag === 'enqueue' ? [{ item: value, digest: workItemDigest(value) }] : [],
    );
    this.ordered.push(...items);
    for (const order of orders) if (order.tag === 'cancel') this.cancelled.push(order.value);
    return items.map(({ digest }) => digest);
  }

  /**
   * @param {number} expected
   * @param {Event[]} events
   * @returns {string | undefined}
   */
  #decisionsFault(expected, events) {
    if (this.offered === null) return 'decisions are taken in a step, and this call is none';
    if (this.decisions.length + events.length > DECISIONS_PER_STEP_MAX) {
      return `one step may append ${DECISIONS_PER_STEP_MAX} decisions at most`;
    }
    let last = (this.decisions.at(-1) ?? this.staged.lastEvent())?.kind;
    for (const [place, event] of events.entries()) {
      const fault = this.#decisionFault(expected + place + 1, event, last);
      if (fault !== undefined) return `the decision meant as event ${expected + place + 1} ${fault}`;
      last = event.kind;
    }
    return undefined;
  }

  /**
   * @param {number} sequence
   * @param {Event} event
   * @param {Kind | undefined} before
   */
  #decisionFault(sequence, event, before) {
    if (endingOf(before) !== undefined) return 'follows a terminal event';
    if (event.sequence !== sequence) return 'is not numbered as the log’s next';
    if (event.at !== this.clock) return 'is not stamped with the turn’s clock reading';
    if (event.origin !== 'decision') return 'claims to be a fact, and a scheduler only decides';
    if (authorOf(event.kind.tag) !== 'decision') return 'is of a kind that only the world can report';
    const bytes = canonicalLength(event);
    return bytes > EVENT_BYTES_MAX ? `has ${bytes} bytes, and ${EVENT_BYTES_MAX} are allowed` : undefined;
  }

  /** @param {{tag: string, value: any}} order */
  #orderFault({ tag, value }) {
    if (this.offered === null) return 'work is ordered in a step, and this call is none';
    if (tag === 'start_child' || tag === 'cancel_child') {
      return `something is ordered of the child of node ${quoted((value.name ?? value).node_id)}, and this host has no children`;
    }
    if (tag !== 'enqueue') return undefined;
    const { fault, needsOfferedRetry } = judgeItem(value, this.staged, this.offered);
    if (fault === undefined && needsOfferedRetry) this.retried.push(value.node_id);
    return fault;
  }
}

/**
 * @param {import('./staged.js').StoredEvent[]} events
 * @param {number} from
 * @param {number} max
 */
function pageOf(events, from, max) {
  /** @type {Event[]} */
  const page = [];
  let bytes = 0;
  for (const { event } of events.slice(from, from + max)) {
    bytes += payloadBytes(event.kind);
    if (page.length > 0 && bytes > EVENTS_PAGE_BYTES_MAX) break;
    page.push(event);
  }
  return page;
}
