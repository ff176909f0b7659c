import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { served } from './support/site.js';
import { file, golden, skip, Tab } from './support/tools.js';

test('a log that is dropped on the page is audited and shown', { skip }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address, { width: 480 });
  await tab.page.setInputFiles('#file', golden('retries'));
  assert.equal(await tab.verdict(), 'clean');
  await tab.slide(4);
  await tab.page.waitForSelector('#graph svg .node.state-failing[data-node="a"]');
  await tab.page.click('#graph svg [data-node="b"]');
  await tab.page.waitForFunction(() => document.getElementById('node-title')?.textContent === 'Node b');
  // Another one takes its place.
  await tab.page.setInputFiles('#file', file('bad.ndjson', readFileSync(golden('retries'), 'utf8').replace('"attempt":2', '"attempt":3')));
  await tab.page.waitForSelector('#verdict[data-verdict="tampered"]');
  await tab.close();
  close();
});

test('what is no log is refused with a sentence', { skip }, async () => {
  const { address, close } = await served();
  const tab = await Tab.open(address);
  for (const [name, content, expected] of [
    ['empty.ndjson', '', /holds no event/],
    ['guest.wasm', '\0asm', /there is no log among these files/],
    ['many.ndjson', `{}\n${'{"type":"x"}\n'.repeat(200_001)}`, /has 200.001 events/],
  ]) {
    await tab.page.setInputFiles('#file', file(String(name), String(content)));
    await tab.page.waitForFunction((pattern) => new RegExp(pattern).test(document.getElementById('said')?.textContent ?? ''), /** @type {RegExp} */ (expected).source);
  }
  await tab.page.setInputFiles('#file', file('text.ndjson', 'this is no log\nnor this\n'));
  assert.equal(await tab.verdict(), 'unreadable');
  assert.equal(await tab.page.textContent('#status'), 'unreadable');
  assert.equal(await tab.page.textContent('#facts'), '');
  assert.match((await tab.page.textContent('#verdict')) ?? '', /0 events, 0 decisions derived again/);
  await tab.close();
  close();
});
