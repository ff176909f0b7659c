import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';

import { digest } from '../../clients/js/audit/src/sha256.js';
import { bytesOf, goldenLog } from '../../clients/js/audit/test/support/files.js';
import { opened, rechained, written } from '../../clients/js/audit/test/support/forge.js';
import { DEEDS, guestThat } from '../../clients/js/audit/test/support/surgery.js';
import { holdEachState } from './support/states.js';
import { file, golden, refrain, report, skip, Tab } from './support/tools.js';

for (const name of ['retries', 'approved', 'expanded', 'compensated', 'handled', 'operators']) {
  test(`${name}: each event's state is that of refrain show --at`, { skip }, async () => {
    const tab = await Tab.report(report(golden(name)));
    assert.equal(await tab.verdict(), 'clean');
    await holdEachState(tab, golden(name));
    await tab.close();
  });
}

test('a permalink names the event and the node, and follows them', { skip }, async () => {
  const tab = await Tab.report(report(golden('retries')), '#10/a');
  await tab.settled(10);
  const { page } = tab;
  assert.match((await page.textContent('#node')) ?? '', /attempt 3 of 4/);
  assert.match((await page.textContent('#node .reasons')) ?? '', /the last failure of class io_error: the disk is slow/);
  await page.keyboard.press('ArrowRight');
  await tab.settled(11);
  await page.waitForFunction(() => location.hash === '#11/a');
  await page.evaluate(() => (location.hash = '#2/b'));
  await tab.settled(2);
  assert.match((await page.textContent('#node-title')) ?? '', /Node b/);
  await page.evaluate(() => (location.hash = '#nonsense/%E0%A4%A/../x'));
  await tab.settled(18);
  await tab.close();
});

test('keys move through the log', { skip }, async () => {
  const tab = await Tab.report(report(golden('retries')));
  await tab.settled(18);
  for (const [key, sequence] of /** @type {[string, number][]} */ ([
    ['Home', 0], ['ArrowRight', 1], ['d', 2], ['f', 4], ['f', 7], ['F', 4], ['D', 2], ['End', 18], ['ArrowLeft', 17], ['PageUp', 7],
  ])) {
    await tab.page.keyboard.press(key);
    await tab.page.waitForFunction((at) => document.querySelector('#place strong')?.textContent === String(at), sequence);
  }
  await tab.page.keyboard.press('e');
  await tab.page.waitForFunction(() => document.getElementById('node-title')?.textContent === 'Node a');
  await tab.page.keyboard.press('n');
  await tab.settled(8);
  await tab.page.keyboard.press('?');
  assert.ok(await tab.page.isVisible('#help'));
  await tab.page.keyboard.press('Escape');
  await tab.page.keyboard.press('/');
  await tab.page.keyboard.type('node_failed');
  await tab.page.waitForFunction(() => document.querySelectorAll('.event-row').length === 4);
  await tab.close();
});

test('what was said is text, whatever it is', { skip }, async () => {
  const said = '</script><img src=x onerror=alert(1)>\u202e\u001b[31m${1}';
  const workflow = {
    workflow_id: '<b>w', version: '1.0.0', start_node: '<i>a',
    nodes: { '<i>a': { kind: { type: 'command', argv: ['printf', '%s', JSON.stringify({ said, '<u>key</u>': 1 })] } } },
    edges: [],
  };
  refrain('run', file('hostile.json', JSON.stringify(workflow)));
  const path = file('hostile.html');
  refrain('report', '@last', '-o', path);
  const tab = await Tab.report(path, `#4/${encodeURIComponent('<i>a')}`);
  assert.equal(await tab.verdict(), 'clean');
  await tab.settled(4);
  assert.equal(await tab.page.locator('main img, main b, main i, main u, main script').count(), 0);
  const state = (await tab.page.textContent('#state')) ?? '';
  assert.ok(state.includes('</script><img src=x onerror=alert(1)>'), state);
  const text = await tab.page.evaluate(() => document.body.innerText);
  assert.ok(!/[\u202e\u001b]/.test(text), 'steering characters are spelled out');
  await tab.close();
});

test('a log that was changed is called tampered, at its event', { skip }, async () => {
  const log = readFileSync(golden('retries'), 'utf8').replace('the disk is slow', 'the disk is fast');
  const tab = await Tab.report(report(file('tampered.ndjson', log)));
  assert.equal(await tab.verdict(), 'tampered');
  assert.match((await tab.page.textContent('#verdict')) ?? '', /event 4/);
  assert.equal(await tab.page.locator('.event-row[data-sequence="4"] .event-proof').textContent(), '✗');
  await tab.close();
});

/**
 * A golden log whose scheduler does this, with the scheduler in it.
 * @param {number[] | ((self: number) => number[])} deed
 */
function logOfGuestThat(deed) {
  const guest = guestThat(bytesOf('host/component/refrain-scheduler.wasm'), /** @type {any} */ (deed));
  const log = opened(goldenLog('completed'));
  const named = digest(guest);
  log.header.guest_digest = named;
  log.started.guest_digest = named;
  const [header, ...events] = written(rechained(log), { components: [named] }).split('\n');
  const component = JSON.stringify({ component: named, bytes: guest.length, zlib: deflateSync(guest).toString('base64') });
  return [header, component, ...events].join('\n');
}

for (const deed of /** @type {const} */ (['crashes', 'neverEnds'])) {
  test(`a scheduler that ${deed} gets a verdict, and the page goes on`, { skip }, async () => {
    const tab = await Tab.report(report(file(`${deed}.ndjson`, logOfGuestThat(/** @type {any} */ (DEEDS[deed])))));
    assert.equal(await tab.verdict(), 'divergent');
    assert.match((await tab.page.textContent('#verdict')) ?? '', /guest_failed/);
    await tab.page.keyboard.press('Home');
    await tab.page.keyboard.press('ArrowRight');
    await tab.page.waitForFunction(() => document.querySelector('#place strong')?.textContent === '1');
    await tab.close();
  });
}

test('of a large picture what is near is drawn, and what is chosen comes near', { skip }, async () => {
  const ids = Array.from({ length: 600 }, (_, place) => `n${String(place).padStart(3, '0')}`);
  const workflow = {
    workflow_id: 'long', version: '1.0.0', start_node: ids[0],
    nodes: Object.fromEntries(ids.map((id) => [id, { kind: { type: 'tool', tool_ref: 't' } }])),
    edges: ids.slice(1).map((to, place) => ({ from: ids[place], to })),
  };
  const { execution_id: id } = JSON.parse(refrain('run', '--simulate', '--json', file('long.json', JSON.stringify(workflow))));
  const path = file('long.html');
  refrain('report', id, '-o', path);
  const tab = await Tab.report(path, '#900');
  await tab.settled(900);
  const node = (/** @type {string} */ id) => tab.page.locator(`#graph [data-node="${id}"]`);
  await node('n000').waitFor();
  await node('n500').waitFor({ state: 'hidden' });
  await tab.page.evaluate(() => (location.hash = '#900/n500'));
  await tab.page.waitForFunction(() => document.getElementById('node-title')?.textContent === 'Node n500');
  await node('n500').waitFor();
  await node('n000').waitFor({ state: 'hidden' });
  const [pane, box] = [await tab.page.locator('#graph').boundingBox(), await node('n500').boundingBox()];
  assert.ok(pane !== null && box !== null && box.y >= pane.y && box.y + box.height <= pane.y + pane.height);
  assert.equal(await node('n500').getAttribute('class'), 'node kind-tool state-pending chosen');
  await tab.page.getByRole('button', { name: 'Show all of it' }).click();
  await node('n000').waitFor();
  await tab.close();
});

test('without payloads nothing of them is in the file, and the verdict is erased', { skip }, async () => {
  for (const [option, expected] of [['--no-payloads', /What was said is not in this log/], ['--mask', /\*\*\*/]]) {
    const path = report(golden('approved'), String(option));
    const tab = await Tab.report(path, '#4/draft');
    assert.equal(await tab.verdict(), 'erased');
    const text = await tab.page.evaluate(() => document.body.innerText);
    assert.match(text, /** @type {RegExp} */ (expected));
    assert.ok(!text.includes('Größe') && !text.includes('shorter'));
    await tab.close();
  }
});

test('what is saved is the log and the scheduler, for other programs', { skip }, async () => {
  const tab = await Tab.report(report(golden('retries')));
  const saved = async (/** @type {string} */ words) => {
    const download = tab.page.waitForEvent('download');
    await tab.page.getByRole('button', { name: words }).click();
    return (await download).path();
  };
  const audited = JSON.parse(refrain('audit', '--file', await saved('Save the log'), '--json'));
  assert.deepEqual([audited.executions[0].verdict, audited.executions[0].events], ['clean', 18]);
  const named = await tab.page.textContent('.digests dd:nth-of-type(2) code');
  assert.equal(digest(new Uint8Array(readFileSync(await saved('Save the scheduler')))), named);
  await tab.close();
});

test('what a worker was given is ordered again', { skip }, async () => {
  const tab = await Tab.report(report(golden('approved')), '#10/publish');
  await tab.settled(10);
  await tab.page.click('text=What its worker was given');
  await tab.page.waitForFunction(() => /"node_id": "publish"/.test(document.getElementById('node')?.textContent ?? ''));
  await tab.page.keyboard.press('ArrowRight');
  await tab.settled(11);
  assert.match((await tab.page.textContent('#node')) ?? '', /"words": 5e1/);
  await tab.close();
});

test('children are in the file, and their nodes in the graph of their parent', { skip }, async () => {
  const { execution_id: id } = JSON.parse(refrain('run', '--simulate', '--json', 'host/examples/child.json'));
  const path = file('child.html');
  refrain('report', id, '--children', '-o', path);
  const tab = await Tab.report(path);
  assert.equal(await tab.verdict(), 'clean');
  const { nodes } = await tab.seen();
  assert.equal(nodes['agree/check'], 'completed');
  await tab.page.click('[data-node="agree/check"]');
  await tab.page.waitForFunction(() => document.getElementById('node-title')?.textContent === 'Node check');
  assert.match((await tab.page.textContent('#facts')) ?? '', /child of/);
  await tab.close();
});
