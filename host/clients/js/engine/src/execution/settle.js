// From what a scheduler did in a step to what happens in the log and in the queue.
//
// What happens to a work item follows from the events alone. The scheduler's orders are
// compared with that, and what it says of the step with what it did; any difference is its
// failure, and nothing of the step is kept then.

import { quoted } from '@refrain/audit/host';
import { hasEnded } from '../store/contract.js';
import { TIME_MAX, WAKE_SPAN_MS_MAX } from '../limits.js';
import { asksAgain, effectOf, endingOf, heldAfter, isUnsettled, itemAfter, ordered } from './effects.js';

/** @typedef {import('@refrain/audit/host').Event} Event */
/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('@refrain/audit/host').Outcome} Outcome */
/** @typedef {import('./items.js').Items} Items */
/** @typedef {import('./ports.js').CallPorts} CallPorts */
/** @typedef {import('./staged.js').Staged} Staged */

/** What a scheduler did is not what it may do. */
export class Malformed extends Error {}

/**
 * Stages the facts that a step took and what it decided, with what follows from it in the
 * queue; throws {@link Malformed} where the scheduler got something wrong, and stages nothing.
 * @param {CallPorts} ports of the step
 * @param {Kind[]} facts what it was offered
 * @param {Outcome} outcome
 */
export function settle(ports, facts, outcome) {
  const { staged } = ports;
  if (ports.refused !== null) throw new Malformed(ports.refused);
  const taken = takenOf(facts, outcome);
  const held = checkStep(ports, taken, outcome);
  checkOutcome(staged, taken, ports.decisions, outcome, ports.clock);
  const items = followed(ports, taken);
  for (const kind of taken) {
    staged.push({ sequence: staged.record.sequence + 1, at: ports.clock, origin: 'fact', kind });
  }
  for (const decision of ports.decisions) staged.push(decision);
  staged.items = items;
  const wake = outcome.next_wake;
  Object.assign(staged.record, { status: outcome.status, held, nextWake: wake === null ? null : Number(wake) });
}

/**
 * The facts that a step took of those that it was offered. What it refuses must have been
 * offered, each once, in their order.
 * @param {Kind[]} facts
 * @param {Outcome} outcome
 * @returns {Kind[]}
 */
function takenOf(facts, { refused }) {
  let next = 0;
  for (const { index } of refused) {
    if (index < next || index >= facts.length) {
      throw new Malformed(
        `the scheduler refuses fact ${index} out of place: it was offered ${facts.length}, and refuses each once, in their order`,
      );
    }
    next = index + 1;
  }
  const places = new Set(refused.map(({ index }) => index));
  return facts.filter((_, place) => !places.has(place));
}

/**
 * Whether what the scheduler did is what it may do, given the facts that it took. Answers
 * whether the host stalls the execution then.
 * @param {CallPorts} ports
 * @param {Kind[]} taken
 * @param {Outcome} outcome
 */
function checkStep({ staged, decisions, appendedAfter, retried }, taken, outcome) {
  const { record } = staged;
  const last = record.sequence + taken.length;
  if (appendedAfter !== null && appendedAfter !== last) {
    throw new Malformed(
      `the scheduler appended after event ${appendedAfter}, and with the facts that it took the log ends at event ${last}`,
    );
  }
  const begins = taken.length > 0 ? taken[0].tag === 'workflow_started' : decisions.length === 0;
  if (record.sequence === 0 && !begins) {
    throw new Malformed('the scheduler begins a log with something else than workflow_started');
  }
  if (taken.length > 0 && hasEnded(record.status)) {
    throw new Malformed('the scheduler took a fact after a terminal event');
  }
  const untaken = retried.find((nodeId) => !taken.some((fact) => asksAgain(fact, nodeId)));
  if (untaken !== undefined) {
    throw new Malformed(
      `node ${quoted(untaken)} was ordered as if an operator had asked for it to be tried again, and that was refused`,
    );
  }
  const held = heldAfter(record.held, taken);
  if (held && decisions.length > 0) {
    throw new Malformed('the scheduler decides something while the host stalls the execution');
  }
  if (outcome.more && decisions.length === 0) {
    throw new Malformed('the scheduler says that there is more to be decided, and decides nothing');
  }
  return held;
}

/**
 * The outcome must not contradict the events that it comes after.
 * @param {Staged} staged
 * @param {Kind[]} taken
 * @param {Event[]} decisions
 * @param {Outcome} outcome
 * @param {number} now
 */
function checkOutcome({ record }, taken, decisions, outcome, now) {
  const last = record.sequence + taken.length + decisions.length;
  if (outcome.last_sequence !== last) {
    throw new Malformed(
      `the scheduler says that the log ends at event ${outcome.last_sequence}, and it ends at ${last}`,
    );
  }
  const wake = outcome.next_wake;
  if (wake !== null && wake > Math.min(now + WAKE_SPAN_MS_MAX, TIME_MAX)) {
    throw new Malformed(
      'the scheduler wants to be woken at a time that never comes: more than a hundred years from now',
    );
  }
  const before = hasEnded(record.status) ? record.status : undefined;
  const says = hasEnded(outcome.status) ? outcome.status : undefined;
  if ((endingOf(decisions.at(-1)?.kind) ?? before) !== says) {
    throw new Malformed(`the scheduler says ${outcome.status}, and the log says otherwise`);
  }
}

/**
 * The items after a step: first what its facts do, then its decisions, each held against
 * its orders.
 * @param {CallPorts} ports
 * @param {Kind[]} taken
 * @returns {Items}
 */
function followed({ staged, decisions, ordered: orders, cancelled, clock }, taken) {
  const queue = new Queue(staged.items.copy(), [...orders], [...cancelled]);
  taken.forEach((fact, place) => queue.takeFact(fact, staged.record.sequence + place + 1));
  for (const decision of decisions) queue.follow(decision, clock);
  queue.nothingIsLeft();
  if (endingOf(decisions.at(-1)?.kind) !== undefined && [...queue.items.all()].some(isUnsettled)) {
    throw new Malformed('the execution was ended while a work item of it was not settled');
  }
  return queue.items;
}

/** The queue while the events of one step are followed, in their order. */
class Queue {
  /**
   * @param {Items} items
   * @param {CallPorts['ordered']} ordered orders that no decision was met for yet
   * @param {CallPorts['cancelled']} cancelled the same of cancellations
   */
  constructor(items, ordered, cancelled) {
    this.items = items;
    this.ordered = ordered;
    this.cancelled = cancelled;
  }

  /**
   * @param {Kind} fact
   * @param {number} sequence
   */
  takeFact(fact, sequence) {
    const effect = effectOf(fact);
    if (effect !== undefined) this.#change(effect.nodeId, fact, sequence);
  }

  /**
   * @param {Event} decision
   * @param {number} at
   */
  follow({ kind, sequence }, at) {
    const effect = effectOf(kind);
    if (effect === undefined) return;
    const { nodeId, change, stops } = effect;
    if (change === 'enqueue') {
      this.#order(kind, at);
      return;
    }
    const record = this.items.of(nodeId);
    if (isUnsettled(record)) {
      if (!stops) throw new Malformed(`node ${quoted(nodeId)} was settled while its work item was not`);
      this.#takeBack(/** @type {import('./staged.js').ItemRecord} */ (record));
    }
    this.#change(nodeId, kind, Number(sequence));
  }

  nothingIsLeft() {
    const [order] = this.ordered;
    if (order !== undefined) {
      throw new Malformed(
        `a work item of attempt ${order.item.attempt} of node ${quoted(order.item.node_id)} was ordered without a decision`,
      );
    }
    const [name] = this.cancelled;
    if (name !== undefined) {
      throw new Malformed(
        `the work item of attempt ${name.attempt} of node ${quoted(name.node_id)} was cancelled without a decision`,
      );
    }
  }

  /**
   * @param {string} nodeId
   * @param {Kind} kind
   * @param {number} sequence
   */
  #change(nodeId, kind, sequence) {
    const record = this.items.of(nodeId);
    if (record !== undefined) this.items.set(nodeId, itemAfter(record, kind, sequence));
  }

  /**
   * A decision orders this attempt of the node.
   * @param {Kind} kind
   * @param {number} at
   */
  #order({ value: { node_id: nodeId, attempt, item_digest: digest, queue } }, at) {
    const named = `attempt ${attempt} of node ${quoted(nodeId)}`;
    if (isUnsettled(this.items.of(nodeId))) {
      throw new Malformed(`node ${quoted(nodeId)} was ordered anew while its work item was not settled`);
    }
    // They are ordered as they are decided: it is the first one.
    const place = this.ordered.findIndex(({ item }) => item.node_id === nodeId && item.attempt === attempt);
    if (place === -1) throw new Malformed(`${named} was decided, and its work item not ordered`);
    const [order] = this.ordered.splice(place, 1);
    if (order.digest !== digest) {
      throw new Malformed(`${named} was decided with the digest ${digest}, and its work item has ${order.digest}`);
    }
    if (queue !== undefined && queue !== order.item.queue) {
      throw new Malformed(
        `${named} was decided for another queue than ${quoted(order.item.queue)}, on which its work item was ordered`,
      );
    }
    this.items.set(nodeId, ordered(order.item, at));
  }

  /** @param {import('./staged.js').ItemRecord} record */
  #takeBack({ item }) {
    const place = this.cancelled.findIndex(
      ({ node_id, attempt }) => node_id === item.node_id && attempt === item.attempt,
    );
    if (place === -1) throw new Malformed(`node ${quoted(item.node_id)} was stopped, and its work item not cancelled`);
    this.cancelled.splice(place, 1);
  }
}
