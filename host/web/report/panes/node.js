// The chosen node: how it stands, why, and what happened to it.

import { button, element, fill } from '../base/dom.js';
import { rfc3339, span } from '../base/time.js';
import { nodeOfRun } from '../../../clients/js/audit/src/log/id.js';
import { pretty } from '../words/json_text.js';
import { remedy } from '../words/remedies.js';
import { sign, words } from '../words/signs.js';
import { isOf } from './events.js';

/** @typedef {import('../view/view.js').View} View */
/** @typedef {import('../view/runs.js').Run} Run */
/** @typedef {{node_id: string, state: string, reasons: {reason: string, message: string, remedies?: Record<string, any>[]}[]}} Explanation */

/** Events and instances that are listed. */
const LISTED_MAX = 60;

export class NodePane {
  /**
   * @param {HTMLElement} pane
   * @param {HTMLElement} title
   * @param {View} view
   * @param {() => void} onGiven Asks what its worker was given.
   */
  constructor(pane, title, view, onGiven) {
    this.pane = pane;
    this.title = title;
    this.view = view;
    this.why = element('div', { class: 'why' });
    this.given = element('div');
    /** Whether what its worker was given is shown, as somebody wants it to be. */
    this.isGivenOpen = false;
    this.onGiven = onGiven;
  }

  /** @param {Map<string, Run>} runs */
  update(runs) {
    const { view } = this;
    const id = view.node;
    if (id === undefined) {
      this.title.textContent = 'Node';
      fill(this.pane, element('p', { class: 'quiet' }, 'Choose a node in the graph, the timeline or the events to see why it is where it is.'));
      return;
    }
    fill(this.title, 'Node ', element('code', {}, id));
    const run = runs.get(id) ?? { id, state: 'pending', attempts: 0, iterations: 0 };
    fill(
      this.pane,
      element('p', { class: 'node-state' }, element('span', { class: `badge state-${run.state}` }, `${sign(run.state)} ${words(run.state)}`), ` ${this.#about(run)}`),
      run.error !== undefined && element('p', { class: 'error' }, run.error),
      this.why,
      run.attempts > 0 && run.queue !== undefined && this.#givenTo(),
      this.#child(run),
      this.#instances(id, runs),
      this.#events(id),
      this.#definition(id),
    );
  }

  /** The scheduler is being asked. */
  wait() {
    this.why.classList.add('waits');
  }

  /**
   * Shows why it is there, in the scheduler's words.
   * @param {Explanation | string | undefined} explained Text: why nobody can say.
   */
  explain(explained) {
    this.why.classList.remove('waits');
    if (explained === undefined || typeof explained === 'string') {
      fill(this.why, explained !== undefined && element('p', { class: 'quiet' }, explained));
      return;
    }
    const reasons = explained.reasons.map((reason) => {
      const remedies = (reason.remedies ?? []).map(remedy);
      return element(
        'li',
        {},
        ...marked(reason.message),
        remedies.length > 0 && element('span', { class: 'remedies' }, `what helps: ${remedies.join('; or ')}`),
      );
    });
    fill(this.why, element('h3', {}, 'Why, in its scheduler’s words'), element('ul', { class: 'reasons' }, ...reasons));
  }

  #givenTo() {
    const toggle = (/** @type {Event} */ event) => {
      this.isGivenOpen = /** @type {HTMLDetailsElement} */ (event.target).open;
      if (this.isGivenOpen) this.onGiven();
    };
    return element('details', { open: this.isGivenOpen, toggle }, element('summary', {}, 'What its worker was given'), this.given);
  }

  /**
   * Shows what its worker was given, as its scheduler orders it again.
   * @param {{attempt: number, payload: string} | undefined} given
   */
  showGiven(given) {
    if (given === undefined) fill(this.given, element('p', { class: 'quiet' }, 'Nothing was ordered for it yet.'));
    else fill(this.given, element('p', { class: 'quiet' }, `attempt ${given.attempt}`), pretty(given.payload));
  }

  /** @param {Run} run */
  #about(run) {
    const { at } = this.view;
    const parts = [];
    if (run.attempts > 0) parts.push(`attempt ${run.attempts}${run.maxAttempts === undefined ? '' : ` of ${run.maxAttempts}`}`);
    if (run.queue !== undefined) parts.push(`queue ${run.queue}`);
    if (run.worker !== undefined && run.worker !== '') parts.push(`worker ${run.worker}`);
    if (run.since !== undefined) parts.push(`for ${span(Math.max(at - run.since, 0))}`);
    if (run.until !== undefined && run.until > at) parts.push(`until ${rfc3339(run.until)}`);
    return parts.join(', ');
  }

  /** @param {Run} run */
  #child(run) {
    if (run.child === undefined) return null;
    const known = this.view.known(run.child);
    const which = known === undefined
      ? element('code', {}, run.child)
      : button(run.child, () => this.view.open(known), { class: 'link' });
    return element('p', {}, 'its child: ', which, known === undefined && element('span', { class: 'quiet' }, ' (its log is not in this file)'));
  }

  /**
   * @param {string} id
   * @param {Map<string, Run>} runs
   */
  #instances(id, runs) {
    const count = runs.get(id)?.instances;
    if (count === undefined) return null;
    const cells = [];
    for (let index = 0; index < Math.min(count, LISTED_MAX * 4); index += 1) {
      const instance = `${id}[${index}]`;
      const state = runs.get(instance)?.state ?? 'pending';
      cells.push(button(sign(state), () => this.view.choose(instance), { class: `cell state-${state}`, title: `${instance} is ${words(state)}`, 'aria-label': `${instance}, ${words(state)}` }));
    }
    const more = count - cells.length;
    return element('div', { class: 'instances' }, element('h3', {}, `${count} instances`), element('div', { class: 'cells' }, ...cells), more > 0 && element('p', { class: 'quiet' }, `and ${more} more`));
  }

  /** @param {string} id */
  #events(id) {
    const { log } = this.view;
    const found = [];
    for (let at = 1; at <= log.count && found.length <= LISTED_MAX; at += 1) if (isOf(log.nodes[at], id)) found.push(at);
    const rows = found.slice(0, LISTED_MAX).map((at) =>
      element(
        'li',
        { class: at > this.view.sequence ? 'ahead' : at === this.view.sequence ? 'chosen' : '' },
        button(`${at} ${words(log.types[at])}${log.nodes[at] === id ? '' : ` ${log.nodes[at]}`}`, () => this.view.go(at), { class: 'link' }),
        element('span', { class: 'quiet' }, ` +${span(log.at[at] - log.at[0])}`),
      ));
    return element('details', { open: true }, element('summary', {}, 'What happened to it'), element('ol', { class: 'node-events' }, ...rows), found.length > LISTED_MAX && element('p', { class: 'quiet' }, 'and more, which the table of events has'));
  }

  /** @param {string} id */
  #definition(id) {
    const written = this.view.log.nodeText(nodeOfRun(id));
    return written === undefined ? null : element('details', {}, element('summary', {}, 'In its workflow'), pretty(written));
  }
}

/**
 * A sentence whose names in backquotes are marked.
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export function marked(text) {
  return text.split('`').map((part, place) => (place % 2 === 1 ? element('code', {}, part) : part));
}
