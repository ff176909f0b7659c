// One execution of the page: its log, its picture, and what its scheduler says.

import { History } from '../log/history.js';
import { Proof } from './proof.js';

/** @typedef {import('./drawing.js').Drawn} Drawn */

/** @type {Drawn} */
const NO_PICTURE = { why: 'There is no picture of this workflow here.' };

/**
 * @typedef {object} Source
 * @property {string} text The log, as an export.
 * @property {Uint8Array} [bytes] The same to the byte, where it may not be text.
 * @property {Uint8Array[]} [components] Schedulers that the log may name and does not bring.
 * @property {string} [picture] The graph of its workflow, as SVG.
 * @property {(workflow: string) => Promise<Drawn>} [draw] Draws the graph of a workflow's text, where no picture is given.
 * @property {Map<number, Map<string, string>>} [masked] Of each event, the fields that were left out, masked.
 */

export class Execution {
  /**
   * @param {Source} source
   * @param {History} history
   */
  constructor(source, history) {
    this.source = source;
    this.history = history;
    this.log = history.log;
    this.proof = new Proof(history.log);
    /** Its graph. `undefined` until it is drawn. @type {Drawn | undefined} */
    this.drawn = source.picture !== undefined ? { svg: source.picture } : undefined;
  }

  /**
   * @param {Source} source
   * @returns {Promise<Execution>}
   */
  static async of(source) {
    return new Execution(source, await History.of(source.text));
  }

  /** What a worker is given to derive it, or to be asked about it. */
  get given() {
    return { log: this.source.bytes ?? this.source.text, components: this.source.components ?? [] };
  }

  /** Has its graph drawn, if there is a text to draw it from. */
  async draw() {
    const { workflow } = this.log.header;
    const { draw } = this.source;
    this.drawn ??= draw !== undefined && typeof workflow === 'string' ? await draw(workflow) : NO_PICTURE;
  }

  /**
   * The fields of an event that were left out of the log, masked. `undefined` if there are none.
   * @param {number} sequence
   */
  masked(sequence) {
    return this.source.masked?.get(sequence);
  }
}
