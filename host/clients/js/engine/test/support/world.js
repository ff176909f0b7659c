// What happens around an engine: workers that succeed, fail, take their time and heed their
// signals or not; operators that do what the scheduler says could be done.

import { Answer, EngineError, WorkError, json } from '../../src/index.js';

/** @typedef {import('../../src/index.js').Engine} Engine */
/** @typedef {import('./dice.js').Dice} Dice */

/**
 * Waits so many milliseconds, or until the signal.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** The secret that workflows name. */
export const SECRET = 'hunter2-and-more';

/**
 * A worker of chance.
 * @param {Dice} dice
 * @returns {import('../../src/workers/pool.js').Worker}
 */
export function worker(dice) {
  return async (item, { signal }) => {
    const isDeaf = dice.chance(0.1);
    if (dice.chance(0.7)) await sleep(dice.between(0, 12), isDeaf ? undefined : signal);
    if (dice.chance(0.12)) {
      throw new WorkError(`no luck with ${item.nodeId}: ${item.kind.token}`, {
        retryable: dice.chance(0.7),
        class: dice.pick(['io_error', 'Ärger', 'timeout']),
        retryAfterMs: dice.chance(0.2) ? 500 : undefined,
      });
    }
    if (dice.chance(0.03)) throw new Error('a worker’s own');
    const key = `${item.nodeId.replace(/\W/g, '_')}`;
    const output = dice.pick([
      { [key]: item.attempt, said: item.kind.token ?? 'nothing' },
      item.attempt,
      json(`{"${key}": 1.500, "big": 123456789012345678901234567890}`),
      [item.input],
      undefined,
      new Answer({
        output: { [key]: 1 },
        statePatch: { [key]: 2 },
        genAi: { model: 'm', inputTokens: 2, outputTokens: 3 },
        telemetry: { cost_usd: 0.01 },
      }),
    ]);
    return output;
  };
}

/** The queues that drawn workflows use. */
export const QUEUES = ['tool', 'work', 'model'];

/**
 * Does by chance what can be done about an execution that stands, until it has ended.
 * @param {Engine} engine
 * @param {string} id
 * @param {Dice} dice
 */
export async function operate(engine, id, dice) {
  const execution = engine.execution(id);
  const shown = await execution.show();
  if (['completed', 'failed', 'cancelled'].includes(shown.status)) return;
  const reasons = shown.nodes.flatMap(({ nodeId, reasons }) => reasons.map((reason) => ({ nodeId, reason })));
  const remedies = reasons.flatMap(({ reason }) => reason.remedies);
  const acts = remedies.map((remedy) => () => act(execution, remedy, dice));
  if (dice.chance(0.06)) acts.push(() => execution.pause({ reason: 'to see', by: 'op' }));
  if (dice.chance(0.04)) acts.push(() => execution.cancel({ by: 'op' }));
  if (dice.chance(0.05)) {
    acts.push(
      async () => void (await execution.signal('either', { n: 1.5 }, { eventId: `e${dice.between(0, 3)}`, by: 'op' })),
    );
  }
  if (shown.status === 'paused') acts.push(() => execution.unpause({ by: 'op' }));
  if (acts.length === 0) return;
  try {
    await dice.pick(acts)();
  } catch (thrown) {
    // It may have gone on meanwhile.
    const isLate = thrown instanceof EngineError && ['refused', 'shut_down'].includes(thrown.code);
    if (!isLate) throw thrown;
  }
}

/**
 * @param {import('../../src/index.js').Execution} execution
 * @param {{tag: string, value: any}} remedy
 * @param {Dice} dice
 */
async function act(execution, { tag, value }, dice) {
  switch (tag) {
    case 'approve': {
      const decision = {
        userId: 'ada',
        comment: 'seen',
        by: 'page',
        ...(dice.chance(0.5) ? { statePatch: { approved_by: 'ada' } } : {}),
      };
      return dice.chance(0.6) ? execution.approve(value, decision) : execution.reject(value, decision);
    }
    case 'signal':
      return void (await execution.signal(value, { paid: 7 }, { by: 'bank' }));
    case 'retry':
      return execution.retry(value, { by: 'op' });
    case 'skip':
      return dice.chance(0.4) ? execution.skip(value, { reason: 'not needed', by: 'op' }) : undefined;
    case 'lift':
      return execution.lift({ by: 'op' });
    case 'unpause':
      return execution.unpause({ by: 'op' });
    default:
      return undefined;
  }
}
