// All that the page has of one log besides its lines: made in one pass.

import { logOf } from './log.js';
import { NodesAt } from './nodes.js';
import { criticalPath } from './path.js';
import { Scale } from './scale.js';
import { Tracks } from './tracks.js';
import { Writers } from './writers.js';

/** @typedef {import('./log.js').Log} Log */

export class History {
  /** @param {Log} log */
  constructor(log) {
    this.log = log;
    this.nodes = new NodesAt(log);
    this.tracks = new Tracks();
    this.writers = new Writers();
    /** @type {Set<string>} */
    this.critical = new Set();
    this.scale = new Scale(0, 1, []);
  }

  /**
   * Reads the log once.
   * @param {string} text An export.
   * @returns {Promise<History>}
   */
  static async of(text) {
    const history = new History(logOf(text));
    await history.#read();
    return history;
  }

  async #read() {
    const { log, nodes, tracks, writers } = this;
    await log.read((event, sequence) => {
      const changed = nodes.take(event, sequence);
      writers.take(event, sequence, log.workflow);
      tracks.take(event, sequence, changed, nodes.at(sequence).byId.values());
    });
    const until = log.at.reduce((most, at) => Math.max(most, at), 0);
    tracks.close(until);
    this.critical = new Set(criticalPath(tracks.byId, log.workflow));
    this.scale = new Scale(log.at[0], until, tracks.byId.values());
  }

  /**
   * The last event up to this time.
   * @param {number} at
   * @returns {number}
   */
  sequenceAt(at) {
    let found = 0;
    for (let sequence = 1; sequence <= this.log.count && this.log.at[sequence] <= at; sequence += 1) found = sequence;
    return found;
  }

  /**
   * The next place in this direction at which something is so; `undefined` if there is none.
   * @param {number} from
   * @param {1 | -1} step
   * @param {(sequence: number) => boolean} isSo
   * @returns {number | undefined}
   */
  seek(from, step, isSo) {
    for (let at = from + step; at >= 1 && at <= this.log.count; at += step) {
      if (isSo(at)) return at;
    }
    return undefined;
  }
}
