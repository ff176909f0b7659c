// Which of several tabs works on a store: the one that holds its Web Lock. The browser takes
// the lock from a tab that is closed or killed.

import { quoted } from '@refrain/audit/host';
import { EngineError } from '../errors.js';

/**
 * Takes the lock of this name. Answers what gives it back; undefined where there are no Web
 * Locks.
 * @param {string} name
 * @param {'wait' | 'refuse'} ifBusy
 * @param {() => void} onWaiting is called if another tab has it
 * @returns {Promise<(() => void) | undefined>}
 */
export async function takeLock(name, ifBusy, onWaiting) {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return undefined;
  const unlock = await request(locks, name, true);
  if (unlock !== undefined) return unlock;
  if (ifBusy === 'refuse') {
    throw new EngineError('store_failed', `another tab works on ${quoted(name)}; close it, or let this one wait`);
  }
  onWaiting();
  return request(locks, name, false);
}

/**
 * @param {LockManager} locks
 * @param {string} name
 * @param {boolean} ifAvailable
 * @returns {Promise<(() => void) | undefined>}
 */
function request(locks, name, ifAvailable) {
  return new Promise((resolve, reject) => {
    const held = locks.request(name, { ifAvailable }, (lock) => {
      if (lock === null) return resolve(undefined);
      // The lock is held until this promise resolves.
      return new Promise((unlock) => resolve(() => unlock(undefined)));
    });
    held.catch(reject);
  });
}
