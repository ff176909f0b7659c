// Heads that were noted elsewhere, dropped on the audit page beside logs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { served } from './support/site.js';
import { file, golden, refrain, skip, Tab } from './support/tools.js';

test('anchors and keys that are dropped beside a log tell whether it is signed and complete', { skip }, async () => {
  const [key, publicKey, anchors] = ['office.pem', 'office.pub', 'heads.ndjson'].map((name) => file(name));
  refrain('key', 'new', '--key', key);
  file('office.pub', refrain('key', 'show', '--key', key));
  const log = golden('retries');
  refrain('audit', '--file', log, '--write-anchors', anchors, '--key', key);
  const { address, close } = await served();
  const tab = await Tab.open(address);
  const said = async (/** @type {RegExp} */ expected) => {
    await tab.page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector('#verdict .anchored')?.textContent ?? ''), expected.source);
    return tab.page.getAttribute('#verdict', 'class');
  };
  await tab.page.setInputFiles('#file', [log, anchors]);
  assert.equal(await said(/^Whole: the anchor at event 18, its last at \S+ is signed with the key sha256:[0-9a-f]{64}, which nobody/), 'verdict good');
  // The key comes to what is there.
  await tab.page.setInputFiles('#file', publicKey);
  assert.equal(await said(/^Signed and complete: the trusted key sha256:[0-9a-f]{64} has signed event 18, its last at/), 'verdict good');
  const forged = file('forged.ndjson', readFileSync(anchors, 'utf8').replace('"sequence":18', '"sequence":17'));
  await tab.page.setInputFiles('#file', [log, forged, publicKey]);
  assert.equal(await said(/forged.ndjson, line 1: the key \S+ has not signed this anchor/), 'verdict bad');
  await tab.page.setInputFiles('#file', [golden('approved'), anchors]);
  await said(/^No anchor among these files is of this execution/);
  const cut = readFileSync(log, 'utf8').trimEnd().split('\n').slice(0, -1);
  await tab.page.setInputFiles('#file', [file('cut.ndjson', `${cut.join('\n')}\n`), anchors]);
  await tab.page.waitForSelector('#verdict[data-verdict="tampered"]');
  await tab.page.setInputFiles('#file', key);
  await tab.page.waitForFunction(() => /PRIVATE KEY/.test(document.getElementById('said')?.textContent ?? ''));
  await tab.close();
  close();
});
