// The critical path: from the end of an execution back over each node whose end let the next
// one begin.

import { instanceOf } from '../../../clients/js/audit/src/log/id.js';

/** @typedef {import('./tracks.js').Track} Track */

/**
 * The ids of the nodes on the critical path, in the order of time; of a map, the instances
 * that it waited for.
 * @param {Map<string, Track>} tracks
 * @param {Record<string, any>} workflow
 * @returns {string[]}
 */
export function criticalPath(tracks, workflow) {
  const graph = new Graph(tracks, workflow);
  const path = [];
  const seen = new Set();
  // A log that somebody has changed may lead in a circle.
  for (let track = graph.last(); track !== undefined && !seen.has(track); track = graph.before(track)) {
    seen.add(track);
    path.push(track.id);
  }
  return path.reverse();
}

/** @param {Track} track */
const isUnderWay = (track) => track.since !== undefined && track.endedAt === undefined;

/** Whether edges of it may be live. @param {Track} track */
const isDone = (track) => track.state === 'completed' || track.state === 'failed';

/**
 * The element with the least or, where the sign is -1, the greatest value.
 * @param {Track[]} tracks
 * @param {(track: Track) => number} value
 * @param {1 | -1} sign
 * @returns {Track | undefined}
 */
function first(tracks, value, sign) {
  /** @type {Track | undefined} */
  let found;
  for (const track of tracks) {
    if (found === undefined || sign * (value(track) - value(found)) < 0) found = track;
  }
  return found;
}

const begunBy = (/** @type {Track} */ track) => track.begunBy;
const endedBy = (/** @type {Track} */ track) => track.endedBy;

/** What can have let a node begin. */
class Graph {
  /** The nodes with an edge to each. @type {Map<string, string[]>} */
  #sources = new Map();
  /** The instances of each map. @type {Map<string, Track[]>} */
  #instances = new Map();

  /**
   * @param {Map<string, Track>} tracks
   * @param {Record<string, any>} workflow
   */
  constructor(tracks, workflow) {
    this.tracks = tracks;
    for (const edge of Array.isArray(workflow.edges) ? workflow.edges : []) push(this.#sources, edge?.to, edge?.from);
    const all = [...tracks.values()];
    for (const track of all) push(this.#instances, instanceOf(track.id)?.node, track);
    /** In the order of the events that settled them. */
    this.settled = all.filter((it) => it.endedAt !== undefined).sort((a, b) => a.endedBy - b.endedBy);
  }

  /** The node that the execution ends with; of those that are under way, the one that began first. */
  last() {
    const underWay = [...this.tracks.values()].filter((it) => isUnderWay(it) && instanceOf(it.id) === undefined);
    const last = first(underWay, begunBy, 1) ?? this.settled.findLast((it) => it.hasRun);
    return last && this.#within(last, Infinity);
  }

  /**
   * In the place of a map, that of its instances which it was settled by, before this event.
   * @param {Track} track
   * @param {number} before
   */
  #within(track, before) {
    if (!track.isMap) return track;
    const instances = this.#instances.get(track.id) ?? [];
    const settled = instances.filter((it) => it.endedAt !== undefined && it.since !== undefined && it.endedBy < before);
    const underWay = isUnderWay(track) ? instances.filter(isUnderWay) : [];
    return first(underWay, begunBy, 1) ?? first(settled, endedBy, -1) ?? track;
  }

  /**
   * The node whose end let this one begin. `undefined` if the execution's beginning did.
   * @param {Track} track
   * @returns {Track | undefined}
   */
  before(track) {
    const order = track.since === undefined ? track.endedBy : track.begunBy;
    const begunAt = track.since ?? track.endedAt;
    if (begunAt === undefined) return undefined;
    const needed = this.#needed(track, order);
    if (needed?.endedAt === begunAt) return needed;
    // It could have begun before: the end of another one made room for it.
    let place = this.settled.findIndex((it) => it.endedBy >= order);
    if (place < 0) place = this.settled.length;
    for (place -= 1; place >= 0 && this.settled[place].endedAt === begunAt; place -= 1) {
      if (this.settled[place].hasRun) return this.#within(this.settled[place], order);
    }
    return needed;
  }

  /**
   * The last node that was settled of those that this one needs.
   * @param {Track} track
   * @param {number} order
   */
  #needed(track, order) {
    // An instance begins with its map.
    const sources = this.#sources.get(instanceOf(track.id)?.node ?? track.id) ?? [];
    const known = sources.flatMap((id) => this.tracks.get(id) ?? []);
    const last = first(known.filter((it) => isDone(it) && it.endedBy < order), endedBy, -1);
    return last && this.#within(last, order);
  }
}

/**
 * @template T
 * @param {Map<string, T[]>} to
 * @param {string | undefined} key
 * @param {T} value
 */
function push(to, key, value) {
  if (key === undefined) return;
  const found = to.get(key);
  if (found === undefined) to.set(key, [value]);
  else found.push(value);
}
