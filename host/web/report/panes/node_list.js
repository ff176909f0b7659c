// The nodes of a workflow in a list, where there is no picture of it.

import { element, fill } from '../base/dom.js';
import { sign, words } from '../words/signs.js';

/** @typedef {import('./graph.js').Look} Look */

/** Nodes that are listed. */
const LISTED_MAX = 2000;

export class NodeList {
  /** @type {Map<string, HTMLElement>} */
  #nodes = new Map();

  /**
   * @param {HTMLElement} pane
   * @param {Record<string, any>} workflow
   * @param {string} why Why there is no picture of it.
   */
  constructor(pane, workflow, why) {
    const all = Object.entries(workflow.nodes ?? {});
    for (const [id, node] of all.slice(0, LISTED_MAX)) {
      this.#nodes.set(id, element('button', { type: 'button', class: 'chip node', 'data-node': id, title: String(node?.kind?.type ?? '') }, id));
    }
    fill(
      pane,
      element('p', { class: 'empty' }, why, all.length > 0 && ' These are the nodes of the workflow, in the order of its text.'),
      element('div', { class: 'chips' }, ...this.#nodes.values()),
      all.length > LISTED_MAX && element('p', { class: 'quiet' }, `and ${all.length - LISTED_MAX} more`),
    );
  }

  /** @param {(way: string) => Look | undefined} lookOf */
  update(lookOf) {
    for (const [id, chip] of this.#nodes) {
      const look = lookOf(id);
      const state = look?.state ?? 'pending';
      chip.className = `chip node state-${state}${chip.getAttribute('aria-current') ? ' chosen' : ''}`;
      chip.title = words(state);
      fill(chip, element('span', { class: 'sign' }, sign(state)), ` ${id}`, look?.count !== undefined && ` ${look.count}`);
    }
  }

  /** @param {string | undefined} id */
  choose(id) {
    for (const [way, chip] of this.#nodes) {
      chip.classList.toggle('chosen', way === id);
      if (way === id) chip.setAttribute('aria-current', 'true');
      else chip.removeAttribute('aria-current');
    }
  }

  /** @param {string} id */
  has(id) {
    return this.#nodes.has(id);
  }
}
