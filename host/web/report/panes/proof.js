// What the page proves and what it does not, the digests to compare, and what can be saved.

import { button, element, fill } from '../base/dom.js';
import { unpacked } from '../base/packed.js';
import { grouped } from '../base/time.js';

/** @typedef {import('../view/view.js').View} View */

/**
 * What the page knows of itself.
 * @typedef {object} Self
 * @property {string} [script] The SHA-256 of its script, 64 hexadecimal digits.
 * @property {string} [madeBy] The program that wrote the file.
 * @property {string} [madeAt]
 * @property {'payloads' | 'masked' | 'none' | 'dropped'} holds What it holds of what was said.
 * @property {{text: string, place: string}[]} [anchors] Documents in which heads were noted.
 * @property {string[]} [trust] Public keys whose word is trusted, as PEM.
 */

const PROVES = [
  'The chain of hashes holds: no event was changed, left out within the log, added or moved.',
  'Each decision follows from the events before it, by the very scheduler that the log names by the digest of its bytes, in the same order, and none is missing.',
  'The states, explanations and verdicts of this page are what that scheduler says, here, in your browser; the network was not asked.',
];

const PROVES_NOT = [
  'That the facts are true: a worker may have answered wrongly.',
  'That this log is the one that was written. The chain has no key: who rewrites a whole log, facts included, makes another one that is whole. Compare the head below with one that was noted elsewhere, or is signed.',
  'That the log goes on no further: one that lost its end is whole in itself. A head that was noted elsewhere shows that, too.',
  'That this page is honest: no page can vouch for itself. Compare the digest of its script with that of the published package, or save the log and audit it with a program of your own: refrain audit --file LOG, or refrain-audit LOG.',
];

const PROVES_ERASED = [
  'The chain of hashes holds over what is left: times, nodes, attempts and the order of events are those that were written.',
];

export class ProofPane {
  /**
   * @param {HTMLElement} pane
   * @param {View} view
   * @param {Self} self
   */
  constructor(pane, view, self) {
    this.pane = pane;
    this.view = view;
    this.self = self;
  }

  update() {
    const { log } = this.view;
    const { self } = this;
    const list = (/** @type {string[]} */ sentences) => element('ul', {}, ...sentences.map((it) => element('li', {}, it)));
    fill(
      this.pane,
      element(
        'div',
        { class: 'proof-columns' },
        element('div', {}, element('h3', {}, log.isErased ? 'A verdict “erased” proves' : 'A verdict “clean” proves'), list(log.isErased ? PROVES_ERASED : PROVES)),
        element('div', {}, element('h3', {}, 'It does not prove'), list(log.isErased ? ['Anything about what was left out, unless somebody whom you trust has signed that the audit of the whole log was clean.', ...PROVES_NOT.slice(1)] : PROVES_NOT)),
      ),
      element('h3', {}, 'To compare'),
      element(
        'dl',
        { class: 'fields digests' },
        ...digest('head of the log', log.header.head, `the chain up to event ${grouped(log.count)}`),
        ...log.guests.flatMap((guest) => digest('scheduler', guest, 'the SHA-256 of its bytes')),
        ...digest('workflow', log.first.workflow_digest, 'the SHA-256 of its text'),
        ...digest('script of this page', self.script, 'the SHA-256 that its content policy names; the published package @refrain/audit lists it'),
      ),
      element(
        'p',
        { class: 'saves' },
        button('Save the log', () => save(`${log.executionId}.ndjson`, this.view.execution.source.text, 'application/x-ndjson')),
        ...componentsOf(this.view.execution.source.text).map(({ digest: named, line }) =>
          button(`Save the scheduler ${named.slice(0, 12)}`, () => void saveComponent(named, line))),
      ),
      self.madeBy !== undefined && element('p', { class: 'quiet' }, `This file was written by ${self.madeBy}${self.madeAt === undefined ? '' : ` on ${self.madeAt}`}. The graph was drawn by it from the workflow’s text.`),
    );
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} meaning
 */
function digest(name, value, meaning) {
  if (typeof value !== 'string' || value === '') return [];
  return [element('dt', {}, name), element('dd', {}, element('code', {}, value), element('span', { class: 'quiet' }, ` ${meaning}`))];
}

/**
 * The scheduler components that an export brings, each with its line.
 * @param {string} text
 * @returns {{digest: string, line: string}[]}
 */
function componentsOf(text) {
  const found = [];
  let from = text.indexOf('\n') + 1;
  while (from > 0 && text.startsWith('{"component":', from)) {
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end < 0 ? undefined : end);
    found.push({ digest: /^\{"component":"([0-9a-f]{64})"/.exec(line)?.[1] ?? '', line });
    from = end + 1;
  }
  return found.filter((it) => it.digest !== '');
}

/**
 * @param {string} named
 * @param {string} line
 */
async function saveComponent(named, line) {
  save(`${named}.wasm`, await unpacked(JSON.parse(line).zlib), 'application/wasm');
}

/**
 * @param {string} name
 * @param {BlobPart} content
 * @param {string} type
 */
function save(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  element('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
