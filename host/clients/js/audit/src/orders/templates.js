// Texts with `${…}` in them (rule R29): where they stand in a node's kind, and what the
// worker puts into those of a payload.
//
// `${secret.NAME}` and `${execution_id}` are put in by the worker, `$${` is a literal `${`,
// and `${'$'}` a dollar. All else between `${` and `}` is an expression, which the guest
// has resolved.

import { skipString, stringOf } from '../json/scan.js';
import { SECRET_NAME_BYTES_MAX } from '../limits.js';

/**
 * What the worker puts in, as it stands between `${` and `}`; `undefined` if it is not that.
 * @param {string} inner
 * @returns {string | undefined}
 */
export function putIn(inner) {
  if (inner === 'execution_id') return inner;
  const isSecret = /^secret\.[A-Za-z_][A-Za-z0-9_]*$/.test(inner);
  return isSecret && inner.length <= 'secret.'.length + SECRET_NAME_BYTES_MAX ? inner : undefined;
}

/**
 * A template in its parts: texts, one more of them than there is put in between.
 * `undefined` if it is none.
 * @param {string} template
 * @returns {{texts: string[], putsIn: string[]} | undefined}
 */
export function partsOf(template) {
  const texts = [''];
  /** @type {string[]} */
  const putsIn = [];
  const add = (/** @type {string} */ text) => {
    texts[texts.length - 1] += text;
  };
  let from = 0;
  for (let place = template.indexOf('${'); place >= 0; place = template.indexOf('${', from)) {
    const before = template.slice(from, place);
    from = place + 2;
    if (before.endsWith('$')) {
      add(`${before.slice(0, -1)}\${`);
      continue;
    }
    add(before);
    const end = template.indexOf('}', from);
    if (end < 0) return undefined;
    const inner = template.slice(from, end);
    from = end + 1;
    if (inner === "'$'") {
      add('$');
      continue;
    }
    const put = putIn(inner);
    if (put === undefined) return undefined;
    putsIn.push(put);
    texts.push('');
  }
  add(template.slice(from));
  return { texts, putsIn };
}

/**
 * A text that is a value, in the JSON of a kind.
 * @typedef {object} TextPlace
 * @property {number} start Where it stands, with its quotes.
 * @property {number} end
 * @property {string} field The field of the kind that it stands in.
 * @property {string} pointer Its JSON pointer into the payload.
 */

/**
 * The texts of a kind, however deep, in their order. The JSON must be valid.
 * @param {string} kind
 * @returns {TextPlace[]}
 */
export function textsWithin(kind) {
  /** @type {TextPlace[]} */
  const texts = [];
  /** @type {(string | number)[]} */
  const open = [];
  let [isKey, field] = [false, ''];
  for (let at = 0; at < kind.length; at += 1) {
    switch (kind[at]) {
      case '{':
      case '[':
        isKey = kind[at] === '{';
        open.push(isKey ? '' : 0);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',': {
        const last = open[open.length - 1];
        if (typeof last === 'number') open[open.length - 1] = last + 1;
        else isKey = true;
        break;
      }
      case ':':
        isKey = false;
        break;
      case '"': {
        const end = skipString(kind, at);
        if (isKey) {
          const key = stringOf(kind.slice(at, end)) ?? '';
          open[open.length - 1] = key;
          if (open.length === 1) field = key;
        } else {
          texts.push({ start: at, end, field, pointer: pointerOf(open) });
        }
        at = end - 1;
        break;
      }
    }
  }
  return texts;
}

/** @param {(string | number)[]} open */
function pointerOf(open) {
  const steps = open.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return `/kind${steps.join('')}`;
}
