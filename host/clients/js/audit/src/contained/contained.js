// Audits in a worker, with a deadline: a guest that crashes, never ends or takes all memory
// ends its worker, and never who asked.

import { AuditError } from '../audit/divergence.js';
import { ComponentError } from '../component/cursor.js';
import { AnchorError } from '../log/anchor.js';
import { KeyError } from '../log/signed.js';

/** @typedef {import('../audit/all.js').AuditOptions} AuditOptions */
/** @typedef {import('../audit/audit.js').Audit} Audit */
/** @typedef {import('./served.js').Task} Task */
/** @typedef {import('./served.js').News} News */
/** @typedef {import('../audit/all.js').Progress} Progress */
/** @typedef {import('../audit/all.js').Stop} Stop */

/**
 * A worker that was started.
 * @typedef {object} Spawned
 * @property {(task: Task) => void} post
 * @property {(onNews: (news: News) => void, onFailure: (problem: string) => void) => void} listen
 * @property {() => void} stop
 */

/**
 * How an audit is contained.
 * @typedef {object} ContainedOptions
 * @property {Uint8Array[]} [components] Scheduler components that the logs may name.
 * @property {Uint8Array} [guest] The component to ask instead of those that the logs name.
 * @property {{text: string, place: string}[]} [anchors]
 * @property {string[]} [trust]
 * @property {number} [silenceMs] How long one call of a guest may take, before it is stopped.
 * @property {string | URL} [workerUrl] A script for the worker, in one piece, such as a Blob has. Unless it is given, the module `worker.js` next to this one.
 * @property {(progress: Progress) => void} [onProgress] Is told what is being done, call by call.
 */

/** How long one call may take: many times what the largest honest one does. */
const SILENCE_MS = 20_000;

/** And more for each event that a fresh guest may have to be shown in it. */
const SILENCE_MS_PER_EVENT = 0.2;

/**
 * Audits logs in a worker, as {@link auditEachContained} does. It throws where one of them
 * cannot be audited.
 * @param {(Uint8Array | string)[]} logs
 * @param {ContainedOptions} [options]
 * @returns {Promise<Audit[]>}
 */
export async function auditContained(logs, options = {}) {
  const answers = await auditEachContained(logs, options);
  return answers.map((answer) => {
    if (answer instanceof AuditError) throw answer;
    return answer;
  });
}

/**
 * Audits logs in a worker. A guest that is not done with a call in time, or that brings the
 * worker down, has failed: its log is divergent, with the code `guest_failed`. Of a log that
 * cannot be audited, the answer is the reason.
 * @param {(Uint8Array | string)[]} logs
 * @param {ContainedOptions} [options]
 * @returns {Promise<(Audit | AuditError)[]>}
 */
export async function auditEachContained(logs, options = {}) {
  const { silenceMs = SILENCE_MS, workerUrl, onProgress, ...given } = options;
  const bytes = logs.map((log) => (typeof log === 'string' ? new TextEncoder().encode(log) : log));
  /** @type {Stop[]} */
  const stops = [];
  // One more each time: what a guest was stopped at it is not asked again.
  for (;;) {
    const spawned = await spawn(workerUrl);
    const came = await new Round(spawned, silenceMs, onProgress).run({ logs: bytes, options: given, stops });
    if (Array.isArray(came)) {
      return came.map((it) => ('audit' in it ? it.audit : new AuditError(it.unaudited)));
    }
    stops.push(came);
  }
}

/** One worker at work. */
class Round {
  /**
   * @param {Spawned} spawned
   * @param {number} silenceMs
   * @param {ContainedOptions['onProgress']} onProgress
   */
  constructor(spawned, silenceMs, onProgress) {
    this.spawned = spawned;
    this.silenceMs = silenceMs;
    this.onProgress = onProgress;
    /** What the worker is about to do. @type {Progress | null} */
    this.about = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * @param {Task} task
   * @returns {Promise<import('./served.js').Came[] | Stop>}
   */
  run(task) {
    return new Promise((resolve, reject) => {
      const end = (/** @type {() => void} */ settle) => {
        clearTimeout(this.timer);
        this.spawned.stop();
        settle();
      };
      const fail = (/** @type {string} */ problem) =>
        end(() => {
          try {
            resolve(this.stopAt(problem));
          } catch (error) {
            reject(error);
          }
        });
      const wait = (/** @type {Progress} */ { done }) => {
        clearTimeout(this.timer);
        const ms = this.silenceMs + done * SILENCE_MS_PER_EVENT;
        this.timer = setTimeout(() => fail(`its call had not ended after ${Math.ceil(ms / 1000)} seconds`), ms);
      };
      this.spawned.listen((news) => {
        if ('came' in news) end(() => resolve(news.came));
        else if ('error' in news) end(() => reject(errorOf(news.error)));
        else {
          wait(news.about);
          this.about = news.about;
          this.onProgress?.(news.about);
        }
      }, fail);
      // What is done before a guest is started ends by itself.
      this.spawned.post(task);
    });
  }

  /**
   * What a guest was stopped at, or brought the worker down with.
   * @param {string} problem
   * @returns {Stop}
   */
  stopAt(problem) {
    if (this.about === null) throw new AuditError(`the logs could not be audited: ${problem}`);
    if (this.about.doing === 'start') throw new AuditError(`a scheduler component does not run: ${problem}`);
    return { ...this.about, problem: `the guest was stopped: ${problem}` };
  }
}

/** @type {{[name: string]: new (message: string) => Error}} */
const ERRORS = { AuditError, AnchorError, ComponentError, KeyError };

/** @param {{name: string, message: string}} error */
function errorOf({ name, message }) {
  const Kind = ERRORS[name];
  return Kind === undefined ? new AuditError(message) : new Kind(message);
}

/**
 * @param {string | URL | undefined} url
 * @returns {Promise<Spawned>}
 */
async function spawn(url) {
  if (globalThis.Worker === undefined) {
    const { spawnInNode } = await import('../node/spawn.js');
    return spawnInNode();
  }
  const worker =
    url === undefined ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) : new Worker(url);
  return {
    post: (task) => worker.postMessage(task),
    listen: (onNews, onFailure) => {
      worker.onmessage = ({ data }) => onNews(data);
      worker.onerror = ({ message }) => onFailure(message);
    },
    stop: () => worker.terminate(),
  };
}
