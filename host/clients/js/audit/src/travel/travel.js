// A cursor over a log: what an execution was like behind any of its events, as its own guest
// says.
//
// Only the log is read. The guest is shown the events up to the cursor, and asked. On the way
// back it begins at a snapshot that was taken on the way, so that each step costs about the
// same wherever it leads.

import { ifShaped, objectOf } from '../orders/shape.js';
import { nodeOf } from '../audit/divergence.js';
import { EVENTS_TO_NEAR_MARK } from '../limits.js';
import { Marks } from './marks.js';
import { TravelPorts } from './ports.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../contract/component.js').Component} Component */
/** @typedef {import('../contract/guest.js').Guest} Guest */
/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('../log/event.js').Kind} Kind */
/** @typedef {import('../log/recording.js').Recording} Recording */

/**
 * What is looked for: an event that says so.
 * @typedef {{of: 'decision' | 'fact' | 'failure'} | {of: 'node', id: string} | {of: 'key', key: string}} Seek
 */

/**
 * What would happen next.
 * @typedef {object} NextStep
 * @property {Event[]} decisions As they would be appended.
 * @property {any[]} orders What they order, as the contract's `work-order`.
 * @property {any} outcome What the guest says of the execution then.
 */

/** A log cannot be travelled. */
export class TravelError extends Error {}

const FAILURES = new Set([
  'node_failed',
  'node_timed_out',
  'lease_expired',
  'node_exhausted',
  'child_refused',
  'workflow_failed',
  'workflow_timed_out',
  'stalled',
  'host_stalled',
]);

/** The states in which something is still to come of a node. */
const UNDER_WAY = new Set(['ready', 'scheduled', 'running', 'failing', 'backing_off', 'waiting']);

/** A cursor over a log. It stands behind one of the events, at first the last. */
export class Travel {
  /**
   * @param {Recording} recording
   * @param {Iterable<Component>} components Those that the log names.
   */
  constructor(recording, components) {
    if (recording.isErased) {
      throw new TravelError(
        `the log of ${recording.executionId} is erased: its scheduler cannot be asked about it any more`,
      );
    }
    if (recording.started === undefined) {
      throw new TravelError(`the log of ${recording.executionId} has no beginning: audit it`);
    }
    this.recording = recording;
    this.components = new Map([...components].map((it) => [it.digest, it]));
    this.marks = new Marks();
    /** The guests that the log names, each with the number of events before it is asked. */
    this.guests = guestsOf(recording);
    /** A guest that has seen so many events. @type {{guest: Guest, digest: string, seen: number} | null} */
    this.asked = null;
    this.place = recording.kept.length;
  }

  /** The event that the cursor stands behind; 0 before the first. */
  get sequence() {
    return this.place;
  }

  /** The log's last event. */
  get last() {
    return this.recording.kept.length;
  }

  /** The event that the cursor stands behind. `undefined` before the first. @returns {Event | undefined} */
  get event() {
    return this.recording.kept[this.place - 1]?.event;
  }

  /** What time it is there. @returns {Whole} */
  get at() {
    return this.event?.at ?? 0;
  }

  /**
   * Goes behind this event; 0 is before the first.
   * @param {number} sequence
   */
  go(sequence) {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence > this.last) {
      throw new TravelError(`the log has ${this.last} events, and ${sequence} is none of them`);
    }
    this.place = sequence;
  }

  /** Goes behind the next event: whether there is one. */
  step() {
    const hasNext = this.place < this.last;
    if (hasNext) this.place += 1;
    return hasNext;
  }

  /** Goes back before the event that it stands behind: whether there is one. */
  back() {
    const hasBefore = this.place > 0;
    if (hasBefore) this.place -= 1;
    return hasBefore;
  }

  /**
   * Goes on, behind the next event that is looked for: whether there is one. If not, it stays.
   * @param {Seek} seek
   * @returns {boolean}
   */
  next(seek) {
    return this.find(seek, 1, this.last + 1);
  }

  /**
   * Goes back, behind the last event before this one that is looked for.
   * @param {Seek} seek
   * @returns {boolean}
   */
  previous(seek) {
    return this.find(seek, -1, 0);
  }

  /**
   * @param {Seek} seek
   * @param {1 | -1} direction
   * @param {number} end
   */
  find(seek, direction, end) {
    const from = this.place;
    for (let place = from + direction; direction > 0 ? place < end : place > end; place += direction) {
      if (this.isSought(seek, place)) {
        this.place = place;
        return true;
      }
    }
    this.place = from;
    return false;
  }

  /**
   * @param {Seek} seek
   * @param {number} place
   */
  isSought(seek, place) {
    const { origin, kind } = this.recording.kept[place - 1].event;
    switch (seek.of) {
      case 'failure':
        return FAILURES.has(kind.tag) || (kind.tag === 'child_ended' && kind.value.status !== 'completed');
      case 'node':
        return nodeOf(kind) === seek.id;
      case 'key':
        return mayChangeState(kind) && this.changes(seek.key, place);
      default:
        return origin === seek.of;
    }
  }

  /**
   * Whether an event gives a key of the state another value.
   * @param {string} key
   * @param {number} place
   */
  changes(key, place) {
    if (place === 1) return false;
    this.place = place - 1;
    const before = this.value(key);
    this.place = place;
    return before !== this.value(key);
  }

  /**
   * All that the guest shows of the execution, as JSON text, and the hash of that.
   * @returns {{state: string, hash: string}}
   */
  inspect() {
    return this.ask((guest, ports) => guest.inspect(ports, this.recording.executionId)).answer;
  }

  /**
   * The state of the execution, as JSON text. A guest that shows nothing else shows just that.
   * @returns {string}
   */
  state() {
    return stateOf(this.inspect().state);
  }

  /**
   * The value of a key of the state, as JSON text. `undefined` if there is no such key.
   * @param {string} key
   * @returns {string | undefined}
   */
  value(key) {
    return ifShaped(() => objectOf(this.state()).get(key));
  }

  /**
   * The nodes by their ids, as the guest shows them: `state`, and what else it says. None, if
   * it shows none.
   * @returns {Map<string, any>}
   */
  nodes() {
    const shown = this.inspect().state;
    const nodes = ifShaped(() => objectOf(objectOf(shown).get('nodes') ?? '{}'));
    return new Map([...(nodes ?? [])].map(([id, node]) => [id, JSON.parse(node)]));
  }

  /**
   * The nodes that are under way, by their ids: what is queued, at work, or waits.
   * @returns {Map<string, any>}
   */
  queue() {
    return new Map([...this.nodes()].filter(([, node]) => UNDER_WAY.has(node.state)));
  }

  /**
   * Why a node was where it was: the contract's `explanation`.
   * @param {string} nodeId
   * @returns {any}
   */
  explain(nodeId) {
    return this.ask((guest, ports) => guest.explain(ports, this.recording.executionId, nodeId)).answer;
  }

  /**
   * What the guest would decide there, if these facts came next, and the clock showed this.
   * @param {Whole} [now]
   * @param {Kind[]} [facts]
   * @returns {NextStep}
   */
  nextStep(now = this.at, facts = []) {
    const { executionId } = this.recording;
    try {
      const { answer, ports } = this.ask((guest, it) => guest.step(it, executionId, this.place, facts), now, facts.length);
      return { decisions: ports.decisions, orders: ports.orders, outcome: answer };
    } finally {
      // It takes what it decided for appended.
      this.forget();
    }
  }

  /** What a guest holds of the log is gone. */
  forget() {
    if (this.asked === null) return;
    if (this.asked.guest.isSpent) {
      this.asked = null;
      return;
    }
    this.asked.guest.forget(this.recording.executionId);
    this.asked.seen = 0;
  }

  /** The guest that the log names at the cursor. */
  get guestDigest() {
    const named = this.guests.findLast(({ before }) => before < this.place);
    if (named === undefined) {
      throw new TravelError('before its first event there is nothing of an execution: go to event 1 or later');
    }
    return named.digest;
  }

  /**
   * Asks the guest at the cursor. Snapshots that are missing on the way there are taken.
   * @template T
   * @param {(guest: Guest, ports: TravelPorts) => T} call
   * @param {Whole} [now]
   * @param {number} [offered]
   */
  ask(call, now = this.at, offered = 0) {
    const { place, guestDigest } = this;
    for (const missing of this.missingMarks(guestDigest)) {
      this.place = missing;
      try {
        const { answer } = this.askHere((guest, ports) => guest.snapshot(ports, this.recording.executionId), this.at, 0);
        this.marks.add({ ...answer, sequence: Number(answer.sequence) });
      } finally {
        this.place = place;
      }
    }
    return this.askHere(call, now, offered);
  }

  /**
   * The places on the way to the cursor at which snapshots are to be taken: none, if the guest
   * is near.
   * @param {string} digest
   */
  missingMarks(digest) {
    const marked = this.marks.before(this.place, digest)?.sequence ?? this.handedOver(digest);
    const { asked } = this;
    const seen = asked?.digest === digest && asked.seen <= this.place ? asked.seen : 0;
    const from = Math.max(marked, seen);
    return this.place - from < 2 * EVENTS_TO_NEAR_MARK ? [] : this.marks.missing(from, this.place);
  }

  /**
   * The events before this guest was asked.
   * @param {string} digest
   */
  handedOver(digest) {
    return this.guests.findLast((it) => it.before < this.place && it.digest === digest)?.before ?? 0;
  }

  /**
   * @template T
   * @param {(guest: Guest, ports: TravelPorts) => T} call
   * @param {Whole} now
   * @param {number} offered
   */
  askHere(call, now, offered) {
    const { place, guestDigest } = this;
    const mark = this.marks.before(place, guestDigest);
    const asked = this.instance(guestDigest, mark?.sequence ?? 0);
    const snapshot = asked.seen === 0 && mark !== undefined ? mark : null;
    const ports = new TravelPorts(this.recording, place, now, snapshot, offered);
    const answer = call(asked.guest, ports);
    asked.seen = place;
    return { answer, ports };
  }

  /**
   * An instance that may be shown what comes next: it has seen no more than the cursor is
   * behind, and not much less than the snapshot before that.
   * @param {string} digest
   * @param {number} marked
   */
  instance(digest, marked) {
    if (this.asked !== null && this.asked.digest === digest && !this.asked.guest.isSpent) {
      // A few events are read sooner than a snapshot.
      const isFar = marked - this.asked.seen >= EVENTS_TO_NEAR_MARK;
      if (this.asked.seen > this.place || isFar) this.forget();
      return this.asked;
    }
    const component = this.components.get(digest);
    if (component === undefined) {
      throw new TravelError(`the scheduler component ${digest}, which the log names there, is not at hand`);
    }
    this.asked = { guest: component.instance(), digest, seen: 0 };
    return this.asked;
  }
}

/**
 * The state of an execution, out of all that its guest shows of it.
 * @param {string} shown
 * @returns {string}
 */
export function stateOf(shown) {
  return ifShaped(() => objectOf(shown).get('state')) ?? shown;
}

/** @param {Recording} recording */
function guestsOf(recording) {
  return recording.kept.flatMap(({ event: { kind } }, before) => {
    const names = kind.tag === 'workflow_started' || kind.tag === 'guest_changed';
    return names ? [{ before, digest: /** @type {string} */ (kind.value.guest_digest) }] : [];
  });
}

/** @param {Kind} kind */
function mayChangeState({ tag }) {
  return ['node_completed', 'node_settled', 'approval_received', 'child_ended'].includes(tag);
}
