// What somebody can do about a reason, in words.

/** Each alone. @type {Record<string, (it: Record<string, any>) => string>} */
export const REMEDIES = {
  approve: (it) => `decide on node \`${it.node_id}\``,
  signal: (it) => `send the external event \`${it.correlation_key}\``,
  retry: (it) => `have node \`${it.node_id}\` tried again`,
  skip: (it) => `have node \`${it.node_id}\` skipped`,
  lift: () => 'lift the stall',
  unpause: () => 'end the pause',
  cancel: () => 'cancel the execution',
  start_worker: (it) => `start a worker for the queue \`${it.queue}\``,
};

/**
 * @param {Record<string, any>} remedy With its code as `remedy`.
 * @returns {string}
 */
export function remedy(remedy) {
  return REMEDIES[remedy.remedy]?.(remedy) ?? remedy.remedy;
}
