// What each key does. They are those of `refrain replay`, where both have the same.

import { element, fill } from '../base/dom.js';
import { isOf } from '../panes/events.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {{keys: string[], shown: string, does: string, act: (view: View) => void}} Key */

/**
 * @param {View} view
 * @param {1 | -1} step
 * @param {(sequence: number) => boolean} isSo
 */
function seek(view, step, isSo) {
  const found = view.history.seek(view.sequence, step, isSo);
  if (found !== undefined) view.go(found);
}

/** @param {View} view */
const isDecision = (view) => (/** @type {number} */ it) => view.log.isDecision[it] === 1;

/** @param {View} view */
const isFailure = (view) => (/** @type {number} */ it) => view.log.isFailure[it] === 1;

/** @param {View} view */
const isOfNode = (view) => (/** @type {number} */ it) => view.node !== undefined && isOf(view.log.nodes[it], view.node);

/**
 * The node that comes so many behind the chosen one, in the order of the log.
 * @param {View} view
 * @param {1 | -1} step
 */
function chooseNext(view, step) {
  const ids = [...view.history.tracks.byId.keys()];
  if (ids.length === 0) return;
  const place = view.node === undefined ? (step > 0 ? -1 : 0) : ids.indexOf(view.node);
  view.choose(ids[(place + step + ids.length) % ids.length]);
}

/** @type {Key[]} */
export const KEYS = [
  { keys: ['ArrowRight', 'l'], shown: '→', does: 'one event on', act: (view) => view.go(view.sequence + 1) },
  { keys: ['ArrowLeft', 'h'], shown: '←', does: 'one event back', act: (view) => view.go(view.sequence - 1) },
  { keys: ['PageDown'], shown: 'Page ↓', does: 'ten events on', act: (view) => view.go(view.sequence + 10) },
  { keys: ['PageUp'], shown: 'Page ↑', does: 'ten events back', act: (view) => view.go(view.sequence - 10) },
  { keys: ['Home'], shown: 'Home', does: 'before the first event', act: (view) => view.go(0) },
  { keys: ['End'], shown: 'End', does: 'behind the last event', act: (view) => view.go(view.log.count) },
  { keys: ['d'], shown: 'd', does: 'the next decision', act: (view) => seek(view, 1, isDecision(view)) },
  { keys: ['D'], shown: 'D', does: 'the decision before', act: (view) => seek(view, -1, isDecision(view)) },
  { keys: ['f'], shown: 'f', does: 'the next failure', act: (view) => seek(view, 1, isFailure(view)) },
  { keys: ['F'], shown: 'F', does: 'the failure before', act: (view) => seek(view, -1, isFailure(view)) },
  { keys: ['n'], shown: 'n', does: 'what happens to the chosen node next', act: (view) => seek(view, 1, isOfNode(view)) },
  { keys: ['N'], shown: 'N', does: 'what happened to the chosen node before', act: (view) => seek(view, -1, isOfNode(view)) },
  { keys: ['e'], shown: 'e', does: 'choose the node of this event', act: (view) => view.choose(view.log.nodes[view.sequence]) },
  { keys: [']'], shown: ']', does: 'choose the next node', act: (view) => chooseNext(view, 1) },
  { keys: ['['], shown: '[', does: 'choose the node before', act: (view) => chooseNext(view, -1) },
  { keys: ['Escape'], shown: 'Esc', does: 'choose no node', act: (view) => view.choose(undefined) },
];

/** Of those that act on the page and not on the place. @type {[string, string][]} */
const OTHERS = [
  ['/', 'look for a text in the events'],
  ['t', 'light, dark, or as the system has it'],
  ['?', 'this help'],
];

/**
 * @param {View} view
 * @param {{theme: () => void, help: HTMLDialogElement, search: HTMLElement, signal: AbortSignal}} page
 */
export function listenToKeys(view, { theme, help, search, signal }) {
  fillHelp(help);
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || isTyping(event)) return;
    const key = KEYS.find((it) => it.keys.includes(event.key));
    if (key !== undefined) key.act(view);
    else if (event.key === '/') search.focus();
    else if (event.key === 't') theme();
    else if (event.key === '?') help.showModal();
    else return;
    event.preventDefault();
  };
  addEventListener('keydown', onKey, { signal });
}

/**
 * Whether somebody types into a field. The slider has the same keys as the page.
 * @param {KeyboardEvent} event
 */
function isTyping(event) {
  const { target } = event;
  if (target instanceof HTMLInputElement) return target.type !== 'range';
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

/** @param {HTMLDialogElement} help */
function fillHelp(help) {
  const rows = [...KEYS.map(({ shown, does }) => [shown, does]), ...OTHERS];
  fill(
    help,
    element('h2', { id: 'help-title' }, 'Keys'),
    element('dl', { class: 'keys' }, ...rows.flatMap(([shown, does]) => [element('dt', {}, element('kbd', {}, shown)), element('dd', {}, does)])),
    element('p', { class: 'quiet' }, 'Ctrl with the mouse wheel makes the graph larger and smaller. The address of the page names the place: #event/node.'),
    element('form', { method: 'dialog' }, element('button', {}, 'Close')),
  );
}
