// What outlives a turn.

import { ExecutionCache } from './execution_cache.js';

/**
 * How an engine was opened.
 * @typedef {object} Settings
 * @property {string} tenant
 * @property {string} workerId what its claims are made by; no other engine has it
 * @property {number} leaseMs
 * @property {{maxConcurrentNodes: number, maxDispatchPerTick: number}} limits
 * @property {boolean} isAlone whether no other engine works on the store: then the leases of
 *   others are those of engines that are gone
 */

/** What an engine holds between its turns. */
export class Core {
  /** The version of the store that the cache is of. */
  version = 0;
  /** Whether the store is known to keep the own component. */
  isComponentKept = false;
  /** Executions whose logs are broken, and what is told of each. @type {Map<string, string>} */
  setAside = new Map();

  /**
   * @param {object} parts
   * @param {import('../store/contract.js').Store} parts.store
   * @param {import('../guests.js').Guests} parts.guests
   * @param {import('../workflows.js').Workflows} parts.workflows
   * @param {import('../workers/pool.js').Pool} parts.pool
   * @param {import('../clock.js').LogClock} parts.clock
   * @param {import('../lease_watch.js').LeaseWatch} parts.leaseWatch
   * @param {import('../random.js').RandomSource} parts.random
   * @param {(text: string) => void} parts.warn
   * @param {Settings} parts.settings
   */
  constructor(parts) {
    this.store = parts.store;
    this.guests = parts.guests;
    this.workflows = parts.workflows;
    this.pool = parts.pool;
    this.clock = parts.clock;
    this.leaseWatch = parts.leaseWatch;
    this.random = parts.random;
    this.warn = parts.warn;
    this.settings = parts.settings;
    this.cache = new ExecutionCache((id, record) => this.leaseEnds(id, record));
  }

  /** Reads what is stored: at the beginning, and where somebody else may have written. */
  async load() {
    const work = await this.store.load();
    this.version = work.version;
    this.clock.follow(work.at);
    this.cache.load(work, this.clock.now());
    this.guests.discardAll();
  }

  /**
   * When the claim on an item is over: that of an own worker never is, that of an engine
   * that is gone at once, and that of another one when it could have renewed it.
   * @param {string} id
   * @param {import('../store/contract.js').ItemRecord} record
   * @returns {number}
   */
  leaseEnds(id, { item, lease }) {
    if (lease === null || this.pool.holds(id, item.node_id, lease.fence)) return Infinity;
    if (this.settings.isAlone || lease.workerId === this.settings.workerId) return 0;
    const untilFair = this.leaseWatch.from() - this.clock.monotonic();
    return Math.max(lease.expiresAt, this.clock.now() + Math.ceil(untilFair));
  }
}
