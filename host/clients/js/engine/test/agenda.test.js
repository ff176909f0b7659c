import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agenda } from '../src/runtime/agenda.js';
import { Dice } from './support/dice.js';

test('executions come up by their times, each at the last one that it was given', () => {
  const dice = new Dice(7);
  const agenda = new Agenda();
  /** @type {Map<string, {at: number, order: number}>} */
  const model = new Map();
  for (let step = 0; step < 3_000; step += 1) {
    const id = `e${dice.between(0, 40)}`;
    const at = dice.chance(0.1) ? null : dice.between(0, 1_000);
    agenda.set(id, at);
    if (at === null) model.delete(id);
    else if (model.get(id)?.at !== at) model.set(id, { at, order: step });
    if (step % 500 === 0) assert.equal(agenda.next(), Math.min(Infinity, ...[...model.values()].map((it) => it.at)));
  }
  const expected = [...model].sort(([, a], [, b]) => a.at - b.at || a.order - b.order).map(([id]) => id);
  assert.deepEqual([...agenda.due(500, 5), ...agenda.due(2_000, 100)], expected);
  assert.equal(agenda.next(), Infinity);
});
