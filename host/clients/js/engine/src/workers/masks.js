// Takes the values of secrets out of what workers say.
//
// The exact value is replaced by `***NAME***`, wherever it stands, and so is its spelling in
// JSON, and in a URL that in percent; a value that is a number or a word of JSON only where
// it stands alone, because other numbers and words hold it by chance. Where one value is a
// part of another, the longer one is looked for first. What else a worker has made of a
// value (in base64, say) is not found.

import { WorkError } from '../errors.js';

/** @typedef {import('../values/facts.js').Completion} Completion */

/** The secrets that an attempt was given, and what stands for each. */
export class Masks {
  static none = new Masks([]);
  /** @type {{value: string, shown: string, isBare: boolean}[]} */
  #masks;

  /** @param {[name: string, value: string][]} values */
  constructor(values) {
    const masks = values.map(([name, value]) => ({ value, shown: `***${name}***`, isBare: isBare(value) }));
    this.#masks = masks.sort((a, b) => b.value.length - a.value.length);
  }

  get isEmpty() {
    return this.#masks.length === 0;
  }

  /**
   * A text without the values.
   * @param {string} text
   * @returns {string}
   */
  hide(text) {
    let hidden = '';
    for (let place = 0; place < text.length;) {
      const mask = this.#at(text, place);
      hidden += mask?.shown ?? text[place];
      place += mask?.value.length ?? 1;
    }
    return hidden;
  }

  /**
   * An answer without the values.
   * @param {Completion} completion
   * @returns {Completion}
   */
  hideCompletion(completion) {
    if (this.isEmpty) return completion;
    const text = (/** @type {string | null} */ it) => (it === null ? null : this.hide(it));
    const call = /** @type {any} */ (completion.gen_ai);
    return {
      output: this.hideJson(completion.output),
      state_patch: this.hideJson(completion.state_patch),
      chosen_target: text(completion.chosen_target),
      gen_ai: call && {
        ...call,
        system: text(call.system),
        model: text(call.model),
        finish_reason: text(call.finish_reason),
      },
      telemetry: completion.telemetry === null ? null : this.hideJson(completion.telemetry),
    };
  }

  /**
   * JSON text without the values: in its texts, keys included, and where a number or a word
   * is one, which becomes a text then.
   * @param {string} json
   * @returns {string}
   */
  hideJson(json) {
    const hidden = json.replace(TOKEN, (token) => {
      if (!token.startsWith('"')) {
        const mask = this.#masks.find(({ value }) => value === token);
        return mask === undefined ? token : JSON.stringify(mask.shown);
      }
      const text = JSON.parse(token);
      const masked = this.hide(text);
      return masked === text ? token : JSON.stringify(masked);
    });
    const isLeft = this.#masks.some(({ value, isBare }) => !isBare && hidden.includes(value));
    if (isLeft || hasTwins(hidden, json)) {
      const text = 'the answer holds a secret where nothing can stand for it: not in a text and not in a number';
      throw new WorkError(text, { retryable: false, class: 'secret_in_answer' });
    }
    return hidden;
  }

  /**
   * The value that stands at a place.
   * @param {string} text
   * @param {number} place
   */
  #at(text, place) {
    return this.#masks.find(
      ({ value, isBare }) => text.startsWith(value, place) && !(isBare && isWithin(text, place, place + value.length)),
    );
  }
}

/** A string, a number or a word of JSON. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null/g;

/**
 * Whether two keys of an object have become the same.
 * @param {string} hidden
 * @param {string} before
 */
function hasTwins(hidden, before) {
  if (hidden === before) return false;
  const keys = (/** @type {string} */ json) => {
    let count = 0;
    JSON.parse(json, (_, value) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) count += Object.keys(value).length;
      return value;
    });
    return count;
  };
  return keys(hidden) !== keys(before);
}

/**
 * Whether this is a number, or a word of JSON: other numbers and words hold such values by
 * chance.
 * @param {string} value
 */
function isBare(value) {
  return ['true', 'false', 'null'].includes(value) || (/^[0-9+.eE-]+$/.test(value) && /[0-9]/.test(value));
}

/**
 * Whether a bare value between these places is a part of a longer word or number.
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
function isWithin(text, from, to) {
  const before = text.slice(Math.max(0, from - 6), from);
  const after = text.slice(to, to + 2);
  const continuesBefore =
    /[0-9]\.$/.test(before) ||
    (/[A-Za-z0-9]$/.test(before) && !/\\[bfnrt]$|\\u[0-9a-fA-F]{4}$|%[0-9a-fA-F]{2}$/.test(before));
  return continuesBefore || /^[A-Za-z0-9]|^\.[0-9]/.test(after);
}
