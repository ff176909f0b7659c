// The scheduler of an execution, asked in a worker of its own: one question at a time, the
// latest one next. A scheduler that does not answer in time is ended with its worker.

/** @typedef {import('../panes/node.js').Explanation} Explanation */

/**
 * What the scheduler says behind an event.
 * @typedef {object} Answer
 * @property {number} sequence
 * @property {string} [node]
 * @property {boolean} [isGivenAsked]
 * @property {string} [inspection] All that it holds of the execution, as JSON.
 * @property {string} [state] The state of the execution, as JSON.
 * @property {Explanation} [explanation]
 * @property {{attempt: number, payload: string}} [given] What its worker was given, where that was asked for.
 * @property {string} [error] Why it says nothing.
 */

/** @typedef {{sequence: number, node?: string, isGivenAsked?: boolean}} Question */

/** Milliseconds that one answer may take: many times what the largest honest one does. */
const ANSWER_MS_MAX = 20_000;

/** And more for each event of the log, which a fresh scheduler has to be shown. */
const ANSWER_MS_PER_EVENT = 0.2;

export class Scheduler {
  /** @type {Worker | undefined} */
  #worker = undefined;
  /** @type {Question | undefined} */
  #asked = undefined;
  /** @type {Question | undefined} */
  #next = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadline = undefined;

  /**
   * @param {() => Worker} start
   * @param {import('./execution.js').Execution} execution
   * @param {(answer: Answer) => void} onAnswer
   */
  constructor(start, execution, onAnswer) {
    this.start = start;
    this.execution = execution;
    this.onAnswer = onAnswer;
  }

  /** @param {Question} question */
  ask(question) {
    this.#next = question;
    if (this.#asked === undefined) this.#go();
  }

  /** Nothing is asked of it any more. */
  end() {
    this.#next = undefined;
    this.#asked = undefined;
    this.#stop();
  }

  #go() {
    const question = this.#next;
    this.#next = undefined;
    this.#asked = question;
    if (question === undefined) return;
    const worker = this.#running();
    const ms = ANSWER_MS_MAX + this.execution.log.count * ANSWER_MS_PER_EVENT;
    this.#deadline = setTimeout(() => this.#give({ ...question, error: `The scheduler did not answer within ${Math.ceil(ms / 1000)} s.` }, true), ms);
    worker.postMessage({ ask: 'at', ...question });
  }

  #running() {
    if (this.#worker !== undefined) return this.#worker;
    const worker = this.start();
    worker.addEventListener('message', (event) => this.#give(event.data, false));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#give({ sequence: this.#asked?.sequence ?? 0, error: `The scheduler's worker failed: ${event.message}` }, true);
    });
    worker.postMessage({ ask: 'travel', ...this.execution.given });
    this.#worker = worker;
    return worker;
  }

  /**
   * @param {Answer} answer
   * @param {boolean} isOver Whether its worker is of no use any more.
   */
  #give(answer, isOver) {
    clearTimeout(this.#deadline);
    if (isOver) this.#stop();
    this.#asked = undefined;
    this.onAnswer(answer);
    this.#go();
  }

  #stop() {
    clearTimeout(this.#deadline);
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
