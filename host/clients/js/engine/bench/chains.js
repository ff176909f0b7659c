// How quick an engine is: chains of nodes whose worker answers at once.

import { Engine } from '../src/index.js';

/**
 * Steps a second: nodes that are scheduled, claimed, completed and committed.
 * @param {import('../src/store/contract.js').Store} store
 * @param {number} nodes of each chain
 * @param {number} executions at the same time
 * @returns {Promise<number>}
 */
export async function stepsPerSecond(store, nodes, executions) {
  const engine = await Engine.open({ store, workers: { tool: { run: () => 1, slots: 64 } } });
  const ids = Array.from({ length: nodes }, (_, place) => `n${place}`);
  const workflow = {
    workflow_id: 'chain',
    version: '1.0.0',
    start_node: 'n0',
    nodes: Object.fromEntries(ids.map((id) => [id, { kind: { type: 'tool', tool_ref: 'x' } }])),
    edges: ids.map((id, place) => ({ from: id, to: ids[place + 1] ?? 'end' })),
  };
  const { workflowId, version } = await engine.register(workflow);
  const began = performance.now();
  const started = await Promise.all(Array.from({ length: executions }, () => engine.start({ workflowId, version })));
  await Promise.all(started.map((execution) => execution.finished()));
  const ms = performance.now() - began;
  await engine.close();
  return Math.round((1_000 * nodes * executions) / ms);
}
