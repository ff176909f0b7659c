// A page with the auditor, as the tests in browsers drive it: the address says what is asked,
// and the body has the answer. So no test needs code that a content policy does not let in.

import { Component, Travel, audit, auditContained, readLog } from '../../src/index.js';
import { saidOfCase } from '../support/said.js';

/** @param {string} url */
async function fetched(url) {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** @param {string[]} urls */
function all(urls) {
  return Promise.all(urls.map(fetched));
}

/**
 * @param {string} log
 * @param {{components: string[], guest?: string, silenceMs?: number, fromBlob?: boolean}} given
 */
async function inWorker(log, { components, guest, silenceMs, fromBlob = false }) {
  // A report has all of it in one script; here it is fetched, and its task waits meanwhile.
  const module = new URL('../../src/contained/worker.js', import.meta.url);
  const script = `const task = new Promise((take) => { onmessage = take; }); import('${module}').then(async () => onmessage(await task));`;
  const blob = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  let calls = 0;
  const [{ verdict, decisions, divergence }] = await auditContained([await fetched(log)], {
    components: await all(components),
    onProgress: () => (calls += 1),
    ...(guest === undefined ? {} : { guest: await fetched(guest) }),
    ...(silenceMs === undefined ? {} : { silenceMs }),
    ...(fromBlob ? { workerUrl: blob } : {}),
  });
  return { verdict, decisions, code: divergence?.code ?? null, hasProgress: calls > 0 };
}

/**
 * In the page itself, where modules can only be compiled ahead.
 * @param {string} log
 * @param {string[]} components
 */
async function inPage(log, components) {
  const loaded = await Promise.all((await all(components)).map((bytes) => Component.load(bytes)));
  const bytes = await fetched(log);
  const { verdict } = await audit(bytes, { components: loaded });
  const recording = readLog(bytes);
  if (!('kept' in recording)) throw new Error(recording.message);
  const travel = new Travel(recording, loaded);
  const states = [];
  for (let place = travel.last; place > 0; place -= 1) {
    travel.go(place);
    states.unshift(travel.state());
  }
  return { verdict, states };
}

/**
 * The names of the cases of the conformance kit of which the auditor says something else than
 * it should.
 * @param {string} folder
 * @param {string[]} components
 */
async function ofKit(folder, components) {
  const loaded = await Promise.all((await all(components)).map((bytes) => Component.load(bytes)));
  const cases = JSON.parse(new TextDecoder().decode(await fetched(`${folder}/expected.json`)));
  const differing = [];
  for (const given of cases) {
    const answers = await saidOfCase(given, (file) => fetched(`${folder}/${file}`), loaded);
    const others = answers.filter(({ found, expected }) => JSON.stringify(ordered(found)) !== JSON.stringify(ordered(expected)));
    differing.push(...others.map(({ file }) => file));
  }
  return { cases: cases.length, differing };
}

/** @param {object} answer */
function ordered(answer) {
  return Object.entries(answer).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** @type {{[name: string]: (...given: any[]) => Promise<unknown>}} */
const ASKED = { inWorker, inPage, ofKit };

async function answer() {
  const [name, ...given] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  document.body.dataset.answer = JSON.stringify(await ASKED[name](...given));
}

void answer();
