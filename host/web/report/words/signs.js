// Signs and words for states: those of all pictures.

/** @type {Record<string, string>} */
const SIGNS = {
  pending: '·',
  ready: '○',
  scheduled: '○',
  running: '▶',
  waiting: '◔',
  backing_off: '↻',
  completed: '✓',
  failed: '✗',
  failing: '✗',
  skipped: '–',
  cancelled: '⊘',
};

/**
 * @param {string} state
 * @returns {string}
 */
export function sign(state) {
  return SIGNS[state] ?? '?';
}

/**
 * @param {string} code
 * @returns {string}
 */
export function words(code) {
  return code.replaceAll('_', ' ');
}
