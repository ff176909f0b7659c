// How an engine is opened, and what follows from that.

import { LogClock, systemClock } from './clock.js';
import { EngineError } from './errors.js';
import { LeaseWatch } from './lease_watch.js';
import {
  CONCURRENT_NODES_DEFAULT,
  DISPATCH_PER_TICK_DEFAULT,
  LEASE_MS_DEFAULT,
  LEASE_MS_MIN,
  TENANT_DEFAULT,
  U32_MAX,
} from './limits.js';
import { RandomSource } from './random.js';
import { textOf } from './values/texts.js';

/** @typedef {import('./runtime/event_loop.js').News} News */

/**
 * How an engine is opened.
 * @typedef {object} EngineOptions
 * @property {import('./store/contract.js').Store} store
 * @property {Record<string, import('./workers/pool.js').Worker | {run: import('./workers/pool.js').Worker, slots?: number}>} [workers]
 *   by the names of their queues
 * @property {import('./workers/put_in.js').Secrets} [secrets]
 * @property {string} [tenant]
 * @property {number} [leaseMs] how long a claim holds without being renewed
 * @property {{maxConcurrentNodes?: number, maxDispatchPerTick?: number}} [limits] of new executions
 * @property {Uint8Array} [component] the scheduler of new executions, instead of the package's own
 * @property {'wait' | 'refuse'} [ifBusy] what to do where another tab works on the store
 * @property {() => void} [onWaiting] is called when it waits for another tab
 * @property {boolean} [isShared] other engines may work on the store at the same time: every
 *   commit is held against what these have written, and their leases against their ends.
 *   Unless said, so it is only where a store can be shared and there are no Web Locks
 * @property {number} [lookEveryMs] how often such an engine looks for what others have written
 * @property {number} [callersMax] how many callers may wait at once
 * @property {(text: string) => void} [onWarning] `console.warn` unless said
 * @property {(news: News[]) => void} [onCommit] is told what was committed
 * @property {import('./clock.js').Clock} [clock]
 * @property {import('./random.js').FillRandom} [random]
 */

/**
 * The parts of an engine that follow from its options alone.
 * @param {EngineOptions} options
 * @param {boolean} isAlone whether no other engine works on the store
 */
export function partsOf(options, isAlone) {
  const { leaseMs = LEASE_MS_DEFAULT, onWarning: warn = (text) => console.warn(`refrain: ${text}`) } = options;
  if (!(leaseMs >= LEASE_MS_MIN)) {
    throw new EngineError('setup_failed', `a lease of ${leaseMs} ms is too short; give ${LEASE_MS_MIN} or more`);
  }
  const random = new RandomSource(options.random);
  const settings = {
    tenant: textOf('tenant', options.tenant ?? TENANT_DEFAULT),
    workerId: `js-${random.salt()}`,
    leaseMs,
    limits: limitsOf(options.limits ?? {}),
    isAlone,
  };
  const clock = new LogClock(options.clock ?? systemClock, warn);
  return { random, settings, clock, leaseWatch: new LeaseWatch(leaseMs), warn };
}

/**
 * @param {NonNullable<EngineOptions['limits']>} limits
 * @returns {import('./runtime/core.js').Settings['limits']}
 */
function limitsOf({ maxConcurrentNodes = CONCURRENT_NODES_DEFAULT, maxDispatchPerTick = DISPATCH_PER_TICK_DEFAULT }) {
  for (const [name, value] of Object.entries({ maxConcurrentNodes, maxDispatchPerTick })) {
    if (Number.isInteger(value) && value >= 1 && value <= U32_MAX) continue;
    throw new EngineError('setup_failed', `the limit ${name} is ${value}; give a whole number from 1 to ${U32_MAX}`);
  }
  return { maxConcurrentNodes, maxDispatchPerTick };
}
