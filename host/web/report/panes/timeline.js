// The chart of the time: a row for each node, maps with their instances in one.

import { drawn, element, fill } from '../base/dom.js';
import { Rows } from '../base/rows.js';
import { span } from '../base/time.js';
import { instanceOf, undoneBy } from '../../../clients/js/audit/src/log/id.js';
import { barsOf, pointsOf } from '../log/bars.js';
import { ACTIVITIES } from '../log/tracks.js';

/** @typedef {import('../log/history.js').History} History */
/** @typedef {import('../log/tracks.js').Track} Track */
/** @typedef {{name: string, node: string, tracks: Track[], instances: number, isCritical: boolean}} Row */

const ROW_HEIGHT = 24;

export class TimelinePane {
  /** @type {Row[]} */
  #rows = [];
  /** @type {History | undefined} */
  #history = undefined;
  /** @type {string | undefined} */
  #chosen = undefined;
  #at = 0;

  /**
   * @param {{pane: HTMLElement, ruler: HTMLElement, legend: HTMLElement, tools: HTMLElement}} places
   * @param {{choose: (node: string) => void, go: (at: number) => void}} on
   */
  constructor({ pane, ruler, legend, tools }, on) {
    this.ruler = ruler;
    this.legend = legend;
    this.tools = tools;
    this.on = on;
    this.list = new Rows(pane, ROW_HEIGHT, (index) => this.#draw(this.#rows[index]));
  }

  /** @param {History} history */
  load(history) {
    this.#history = history;
    this.#rows = rowsOf(history);
    const used = new Set([...history.tracks.byId.values()].flatMap((track) => track.spans.map((it) => it.activity)));
    const keys = ACTIVITIES.toReversed().filter(([activity]) => used.has(activity));
    fill(this.legend, ...keys.map(([activity, name]) => element('span', { class: 'key' }, swatch(activity), name)));
    if (this.#rows.some((row) => row.isCritical)) this.legend.append(element('span', { class: 'key' }, '* on the critical path'));
    fill(this.tools, element('span', { class: 'quiet' }, span(history.scale.until - history.scale.from)));
    this.#drawRuler(history);
    this.list.reset(this.#rows.length);
  }

  /**
   * @param {number} at
   * @param {string | undefined} node
   */
  update(at, node) {
    const isOther = node !== this.#chosen;
    this.#at = at;
    this.#chosen = node;
    const place = this.#history?.scale.place(at) ?? 0;
    this.list.body.style.setProperty('--at', String(place));
    this.ruler.style.setProperty('--at', String(place));
    if (isOther) {
      this.list.refresh();
      const row = this.#rows.findIndex((it) => it.name === node || (node !== undefined && it.node === rowOf(node)));
      if (row >= 0) this.list.reveal(row);
    }
  }

  /** @param {History} history */
  #drawRuler(history) {
    const marks = history.scale.parts.filter((part) => part.isFolded).map((part) =>
      element('span', { class: 'folded', title: `${span(part.until - part.from)} without work`, 'data-left': part.left }, '⋯'));
    fill(this.ruler, element('span', { class: 'ruler-line' }, ...marks), element('span', { class: 'cursor' }));
    for (const mark of marks) mark.style.left = `${Number(mark.dataset.left) * 100}%`;
  }

  /** @param {Row} row */
  #draw(row) {
    const scale = /** @type {History} */ (this.#history).scale;
    const order = new Map(ACTIVITIES.map(([activity], place) => [activity, place]));
    const seen = barsOf(row.tracks.flatMap((track) => track.spans), scale);
    seen.sort((a, b) => (order.get(a.activity) ?? 0) - (order.get(b.activity) ?? 0));
    const bars = seen.map((it) => bar(it, scale));
    const settled = row.tracks.filter((track) => track.spans.length === 0);
    const points = pointsOf(settled.flatMap((track) => track.endedAt ?? []), scale)
      .map((time) => drawn('circle', { class: 'settled', cx: `${scale.place(time) * 100}%`, cy: 12, r: 3 }));
    const chart = drawn('svg', { class: 'bars', width: '100%', height: ROW_HEIGHT, 'aria-hidden': 'true' }, ...bars, ...points);
    chart.addEventListener('click', (event) => {
      const box = chart.getBoundingClientRect();
      this.on.go(scale.time((event.clientX - box.left) / box.width));
    });
    const label = `${row.isCritical ? '* ' : ''}${row.name}${row.instances > 0 ? ` (${row.instances})` : ''}`;
    const isChosen = this.#chosen !== undefined && (row.name === this.#chosen || row.node === rowOf(this.#chosen));
    return element(
      'div',
      { class: `timeline-row${isChosen ? ' chosen' : ''}` },
      element('button', { type: 'button', class: 'timeline-name', title: `${label}, ${took(row, scale.until)}`, click: () => this.on.choose(row.node) }, label),
      chart,
    );
  }
}

/** @param {string} activity */
function swatch(activity) {
  return drawn('svg', { class: 'swatch', width: 14, height: 10, 'aria-hidden': 'true' }, drawn('rect', { class: `bar-${activity}`, width: 14, height: 10, rx: 2 }));
}

/**
 * @param {import('../log/bars.js').Bar} it
 * @param {import('../log/scale.js').Scale} scale
 */
function bar(it, scale) {
  const [left, right] = [scale.place(it.from), scale.place(it.until)];
  const name = ACTIVITIES.find(([activity]) => activity === it.activity)?.[1] ?? it.activity;
  const thin = it.activity !== 'work';
  return drawn(
    'rect',
    { class: `bar-${it.activity}`, x: `${left * 100}%`, width: `${Math.max((right - left) * 100, 0.15)}%`, y: thin ? 8 : 5, height: thin ? 8 : 14, rx: 2 },
    drawn('title', {}, `${name}, ${span(it.until - it.from)}${it.count > 1 ? `, ${it.count} times` : ''}`),
  );
}

/**
 * @param {Row} row
 * @param {number} until
 */
function took(row, until) {
  let [from, end] = [Infinity, -Infinity];
  for (const track of row.tracks) {
    from = Math.min(from, track.since ?? Infinity);
    end = Math.max(end, track.endedAt ?? until);
  }
  return Number.isFinite(from) ? span(end - from) : 'no time';
}

/**
 * The row that a node, instance or compensation stands in.
 * @param {string} id
 */
function rowOf(id) {
  const undone = undoneBy(id);
  const map = instanceOf(undone ?? id)?.node;
  if (map === undefined) return id;
  return undone === undefined ? map : `${map}[]!undo`;
}

/** @param {History} history */
function rowsOf(history) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const track of history.tracks.byId.values()) {
    if (!track.hasRun) continue;
    const name = rowOf(track.id);
    const row = rows.get(name) ?? { name, node: name.replace('[]!undo', ''), tracks: [], instances: 0, isCritical: false };
    rows.set(name, row);
    row.tracks.push(track);
    if (name !== track.id) row.instances += 1;
    if (history.critical.has(track.id)) row.isCritical = true;
  }
  return [...rows.values()];
}
