// How an execution stands, as its log tells it. This is for people: the status that counts
// is the scheduler's.

/**
 * An event, as its line has it.
 * @typedef {{sequence?: number, at?: string | number, origin?: string, type: string, node_id?: string} & Record<string, any>} Event
 */

/** @type {Record<string, string>} */
const ENDINGS = {
  workflow_completed: 'completed',
  workflow_failed: 'failed',
  workflow_cancelled: 'cancelled',
};

export class Standing {
  /** @type {string | undefined} */
  #ended = undefined;
  #isPaused = false;
  #isStalledByHost = false;
  /** What a policy stalled it on: a node, or `null` for a budget. @type {string | null | undefined} */
  #stalledOn = undefined;

  /**
   * The status behind this event, which is the next one.
   * @param {Event} event
   * @returns {string}
   */
  after(event) {
    this.#apply(event);
    if (this.#ended !== undefined) return this.#ended;
    if (this.#isStalledByHost || this.#stalledOn !== undefined) return 'stalled';
    return this.#isPaused ? 'paused' : 'running';
  }

  /** @param {Event} event */
  #apply(event) {
    switch (event.type) {
      case 'workflow_completed':
      case 'workflow_failed':
      case 'workflow_cancelled':
        this.#ended = ENDINGS[event.type];
        break;
      case 'execution_paused':
        this.#isPaused = true;
        break;
      case 'execution_unpaused':
        this.#isPaused = false;
        break;
      case 'host_stalled':
        this.#isStalledByHost = true;
        break;
      case 'stalled':
        this.#stalledOn = event.node_id ?? null;
        break;
      case 'stall_lifted':
        if (this.#isStalledByHost) this.#isStalledByHost = false;
        else this.#stalledOn = undefined;
        break;
      case 'cancel_requested':
        this.#stalledOn = undefined;
        break;
      case 'retry_requested':
      case 'skip_requested':
        if (this.#stalledOn === event.node_id) this.#stalledOn = undefined;
        break;
      default:
        // While a policy's stall stands, nothing is decided.
        if (event.origin === 'decision') this.#stalledOn = undefined;
    }
  }
}
