// One place of a log, and the guest that is asked there. What it answers is compared with
// what the log goes on with; where the two differ, the finding says what was expected, what
// was found, and what a fresh instance says of the state.

import { GuestFailure, Refusal } from '../contract/guest.js';
import { valueOf } from '../json/value.js';
import { writeEvent } from '../log/event.js';
import { explanationJson, sorted } from '../render/explanation.js';
import { quoted } from '../text.js';
import { Finding, between, nodeOf, plain } from './divergence.js';
import { orderedBy } from './ports.js';
import { ruleOfCause, ruleOfDecision } from './rule.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../json/value.js').Json} Json */
/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('../log/recording.js').Recording} Recording */
/** @typedef {import('./divergence.js').Divergence} Divergence */
/** @typedef {import('./guests.js').Guests} Guests */

/** What a guest answered: its outcome, or how it gave none. @typedef {{outcome: any} | {error: GuestFailure | Refusal}} GuestAnswer */

/**
 * Who is told what is being done with a log, before it is: a guest may never come back. Then
 * somebody stops it from outside, the audit begins anew, and the answer here says how that
 * guest has failed, instead of it being asked again.
 * @callback Watch
 * @param {'start' | 'call' | 'explain'} doing A guest is started; or asked what it decides; or asked what it makes of a finding.
 * @param {number} done The events behind it.
 * @returns {string | undefined} How it has failed at that before.
 */

/** Nobody is told. @type {Watch} */
export const UNWATCHED = () => undefined;

/** A guest that has the execution, at a place of its log. */
export class AskedGuest {
  /**
   * The guest of this digest, before event 1.
   * @param {Guests} guests
   * @param {string} digest
   * @param {Recording} recording
   * @param {Watch} watch
   */
  constructor(guests, digest, recording, watch) {
    this.guests = guests;
    this.watch = watch;
    this.digest = digest;
    this.recording = recording;
    watch('start', 0);
    this.player = guests.player(digest, recording);
    /** How many events are behind it. */
    this.done = 0;
  }

  get ports() {
    return this.player.ports;
  }

  /** The next event is a fact: the guest sees it. */
  showNext() {
    this.done += 1;
    this.ports.showFirst(this.done);
  }

  /**
   * The execution is handed to another guest, which has seen the same events.
   * @param {string} digest
   */
  handOver(digest) {
    this.watch('start', this.done);
    this.player = this.guests.player(digest, this.recording);
    this.digest = digest;
    this.ports.showFirst(this.done);
  }

  /**
   * Asks the guest. Whatever it does must stand in the log.
   * @param {Whole} at
   * @returns {any} Its outcome.
   */
  step(at) {
    return this.judged(this.asked(at));
  }

  /**
   * Asks the guest. What it did that does not stand in the log, its ports have.
   * @param {Whole} at
   * @returns {GuestAnswer}
   */
  asked(at) {
    const failed = this.watch('call', this.done);
    if (failed !== undefined) {
      this.ports.begin(at);
      return { error: new GuestFailure(failed) };
    }
    try {
      return { outcome: this.player.step(at) };
    } catch (error) {
      if (error instanceof GuestFailure || error instanceof Refusal) return { error };
      throw error;
    }
  }

  /**
   * What follows from what the guest answered and did.
   * @param {GuestAnswer} answer
   * @returns {any} Its outcome.
   */
  judged(answer) {
    const { mismatch } = this.ports;
    if (mismatch !== null) throw this.mismatched(mismatch);
    if (!('error' in answer)) return answer.outcome;
    const { error } = answer;
    if (error instanceof Refusal && error.error.tag === 'illegal') {
      const { sequence, reason } = error.error.value;
      throw new Finding('illegal', { ...plain(sequence, reason), found: this.eventJson(sequence) });
    }
    throw this.diverges('guest_failed', `the guest gives no answer: ${error.message}`);
  }

  /** @param {import('./ports.js').Mismatch} mismatch */
  mismatched(mismatch) {
    switch (mismatch.is) {
      case 'decision':
        return this.diverges('other_decision', 'the guest decides otherwise', mismatch.event);
      case 'head':
        return this.diverges(
          'other_decision',
          `the guest takes event ${mismatch.expected} for the last one of the log`,
        );
      case 'child':
        return this.diverges('other_order', mismatch.fault);
      case 'order': {
        const { node_id, attempt } = mismatch.item;
        const message = `the guest orders an item for ${quoted(node_id)} that its decision does not name`;
        return this.misordered(node_id, message, sorted({ node_id, attempt, item_digest: mismatch.digest }));
      }
      case 'unlawful': {
        const { node_id, attempt } = mismatch.item;
        const what = `the work item of attempt ${attempt} of node ${quoted(node_id)} ${mismatch.fault}`;
        return this.misordered(node_id, `the guest orders what the workflow does not hold: ${what}`, null);
      }
    }
  }

  /**
   * What the guest orders may not be ordered, or is not what it decided.
   * @param {string} node
   * @param {string} message
   * @param {Json} expected
   */
  misordered(node, message, expected) {
    const { batch } = this.ports;
    const named = batch.find((event) => orderedBy(event)?.node === node) ?? batch[0];
    const sequence = named?.sequence ?? this.done + 1;
    const found = this.eventJson(sequence);
    return this.concluded({ ...plain(sequence, message), code: 'other_order', expected, found, rule: 'R5' }, null);
  }

  /**
   * The log and the guest part: at what the guest decided, or else at the event after those
   * it has seen.
   * @param {Divergence['code']} code
   * @param {string} said
   * @param {Event} [expected]
   */
  diverges(code, said, expected) {
    const sequence = expected?.sequence ?? this.ports.shown + 1;
    const found = this.eventJson(sequence);
    const there = this.recording.event(sequence);
    const ofExpected = expected === undefined ? null : nodeOf(expected.kind);
    const node = ofExpected ?? (there === undefined ? null : nodeOf(there.kind));
    const isMissing = there === undefined && expected !== undefined;
    const message = isMissing
      ? `${said}: the log ends before event ${sequence}, which is missing`
      : `${said}, at event ${sequence}`;
    const expectedJson = expected === undefined ? null : jsonOf(expected);
    const rule = expected === undefined ? null : ruleOfDecision(expected.kind);
    const divergence = between(sequence, message, expectedJson, found);
    return this.concluded({ ...divergence, compared: 'guest_with_log', code, rule }, node);
  }

  /**
   * A divergence, with what a fresh instance says of the state just before it. One that
   * cannot say anything leaves that out.
   * @param {Divergence} divergence
   * @param {string | null} node
   * @returns {Finding}
   */
  concluded(divergence, node) {
    if (this.watch('explain', this.done) !== undefined) return new Finding('divergent', divergence);
    const player = this.guests.player(this.digest, this.recording);
    player.ports.showFirst(this.done);
    const state_hash = unlessFailing(() => player.inspect().hash);
    const explained = node === null ? null : unlessFailing(() => player.explain(node));
    const [reason] = explained?.reasons ?? [];
    const rule = divergence.rule ?? (reason === undefined ? null : ruleOfCause(reason.cause));
    const explanation = explained === null ? null : explanationJson(explained);
    return new Finding('divergent', { ...divergence, state_hash, explanation, rule });
  }

  /** @param {Whole} sequence */
  eventJson(sequence) {
    const event = this.recording.event(sequence);
    return event === undefined ? null : jsonOf(event);
  }
}

/**
 * @param {Event} event
 * @returns {Json}
 */
function jsonOf(event) {
  return valueOf(writeEvent(event)) ?? null;
}

/**
 * What a guest answers; `null` if it fails or refuses.
 * @template T
 * @param {() => T} ask
 * @returns {T | null}
 */
function unlessFailing(ask) {
  try {
    return ask();
  } catch (error) {
    if (error instanceof GuestFailure || error instanceof Refusal) return null;
    throw error;
  }
}
