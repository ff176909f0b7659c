// The audit page: logs that are dropped on it are audited and shown. They stay in the browser.

import { byId, element, fill } from './base/dom.js';
import { counted, grouped } from './base/time.js';
import { Page } from './page.js';
import { Drawing } from './view/drawing.js';
import { readDropped, Refused } from './view/dropped.js';
import { Execution } from './view/execution.js';

/** @typedef {import('./view/dropped.js').Dropped} Dropped */

/** As a report has them. */
const EVENTS_MAX = 200_000;

/** The scheduler of this version, for logs that do not bring the one that they name. */
const BUILT_IN = new URL('../../clients/js/audit/component/refrain-scheduler.wasm', import.meta.url);

/** The scripts of the workers. */
const WORKER = new URL('./worker/main.js', import.meta.url);
const DRAWING_WORKER = new URL('./worker/drawing.js', import.meta.url);

const drawing = new Drawing(() => new Worker(DRAWING_WORKER, { type: 'module' }));

/** @type {Page | undefined} */
let shown = undefined;

/** What the page was made of. @type {Dropped | undefined} */
let dropped = undefined;

/** @param {URL} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Refused(`${address.pathname} is not there: serve the folder host, and open web/audit.html in it`);
  return response;
}

/**
 * @param {Dropped['logs'][number]} log
 * @param {Uint8Array[]} components
 */
async function executionOf({ name, bytes }, components) {
  const draw = (/** @type {string} */ workflow) => drawing.of(workflow);
  const execution = await Execution.of({ text: new TextDecoder().decode(bytes), bytes, components, draw });
  if (execution.log.count > EVENTS_MAX) {
    throw new Refused(`${name} has ${counted(execution.log.count, 'event')}, and this page shows ${grouped(EVENTS_MAX)}; audit it with refrain audit --file, or refrain-audit`);
  }
  if (execution.log.count === 0) throw new Refused(`${name} holds no event: drop a log that refrain export wrote`);
  return execution;
}

/** @param {File[]} files */
async function show(files) {
  const all = await readDropped(files, dropped);
  const builtIn = new Uint8Array(await (await fetched(BUILT_IN)).arrayBuffer());
  const components = [builtIn, ...all.components];
  const executions = [];
  for (const log of all.logs) executions.push(await executionOf(log, components));
  shown?.end();
  const template = await (await fetched(new URL('./body.html', import.meta.url))).text();
  const parts = new DOMParser().parseFromString(template, 'text/html').body.childNodes;
  byId('report').replaceChildren(...[...parts].map((part) => document.importNode(part, true)));
  byId('brand-kind').textContent = 'audit';
  // More may be dropped, and the log has the room.
  document.body.classList.add('shows');
  const anchors = all.anchors.length > 0 ? all.anchors : undefined;
  shown = new Page(executions, { holds: 'dropped', anchors, trust: all.trust }, { url: WORKER, type: 'module' });
  dropped = all;
  shown.begin();
}

/** @param {FileList | undefined | null} files */
async function take(files) {
  const said = byId('said');
  fill(said, 'Reading…');
  try {
    await show([...(files ?? [])]);
    fill(said);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    fill(said, element('span', { class: 'error' }, error.message));
  }
}

const drop = byId('drop');
const input = /** @type {HTMLInputElement} */ (byId('file'));
input.addEventListener('change', () => void take(input.files));
addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
addEventListener('dragleave', () => drop.classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  void take(event.dataTransfer?.files);
});
