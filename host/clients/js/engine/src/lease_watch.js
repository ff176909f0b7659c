// Whether the lease of somebody else may be ended.
//
// A lease is a promise about time, and clocks jump and pages sleep. So its end on the clock
// is not enough: its holder must also have been able to renew it. Leases of others end only
// if for the length of a whole lease, as this engine has seen it, the log's time went as the
// monotonic clock went. An engine that has just begun has seen nothing yet.

import { LEASE_MOMENTS, RENEWALS_PER_LEASE } from './limits.js';

/** The time in which others could renew, as far as an engine has seen it. */
export class LeaseWatch {
  #leaseMs;
  /** @type {{since: number, aheadMs: number, seen: number} | undefined} */
  #fair;

  /** @param {number} leaseMs */
  constructor(leaseMs) {
    this.#leaseMs = leaseMs;
  }

  /**
   * A turn has read the clocks, which shows whether the log's time has jumped, or this page
   * has slept.
   * @param {number} at
   * @param {number} monotonic
   */
  read(at, monotonic) {
    const aheadMs = at - monotonic;
    const fair = this.#fair;
    const moment = this.#leaseMs / LEASE_MOMENTS;
    if (fair === undefined || aheadMs > fair.aheadMs + moment || monotonic - fair.seen > this.#leaseMs) {
      this.#fair = { since: monotonic, aheadMs, seen: monotonic };
      return;
    }
    fair.aheadMs = Math.min(fair.aheadMs, aheadMs);
    fair.seen = monotonic;
  }

  /**
   * From which monotonic time on leases may be ended, if nothing comes in between.
   * @returns {number}
   */
  from() {
    return this.#fair === undefined ? Infinity : this.#fair.since + this.#leaseMs;
  }
}

/**
 * When an own claim is to be renewed.
 * @param {number} expiresAt
 * @param {number} leaseMs
 */
export function renewAt(expiresAt, leaseMs) {
  return expiresAt - leaseMs + Math.floor(leaseMs / RENEWALS_PER_LEASE);
}
