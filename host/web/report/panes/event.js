// The event at the place, in full.

import { element, fill } from '../base/dom.js';
import { fieldsOf } from '../words/events.js';
import { plain, pretty } from '../words/json_text.js';

/** @typedef {import('../view/view.js').View} View */

/** @param {string} value */
const isStructure = (value) => value.startsWith('{') || value.startsWith('[');

export class EventPane {
  /**
   * @param {HTMLElement} pane
   * @param {HTMLElement} title
   * @param {View} view
   */
  constructor(pane, title, view) {
    this.pane = pane;
    this.title = title;
    this.view = view;
  }

  update() {
    const { log, sequence, execution } = this.view;
    if (sequence === 0) {
      this.title.textContent = 'Event';
      fill(this.pane, element('p', { class: 'quiet' }, 'Before the first event there is none.'));
      return;
    }
    fill(this.title, `Event ${sequence} `, element('span', { class: 'quiet' }, execution.proof.of(sequence).meaning));
    const fields = fieldsOf(log.lines[sequence - 1]);
    const masked = execution.masked(sequence) ?? new Map();
    if (fields.size === 0) {
      fill(this.pane, element('p', { class: 'error' }, 'This line of the log is no event:'), pretty(log.lines[sequence - 1]));
      return;
    }
    const rows = [
      ...[...fields].flatMap(([name, value]) => row(name, value, false)),
      ...[...masked].flatMap(([name, value]) => row(name, value, true)),
    ];
    fill(this.pane, element('dl', { class: 'fields' }, ...rows));
  }
}

/**
 * @param {string} name
 * @param {string} value
 * @param {boolean} isMasked
 */
function row(name, value, isMasked) {
  const shown = isStructure(value) ? pretty(value) : element('code', {}, plain(value));
  return [
    element('dt', {}, name, isMasked && element('span', { class: 'tag', title: 'This is not in the log of this file. The program that wrote the file says it, and nothing proves it.' }, 'masked')),
    element('dd', {}, shown),
  ];
}
