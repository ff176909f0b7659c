// What the page's workers do: audit logs, or answer questions about one. The scheduler runs
// here, so that one that never ends can be ended from outside.

import { explanationJson } from '../../../clients/js/audit/src/render/explanation.js';
import { serve } from '../../../clients/js/audit/src/contained/served.js';
import { Component, readLog, Recording, Travel } from '../../../clients/js/audit/src/index.js';
import { write } from '../../../clients/js/audit/src/json/value.js';
import { stateOf } from '../../../clients/js/audit/src/travel/travel.js';
import { givenTo } from './given.js';

/** @typedef {import('../view/scheduler.js').Answer} Answer */
/** @typedef {import('../view/scheduler.js').Question} Question */

/** The log that is travelled; text: why it cannot be. @type {Travel | string} */
let travel = 'no log was given';

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

/** A log, and schedulers that it may name. @typedef {{log: string | Uint8Array, components: Uint8Array[]}} Given */

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
function answer({ sequence, node, isGivenAsked }) {
  if (typeof travel === 'string') return { sequence, node, error: travel };
  try {
    travel.go(sequence);
    const inspection = travel.inspect().state;
    const state = stateOf(inspection);
    if (node === undefined) return { sequence, inspection, state };
    const given = isGivenAsked ? givenTo(travel, node) : undefined;
    return { sequence, node, isGivenAsked, inspection, state, given, ...explained(travel, node) };
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

/** Does an audit, or answers one question after another. */
export function answerQuestions() {
  addEventListener('message', ({ data }) => {
    if (data.ask === 'travel') open(data);
    else if (data.ask === 'at') postMessage(answer(data));
    else void serve(data, (news) => postMessage(news));
  });
}
