// A long list of which only the rows that can be seen are elements.

import { element } from './dom.js';

/** Rows above and below those that can be seen. */
const SPARE = 6;

/** Pixels that one element may be high in every browser. */
const HEIGHT_MAX = 15_000_000;

export class Rows {
  /**
   * @param {HTMLElement} scrolled What scrolls.
   * @param {number} height Of a row, in pixels.
   * @param {(index: number) => HTMLElement | SVGElement} draw The element of a row.
   */
  constructor(scrolled, height, draw) {
    this.scrolled = scrolled;
    this.height = height;
    this.draw = draw;
    this.count = 0;
    this.first = -1;
    this.last = -1;
    this.body = element('div', { class: 'rows-body' });
    this.shown = element('div', { class: 'rows-shown' });
    this.body.append(this.shown);
    scrolled.append(this.body);
    scrolled.addEventListener('scroll', () => this.#update(), { passive: true });
    new ResizeObserver(() => this.#update()).observe(scrolled);
  }

  /**
   * There are so many rows, and all are drawn anew.
   * @param {number} count
   */
  reset(count) {
    this.count = count;
    this.body.style.height = `${Math.min(count * this.height, HEIGHT_MAX)}px`;
    this.refresh();
  }

  /** Rows look different. */
  refresh() {
    this.first = -1;
    this.#update();
  }

  /**
   * Scrolls as little as shows this row.
   * @param {number} index
   */
  reveal(index) {
    const top = index * this.height;
    const { scrollTop, clientHeight } = this.scrolled;
    if (top < scrollTop || top + this.height > scrollTop + clientHeight) {
      this.scrolled.scrollTop = top - Math.floor((clientHeight - this.height) / 2);
    }
    this.#update();
  }

  #update() {
    const { scrollTop, clientHeight } = this.scrolled;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - SPARE);
    const last = Math.min(this.count, Math.ceil((scrollTop + clientHeight) / this.height) + SPARE);
    if (first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    const rows = [];
    for (let index = first; index < last; index += 1) rows.push(this.draw(index));
    this.shown.style.transform = `translateY(${first * this.height}px)`;
    this.shown.replaceChildren(...rows);
  }
}
