// The verdict, as it is derived.

import { button, element, fill } from '../base/dom.js';
import { counted, grouped, rfc3339 } from '../base/time.js';
import { pretty } from '../words/json_text.js';
import { anchored } from './anchored.js';

/** @typedef {import('../view/view.js').View} View */
/** @typedef {import('../view/proof.js').Audit} Audit */

/** What each verdict says, in a sentence. @type {Record<string, string>} */
const SAYS = {
  clean: 'The chain is whole, each fact may stand where it stands, and the scheduler that the log names has decided everything again, the same and in the same order.',
  erased: 'What was said is not in this log. What is left of it is chained as it was, and stands in an order that may be.',
  divergent: 'The chain is whole, and the scheduler decides otherwise.',
  tampered: 'An event was changed, removed, inserted or moved after it was written.',
  illegal: 'An event stands where it may not stand.',
  unreadable: 'The log cannot be read to its end.',
  newer: 'The log holds something that this page does not know. Nothing is said of it.',
};

/** @type {Record<string, string>} */
const SIGNS = { good: '✓', open: '?' };

/** @type {Record<string, string>} */
const CLASSES = { clean: 'good', erased: 'good', newer: 'open' };

export class VerdictPane {
  /**
   * @param {HTMLElement} pane
   * @param {View} view
   * @param {import('./proof.js').Self} self
   */
  constructor(pane, view, self) {
    this.pane = pane;
    this.view = view;
    this.self = self;
  }

  update() {
    const { proof } = this.view.execution;
    const { pane } = this;
    if (proof.audit !== undefined) {
      pane.dataset.verdict = proof.audit.verdict;
      pane.className = `verdict ${classOf(proof.audit)}`;
      fill(pane, ...this.#found(proof.audit));
    } else if (proof.failure !== undefined) {
      pane.dataset.verdict = 'none';
      pane.className = 'verdict bad';
      fill(pane, heading('✗', 'No verdict'), element('p', {}, proof.failure));
    } else {
      pane.dataset.verdict = '';
      pane.className = 'verdict open';
      const { count } = this.view.log;
      fill(
        pane,
        heading('…', 'Being derived'),
        element('p', {}, `The scheduler in this file decides everything again: ${grouped(proof.reached)} of ${counted(count, 'event')}, ${counted(proof.decisions, 'decision')}.`),
        element('progress', { max: Math.max(count, 1), value: proof.reached, 'aria-label': 'Events that were derived' }),
      );
    }
  }

  /** @param {Audit} audit */
  #found(audit) {
    const { log } = this.view;
    const isGood = CLASSES[audit.verdict] === 'good';
    const hasForgedAnchor = isGood && classOf(audit) === 'bad';
    const sign = SIGNS[classOf(audit)] ?? '✗';
    const counts = log.isErased
      ? `${counted(log.count, 'event')}; no scheduler can be asked about them`
      : `${counted(Number(audit.events), 'event')}, ${counted(Number(audit.decisions), 'decision')} derived again`;
    const found = audit.divergence;
    return [
      heading(sign, hasForgedAnchor ? `${audit.verdict}, but its anchor is forged` : audit.verdict),
      element('p', {}, element('strong', {}, `${counts}. `), SAYS[audit.verdict] ?? ''),
      found && this.#divergence(found),
      audit.erased && attested(audit),
      this.self.anchors !== undefined && element('p', { class: 'anchored' }, anchored(audit, isGood)),
    ];
  }

  /** @param {Record<string, any>} found */
  #divergence(found) {
    const sequence = Number(found.sequence);
    const differences = (found.difference ?? []).map((/** @type {Record<string, any>} */ it) =>
      element('li', {}, ...placeOf(it.pointer ?? it.at), 'expected ', element('code', {}, written(it.expected)), ', found ', element('code', {}, written(it.found))));
    return element(
      'div',
      { class: 'divergence' },
      element('p', {}, sequence > 0 && button(`event ${sequence}`, () => this.view.go(Math.min(sequence, this.view.log.count)), { class: 'link' }), sequence > 0 && ': ', found.message),
      differences.length > 0 && element('ul', {}, ...differences),
      element(
        'details',
        {},
        element('summary', {}, 'All that was found'),
        pretty(JSON.stringify(found)),
      ),
    );
  }
}

/**
 * An anchor under a signature that does not hold is no good news either.
 * @param {Audit} audit
 */
function classOf({ verdict, anchor }) {
  if (anchor?.signature.result === 'bad') return 'bad';
  return CLASSES[verdict] ?? 'bad';
}

/**
 * @param {string} sign
 * @param {string} words
 */
function heading(sign, words) {
  return element('p', { class: 'verdict-word' }, element('span', { class: 'verdict-sign', 'aria-hidden': 'true' }, sign), words);
}

/**
 * Where something differs; the event as a whole has no place within it.
 * @param {string | undefined} pointer
 */
function placeOf(pointer) {
  return pointer ? ['at ', element('code', {}, pointer), ': '] : [];
}

/** @param {unknown} value */
function written(value) {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** @param {Audit} audit */
function attested(audit) {
  const { by, at, verdict } = audit.erased;
  const when = typeof at === 'number' ? rfc3339(at) : at;
  return element('p', {}, `${by} says that what was said was left out on ${when}, when the audit of the whole log said ${verdict}. ${vouched(audit.signature)}`);
}

/** @param {Record<string, any> | null | undefined} signature */
function vouched(signature) {
  switch (signature?.result) {
    case 'untrusted':
      return `That is signed with the key ${signature.key}; it proves that the holder of this key says so. Compare the key with one that you know.`;
    case 'trusted':
      return `That is signed with the trusted key ${signature.key}.`;
    case 'bad':
      return `The key ${signature.key} has not signed that.`;
    case 'not_checked':
      return `That is signed with ${signature.algorithm}, which this browser cannot check: signature not checked.`;
    default:
      return 'That is not signed, so by itself it proves nothing.';
  }
}
