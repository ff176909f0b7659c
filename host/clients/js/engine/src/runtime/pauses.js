// Pauses, as platforms have them.

/**
 * Waits so many milliseconds.
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function pause(ms) {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** @type {(() => void)[]} */
const waiting = [];
/** @type {MessageChannel | undefined} */
let channel;

/**
 * Lets other tasks go first: those of the page, and timers that are due. A timer of zero
 * would wait four milliseconds in a browser.
 * @returns {Promise<void>}
 */
export function otherTasks() {
  if (typeof setImmediate === 'function') return new Promise((resolve) => void setImmediate(resolve));
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
  }
  const port = channel.port2;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port.postMessage(undefined);
  });
}
