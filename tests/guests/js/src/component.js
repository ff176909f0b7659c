// The component: what the world `scheduler` exports, over what it imports.
//
// Executions are kept between calls, as a cache: each call first brings its own up to date,
// and drops it if anything goes wrong.

import { now } from 'refrain:scheduler/clock@0.2.0';
import { order } from 'refrain:scheduler/queue@0.2.0';
import { appendEvents, loadSnapshot, loadWorkflow, readEvents } from 'refrain:scheduler/storage@0.2.0';
import { apply, begun } from './apply.js';
import { decide } from './decide.js';
import { explained, stateOf } from './explain.js';
import { textOf } from './json.js';
import { Refusal } from './refusal.js';
import { sha256 } from './sha256.js';
import { pack, unpack } from './snapshot.js';
import { InvalidWorkflow, read } from './workflow.js';

/** Events that are read at once. */
const PAGE = 500;
/** Executions that are kept; then all are dropped. */
const KEPT_MAX = 1000;

/** What is known of each execution, by its id: `{execution, chain}`. */
const kept = new Map();

/** An error of the contract: the call answers with it. */
class Answer extends Error {
  constructor(tag, val) {
    super(tag);
    this.payload = { tag, val };
  }
}

export const decisions = {
  validate(text) {
    try {
      const { id, version, nodes } = read(text);
      const queues = [...new Set(nodes.map((node) => node.queue))].sort();
      const edges = nodes.length - 1;
      return { workflowId: id, version, nodes: nodes.length, edges, queues, ignored: [], unreachable: [] };
    } catch (error) {
      if (error instanceof InvalidWorkflow) throw Object.assign(error, { payload: error.faults });
      throw error;
    }
  },

  step(id, last, facts) {
    const at = now();
    return about(id, () => (last === 0n ? begin(at, facts.shift()) : upTo(id, last)), (known) => {
      const { execution, chain } = known;
      // The first fact of an execution was taken where it began.
      const refused = taken(execution, chain, at, facts, last === 0n ? 1 : 0);
      drain(execution, chain, at);
      return {
        status: statusOf(execution),
        lastSequence: execution.sequence,
        nextWake: undefined,
        more: false,
        refused,
        stalledBy: !execution.ended && execution.hostStall ? 'host' : undefined,
      };
    });
  },

  explain(id, nodeId) {
    return about(id, () => upTo(id), ({ execution, chain }) => {
      const place = chain.places.get(nodeId);
      if (place === undefined) throw new Answer('unknown-node', nodeId);
      return explained(execution, chain, place);
    });
  },

  inspect(id) {
    return about(id, () => upTo(id), ({ execution, chain }) => {
      const nodes = chain.nodes.map((node, place) => [node.id, `{"state":"${stateOf(execution, place)}"}`]);
      const state = textOf(new Map([
        ['at', String(execution.at)],
        ['input', execution.started.initialInput],
        ['nodes', textOf(new Map(nodes))],
        ['sequence', String(execution.sequence)],
        ['state', textOf(execution.state)],
        ['status', JSON.stringify(statusOf(execution))],
      ]));
      return { state, hash: sha256(state) };
    });
  },

  snapshot(id) {
    return about(id, () => upTo(id), ({ execution }) => {
      return { guestDigest: '', sequence: execution.sequence, head: '', state: pack(execution) };
    });
  },

  forget(id) {
    kept.delete(nameOf(id));
  },

  describe() {
    return { name: 'refrain-chain-js', version: '0.1.0' };
  },
};

const nameOf = ({ high, low }) => `${high} ${low}`;

/** Answers about an execution, which is kept if that goes well, and dropped if not. */
function about(id, bring, answer) {
  try {
    const known = bring();
    const answered = answer(known);
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(nameOf(id), known);
    return answered;
  } catch (error) {
    kept.delete(nameOf(id));
    throw error;
  }
}

/** An execution begins with this fact. */
function begin(at, kind) {
  const known = { execution: begun(), chain: workflow() };
  if (kind?.tag !== 'workflow-started') throw illegal(1n, new Refusal('wrong-start', 'a log begins with workflow-started'));
  place(known, { sequence: 1n, at, origin: 'fact', kind });
  return known;
}

/** The execution as the log has it up to this event; up to its end, where none is named. */
function upTo(id, last) {
  let known = kept.get(nameOf(id));
  // One that has seen more holds what was not appended after all.
  if (!known || (last !== undefined && known.execution.sequence > last)) known = loaded();
  const { execution } = known;
  while (last === undefined || execution.sequence < last) {
    const page = readEvents(execution.sequence + 1n, PAGE);
    if (page.length === 0) break;
    for (const event of page) place(known, event);
  }
  if (execution.sequence === 0n) throw illegal(1n, new Refusal('wrong-start', 'the log is empty'));
  return known;
}

/** An execution of which nothing is known yet but its last snapshot. */
function loaded() {
  const snapshot = asked(loadSnapshot);
  return { execution: snapshot ? unpack(snapshot.state) : begun(), chain: workflow() };
}

function workflow() {
  try {
    return read(asked(loadWorkflow));
  } catch (error) {
    if (error instanceof InvalidWorkflow) throw new Answer('invalid-workflow', error.faults);
    throw error;
  }
}

/** An event of the log, which may not be there if it is refused. */
function place({ execution, chain }, event) {
  try {
    apply(execution, chain, event);
  } catch (error) {
    throw error instanceof Refusal ? illegal(event.sequence, error) : error;
  }
}

function illegal(sequence, { code, message }) {
  return new Answer('illegal', { sequence, code, reason: message });
}

/** Takes those of the facts that may stand next; the refusals of the others. */
function taken(execution, chain, at, facts, first) {
  const refused = [];
  for (const [index, kind] of facts.entries()) {
    try {
      apply(execution, chain, { sequence: execution.sequence + 1n, at, origin: 'fact', kind });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ index: first + index, code: error.code, message: error.message });
    }
  }
  return refused;
}

/** Decides until nothing more follows; orders what was decided, and appends it. */
function drain(execution, chain, at) {
  const expected = execution.sequence;
  const decided = [];
  for (let next = decide(execution, chain, at); next; next = decide(execution, chain, at)) {
    const event = { sequence: execution.sequence + 1n, at, origin: 'decision', kind: next.kind };
    apply(execution, chain, event);
    decided.push({ event, order: next.order });
  }
  const ordered = decided.filter((it) => it.order);
  const digests = ordered.length > 0 ? asked(order, ordered.map((it) => it.order)) : [];
  for (const { event } of ordered.filter((it) => it.order.tag === 'enqueue')) {
    event.kind.val.itemDigest = digests.shift();
  }
  if (decided.length > 0) asked(appendEvents, expected, decided.map((it) => it.event));
}

/** What an import answers; its error is that of the call. */
function asked(port, ...parameters) {
  try {
    return port(...parameters);
  } catch (error) {
    throw new Answer(port === order ? 'queue' : 'storage', error.payload);
  }
}

function statusOf({ ended, hostStall, paused }) {
  return ended ?? (hostStall ? 'stalled' : paused ? 'paused' : 'running');
}
