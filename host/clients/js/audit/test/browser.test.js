import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Travel } from '../src/index.js';
import { bytesOf, componentBytes, components, goldenLog } from './support/files.js';
import { opened } from './support/forge.js';
import { launch, noBrowser, serve } from './support/site.js';
import { DEEDS, guestThat } from './support/surgery.js';

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** What the page complains of. @type {string[]} */
const complaints = [];

const own = 'host/component/refrain-scheduler.wasm';

before(async () => {
  if (noBrowser) return;
  const log = (/** @type {string} */ name) => /** @type {[string, Uint8Array]} */ ([`/${name}.ndjson`, goldenLog(name)]);
  const endless = guestThat(bytesOf(own), DEEDS.neverEnds);
  const named = componentBytes().map((bytes, place) => /** @type {[string, Uint8Array]} */ ([`/${place}.wasm`, bytes]));
  site = await serve(new Map([log('completed'), log('operators'), ['/own.wasm', bytesOf(own)], ['/endless.wasm', endless], ...named]));
  browser = await launch();
  page = await browser.newPage();
  page.on('pageerror', (error) => complaints.push(String(error.stack)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`${site.origin}/host/clients/js/audit/test/browser/index.html`);
  await page.waitForFunction('globalThis.auditor');
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** @param {string} name @param {...unknown} given @returns {Promise<any>} */
const ask = (name, ...given) => page.evaluate(`auditor.${name}(...${JSON.stringify(given)})`);

test('a page audits in a worker, under a content policy that allows no code of texts', { skip: noBrowser }, async () => {
  const given = { components: [], guest: '/own.wasm' };
  const clean = { verdict: 'clean', decisions: 3, code: null, hasProgress: true };
  assert.deepEqual(await ask('inWorker', '/completed.ndjson', given), clean);
  assert.deepEqual(await ask('inWorker', '/completed.ndjson', { ...given, fromBlob: true }), clean);
  assert.deepEqual(complaints, []);
});

test('a guest that never ends does not hold up a page', { skip: noBrowser }, async () => {
  const given = { components: [], guest: '/endless.wasm', silenceMs: 1_000 };
  const { verdict, code } = await ask('inWorker', '/completed.ndjson', given);
  assert.deepEqual([verdict, code], ['divergent', 'guest_failed']);
  assert.equal(await page.evaluate('1 + 1'), 2);
});

test('the page itself audits and travels, and every state is that of Node', { skip: noBrowser }, async () => {
  const log = opened(goldenLog('operators'));
  const travel = new Travel(log, components());
  const states = log.kept.map((_, place) => {
    travel.go(place + 1);
    return travel.state();
  });
  const shown = await ask('inPage', '/operators.ndjson', componentBytes().map((_, place) => `/${place}.wasm`));
  assert.deepEqual([shown.verdict, shown.states], ['clean', states]);
  assert.deepEqual(complaints, []);
});
