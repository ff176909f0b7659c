// Elements of the page. Text is only ever put in as text.

import { escaped } from './escaped.js';

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes */

/**
 * An element with these attributes and children. An attribute that is a function listens to
 * the event of its name; one that is `null` or `false` is left out. Texts are escaped.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  return /** @type {HTMLElement} */ (filled(made, attributes, children));
}

/**
 * The same of SVG.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function drawn(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (filled(document.createElementNS(SVG, tag), attributes, children));
}

/**
 * @param {Element} made
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  add(made, ...children);
  return made;
}

/**
 * @param {Element} to
 * @param {...Child} children
 */
export function add(to, ...children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    to.append(child instanceof Node ? child : escaped(String(child)));
  }
}

/**
 * Puts these children in the place of all that an element has.
 * @param {Element} of
 * @param {...Child} children
 */
export function fill(of, ...children) {
  of.replaceChildren();
  add(of, ...children);
}

/**
 * The element with this id, which the page's own text has.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

/**
 * A button.
 * @param {string} words
 * @param {() => void} onClick
 * @param {Attributes} [attributes]
 */
export function button(words, onClick, attributes = {}) {
  return element('button', { type: 'button', click: onClick, ...attributes }, words);
}
