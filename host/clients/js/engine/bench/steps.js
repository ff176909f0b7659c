// Prints how many steps a second an engine does: in Node with a store in memory, and in
// Chromium, where there is one, with IndexedDB.
//
//     node bench/steps.js

import { MemoryStore } from '../src/index.js';
import { launch, noBrowser, serve } from '../test/support/site.js';
import { stepsPerSecond } from './chains.js';

/** Chains: how many nodes, and how many executions at a time. */
const CHAINS = /** @type {const} */ ([
  [200, 1],
  [40, 100],
]);

const began = performance.now();
await stepsPerSecond(new MemoryStore(), 1, 1);
console.log(`Node: an engine is open, and has done a first step, after ${Math.round(performance.now() - began)} ms`);
for (const [nodes, executions] of CHAINS) {
  console.log(
    `Node, memory: ${executions} at a time: ${await stepsPerSecond(new MemoryStore(), nodes, executions)} steps/s`,
  );
}
if (noBrowser) {
  console.log(noBrowser);
} else {
  const [site, browser] = [await serve(), await launch()];
  const page = await browser.newPage();
  await page.goto(`${site.origin}/engine/test/browser/index.html`);
  await page.waitForFunction('globalThis.refrain');
  for (const durability of ['memory', 'relaxed', 'strict']) {
    for (const [nodes, executions] of CHAINS) {
      const steps = await page.evaluate(`refrain.measure(${JSON.stringify(durability)}, ${nodes}, ${executions})`);
      console.log(`Chromium, ${durability}: ${executions} at a time: ${steps} steps/s`);
    }
  }
  await browser.close();
  await site.close();
}
