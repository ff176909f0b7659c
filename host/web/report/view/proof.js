// How far the scheduler has derived a log again, and what came of it.

/**
 * What an audit found, as `refrain audit --json` says it.
 * @typedef {Record<string, any> & {verdict: string, decisions: number, events: number}} Audit
 */

/** The verdicts that say that all is well. */
const GOOD = new Set(['clean', 'erased']);

export class Proof {
  /** Events that were derived or found legal. */
  reached = 0;
  decisions = 0;
  /** @type {Audit | undefined} */
  audit = undefined;
  /** Why there is no verdict. @type {string | undefined} */
  failure = undefined;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {import('../log/log.js').Log} log */
  constructor(log) {
    this.log = log;
  }

  /** @param {() => void} listener */
  listen(listener) {
    this.#listeners.add(listener);
  }

  /** @param {number} events So many are derived, or found legal. */
  reach(events) {
    for (let at = this.reached + 1; at <= events; at += 1) this.decisions += this.log.isDecision[at];
    this.reached = events;
    this.#tell();
  }

  /** @param {Audit} audit */
  end(audit) {
    this.audit = audit;
    this.decisions = Number(audit.decisions ?? this.decisions);
    if (GOOD.has(audit.verdict)) this.reached = this.log.count;
    this.#tell();
  }

  /** @param {string} why */
  fail(why) {
    this.failure = why;
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }

  get isOver() {
    return this.audit !== undefined || this.failure !== undefined;
  }

  get isGood() {
    return this.audit !== undefined && GOOD.has(this.audit.verdict);
  }

  /** The event at which the log is not what it should be. @returns {number | undefined} */
  get wrongAt() {
    const found = this.audit?.divergence?.sequence;
    return found === undefined || found === null ? undefined : Number(found);
  }

  /**
   * What was found of one event: a mark, and its meaning.
   * @param {number} sequence
   * @returns {{mark: string, meaning: string}}
   */
  of(sequence) {
    if (sequence === this.wrongAt) return { mark: '✗', meaning: 'here the log is not what it should be' };
    const isBehindFault = this.wrongAt !== undefined && sequence > this.wrongAt;
    if (isBehindFault || sequence > this.reached) return { mark: '', meaning: 'not looked at' };
    if (this.log.isErased) return { mark: '·', meaning: 'its place in the chain is whole' };
    return this.log.isDecision[sequence] === 1
      ? { mark: '✓', meaning: 'the scheduler has decided this again' }
      : { mark: '·', meaning: 'a fact that may stand here' };
  }
}
