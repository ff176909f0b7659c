// The runs at the place: the scheduler's own word where it was asked, the log's otherwise.

/** @typedef {import('../log/node.js').Node} Node */

/**
 * A run as it is shown: of a node, an instance, or what undoes either.
 * @typedef {object} Run
 * @property {string} id
 * @property {string} state
 * @property {number} attempts
 * @property {number} [maxAttempts]
 * @property {string} [queue]
 * @property {string} [worker]
 * @property {number} [since] When it came into its state.
 * @property {number} [until] When it goes on by itself.
 * @property {string} [question]
 * @property {string} [key]
 * @property {string} [error]
 * @property {number} [instances]
 * @property {number} iterations
 * @property {string} [child]
 */

/**
 * @param {Node} node
 * @returns {Run}
 */
function told(node) {
  return {
    id: node.id,
    state: node.state,
    attempts: node.attempts,
    queue: node.queue,
    worker: node.state === 'running' ? node.worker : undefined,
    since: node.inStateSince,
    until: node.wait?.until,
    question: node.wait?.question,
    key: node.wait?.key,
    error: node.error,
    instances: node.instances,
    iterations: node.iterations,
    child: node.child,
  };
}

/**
 * The runs as the log tells them, by their ids.
 * @param {Map<string, Node>} nodes
 * @returns {Map<string, Run>}
 */
export function runsOfLog(nodes) {
  return new Map([...nodes].map(([id, node]) => [id, told(node)]));
}

/**
 * The same with what the scheduler holds of each. A scheduler that shows no nodes says nothing
 * of them.
 * @param {Map<string, Run>} runs
 * @param {Record<string, any>} inspected All that it holds of the execution.
 * @returns {Map<string, Run>}
 */
export function withScheduler(runs, inspected) {
  const all = new Map(runs);
  const take = (/** @type {string} */ id, /** @type {Record<string, any>} */ said) => {
    const known = all.get(id) ?? { id, state: 'pending', attempts: 0, iterations: 0 };
    all.set(id, {
      ...known,
      state: said.state ?? known.state,
      attempts: said.attempts ?? known.attempts,
      maxAttempts: said.max_attempts,
      worker: said.worker_id ?? undefined,
      until: said.not_before ?? said.wakes_at ?? known.until,
    });
    if (said.undo !== undefined) take(`${id}!undo`, said.undo.run ?? {});
    for (const [index, instance] of Object.entries(said.instances?.runs ?? {})) {
      take(`${id}[${index}]`, /** @type {any} */ (instance).run ?? {});
      const undo = /** @type {any} */ (instance).run?.undo;
      if (undo !== undefined) take(`${id}[${index}]!undo`, undo.run ?? {});
    }
  };
  for (const [id, said] of Object.entries(inspected.nodes ?? {})) take(id, /** @type {any} */ (said));
  return all;
}

/** @param {Run} run */
export function isUnderWay(run) {
  const states = ['ready', 'scheduled', 'running', 'backing_off', 'waiting', 'failing'];
  // A map waits for its instances, which are shown themselves.
  return states.includes(run.state) && run.instances === undefined;
}
