// Pictures of workflows, drawn in workers. One that is not drawn in time is given up with its
// worker, and so is one that takes all memory.

/** A picture of a workflow, as SVG, or why there is none. @typedef {{svg: string} | {why: string}} Drawn */

/** Milliseconds that a picture may take: many times what the largest one that is shown does. */
export const DRAW_MS_MAX = 10_000;

export class Drawing {
  /** What is drawn already, by the text of the workflow. @type {Map<string, Promise<Drawn>>} */
  #known = new Map();

  /** @param {() => Worker} start */
  constructor(start) {
    this.start = start;
  }

  /**
   * The picture of a workflow, with room for the states of an execution.
   * @param {string} workflow Its text.
   * @returns {Promise<Drawn>}
   */
  of(workflow) {
    const known = this.#known.get(workflow) ?? this.draw(workflow, true);
    this.#known.set(workflow, known);
    return known;
  }

  /**
   * Draws a workflow: as itself, or as an execution that has not begun.
   * @param {string} workflow
   * @param {boolean} isExecution
   * @returns {Promise<Drawn>}
   */
  draw(workflow, isExecution) {
    return new Promise((resolve) => {
      const worker = this.start();
      const end = (/** @type {Drawn} */ drawn) => {
        clearTimeout(deadline);
        worker.terminate();
        resolve(drawn);
      };
      const deadline = setTimeout(() => end({ why: `The workflow was not drawn within ${DRAW_MS_MAX / 1000} s.` }), DRAW_MS_MAX);
      worker.addEventListener('message', ({ data }) => end(data));
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        end({ why: `The workflow could not be drawn: ${event.message}` });
      });
      worker.postMessage({ workflow, isExecution });
    });
  }
}
