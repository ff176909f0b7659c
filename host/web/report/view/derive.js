// Has logs derived again, in a worker, and says how far that is. A scheduler that gives no
// answer in time is ended with its worker, and that is the verdict about its log.

/** @typedef {import('./execution.js').Execution} Execution */

/** Milliseconds in which there must be a word of progress. */
const SILENT_MS_MAX = 30_000;

/**
 * Derives the logs of these executions. They are told apart by their places.
 * @param {Execution[]} executions
 * @param {() => Worker} start
 */
export async function derive(executions, start) {
  let left = executions;
  while (left.length > 0) {
    const silent = await new Run(left, start).ended;
    if (silent === undefined) return;
    giveUp(silent);
    left = left.filter((it) => !it.proof.isOver);
  }
}

/**
 * The verdict about a log whose scheduler gives no answer.
 * @param {Execution} execution
 */
function giveUp({ log, proof }) {
  proof.end({
    verdict: 'divergent',
    events: log.count,
    decisions: proof.decisions,
    divergence: {
      sequence: Math.min(proof.reached + 1, log.count),
      code: 'guest_failed',
      message: `the scheduler gave no answer within ${SILENT_MS_MAX / 1000} s`,
      difference: [],
    },
  });
}

/** One worker that derives some logs. */
class Run {
  #place = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadline = undefined;
  /** @type {(silent: Execution | undefined) => void} */
  #end = () => {};

  /**
   * @param {Execution[]} executions
   * @param {() => Worker} start
   */
  constructor(executions, start) {
    this.executions = executions;
    /** The execution whose scheduler fell silent, if one did. @type {Promise<Execution | undefined>} */
    this.ended = new Promise((end) => (this.#end = end));
    this.worker = start();
    this.worker.addEventListener('message', ({ data }) => this.#take(data));
    this.worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#fail(`The audit could not be done: ${event.message}`);
    });
    this.worker.postMessage({ ask: 'audit', logs: executions.map((it) => it.given) });
    this.#wait();
  }

  #wait() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#stop(this.executions[this.#place]), SILENT_MS_MAX);
  }

  /** @param {Record<string, any>} data */
  #take(data) {
    this.#wait();
    if (data.reached !== undefined) {
      this.#place = data.reached.place;
      this.executions[this.#place].proof.reach(data.reached.done);
    } else if (data.audit !== undefined) {
      this.executions[data.audit.place].proof.end(data.audit.found);
      this.#place = Math.min(data.audit.place + 1, this.executions.length - 1);
    } else if (data.failed !== undefined) {
      this.#fail(`The audit could not be done: ${data.failed}`);
    } else {
      this.#stop(undefined);
    }
  }

  /** @param {string} why */
  #fail(why) {
    for (const { proof } of this.executions) {
      if (!proof.isOver) proof.fail(why);
    }
    this.#stop(undefined);
  }

  /** @param {Execution | undefined} silent */
  #stop(silent) {
    clearTimeout(this.#deadline);
    this.worker.terminate();
    this.#end(silent?.proof.isOver ? undefined : silent);
  }
}
