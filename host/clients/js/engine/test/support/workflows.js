// Workflows by chance: chains, diamonds, conditions, joins, maps, retries, timers, external
// events, approvals, failure edges, compensations, finalizers, budgets. All of them are valid.

import { Dice } from './dice.js';

/** @typedef {{workflow: any, input: any}} Drawn */
/** A part of a graph: where it begins, and the edges that are open at its end. @typedef {{first: string, open: any[]}} Part */

/**
 * The workflow of a seed, and an input for it.
 * @param {number} seed
 * @returns {Drawn}
 */
export function drawnWorkflow(seed) {
  return new Drawing(seed).draw();
}

class Drawing {
  /** @param {number} seed */
  constructor(seed) {
    this.seed = seed;
    this.dice = new Dice(seed);
    /** @type {Record<string, any>} */
    this.nodes = {};
    /** @type {any[]} */
    this.edges = [];
  }

  /** @returns {Drawn} */
  draw() {
    const { dice } = this;
    const body = this.sequence(2, dice.between(2, 6));
    for (const edge of body.open) this.edges.push({ ...edge, to: 'end' });
    if (dice.chance(0.3)) this.finalizer(body);
    const workflow = {
      workflow_id: `drawn-${this.seed}`,
      version: '1.0.0',
      start_node: body.first,
      nodes: this.nodes,
      edges: this.edges,
      retry_policies: {
        quick: { max_attempts: 3, backoff: 'fixed', initial_delay: 1, jitter: dice.chance(0.5) },
        slow: { max_attempts: 2, backoff: 'exponential', initial_delay: 1, max_delay: 3 },
        asks: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, on_exhausted: 'pause' },
      },
      ...(dice.chance(0.15) ? { timeouts: { workflow_timeout: dice.between(20, 200) } } : {}),
      ...(dice.chance(0.3)
        ? { limits: { max_concurrent_nodes: dice.between(1, 4), max_dispatch_per_tick: dice.between(1, 3) } }
        : {}),
      ...(dice.chance(0.1)
        ? { token_budget: dice.between(5, 40), on_budget_exceeded: dice.pick(['fail', 'pause']) }
        : {}),
    };
    const items = Array.from({ length: dice.between(0, 5) }, (_, place) => place * 1.5);
    return { workflow, input: { n: dice.between(0, 9), items, key: `k${this.seed}`, text: 'größe "x"' } };
  }

  /**
   * Parts one after another.
   * @param {number} depth
   * @param {number} length
   * @returns {Part}
   */
  sequence(depth, length) {
    let part = this.part(depth);
    for (let place = 1; place < length; place += 1) {
      const next = this.part(depth);
      for (const edge of part.open) this.edges.push({ ...edge, to: next.first });
      part = { first: part.first, open: next.open };
    }
    return part;
  }

  /**
   * @param {number} depth
   * @returns {Part}
   */
  part(depth) {
    const leaves = [
      () => this.work(),
      () => this.work(),
      () => this.handled(),
      () => this.map(),
      () => this.wait(),
      () => this.approval(),
    ];
    const all = depth > 0 ? [...leaves, () => this.diamond(depth), () => this.choice(depth)] : leaves;
    return this.dice.pick(all)();
  }

  /**
   * @param {string} prefix
   * @param {any} node
   */
  add(prefix, node) {
    const id = `${prefix}${Object.keys(this.nodes).length}`;
    this.nodes[id] = node;
    return id;
  }

  /** What a worker does. @returns {any} */
  kind() {
    const { dice } = this;
    const kinds = [
      { type: 'tool', tool_ref: 'x' },
      {
        type: 'task',
        queue: 'work',
        note: '${input.text} for ${input.n}',
        nested: [{ deep: '${state.absent == null}' }],
      },
      { type: 'task', queue: 'work', input_mapping: { n: 'input.n', size: 'size(input.items)' } },
      { type: 'model', model_ref: 'm', prompt_ref: 'p' },
      { type: 'task', queue: 'work', token: 'Bearer ${secret.TOKEN}', of: '${execution_id}' },
    ];
    return dice.pick(kinds);
  }

  /** @returns {any} */
  node() {
    const { dice } = this;
    return {
      kind: this.kind(),
      ...(dice.chance(0.6) ? { retry_policy: dice.pick(['quick', 'slow', 'no_retry', 'asks']) } : {}),
      ...(dice.chance(0.1) ? { node_timeout_secs: dice.between(1, 9) } : {}),
      ...(dice.chance(0.15) ? { lease_secs: dice.between(1, 20) } : {}),
      ...(dice.chance(0.15) ? { priority: dice.between(0, 9) } : {}),
      ...(dice.chance(0.2) ? { compensate: { type: 'tool', tool_ref: 'undo', of: '${output}' } } : {}),
    };
  }

  /** @returns {Part} */
  work() {
    const id = this.add('w', this.node());
    const condition = this.dice.chance(0.15)
      ? { condition: this.dice.pick(['input.n >= 5', 'size(input.items) > 2', 'state.absent']) }
      : {};
    return { first: id, open: [{ from: id, ...condition }] };
  }

  /** Work whose failure is handled. @returns {Part} */
  handled() {
    const node = this.node();
    if (node.retry_policy === 'asks') delete node.retry_policy;
    const id = this.add('h', node);
    const handler = this.add('c', this.node());
    this.edges.push({ from: id, to: handler, on: 'failure' });
    return { first: id, open: [{ from: id }, { from: handler }] };
  }

  /** @returns {Part} */
  map() {
    const { dice } = this;
    const node = this.node();
    if (node.retry_policy === 'asks') delete node.retry_policy;
    const enough = dice.chance(0.3) ? { complete_after: dice.between(1, 3), cancel_rest: dice.chance(0.5) } : {};
    const tolerate = dice.chance(0.5) ? { tolerate: dice.pick([{ failures: 2 }, { percent: 50 }]) } : {};
    const kind = {
      type: 'map',
      over: dice.pick(['input.items', 'input.items + [7, 8]']),
      body: { type: 'task', queue: 'work', of: '${item}' },
      max_concurrent: dice.between(1, 4),
      ...enough,
      ...tolerate,
    };
    const id = this.add('m', { ...node, kind });
    return { first: id, open: [{ from: id }] };
  }

  /** @returns {Part} */
  wait() {
    const { dice } = this;
    const kinds = [
      { type: 'wait', condition: 'timer', timeout_secs: dice.between(0, 3) },
      { type: 'wait', condition: 'external_event', correlation_key: '${input.key}' },
      {
        type: 'wait',
        condition: 'either',
        correlation_key: 'either',
        timeout_secs: dice.between(1, 4),
        keep: dice.chance(0.5),
      },
    ];
    const id = this.add('t', { kind: dice.pick(kinds) });
    return { first: id, open: [{ from: id }] };
  }

  /** @returns {Part} */
  approval() {
    const fallback = this.dice.chance(0.5) ? this.add('f', this.node()) : undefined;
    const kind = {
      type: 'human_approval',
      description: 'Shall it?',
      timeout_secs: this.dice.pick([2, 60, 120]),
      ...(fallback && { fallback_node: fallback }),
    };
    const id = this.add('a', { kind });
    return { first: id, open: [{ from: id }, ...(fallback ? [{ from: fallback }] : [])] };
  }

  /**
   * @param {number} depth
   * @returns {Part}
   */
  diamond(depth) {
    const { dice } = this;
    const fork = this.add('p', { kind: { type: 'parallel' } });
    const strategy = dice.pick([{}, { merge_strategy: 'first' }, { merge_strategy: { count: 2 } }]);
    const cancels = 'merge_strategy' in strategy && dice.chance(0.5) ? { cancel_rest: true } : {};
    const join = this.add('j', { kind: { type: 'join', ...strategy, ...cancels } });
    for (let branch = dice.between(2, 3); branch > 0; branch -= 1) {
      const part = this.sequence(depth - 1, dice.between(1, 2));
      this.edges.push({ from: fork, to: part.first });
      for (const edge of part.open) this.edges.push({ ...edge, to: join });
    }
    return { first: fork, open: [{ from: join }] };
  }

  /**
   * @param {number} depth
   * @returns {Part}
   */
  choice(depth) {
    const parts = Array.from({ length: this.dice.between(2, 3) }, () => this.sequence(depth - 1, 1));
    const branches = parts.map(({ first }, place) => ({
      ...(place + 1 < parts.length ? { condition: `input.n >= ${9 - 4 * place}` } : {}),
      target: first,
    }));
    const id = this.add('o', { kind: { type: 'condition', branches } });
    return { first: id, open: parts.flatMap(({ open }) => open) };
  }

  /** @param {Part} after */
  finalizer({ first }) {
    const { compensate: _, ...node } = this.node();
    const id = this.add('z', { ...node, run_on: this.dice.pick(['success', 'failure', 'always']) });
    this.edges.push({ from: first, to: id });
  }
}
