// The state of the execution at the place, and where each value comes from.

import { button, element, fill } from '../base/dom.js';
import { members } from '../../../clients/js/audit/src/json/scan.js';
import { pretty } from '../words/json_text.js';

/** @typedef {import('../view/view.js').View} View */

/** Keys that are shown at once. */
const KEYS_MAX = 200;

/** A value longer than this is folded. */
const OPEN_MAX = 400;

export class StatePane {
  /**
   * @param {HTMLElement} pane
   * @param {View} view
   */
  constructor(pane, view) {
    this.pane = pane;
    this.view = view;
  }

  wait() {
    this.pane.classList.add('waits');
  }

  /**
   * @param {string | undefined} state Its JSON.
   * @param {string} [why] Why there is none.
   */
  update(state, why = undefined) {
    this.pane.classList.remove('waits');
    this.pane.dataset.sequence = String(this.view.sequence);
    this.pane.dataset.state = state ?? '';
    if (state === undefined) {
      fill(this.pane, element('p', { class: 'quiet' }, why ?? 'It has not begun.'));
      return;
    }
    const found = [...members(state)];
    const rows = found.slice(0, KEYS_MAX).map(([key, value]) => this.#row(key, value));
    fill(
      this.pane,
      found.length === 0 ? element('p', { class: 'quiet' }, 'It is empty: { }') : element('dl', { class: 'state' }, ...rows.flat()),
      found.length > KEYS_MAX && element('p', { class: 'quiet' }, `and ${found.length - KEYS_MAX} more keys`),
    );
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  #row(key, value) {
    const { view } = this;
    const origin = view.history.writers.before(key, view.sequence);
    const isNew = origin === view.sequence;
    const from = origin === undefined
      ? null
      : button(`from event ${origin}${view.log.nodes[origin] === undefined ? '' : `, ${view.log.nodes[origin]}`}`, () => this.#goTo(origin), { class: 'link origin', title: 'Go to the event that wrote it' });
    const shown = value.length > OPEN_MAX
      ? element('details', {}, element('summary', {}, `${value.length} characters`), pretty(value))
      : pretty(value);
    return [
      element('dt', { class: isNew ? 'new' : '' }, element('code', {}, key), isNew && element('span', { class: 'tag' }, 'new'), from),
      element('dd', {}, shown),
    ];
  }

  /** @param {number} origin */
  #goTo(origin) {
    this.view.go(origin);
    this.view.choose(this.view.log.nodes[origin] ?? this.view.node);
  }
}
