// The place in the address of the page: `#11/judge`, and before that the execution where it is
// not the first.

/** @typedef {import('./view.js').View} View */

/** Milliseconds from one change of the address to the next: browsers refuse many at once. */
const ADDRESS_EVERY_MS = 250;

/**
 * @param {View} view
 * @returns {string}
 */
export function addressOf(view) {
  const parts = [String(view.sequence)];
  if (view.node !== undefined) parts.push(encodeURIComponent(view.node));
  if (view.execution !== view.executions[0]) parts.unshift(view.log.executionId);
  return `#${parts.join('/')}`;
}

/**
 * Goes where an address says; what it says wrongly is left as it is.
 * @param {View} view
 * @param {string} address
 */
export function goTo(view, address) {
  const parts = address.replace(/^#/, '').split('/').filter((part) => part !== '').map(decoded);
  const named = view.known(parts[0]);
  if (named !== undefined) parts.shift();
  const execution = named ?? (parts.length === 0 ? view.execution : view.executions[0]);
  const sequence = /^\d+$/.test(parts[0] ?? '') ? Number(parts.shift()) : execution.log.count;
  view.open(execution, sequence, parts.length === 0 ? undefined : parts.join('/'));
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}

/**
 * Keeps the address and the place the same.
 * @param {View} view
 * @param {AbortSignal} signal
 */
export function keepInAddress(view, signal) {
  goTo(view, location.hash);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let owed;
  view.listen(() => {
    owed ??= setTimeout(() => {
      owed = undefined;
      history.replaceState(null, '', addressOf(view));
    }, ADDRESS_EVERY_MS);
  });
  addEventListener('hashchange', () => goTo(view, location.hash), { signal });
}
