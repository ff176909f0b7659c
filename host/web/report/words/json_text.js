// JSON as text, shown to the letter: numbers keep their spelling.

import { element } from '../base/dom.js';

/** A token of JSON: a string, a number or word, or a sign. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

/** Characters that are shown at first. */
const SHOWN_MAX = 20_000;

/**
 * JSON text, set in lines, with its parts marked by classes.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function pretty(text) {
  const block = element('pre', { class: 'json', tabindex: '0' });
  const shown = text.length > SHOWN_MAX ? text.slice(0, SHOWN_MAX) : text;
  block.append(laidOut(shown));
  if (shown !== text) {
    const more = element('button', { type: 'button', class: 'more' }, `show all ${text.length} characters`);
    more.addEventListener('click', () => block.replaceChildren(laidOut(text)));
    block.append('\n', more);
  }
  return block;
}

/**
 * @param {string} text
 * @returns {DocumentFragment}
 */
function laidOut(text) {
  const all = document.createDocumentFragment();
  const tokens = text.match(TOKEN) ?? [];
  let depth = 0;
  const newLine = () => all.append(`\n${'  '.repeat(Math.min(depth, 40))}`);
  tokens.forEach((token, place) => {
    const next = tokens[place + 1];
    if (token === '{' || token === '[') {
      all.append(token);
      depth += 1;
      if (next !== '}' && next !== ']') newLine();
    } else if (token === '}' || token === ']') {
      const before = tokens[place - 1];
      depth = Math.max(depth - 1, 0);
      if (before !== '{' && before !== '[') newLine();
      all.append(token);
    } else if (token === ',') {
      all.append(',');
      newLine();
    } else if (token === ':') {
      all.append(': ');
    } else {
      const kind = token.startsWith('"') ? (next === ':' ? 'key' : 'text') : 'value';
      all.append(element('span', { class: `json-${kind}` }, token));
    }
  });
  return all;
}

/**
 * The text of a JSON string's token, or the JSON as it stands.
 * @param {string} token
 * @returns {string}
 */
export function plain(token) {
  if (!token.startsWith('"')) return token;
  try {
    return JSON.parse(token);
  } catch (error) {
    if (error instanceof SyntaxError) return token;
    throw error;
  }
}
