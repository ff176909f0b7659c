// From times to places of a chart. Long times in which nobody is at work are folded.

/** @typedef {import('./tracks.js').Track} Track */
/** @typedef {{from: number, until: number, left: number, right: number, isFolded: boolean}} Part */

/** A time without work is folded if it is longer than this part of the whole, */
const FOLDED_PART = 1 / 8;

/** and than this. */
const FOLDED_MS_MIN = 1000;

/** How wide a part that is folded is, of the whole. */
const FOLDED_WIDTH = 0.03;

export class Scale {
  /**
   * @param {number} from
   * @param {number} until
   * @param {Iterable<Track>} tracks
   */
  constructor(from, until, tracks) {
    this.from = from;
    this.until = Math.max(until, from + 1);
    this.parts = partsOf(this.from, this.until, gaps(this.from, this.until, tracks));
  }

  /**
   * The place of a time, from 0 to 1.
   * @param {number} at
   * @returns {number}
   */
  place(at) {
    const part = this.parts.find((it) => at <= it.until) ?? this.parts[this.parts.length - 1];
    const within = (at - part.from) / (part.until - part.from);
    return part.left + Math.min(Math.max(within, 0), 1) * (part.right - part.left);
  }

  /**
   * The time at a place.
   * @param {number} place
   * @returns {number}
   */
  time(place) {
    const part = this.parts.find((it) => place <= it.right) ?? this.parts[this.parts.length - 1];
    const within = (place - part.left) / (part.right - part.left);
    return part.from + Math.min(Math.max(within, 0), 1) * (part.until - part.from);
  }
}

/**
 * The long times in which nobody was at work.
 * @param {number} from
 * @param {number} until
 * @param {Iterable<Track>} tracks
 * @returns {[number, number][]}
 */
function gaps(from, until, tracks) {
  /** @type {[number, number][]} */
  const work = [];
  for (const track of tracks) {
    for (const span of track.spans) {
      if (span.activity === 'work') work.push([span.from, span.until]);
    }
  }
  work.sort((a, b) => a[0] - b[0]);
  work.push([until, until]);
  const least = Math.max((until - from) * FOLDED_PART, FOLDED_MS_MIN);
  /** @type {[number, number][]} */
  const found = [];
  let idleSince = from;
  for (const [begin, end] of work) {
    if (begin - idleSince > least) found.push([idleSince, begin]);
    idleSince = Math.max(idleSince, end);
  }
  // With nothing but waiting, there is nothing that folding makes room for.
  return work.length === 1 ? [] : found;
}

/**
 * @param {number} from
 * @param {number} until
 * @param {[number, number][]} folded
 * @returns {Part[]}
 */
function partsOf(from, until, folded) {
  const left = folded.reduce((sum, [begin, end]) => sum - (end - begin), until - from);
  const wide = 1 - folded.length * FOLDED_WIDTH;
  /** @type {Part[]} */
  const parts = [];
  let place = 0;
  const push = (/** @type {number} */ begin, /** @type {number} */ end, /** @type {boolean} */ isFolded) => {
    if (end <= begin) return;
    const width = isFolded ? FOLDED_WIDTH : left > 0 ? ((end - begin) / left) * wide : 0;
    parts.push({ from: begin, until: end, left: place, right: place + width, isFolded });
    place += width;
  };
  let begun = from;
  for (const [begin, end] of folded) {
    push(begun, begin, false);
    push(begin, end, true);
    begun = end;
  }
  push(begun, until, false);
  return parts;
}
