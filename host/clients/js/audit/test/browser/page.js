// A page with the auditor, as the test in Chromium drives it.

import { Component, Travel, audit, auditContained, readLog } from '../../src/index.js';

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

Object.assign(globalThis, { auditor: { inWorker, inPage } });
