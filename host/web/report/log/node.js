// What a log says of one node, and what an event changes of it.

import { exactSpan, milliseconds } from '../base/time.js';
import { words } from '../words/signs.js';

/** @typedef {import('./standing.js').Event} Event */

/**
 * Whom or what a node waits for: a person (`question`), an external event (`key`), a time, or
 * whichever comes first; `isDelay` is the back-off before a further attempt.
 * @typedef {{question?: string, key?: string, until?: number, isDelay?: boolean}} Wait
 */

/** Once more counts as an expired lease (rule R25). */
const RELEASES_MAX = 10;

/** One node, instance or compensation. */
export class Node {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.state = 'pending';
    /** The last attempt that was ordered; 0 if the scheduler settles it itself. */
    this.attempts = 0;
    this.releases = 0;
    /** @type {string | undefined} */
    this.queue = undefined;
    /** @type {string | undefined} */
    this.worker = undefined;
    /** When it was first scheduled, or began to wait. @type {number | undefined} */
    this.since = undefined;
    /** When it came into its state. @type {number | undefined} */
    this.inStateSince = undefined;
    /** @type {number | undefined} */
    this.endedAt = undefined;
    /** The last error, as a sentence. @type {string | undefined} */
    this.error = undefined;
    /** @type {Wait | undefined} */
    this.wait = undefined;
    /** The number of its instances, if it is a map that was expanded. @type {number | undefined} */
    this.instances = undefined;
    /** The iterations that have begun, if it has asked for children. */
    this.iterations = 0;
    /** Its last child. @type {string | undefined} */
    this.child = undefined;
  }

  /** @returns {Node} */
  copy() {
    return Object.assign(new Node(this.id), this);
  }

  /** Whether a worker, a person, an event, a time or a child has it in hand. */
  get isUnderWay() {
    return this.since !== undefined && this.endedAt === undefined;
  }

  /**
   * @param {string} state
   * @param {number} at
   */
  enter(state, at) {
    this.state = state;
    this.since ??= at;
    this.inStateSince = at;
    this.endedAt = undefined;
    this.wait = undefined;
  }

  /**
   * @param {string} state
   * @param {number} at
   */
  end(state, at) {
    this.enter(state, at);
    this.endedAt = at;
  }
}

/** @param {unknown} written */
function time(written) {
  return written === undefined || written === null ? undefined : milliseconds(written);
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' ? value : undefined;
}

/** What each kind of event changes of the node that it is about. @type {Record<string, (node: Node, event: Event, at: number) => void>} */
export const CHANGES = {
  // Attempts are ordered, claimed, given back, and fail.
  node_scheduled(node, event, at) {
    node.enter('scheduled', at);
    node.attempts = event.attempt;
    node.queue = text(event.queue_type);
  },
  node_started(node, event, at) {
    node.enter('running', at);
    node.attempts = event.attempt;
    node.worker = text(event.worker_id);
  },
  node_failed: (node, event, at) => fail(node, text(event.error), at),
  lease_expired: (node, _, at) => fail(node, 'lease expired', at),
  node_timed_out: (node, event, at) => fail(node, `timed out after ${exactSpan(event.timeout_ms)}`, at),
  node_released(node, _, at) {
    node.releases += 1;
    if (node.releases > RELEASES_MAX) fail(node, 'lease expired', at);
    else node.enter('scheduled', at);
  },
  retry_scheduled(node, event, at) {
    node.enter('backing_off', at);
    node.attempts = event.attempt;
    node.releases = 0;
    node.wait = { until: at + Number(event.delay_ms), isDelay: true };
  },
  // It waits for a person, an event, a time or its instances.
  interrupt_raised(node, event, at) {
    node.enter('waiting', at);
    node.wait = { question: text(event.reason) ?? '', until: time(event.expires_at) };
  },
  timer_created(node, event, at) {
    node.enter('waiting', at);
    node.wait = { key: text(event.correlation_key), until: time(event.fire_at) };
  },
  map_expanded(node, event, at) {
    node.enter('waiting', at);
    node.instances = event.count;
  },
  // A child is asked for, refused, and ends.
  child_requested(node, event, at) {
    node.enter('waiting', at);
    node.attempts = event.attempt;
    node.iterations = event.iteration + 1;
    node.child = undefined;
  },
  child_refused: (node, event, at) => fail(node, `its child cannot be started: ${words(event.code)}`, at),
  child_ended(node, event, at) {
    if (event.status === 'completed') succeed(node, at);
    else fail(node, text(event.error), at);
  },
  // It is settled.
  node_completed: (node, _, at) => succeed(node, at),
  node_settled: (node, _, at) => succeed(node, at),
  node_exhausted(node, event, at) {
    // The scheduler's explanation says more.
    node.error = text(event.error) ?? node.error ?? words(String(event.cause));
    node.end('failed', at);
  },
  node_skipped: (node, _, at) => node.end('skipped', at),
  node_cancelled: (node, _, at) => node.end('cancelled', at),
};

/**
 * @param {Node} node
 * @param {string | undefined} error
 * @param {number} at
 */
function fail(node, error, at) {
  node.enter('failing', at);
  node.error = error;
}

/**
 * @param {Node} node
 * @param {number} at
 */
function succeed(node, at) {
  node.error = undefined;
  node.end('completed', at);
}
