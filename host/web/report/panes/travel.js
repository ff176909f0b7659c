// The bar that moves through the log.

import { button, element, fill } from '../base/dom.js';
import { grouped, rfc3339, span } from '../base/time.js';
import { detail } from '../words/events.js';
import { words } from '../words/signs.js';

/** @typedef {import('../view/view.js').View} View */

export class TravelBar {
  /**
   * @param {{buttons: HTMLElement, slider: HTMLInputElement, place: HTMLElement, line: HTMLElement}} places
   * @param {View} view
   */
  constructor({ buttons, slider, place, line }, view) {
    this.slider = slider;
    this.place = place;
    this.line = line;
    this.view = view;
    fill(
      buttons,
      button('«', () => view.go(0), { 'aria-label': 'Before the first event', title: 'Home' }),
      button('‹', () => view.go(view.sequence - 1), { 'aria-label': 'One event back', title: '←' }),
      button('›', () => view.go(view.sequence + 1), { 'aria-label': 'One event on', title: '→' }),
      button('»', () => view.go(view.log.count), { 'aria-label': 'Behind the last event', title: 'End' }),
    );
    slider.addEventListener('input', () => view.go(Number(slider.value)));
  }

  update() {
    const { view, slider } = this;
    const { log, sequence } = view;
    slider.max = String(log.count);
    slider.value = String(sequence);
    slider.setAttribute('aria-valuetext', sequence === 0 ? 'before the first event' : `event ${sequence}, ${words(log.types[sequence])}`);
    slider.style.setProperty('--part', String(log.count === 0 ? 0 : sequence / log.count));
    const offset = span(log.at[sequence] - log.at[0]);
    fill(
      this.place,
      element('strong', {}, grouped(sequence)),
      ` of ${grouped(log.count)}`,
      element('span', { class: 'quiet', title: rfc3339(log.at[sequence]) }, `+${offset}`),
    );
    if (sequence === 0) {
      fill(this.line, element('span', { class: 'quiet' }, 'before the first event'));
      return;
    }
    const isDecision = log.isDecision[sequence] === 1;
    fill(
      this.line,
      element('span', { class: isDecision ? 'decision' : 'fact' }, isDecision ? '> decision ' : '< fact '),
      element('strong', {}, words(log.types[sequence])),
      ` ${log.nodes[sequence] ?? ''} `,
      element('span', { class: 'quiet' }, detail(log.lines[sequence - 1], view.execution.masked(sequence))),
    );
  }
}
