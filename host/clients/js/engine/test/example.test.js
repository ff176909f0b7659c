// The example page: a workflow runs in a tab, is closed half way, is opened again, and goes on.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { launch, noBrowser, serve } from './support/site.js';

for (const name of ['../example/index.html', 'browser/index.html']) {
  test(`the content policy of ${name} lets its import map in, and no other inline script`, () => {
    const html = readFileSync(new URL(name, import.meta.url), 'utf8');
    const [, map] = /<script type="importmap">(.*?)<\/script>/s.exec(html) ?? [];
    const digest = createHash('sha256').update(map).digest('base64');
    assert.ok(
      html.includes(`'sha256-${digest}'`),
      `the import map has changed; its hash in the policy should be sha256-${digest}`,
    );
    assert.doesNotMatch(html, /unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')/);
  });
}

test('the example goes on where it was, and its log is clean', { skip: noBrowser }, async (t) => {
  const [site, browser] = [await serve(), await launch()];
  t.after(async () => {
    await browser.close();
    await site.close();
  });
  const context = await browser.newContext();
  /** @type {string[]} */
  const errors = [];
  const open = async () => {
    const page = await context.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`${site.origin}/engine/example/index.html`);
    return page;
  };
  const first = await open();
  await first.click('#start:enabled');
  await first.waitForSelector('text=node_failed draft');
  const waiting = await open();
  await waiting.waitForSelector('text=Another tab works on it');
  await waiting.close();
  await first.close();
  const second = await open();
  await second.click('#approve:enabled');
  await second.waitForSelector('text=timer_created cool_down');
  await second.close();
  const third = await open();
  await third.waitForSelector('#status:has-text("is completed")');
  await third.click('#audit');
  await third.waitForSelector('#verdict:has-text("clean:")');
  assert.deepEqual(errors, []);
  if (process.env.REFRAIN_PICTURES !== undefined) {
    for (const width of [390, 1100]) {
      await third.setViewportSize({ width, height: 1_000 });
      await third.screenshot({ path: `${process.env.REFRAIN_PICTURES}/example-${width}.png` });
    }
  }
});
