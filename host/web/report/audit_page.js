// The audit page: logs that are dropped on it are audited and shown. They stay in the browser.

import { byId, element, fill } from './base/dom.js';
import { counted, grouped } from './base/time.js';
import { Page } from './page.js';
import { Execution } from './view/execution.js';

/** As a report has them. */
const EVENTS_MAX = 200_000;
const BYTES_MAX = 256 * 1024 * 1024;

/** The scheduler of this version, for logs that do not bring the one that they name. */
const BUILT_IN = new URL('../../clients/js/audit/component/refrain-scheduler.wasm', import.meta.url);

/** @type {Page | undefined} */
let shown = undefined;

/** A file cannot be shown, for a reason that its owner can do something about. */
class Refused extends Error {}

/** The script of the workers. */
const WORKER = new URL('./worker/main.js', import.meta.url);

/** @param {URL} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Refused(`${address.pathname} is not there: serve the folder host, and open web/audit.html in it`);
  return response;
}

/**
 * @param {File} file
 * @param {Uint8Array[]} components
 */
async function executionOf(file, components) {
  if (file.size > BYTES_MAX) {
    throw new Refused(`${file.name} has ${grouped(Math.round(file.size / 1e6))} MB, and this page takes ${grouped(Math.round(BYTES_MAX / 1e6))} MB; audit it with refrain audit --file, or refrain-audit`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const execution = await Execution.of({ text: new TextDecoder().decode(bytes), bytes, components });
  if (execution.log.count > EVENTS_MAX) {
    throw new Refused(`${file.name} has ${counted(execution.log.count, 'event')}, and this page shows ${grouped(EVENTS_MAX)}; audit it with refrain audit --file, or refrain-audit`);
  }
  if (execution.log.count === 0) throw new Refused(`${file.name} holds no event: drop a log that refrain export wrote`);
  return execution;
}

/** @param {File[]} files */
async function show(files) {
  const isComponent = (/** @type {File} */ file) => file.name.endsWith('.wasm');
  const logs = files.filter((file) => !isComponent(file));
  if (logs.length === 0) throw new Refused('there is no log among these files: drop one that refrain export wrote, NAME.ndjson');
  const brought = files.filter(isComponent).map(async (file) => new Uint8Array(await file.arrayBuffer()));
  const builtIn = new Uint8Array(await (await fetched(BUILT_IN)).arrayBuffer());
  const components = [builtIn, ...(await Promise.all(brought))];
  const executions = [];
  for (const file of logs) executions.push(await executionOf(file, components));
  shown?.end();
  const template = await (await fetched(new URL('./body.html', import.meta.url))).text();
  const parts = new DOMParser().parseFromString(template, 'text/html').body.childNodes;
  byId('report').replaceChildren(...[...parts].map((part) => document.importNode(part, true)));
  byId('brand-kind').textContent = 'audit';
  shown = new Page(executions, { holds: 'dropped' }, { url: WORKER, type: 'module' });
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
