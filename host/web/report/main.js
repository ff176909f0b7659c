// The one script of a report. In the page it shows; in the workers that the page starts with
// the same text, it asks the scheduler.

import { byId, element, fill } from './base/dom.js';
import { utf8 } from '../../clients/js/audit/src/bytes.js';
import { digest } from '../../clients/js/audit/src/sha256.js';
import { Page } from './page.js';
import { Execution } from './view/execution.js';
import { contents, sourceOf } from './view/source.js';
import { answerQuestions } from './worker/answers.js';

/** @param {string} script The text of this script. */
async function show(script) {
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const { made_by: madeBy, made_at: madeAt, holds, executions } = contents();
  const shown = [];
  for (const listed of executions) shown.push(await Execution.of(await sourceOf(listed)));
  const self = { script: digest(utf8(script)), madeBy, madeAt, holds };
  new Page(shown, self, { url: address, type: 'classic' }).begin();
}

/** @param {unknown} error */
function fail(error) {
  const words = error instanceof Error ? error.message : String(error);
  fill(byId('verdict'), element('p', { class: 'verdict-word' }, '✗ This file cannot be shown'), element('p', {}, words));
  byId('verdict').className = 'verdict bad';
}

if (typeof document === 'undefined') answerQuestions();
else show(document.currentScript?.textContent ?? '').catch(fail);
