// The auditor in pages: in a worker, in the page itself, and over the conformance kit.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { Travel } from '../src/index.js';
import { bytesOf, componentBytes, components, goldenLog } from './support/files.js';
import { opened } from './support/forge.js';
import { BROWSERS, serve } from './support/site.js';
import { DEEDS, guestThat } from './support/surgery.js';

const own = 'host/component/refrain-scheduler.wasm';

/** Where the conformance kit was expanded, if it was. */
const kit = process.env.REFRAIN_CONFORMANCE;

/** How long a page may take for an answer; the whole kit takes a minute. */
const ANSWER_MS_MAX = 300_000;

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;

before(async () => {
  const log = (/** @type {string} */ name) => /** @type {[string, Uint8Array]} */ ([`/${name}.ndjson`, goldenLog(name)]);
  const endless = guestThat(bytesOf(own), DEEDS.neverEnds);
  const named = componentBytes().map((bytes, place) => /** @type {[string, Uint8Array]} */ ([`/${place}.wasm`, bytes]));
  site = await serve(new Map([log('completed'), log('operators'), ['/own.wasm', bytesOf(own)], ['/endless.wasm', endless], ...named]), kit);
});

after(() => site.close());

/** A browser that is asked, page by page. What a page complains of fails its test. */
class Asked {
  /** @param {import('playwright-core').Browser} browser */
  constructor(browser) {
    this.browser = browser;
  }

  /** @param {string} name @param {...unknown} given @returns {Promise<any>} */
  async ask(name, ...given) {
    const page = await this.browser.newPage();
    /** @type {Promise<never>} */
    const complained = new Promise((_, reject) => {
      page.on('pageerror', (error) => reject(error));
      page.on('console', (message) => message.type() === 'error' && reject(new Error(message.text())));
    });
    // Waited for below; what comes behind an answer is no news.
    complained.catch(() => undefined);
    const question = encodeURIComponent(JSON.stringify([name, ...given]));
    await page.goto(`${site.origin}/host/clients/js/audit/test/browser/index.html#${question}`);
    await Promise.race([page.waitForSelector('body[data-answer]', { timeout: ANSWER_MS_MAX, state: 'attached' }), complained]);
    const answer = await page.getAttribute('body', 'data-answer');
    await page.close();
    return JSON.parse(String(answer));
  }
}

for (const [name, { lacking, launch }] of Object.entries(BROWSERS)) {
  describe(name, { skip: lacking }, () => {
    /** @type {Asked} */
    let page;

    before(async () => {
      page = new Asked(await launch());
    });

    after(async () => {
      await page.browser.close();
    });

    test('a page audits in a worker, under a content policy that allows no code of texts', async () => {
      const given = { components: [], guest: '/own.wasm' };
      const clean = { verdict: 'clean', decisions: 3, code: null, hasProgress: true };
      assert.deepEqual(await page.ask('inWorker', '/completed.ndjson', given), clean);
      assert.deepEqual(await page.ask('inWorker', '/completed.ndjson', { ...given, fromBlob: true }), clean);
    });

    test('a guest that never ends does not hold up a page', async () => {
      const given = { components: [], guest: '/endless.wasm', silenceMs: 1_000 };
      const { verdict, code } = await page.ask('inWorker', '/completed.ndjson', given);
      assert.deepEqual([verdict, code], ['divergent', 'guest_failed']);
    });

    test('the page itself audits and travels, and every state is that of Node', async () => {
      const log = opened(goldenLog('operators'));
      const travel = new Travel(log, components());
      const states = log.kept.map((_, place) => {
        travel.go(place + 1);
        return travel.state();
      });
      const shown = await page.ask('inPage', '/operators.ndjson', componentBytes().map((_, place) => `/${place}.wasm`));
      assert.deepEqual([shown.verdict, shown.states], ['clean', states]);
    });
  });
}

// Chromium's engine is that of Node, which has gone through the kit.
test('every case of the kit has the verdict that it should, in Firefox', { skip: BROWSERS.Firefox.lacking || kit === undefined }, async () => {
  const browser = await BROWSERS.Firefox.launch();
  const named = readdirSync(String(kit)).filter((it) => it.endsWith('.wasm')).map((it) => `/kit/${it}`);
  const { cases, differing } = await new Asked(browser).ask('ofKit', '/kit', named);
  assert.ok(cases > 0);
  assert.deepEqual(differing, []);
  await browser.close();
});
