// A JSON object in the making, as exports have them.

import { isJson } from '../json/scan.js';
import { rfc3339 } from '../time.js';

/** The text of an object. */
export class ObjectText {
  constructor() {
    /** @type {string[]} */
    this.members = [];
  }

  /**
   * A field with this JSON text.
   * @param {string} name
   * @param {string} json
   */
  field(name, json) {
    this.members.push(`"${name}":${json}`);
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  text(name, value) {
    this.field(name, JSON.stringify(value));
  }

  /**
   * JSON text of the user's. One that cannot stand on one line as it is becomes a string.
   * @param {string} name
   * @param {string} value
   */
  json(name, value) {
    const embeds = !/[\n\r]/.test(value) && value.trim() === value && isJson(value);
    if (embeds) this.field(name, value);
    else this.text(`${name}_text`, value);
  }

  /**
   * @param {string} name
   * @param {import('../bytes.js').Whole} value
   */
  time(name, value) {
    const text = rfc3339(value);
    if (text === undefined) this.field(name, String(value));
    else this.text(name, text);
  }

  toString() {
    return `{${this.members.join(',')}}`;
  }
}
