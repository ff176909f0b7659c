// What is under way at the place: work, queues, waits, timers.

import { button, element, fill } from '../base/dom.js';
import { rfc3339, span } from '../base/time.js';
import { isUnderWay } from '../view/runs.js';
import { sign } from '../words/signs.js';

/** @typedef {import('../view/view.js').View} View */
/** @typedef {import('../view/runs.js').Run} Run */

const ROWS_MAX = 100;

/** @type {Record<string, number>} */
const ORDER = { running: 0, scheduled: 1, ready: 1, failing: 2, backing_off: 2, waiting: 3 };

export class QueuePane {
  /**
   * @param {HTMLElement} pane
   * @param {View} view
   */
  constructor(pane, view) {
    this.pane = pane;
    this.view = view;
  }

  /** @param {Map<string, Run>} runs */
  update(runs) {
    const found = [...runs.values()].filter(isUnderWay).sort((a, b) => ORDER[a.state] - ORDER[b.state]);
    const rows = found.slice(0, ROWS_MAX).map((run) =>
      element(
        'li',
        {},
        element('span', { class: `sign state-${run.state}` }, sign(run.state)),
        button(run.id, () => this.view.choose(run.id), { class: 'link' }),
        ` ${this.#said(run)}`,
      ));
    fill(
      this.pane,
      found.length === 0 ? element('p', { class: 'quiet' }, 'Nothing is under way.') : element('ul', { class: 'queue' }, ...rows),
      found.length > ROWS_MAX && element('p', { class: 'quiet' }, `and ${found.length - ROWS_MAX} more`),
    );
  }

  /** @param {Run} run */
  #said(run) {
    const { at } = this.view;
    const since = run.since === undefined ? '' : `, for ${span(Math.max(at - run.since, 0))}`;
    const until = run.until === undefined || run.until < at ? '' : `, until ${rfc3339(run.until)} (in ${span(run.until - at)})`;
    switch (run.state) {
      case 'running':
        return `at work${run.worker ? `: ${run.worker}` : ''}${since}`;
      case 'scheduled':
        return `in queue ${run.queue ?? ''}${since}`;
      case 'backing_off':
        return `backs off before attempt ${run.attempts}${until}`;
      case 'failing':
        return `has failed, and what follows is not decided${since}`;
      case 'ready':
        return 'could run';
      default:
        return `${waits(run)}${until}`;
    }
  }
}

/** @param {Run} run */
function waits(run) {
  if (run.question !== undefined) return run.question === '' ? 'waits for a person' : `waits for a person: ${run.question}`;
  if (run.key !== undefined) return `waits for the event ${run.key}`;
  return run.until === undefined ? 'waits for its child' : 'waits for a time';
}
