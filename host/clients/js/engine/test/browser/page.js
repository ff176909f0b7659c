// A page with an engine, as the tests in Chromium drive it.

import { Engine, IndexedDbStore, MemoryStore } from '../../src/index.js';
import { storeLaws } from '../../src/store/laws.js';
import { stepsPerSecond } from '../../bench/chains.js';
import { Dice } from '../support/dice.js';
import { fastClock } from '../support/fast_clock.js';
import { drawnWorkflow } from '../support/workflows.js';
import { QUEUES, SECRET, operate, sleep, worker } from '../support/world.js';

/** @type {IndexedDbStore | undefined} */
let opened;

/** A store of this name. @param {string} name */
async function storeOf(name) {
  opened = await IndexedDbStore.open(name);
  return opened;
}

/**
 * Works on a database until all of its executions have ended, and answers their logs.
 * @param {{name: string, seeds: number[], epoch: number, speed: number, chance: number}} round
 */
async function run({ name, seeds, epoch, speed, chance }) {
  const dice = new Dice(chance);
  const work = worker(dice);
  /** @type {string[]} */
  const warnings = [];
  const engine = await Engine.open({
    store: await storeOf(name),
    workers: Object.fromEntries(QUEUES.map((queue) => [queue, work])),
    secrets: (named) => (named === 'TOKEN' ? SECRET : undefined),
    clock: fastClock(speed, epoch),
    onWarning: (text) => warnings.push(text),
  });
  const ids = [];
  for (const seed of seeds) {
    const { workflow, input } = drawnWorkflow(seed);
    const { workflowId, version } = await engine.register(workflow);
    ids.push((await engine.start({ workflowId, version, input, key: `start-${seed}` })).id);
  }
  for (;;) {
    const open = (await engine.list()).filter(({ status }) => !['completed', 'failed', 'cancelled'].includes(status));
    if (open.length === 0) break;
    for (const { id } of open) await operate(engine, id, dice);
    await sleep(dice.between(1, 15));
  }
  const logs = await Promise.all(ids.map((id) => engine.execution(id).log()));
  await engine.close();
  return { logs, warnings };
}

/** Holds the laws of stores against this browser's own IndexedDB. Answers what is broken. */
async function laws() {
  /** @type {string[]} */
  const broken = [];
  for (const [place, { name, holds }] of storeLaws.entries()) {
    await holds(() => IndexedDbStore.open(`law-${place}`)).catch((thrown) => broken.push(`${name}: ${thrown.message}`));
  }
  return broken;
}

/**
 * Whether the engine of this page gets to work on a database, and lets it go.
 * @param {string} name
 * @param {'wait' | 'refuse'} ifBusy
 */
async function hold(name, ifBusy) {
  let waits = false;
  const opening = Engine.open({ store: await storeOf(name), ifBusy, onWaiting: () => (waits = true) });
  const engine = await Promise.race([opening, sleep(500).then(() => undefined)]).catch((thrown) => thrown.code);
  void opening.catch(() => undefined);
  return typeof engine === 'string' ? engine : engine === undefined && waits ? 'waits' : 'works';
}

/**
 * Steps a second on a store of this browser.
 * @param {IDBTransactionDurability | 'memory'} durability
 * @param {number} nodes
 * @param {number} executions
 */
async function measure(durability, nodes, executions) {
  const store =
    durability === 'memory'
      ? new MemoryStore()
      : await IndexedDbStore.open(`measure-${durability}-${executions}`, { durability });
  return stepsPerSecond(store, nodes, executions);
}

Object.assign(globalThis, { refrain: { run, laws, hold, measure } });
