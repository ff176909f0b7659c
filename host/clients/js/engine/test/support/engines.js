// Engines for tests, and small workflows.

import { Engine, MemoryStore } from '../../src/index.js';

/**
 * An engine that is closed at the end of the test, with all that it warned of.
 * @param {import('node:test').TestContext} t
 * @param {Partial<import('../../src/engine.js').EngineOptions>} [options]
 */
export async function engineOf(t, options = {}) {
  /** @type {string[]} */
  const warnings = [];
  const engine = await Engine.open({ store: new MemoryStore(), onWarning: (text) => warnings.push(text), ...options });
  t.after(() => engine.close({ patienceMs: 0 }));
  return { engine, warnings };
}

/** A node that a worker of the queue `tool` does. @param {object} [other] */
export function tool(other = {}) {
  return { kind: { type: 'tool', tool_ref: 'x' }, ...other };
}

/**
 * A chain of these nodes.
 * @param {Record<string, any>} nodes
 * @param {object} [other]
 */
export function chain(nodes, other = {}) {
  const ids = Object.keys(nodes);
  const edges = ids.map((id, place) => ({ from: id, to: ids[place + 1] ?? 'end' }));
  return { workflow_id: 'w', version: '1.0.0', start_node: ids[0], nodes, edges, ...other };
}

/**
 * Registers a workflow and starts it.
 * @param {Engine} engine
 * @param {object} workflow
 * @param {object} [options]
 */
export async function startOf(engine, workflow, options = {}) {
  const { workflowId, version } = await engine.register(workflow);
  return engine.start({ workflowId, version, ...options });
}

/**
 * The kinds of an execution's events, and the fields that are named.
 * @param {import('../../src/index.js').Execution} execution
 * @param {...string} fields
 * @returns {Promise<string[]>}
 */
export async function eventsOf(execution, ...fields) {
  const [, ...lines] = (await execution.log()).trimEnd().split('\n');
  return lines.map((line) => {
    const event = JSON.parse(line);
    return [event.type, ...fields.flatMap((field) => (event[field] === undefined ? [] : [event[field]]))].join(' ');
  });
}

/**
 * Waits until something holds.
 * @param {() => unknown} holds
 */
export async function until(holds) {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error('it never came to hold');
}
