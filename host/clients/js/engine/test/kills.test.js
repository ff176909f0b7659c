// Drawn workflows, with kills at random moments: every log audits clean. A tenth of the
// rounds, all of them with REFRAIN_ROUNDS=1.

import { KIND_NAMES } from '@refrain/audit/host';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, EngineError, IndexedDbStore, MemoryStore } from '../src/index.js';
import { mustBeClean } from './support/audits.js';
import { Dice } from './support/dice.js';
import { fastClock } from './support/fast_clock.js';
import { killable } from './support/killable_store.js';
import { drawnWorkflow } from './support/workflows.js';
import { QUEUES, SECRET, operate, sleep, worker } from './support/world.js';

const WORKFLOWS_PER_ROUND = 10;
const ROUNDS = process.env.REFRAIN_ROUNDS === '1' ? 20 : 2;
const SPEED = 200;
const KILLS = 12;
/** How long a round may take, in milliseconds. */
const PATIENCE_MS = 60_000;

/** A round: one store, some executions, engines that are killed one after another. */
class Round {
  /** @type {Map<number, string>} */
  started = new Map();
  kills = 0;

  /** @param {number} seed */
  constructor(seed) {
    this.seed = seed;
    this.dice = new Dice(seed);
    this.clock = fastClock(SPEED);
    const factory = new IDBFactory();
    const memory = new MemoryStore();
    this.openStore =
      seed % 2 === 0 ? async () => memory : () => IndexedDbStore.open('round', { factory, ranges: IDBKeyRange });
    // Two engines at a time, in every other round.
    this.isShared = seed % 4 >= 2;
    this.seeds = Array.from({ length: WORKFLOWS_PER_ROUND }, (_, place) => seed * 1_000 + place);
  }

  async run() {
    const lives = this.isShared ? [this.live(), this.live()] : [this.live()];
    const patience = new AbortController();
    const late = sleep(PATIENCE_MS, patience.signal).then(() => assert.fail(`seed ${this.seed}: not all have ended`));
    try {
      await Promise.race([Promise.all(lives), late]);
    } finally {
      late.catch(() => undefined);
      patience.abort();
    }
    return this.logs();
  }

  /** One engine after another, until all executions have ended. */
  async live() {
    while (!(await this.lifetime())) this.kills += 1;
  }

  /** The life of one engine. Whether all executions have ended in it. */
  async lifetime() {
    const inner = await this.openStore();
    /** @type {() => void} */
    let onDeath = () => undefined;
    const death = new Promise((resolve) => (onDeath = () => resolve(false)));
    const calls = this.kills < KILLS ? this.dice.between(3, 90) : Infinity;
    const store = killable(inner, calls, this.dice.chance(0.5), () => onDeath());
    const isDone = await Promise.race([death, this.work(store)]);
    return isDone === true;
  }

  /** @param {import('../src/store/contract.js').Store} store */
  async work(store) {
    const run = worker(this.dice);
    const engine = await Engine.open({
      store,
      isShared: this.isShared,
      workers: Object.fromEntries(QUEUES.map((queue) => [queue, { run, slots: this.dice.between(1, 8) }])),
      secrets: (name) => (name === 'TOKEN' ? SECRET : undefined),
      clock: this.clock,
      lookEveryMs: 2_000,
      onWarning: (text) => assert.doesNotMatch(text, /stalled, because|error of its own/),
    });
    for (const seed of this.seeds) await this.start(engine, seed);
    while (await this.isUnfinished(engine)) {
      await sleep(this.dice.between(1, 10));
      // Some tabs are closed as they should be.
      if (this.kills >= KILLS || !this.dice.chance(0.03)) continue;
      await engine.close({ patienceMs: 5 });
      return false;
    }
    await engine.close({ patienceMs: 200 });
    return true;
  }

  /**
   * @param {Engine} engine
   * @param {number} seed
   */
  async start(engine, seed) {
    const { workflow, input } = drawnWorkflow(seed);
    const { workflowId, version } = await engine.register(workflow);
    const execution = await engine.start({
      workflowId,
      version,
      input,
      key: `start-${seed}`,
      labels: { seed: String(seed) },
    });
    assert.equal(this.started.get(seed) ?? execution.id, execution.id, 'the same key starts once');
    this.started.set(seed, execution.id);
  }

  /** @param {Engine} engine */
  async isUnfinished(engine) {
    const listed = await engine.list();
    const open = listed.filter(({ status }) => !['completed', 'failed', 'cancelled'].includes(status));
    for (const { id } of open) await operate(engine, id, this.dice);
    return open.length > 0 || listed.length < this.seeds.length;
  }

  async logs() {
    const engine = await Engine.open({ store: await this.openStore(), onWarning: () => undefined });
    const logs = [];
    for (const id of this.started.values()) logs.push(await engine.execution(id).log());
    await engine.close();
    return logs;
  }
}

/** The kinds of events that the rounds have come to. @type {Set<string>} */
const seen = new Set();

/** Kinds of events that no engine of these rounds writes: it has no children and no forks. */
const UNSEEN = /child_|execution_forked|guest_changed|host_stalled|stall_lifted/;

for (let seed = 0; seed < ROUNDS; seed += 1) {
  // Of the rounds that always run, one has a store in memory and one is shared.
  const place = ROUNDS < 4 ? seed * 3 : seed;
  test(`logs are clean whatever is killed when, seed ${place}`, async (t) => {
    const round = new Round(place);
    const logs = await round.run();
    assert.equal(logs.length, WORKFLOWS_PER_ROUND);
    for (const log of logs) assert.ok(!log.includes(SECRET), 'no log holds a secret');
    await mustBeClean(logs);
    for (const [, kind] of logs.join('').matchAll(/"type":"([a-z_]+)"/g)) seen.add(kind);
    t.diagnostic(`${round.kills} kills, ${logs.join('').split('\n').length} events`);
  });
}

test('all kinds of events have been met', { skip: ROUNDS < 20 && 'only of all rounds' }, () => {
  const missed = KIND_NAMES.filter((kind) => !UNSEEN.test(kind) && !seen.has(kind));
  assert.deepEqual(missed, []);
});

test('an engine that is closed takes nothing more', async () => {
  const engine = await Engine.open({ store: new MemoryStore() });
  await engine.close();
  await assert.rejects(engine.register({}), (thrown) => thrown instanceof EngineError && thrown.code === 'shut_down');
});
