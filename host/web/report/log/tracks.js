// The time of each node, as the log tells it: work, queue, back-off, waits.

import { milliseconds } from '../base/time.js';

/** @typedef {import('./standing.js').Event} Event */
/** @typedef {import('./node.js').Node} Node */

/** @typedef {'work' | 'queue' | 'back_off' | 'person' | 'event' | 'time' | 'child' | 'instances' | 'held'} Activity */
/** @typedef {{from: number, until: number, activity: Activity}} Span */

/** The activities, the least telling first, as a chart calls them. @type {[Activity, string][]} */
export const ACTIVITIES = [
  ['instances', 'its instances'],
  ['child', 'its child'],
  ['queue', 'in its queue'],
  ['time', 'waits for a time'],
  ['event', 'waits for an event'],
  ['person', 'waits for a person'],
  ['back_off', 'back-off'],
  ['held', 'held'],
  ['work', 'work'],
];

/** @type {Record<string, Activity>} */
const OF_STATES = {
  running: 'work',
  scheduled: 'queue',
  backing_off: 'back_off',
  failing: 'held',
  ready: 'held',
};

/**
 * What a node is at. `undefined` if it has not begun, or is settled.
 * @param {Node} node
 * @returns {Activity | undefined}
 */
function activityOf(node) {
  if (node.state !== 'waiting') return OF_STATES[node.state];
  if (node.wait === undefined) return node.instances === undefined ? 'child' : 'instances';
  if (node.wait.question !== undefined) return 'person';
  return node.wait.key === undefined ? 'time' : 'event';
}

/** The time of one node, instance or compensation. */
export class Track {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.state = 'pending';
    /** What its time was spent on; moments without a length are left out. @type {Span[]} */
    this.spans = [];
    /** When it was first scheduled, or began to wait. @type {number | undefined} */
    this.since = undefined;
    /** When it was settled. @type {number | undefined} */
    this.endedAt = undefined;
    /** The events with which it began, and was settled. */
    this.begunBy = 0;
    this.endedBy = 0;
    this.isMap = false;
    /** What it is at, since when, and until when at most. @type {{activity: Activity, since: number, until?: number} | undefined} */
    this.now = undefined;
  }

  /** Whether it was neither skipped, nor cancelled before it began. */
  get hasRun() {
    const isLeftOut = this.state === 'skipped' || this.state === 'cancelled';
    return this.since !== undefined || (this.endedAt !== undefined && !isLeftOut);
  }

  /**
   * Takes what an event has made of the node.
   * @param {Node} node
   * @param {number} sequence
   * @param {number} at
   */
  take(node, sequence, at) {
    const activity = activityOf(node);
    if (this.state === node.state && this.now?.activity === activity) return;
    this.close(at);
    this.state = node.state;
    this.isMap = node.instances !== undefined;
    if (activity === undefined) {
      this.endedAt = at;
      this.endedBy = sequence;
      return;
    }
    if (this.since === undefined) {
      this.since = at;
      this.begunBy = sequence;
    }
    this.endedAt = undefined;
    this.now = { activity, since: at, until: node.wait?.isDelay ? node.wait.until : undefined };
  }

  /**
   * What it was at is over.
   * @param {number} at
   */
  close(at) {
    if (this.now === undefined) return;
    const { activity, since, until } = this.now;
    this.now = undefined;
    // Behind its delay, a further attempt waits for a worker.
    const middle = Math.min(until ?? at, at);
    this.#push(since, middle, activity);
    this.#push(middle, at, 'queue');
  }

  /**
   * @param {number} from
   * @param {number} until
   * @param {Activity} activity
   */
  #push(from, until, activity) {
    if (from < until) this.spans.push({ from, until, activity });
  }
}

/** The time of all nodes, in the order in which the log first names them. */
export class Tracks {
  /** @type {Map<string, Track>} */
  byId = new Map();

  /**
   * Takes the next event, and the node whose state it has changed.
   * @param {Event} event
   * @param {number} sequence
   * @param {Node | undefined} changed
   * @param {Iterable<Node>} all
   */
  take(event, sequence, changed, all) {
    const at = milliseconds(event.at);
    // What was under way begins anew.
    const nodes = event.type === 'execution_forked' ? all : changed === undefined ? [] : [changed];
    for (const node of nodes) {
      let track = this.byId.get(node.id);
      if (track === undefined) {
        track = new Track(node.id);
        this.byId.set(node.id, track);
      }
      track.take(node, sequence, at);
    }
  }

  /**
   * The log ends.
   * @param {number} until
   */
  close(until) {
    for (const track of this.byId.values()) track.close(until);
  }
}
