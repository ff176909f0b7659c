// The engine in Chromium: tabs are closed and killed at random moments, and every log audits
// clean. A tenth of the rounds, all of them with REFRAIN_ROUNDS=1.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mustBeClean } from './support/audits.js';
import { Dice } from './support/dice.js';
import { launch, noBrowser, serve } from './support/site.js';
import { SECRET, sleep } from './support/world.js';

const WORKFLOWS_PER_ROUND = 20;
const ROUNDS = process.env.REFRAIN_ROUNDS === '1' ? 10 : 1;
const SPEED = 200;
const KILLS = 8;

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  if (noBrowser) return;
  site = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/**
 * A tab with the page in it.
 * @param {import('playwright-core').BrowserContext} context
 * @param {string[]} errors what the page complains of
 * @param {string} [origin]
 */
async function openTab(context, errors, origin = site.origin) {
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(String(error.stack)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(`${origin}/engine/test/browser/index.html`);
  await page.waitForFunction('globalThis.refrain');
  return page;
}

/**
 * Asks a function of the page.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 * @param {...unknown} given
 * @returns {Promise<any>}
 */
function ask(page, name, ...given) {
  return page.evaluate(`refrain.${name}(...${JSON.stringify(given)})`);
}

/**
 * Closes a tab without a word, or kills its process.
 * @param {import('playwright-core').Page} page
 * @param {boolean} isCrash
 */
async function end(page, isCrash) {
  if (isCrash) {
    const crashed = page.waitForEvent('crash');
    await Promise.race([page.goto('chrome://crash').catch(() => undefined), crashed]);
  }
  await page.close();
}

for (let seed = 0; seed < ROUNDS; seed += 1) {
  test(`logs are clean whichever tab is closed when, seed ${seed}`, { skip: noBrowser }, async (t) => {
    const dice = new Dice(seed);
    const context = await browser.newContext();
    const seeds = Array.from({ length: WORKFLOWS_PER_ROUND }, (_, place) => 50_000 + seed * 100 + place);
    const epoch = Date.now();
    /** @type {string[]} */
    const errors = [];
    for (let kills = 0; ; kills += 1) {
      const page = await openTab(context, errors);
      const running = ask(page, 'run', { name: 'round', seeds, epoch, speed: SPEED, chance: seed * 1_000 + kills });
      const lifetime = kills < KILLS ? sleep(dice.between(20, 600)) : new Promise(() => undefined);
      const done = await Promise.race([running, lifetime]);
      // What becomes of it in a tab that is closed says nothing.
      running.catch(() => undefined);
      await end(page, dice.chance(0.3));
      if (done === undefined) continue;
      assert.equal(done.logs.length, WORKFLOWS_PER_ROUND);
      assert.ok(!done.logs.join('').includes(SECRET), 'no log holds a secret');
      await mustBeClean(done.logs);
      assert.deepEqual(errors, []);
      t.diagnostic(`${kills} tabs closed, ${done.logs.join('').split('\n').length} events`);
      break;
    }
    await context.close();
  });
}

test(
  'where there are no Web Locks, two tabs work on one database, and nothing is written twice',
  { skip: noBrowser },
  async () => {
    const context = await browser.newContext();
    /** @type {string[]} */
    const errors = [];
    const tabs = [await openTab(context, errors, site.plainOrigin), await openTab(context, errors, site.plainOrigin)];
    assert.equal(await tabs[0].evaluate('globalThis.isSecureContext || navigator.locks !== undefined'), false);
    const seeds = Array.from({ length: 10 }, (_, place) => 90_000 + place);
    const epoch = Date.now();
    const done = await Promise.all(
      tabs.map((tab, chance) => ask(tab, 'run', { name: 'plain', seeds, epoch, speed: SPEED, chance })),
    );
    assert.deepEqual(done[0].logs, done[1].logs);
    await mustBeClean(done[0].logs);
    assert.deepEqual(errors, []);
    // A tab that is held up for longer than a lease may lose its claims to the other.
    for (const warning of done.flatMap(({ warnings }) => warnings)) assert.match(warning, /comes too late/);
    await context.close();
  },
);

test('IndexedDB of a browser keeps the laws of stores', { skip: noBrowser }, async () => {
  const context = await browser.newContext();
  const page = await openTab(context, []);
  assert.deepEqual(await ask(page, 'laws'), []);
  await context.close();
});

test('of two tabs on one database one works, and the other waits or is refused', { skip: noBrowser }, async () => {
  const context = await browser.newContext();
  const [first, second, third] = [await openTab(context, []), await openTab(context, []), await openTab(context, [])];
  assert.equal(await ask(first, 'hold', 'shared', 'wait'), 'works');
  assert.equal(await ask(second, 'hold', 'shared', 'refuse'), 'store_failed');
  assert.equal(await ask(second, 'hold', 'other', 'wait'), 'works');
  assert.equal(await ask(third, 'hold', 'shared', 'wait'), 'waits');
  await first.close();
  assert.equal(await ask(second, 'hold', 'shared', 'refuse'), 'store_failed', 'the one that waited works now');
  await context.close();
});
