// What the page's workers do: audit logs, or answer questions about one. The scheduler runs
// here, so that one that never ends can be ended from outside.

import { explanationJson } from '../../../clients/js/audit/src/render/explanation.js';
import { auditAll, auditJson, Component, readLog, Recording } from '../../../clients/js/audit/src/index.js';
import { Travel } from '../../../clients/js/audit/src/travel/travel.js';
import { write } from '../../../clients/js/audit/src/json/value.js';

/** @typedef {import('../view/scheduler.js').Answer} Answer */
/** @typedef {import('../view/scheduler.js').Question} Question */

/** Milliseconds from one word of progress to the next. */
const PROGRESS_EVERY_MS = 40;

/** The log that is travelled; text: why it cannot be. @type {Travel | string} */
let travel = 'no log was given';

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

/** A log, and schedulers that it may name. @typedef {{log: string | Uint8Array, components: Uint8Array[]}} Given */

/**
 * Audits these logs, and says how far it is.
 * @param {Given[]} logs
 */
async function audit(logs) {
  let saidAt = 0;
  const onProgress = (/** @type {number} */ place, /** @type {number} */ done) => {
    const now = performance.now();
    if (now - saidAt < PROGRESS_EVERY_MS) return;
    saidAt = now;
    postMessage({ reached: { place, done } });
  };
  const onAudit = (/** @type {number} */ place, /** @type {import('../../../clients/js/audit/src/index.js').Audit} */ found) =>
    postMessage({ audit: { place, found: JSON.parse(write(auditJson(found))) } });
  try {
    await auditAll(logs.map((it) => it.log), { components: logs.flatMap((it) => it.components), onProgress, onAudit });
    postMessage({ isOver: true });
  } catch (error) {
    postMessage({ failed: words(error) });
  }
}

/** @param {Given} given */
function open({ log, components }) {
  try {
    const recording = readLog(log);
    if (!(recording instanceof Recording)) {
      travel = `The log cannot be read: ${recording.message}`;
      return;
    }
    const all = [...recording.components.values(), ...components];
    travel = new Travel(recording, all.map((bytes) => new Component(bytes)));
  } catch (error) {
    travel = words(error);
  }
}

/**
 * @param {Question} question
 * @returns {Answer}
 */
function answer({ sequence, node }) {
  if (typeof travel === 'string') return { sequence, node, error: travel };
  try {
    travel.go(sequence);
    const inspection = travel.inspect().state;
    const state = travel.state();
    return { sequence, node, inspection, state, ...(node === undefined ? {} : explained(travel, node)) };
  } catch (error) {
    return { sequence, node, error: `Its scheduler cannot say: ${words(error)}` };
  }
}

/**
 * @param {Travel} travel
 * @param {string} node
 */
function explained(travel, node) {
  try {
    return { explanation: JSON.parse(write(explanationJson(travel.explain(node)))) };
  } catch (error) {
    return { error: `Its scheduler cannot explain this node: ${words(error)}` };
  }
}

/** Answers what the page asks, one question after another. */
export function answerQuestions() {
  addEventListener('message', ({ data }) => {
    if (data.ask === 'audit') void audit(data.logs);
    else if (data.ask === 'travel') open(data);
    else postMessage(answer(data));
  });
}
