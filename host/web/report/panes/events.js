// The table of events: rows are made as they are looked at.

import { element, fill } from '../base/dom.js';
import { Rows } from '../base/rows.js';
import { grouped, rfc3339, span } from '../base/time.js';
import { instanceOf, undoneBy } from '../../../clients/js/audit/src/log/id.js';
import { detail } from '../words/events.js';
import { words } from '../words/signs.js';

/** @typedef {import('../view/view.js').View} View */

const ROW_HEIGHT = 26;

const FILTERS = [
  ['all', 'all events'],
  ['decisions', 'decisions'],
  ['facts', 'facts'],
  ['failures', 'failures'],
  ['node', 'the chosen node'],
];

export class EventsPane {
  /** The events that are listed, if not all. @type {Uint32Array | undefined} */
  #listed = undefined;

  /**
   * @param {HTMLElement} pane
   * @param {HTMLElement} tools
   * @param {View} view
   */
  constructor(pane, tools, view) {
    this.view = view;
    this.select = /** @type {HTMLSelectElement} */ (
      element('select', { 'aria-label': 'Which events', change: () => this.filter() }, ...FILTERS.map(([value, name]) => element('option', { value }, name)))
    );
    this.search = /** @type {HTMLInputElement} */ (
      element('input', { type: 'search', placeholder: 'text  /', 'aria-label': 'Only events with this text', id: 'search', input: () => this.filter() })
    );
    this.found = element('span', { class: 'quiet' });
    fill(tools, this.found, this.select, this.search);
    this.list = new Rows(pane, ROW_HEIGHT, (index) => this.#draw(this.#sequence(index)));
    pane.addEventListener('click', (event) => {
      const row = event.target instanceof Element ? event.target.closest('.event-row') : null;
      if (row instanceof HTMLElement) this.#chosen(row, event.target);
    });
  }

  /**
   * @param {HTMLElement} row
   * @param {EventTarget | null} target
   */
  #chosen(row, target) {
    this.view.go(Number(row.dataset.sequence));
    const node = target instanceof Element ? target.closest('.event-node') : null;
    if (node?.textContent) this.view.choose(this.view.log.nodes[Number(row.dataset.sequence)]);
  }

  load() {
    this.filter();
  }

  /** Lists the events that are asked for. */
  filter() {
    const { log } = this.view;
    const isSo = this.#condition();
    if (isSo === undefined) {
      this.#listed = undefined;
    } else {
      const found = [];
      for (let sequence = 1; sequence <= log.count; sequence += 1) if (isSo(sequence)) found.push(sequence);
      this.#listed = Uint32Array.from(found);
    }
    const count = this.#listed?.length ?? log.count;
    this.found.textContent = count === log.count ? `${grouped(count)}` : `${grouped(count)} of ${grouped(log.count)}`;
    this.list.scrolled.setAttribute('aria-rowcount', String(count));
    this.list.reset(count);
    this.update(false);
  }

  /** @returns {((sequence: number) => boolean) | undefined} */
  #condition() {
    const { log, node } = this.view;
    const text = this.search.value.trim();
    /** @type {Record<string, (sequence: number) => boolean>} */
    const all = {
      decisions: (it) => log.isDecision[it] === 1,
      facts: (it) => log.isDecision[it] === 0,
      failures: (it) => log.isFailure[it] === 1,
      node: (it) => node !== undefined && isOf(log.nodes[it], node),
    };
    const chosen = all[this.select.value];
    if (text === '') return chosen;
    return (it) => (chosen?.(it) ?? true) && log.lines[it - 1].includes(text);
  }

  /** @param {number} index */
  #sequence(index) {
    return this.#listed === undefined ? index + 1 : this.#listed[index];
  }

  /**
   * Shows the place.
   * @param {boolean} isOtherNode
   */
  update(isOtherNode) {
    if (isOtherNode && this.select.value === 'node') this.filter();
    this.list.refresh();
    const { sequence } = this.view;
    const listed = this.#listed;
    if (sequence === 0) return;
    const index = listed === undefined ? sequence - 1 : listed.indexOf(sequence);
    if (index >= 0) this.list.reveal(index);
  }

  /** @param {number} sequence */
  #draw(sequence) {
    const { log, execution } = this.view;
    const isDecision = log.isDecision[sequence] === 1;
    const classes = ['event-row', isDecision ? 'decision' : 'fact'];
    if (log.isFailure[sequence] === 1) classes.push('failure');
    if (sequence === this.view.sequence) classes.push('chosen');
    if (sequence > this.view.sequence) classes.push('ahead');
    const node = log.nodes[sequence];
    const { mark, meaning } = execution.proof.of(sequence);
    return element(
      'div',
      { class: classes.join(' '), role: 'row', 'aria-rowindex': sequence, 'data-sequence': sequence },
      element('span', { class: 'event-proof', role: 'cell', title: meaning }, mark),
      element('span', { class: 'event-number', role: 'cell' }, grouped(sequence)),
      element('span', { class: 'event-time', role: 'cell', title: rfc3339(log.at[sequence]) }, `+${span(log.at[sequence] - log.at[0])}`),
      element('span', { class: 'event-kind', role: 'cell' }, element('span', { class: 'mark', title: isDecision ? 'decision' : 'fact' }, isDecision ? '>' : '<'), ` ${words(log.types[sequence])}`),
      element('span', { class: 'event-node', role: 'cell', title: node }, node ?? ''),
      element('span', { class: 'event-detail', role: 'cell' }, detail(log.lines[sequence - 1], execution.masked(sequence))),
    );
  }
}

/**
 * Whether this is the id of a node, of an instance of it, or of what undoes either.
 * @param {string | undefined} id
 * @param {string} node
 */
export function isOf(id, node) {
  if (id === undefined) return false;
  const undone = undoneBy(id) ?? id;
  return id === node || undone === node || instanceOf(undone)?.node === node;
}
