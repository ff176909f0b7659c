// An event becomes state: the one place that changes an execution. Each change is checked
// before anything is changed, so that what is refused leaves no trace.

import { NoObject, members, textOf } from './json.js';
import { Refusal, must } from './refusal.js';

/** Releases of an attempt; one more counts as an expired lease (rule R25). */
const RELEASES_MAX = 10;
/** Events of a log; what ends or holds an execution always finds room. */
const EVENTS_MAX = 1_000_000n;
/** Characters of the state, each of which has up to three bytes: a third of 16 MiB. */
const STATE_MAX = (16 * 1024 * 1024) / 3;

/**
 * An execution as it begins.
 * @returns the whole of what is known of it, in values that a snapshot can hold
 */
export function begun() {
  return {
    sequence: 0n, at: 0n, started: null, state: new Map(),
    // The node that is worked on, by its place in the chain, and what is known of it.
    place: 0, node: 'pending', attempt: 0, fence: 0n, notBefore: 0n, releases: 0, failure: null,
    // For explanations: since when it is so, who works on it, and how others were completed.
    since: 0n, worker: null, completions: new Map(),
    paused: false, hostStall: null, cancel: null, ended: null, forked: 0n,
  };
}

/**
 * Takes the next event of the log.
 * @throws {Refusal} it may not stand there
 */
export function apply(execution, chain, event) {
  const { kind: { tag, val }, origin } = event;
  must(event.sequence === execution.sequence + 1n, 'out-of-order', () => `the next sequence is ${execution.sequence + 1n}`);
  must(event.at >= execution.at, 'out-of-order', () => `it is earlier than the event before it, which is of ${execution.at} ms`);
  must(!execution.ended, 'ended', () => `the execution has ended (${execution.ended}), and nothing follows an end`);
  const change = origin === 'fact' ? FACTS[tag] : DECISIONS[tag];
  const other = origin === 'fact' ? DECISIONS[tag] : FACTS[tag];
  must(!other, 'wrong-author', 'facts are the host\'s to say, and decisions the scheduler\'s');
  must(change, 'unsupported', () => `this scheduler does not know ${tag}: it runs chains of nodes, and can be paused and cancelled`);
  must(origin === 'fact' || !execution.hostStall, 'held', 'nothing is decided while the host stalls the execution');
  must(event.sequence <= EVENTS_MAX || !LENGTHENING.includes(tag), 'log-full', () => `the log holds ${EVENTS_MAX} events: cancel the execution`);
  checkFork(execution, event);
  change(execution, chain, val ?? {}, event);
  execution.sequence = event.sequence;
  execution.at = event.at;
}

/** Whether `execution-forked` has to come before anything is decided (law 11). */
export function hasToFork(execution) {
  const origin = execution.started?.forkedFrom;
  return origin !== undefined && execution.sequence >= origin.sequence && execution.forked <= origin.sequence;
}

function checkFork(execution, { sequence, kind: { tag, val } }) {
  const isOfFork = tag === 'execution-forked' || (tag === 'node-completed' && val.editedBy !== undefined);
  const common = execution.started?.forkedFrom?.sequence ?? 0n;
  if (sequence <= common) return;
  must(hasToFork(execution) === isOfFork, 'unfounded', 'a fork goes its own way once, behind what it has in common with its origin, and only there results are edited');
}

/** Kinds for which a full log has no room. */
const LENGTHENING = ['execution-paused', 'execution-unpaused', 'node-started', 'guest-changed'];

const FACTS = {
  'workflow-started'(execution, chain, started) {
    must(execution.sequence === 0n, 'wrong-start', 'the execution has begun already');
    must(started.workflowId === chain.id && started.workflowVersion === chain.version, 'wrong-start', () => `the workflow is ${chain.id} ${chain.version}`);
    execution.started = started;
  },
  'node-started'(execution, chain, fact, { sequence, at }) {
    current(execution, chain, fact.nodeId, ['scheduled', 'backing-off']);
    must(!isHeld(execution), 'held', 'nothing is claimed while the execution is paused or stalled');
    must(fact.attempt === execution.attempt, 'stale', () => `attempt ${execution.attempt} is ordered`);
    must(at >= execution.notBefore, 'too-early', () => `it may not be claimed before ${execution.notBefore} ms`);
    Object.assign(execution, { node: 'running', fence: sequence, worker: fact.workerId, since: at });
  },
  'node-completed'(execution, chain, fact, { at }) {
    fenced(execution, chain, fact);
    const target = chain.nodes[execution.place + 1]?.id ?? 'end';
    must(fact.chosenTarget === undefined || fact.chosenTarget === target, 'unknown-target', () => `this node leads to ${target}`);
    const state = merged(execution.state, fact.statePatch);
    execution.completions.set(fact.nodeId, { at, workerId: execution.worker, attempt: fact.attempt });
    Object.assign(execution, { state, place: execution.place + 1, node: 'pending', attempt: 0 });
  },
  'node-failed'(execution, chain, fact) {
    fenced(execution, chain, fact);
    const { error, errorClass, retryable, retryAfterMs: retryAfter } = fact;
    fail(execution, { cause: { tag: 'attempt-failed', val: error }, errorClass, retryable, retryAfter });
  },
  'lease-expired'(execution, chain, fact) {
    fenced(execution, chain, fact);
    fail(execution, LEASE_EXPIRED);
  },
  'node-released'(execution, chain, fact) {
    fenced(execution, chain, fact);
    if (execution.releases === RELEASES_MAX) fail(execution, LEASE_EXPIRED);
    else Object.assign(execution, { node: 'scheduled', releases: execution.releases + 1 });
  },
  'cancel-requested'(execution, chain, fact) {
    must(!execution.cancel, 'repeated', 'the execution is already being cancelled');
    execution.cancel = { reason: fact.reason };
  },
  'execution-paused'(execution) {
    must(!execution.paused, 'repeated', 'the execution is paused already');
    execution.paused = true;
  },
  'execution-unpaused'(execution) {
    must(execution.paused, 'not-held', 'the execution is not paused');
    execution.paused = false;
  },
  'host-stalled'(execution, chain, fact) {
    execution.hostStall = { reason: fact.reason };
  },
  'stall-lifted'(execution) {
    must(execution.hostStall, 'not-held', 'the execution is not stalled');
    execution.hostStall = null;
  },
  // Whose log it is makes no difference: it is read in the same way.
  'guest-changed'() {},
  'execution-forked'(execution, chain, fact, { sequence }) {
    execution.forked = sequence;
    if (execution.node === 'running') execution.node = 'scheduled';
  },
};

const DECISIONS = {
  'node-scheduled'(execution, chain, { nodeId, attempt }, { at }) {
    current(execution, chain, nodeId, ['pending']);
    ordered(execution, { attempt, notBefore: at, since: at, node: 'scheduled' });
  },
  'retry-scheduled'(execution, chain, { nodeId, attempt, delayMs }, { at }) {
    current(execution, chain, nodeId, ['failing']);
    ordered(execution, { attempt, notBefore: at + delayMs, since: at, node: 'backing-off' });
  },
  'node-exhausted'(execution, chain, { nodeId }) {
    current(execution, chain, nodeId, ['failing']);
    execution.node = 'failed';
  },
  'node-cancelled'(execution, chain, { nodeId }) {
    current(execution, chain, nodeId, IN_FLIGHT);
    must(execution.cancel, 'unfounded', 'nobody has asked for that');
    execution.node = 'cancelled';
  },
  'workflow-completed': (execution) => end(execution, 'completed'),
  'workflow-failed': (execution) => end(execution, 'failed'),
  'workflow-cancelled': (execution) => end(execution, 'cancelled'),
};

/** States of a node with an unsettled work item. */
export const IN_FLIGHT = ['scheduled', 'running', 'backing-off'];

/** Whether nothing new may be ordered or claimed, and nothing may end (rule R18). */
export function isHeld(execution) {
  return execution.paused || execution.hostStall !== null;
}

/** Refuses what is not about the node that is worked on, in one of these states. */
function current(execution, chain, id, states) {
  const place = chain.places.get(id);
  must(place !== undefined, 'unknown-node', () => `the workflow has no node ${id}`);
  must(place === execution.place, 'wrong-state', () => `the node ${id} ${place < execution.place ? 'is completed' : 'has not begun'}`);
  must(states.includes(execution.node), 'wrong-state', () => `the node ${id} is ${execution.node}`);
}

/** Law 7: an answer presents the attempt and the fence that hold the work item. */
function fenced(execution, chain, { nodeId, attempt, fence }) {
  current(execution, chain, nodeId, ['running']);
  must(attempt === execution.attempt && fence === execution.fence, 'stale', () => `attempt ${execution.attempt} with fence ${execution.fence} holds the node`);
}

/** The worker is presumed dead; another one may do better (rule R13). */
const LEASE_EXPIRED = { cause: { tag: 'lease-expired' }, retryable: true };

function fail(execution, failure) {
  Object.assign(execution, { node: 'failing', failure });
}

function ordered(execution, order) {
  const { attempt } = order;
  must(!isHeld(execution), 'held', 'nothing is ordered while the execution is paused or stalled');
  must(attempt === execution.attempt + 1, 'stale', () => `the next attempt is ${execution.attempt + 1}`);
  Object.assign(execution, order, { releases: 0 });
}

function end(execution, status) {
  must(!execution.paused, 'held', 'nothing ends while the execution is paused');
  execution.ended = status;
}

/** The state with a patch's members in it (rule R10). */
function merged(state, patch) {
  try {
    const all = new Map([...state, ...members(patch)]);
    must(textOf(all).length <= STATE_MAX, 'too-large', 'the state would be too large');
    return all;
  } catch (error) {
    if (!(error instanceof NoObject)) throw error;
    throw new Refusal('malformed', `the patch of the state: ${error.message}`);
  }
}
