// The walk along a log: every decision is asked for again.
//
// Wherever event k is a decision, the guest sees events 1 to k - 1 and the clock reading of
// event k, and what it then appends must be exactly what the log goes on with (law 2).
// Between turns, and at the end, it must have nothing to add.

import { quoted } from '../text.js';
import { AskedGuest, UNWATCHED } from './asked.js';
import { Finding, plain } from './divergence.js';
import { orderedBy } from './ports.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('../log/recording.js').Recording} Recording */

/** @typedef {import('./asked.js').Watch} Watch */

/** One log under audit. */
export class Walk {
  /**
   * Stands before event 1, which must be `workflow_started`.
   * @param {import('./guests.js').Guests} guests
   * @param {string | null} other The guest to ask instead of those that the log names.
   * @param {Recording} recording
   * @param {Watch} [watch]
   */
  constructor(guests, other, recording, watch = UNWATCHED) {
    this.guest = new AskedGuest(guests, other ?? recording.started.guest_digest, recording, watch);
    this.other = other;
    this.recording = recording;
    /** How many decisions came out the same. */
    this.decisions = 0;
    /** The digests of the inputs that were ordered for children, by the events that ask for them. @type {Map<Whole, string>} */
    this.inputs = new Map();
    /** The host saw the guest fail, and nobody has lifted the stall yet. */
    this.isHostStalled = false;
    /** When the guest had decided all that there was. `null` once it has seen more. @type {Whole | null} */
    this.settledAt = null;
    /** Whether the log ends where a turn's budget cut the guest off. */
    this.isOwedAStep = false;
  }

  /** Replays the whole log. */
  replayAll() {
    this.atTheEnd(this.replayEvents());
  }

  /**
   * Replays all events. What may be missing at their end is not asked.
   * @returns {Whole} The time of the last.
   */
  replayEvents() {
    const { guest, recording } = this;
    /** @type {Whole | null} */
    let at = null;
    while (guest.done < recording.kept.length) {
      const next = recording.kept[guest.done].event;
      if (at !== null && at < next.at && !goesItsOwnWay(next)) this.nothingToAdd(at);
      if (next.origin === 'fact') this.takeFact(next);
      else this.askAgain(next);
      at = next.at;
    }
    return at ?? 0;
  }

  /**
   * The world says what it says; whether that is legal here the guest tells with its next
   * answer.
   * @param {Event} fact
   */
  takeFact({ kind: { tag, value } }) {
    this.settledAt = null;
    this.guest.showNext();
    if (tag === 'host_stalled') this.isHostStalled = true;
    if (tag === 'stall_lifted') this.isHostStalled = false;
    if (tag === 'guest_changed' && this.other === null) this.guest.handOver(value.guest_digest);
  }

  /**
   * The log has a decision next: the guest must come to the same, and to as many more as
   * follow from it.
   * @param {Event} next
   */
  askAgain(next) {
    const outcome = this.guest.step(next.at);
    this.settledAt = outcome.more ? null : next.at;
    const { batch, items } = this.guest.ports;
    if (batch.length === 0) throw this.guest.diverges('no_decision', 'the guest decides nothing here');
    const enqueued = new Set(items.map((item) => item.node_id));
    for (const event of batch) {
      const order = orderedBy(event);
      if (order === undefined || enqueued.has(order.node)) continue;
      const message = `the guest decides to schedule ${quoted(order.node)}, and does not order the item ${order.digest}`;
      throw new Finding('divergent', { ...plain(event.sequence, message), code: 'other_order' });
    }
    for (const { sequence, input } of this.guest.ports.inputsOfChildren()) this.inputs.set(sequence, input);
    this.decisions += batch.length;
    this.guest.done = this.guest.ports.shown;
  }

  /**
   * With the clock still at this time, the guest must have no more to decide: it has just
   * said so, or it is asked.
   * @param {Whole} at
   */
  nothingToAdd(at) {
    if (this.settledAt === at) return;
    try {
      this.guest.step(at);
    } catch (error) {
      // The host saw it fail then; that it fails again, or does again what it may not, is no
      // news.
      if (!(this.isHostStalled && isDivergent(error))) throw error;
    }
  }

  /**
   * At the log's end the guest must have no more to decide either, unless it is said besides
   * the log that the execution is owed a step. Then what it decides next may be missing, as a
   * whole; and of a guest that fails at that step, the host's stall.
   * @param {Whole} at
   */
  atTheEnd(at) {
    if (this.settledAt !== null || !this.recording.header.owed_a_step) {
      this.nothingToAdd(at);
      return;
    }
    const answer = this.guest.asked(at);
    const { mismatch } = this.guest.ports;
    if (mismatch?.is === 'decision' && mismatch.event.sequence === this.recording.kept.length + 1) {
      this.isOwedAStep = true;
      return;
    }
    try {
      this.guest.judged(answer);
    } catch (error) {
      if (!isDivergent(error)) throw error;
      this.isOwedAStep = true;
    }
  }
}

/** @param {unknown} error */
function isDivergent(error) {
  return error instanceof Finding && error.verdict === 'divergent';
}

/**
 * Whether a fork goes its own way with an event (law 11). Before it nothing is missing,
 * whatever was not decided yet.
 * @param {Event} event
 */
function goesItsOwnWay({ kind: { tag, value } }) {
  return tag === 'execution_forked' || (tag === 'node_completed' && value.edited_by !== null);
}
