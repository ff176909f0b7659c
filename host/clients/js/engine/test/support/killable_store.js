// A store between which and its engine the line can be cut, as where a tab is killed: what
// was under way then was written or was not, and nobody is told.

/**
 * A store that dies with its so many-th call.
 * @param {import('../../src/store/contract.js').Store} store
 * @param {number} calls
 * @param {boolean} isWritten whether the last call still reaches the store
 * @param {() => void} onDeath
 * @returns {import('../../src/store/contract.js').Store}
 */
export function killable(store, calls, isWritten, onDeath) {
  let left = calls;
  const never = new Promise(() => undefined);
  return new Proxy(store, {
    get(target, name) {
      const value = /** @type {any} */ (target)[name];
      if (typeof value !== 'function') return value;
      return async (/** @type {any[]} */ ...args) => {
        left -= 1;
        if (left < 0) return never;
        if (left > 0) return value.apply(target, args);
        if (isWritten) await Promise.allSettled([value.apply(target, args)]);
        onDeath();
        return never;
      };
    },
  });
}
