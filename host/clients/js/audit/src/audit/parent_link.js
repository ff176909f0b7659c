// Law 11: a child begins as its parent ordered it, and its parent was told how it ended.
// Whoever has both logs can check that, from either side.

import { isSame } from '../log/event.js';
import { nodeOfRun } from '../log/id.js';
import { workflowFailure } from '../render/failure.js';
import { sorted } from '../render/explanation.js';
import { digest } from '../sha256.js';
import { compared, plain } from './divergence.js';
import { digestOf } from './family.js';
import { missingUpTo } from './missing.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../json/value.js').Json} Json */
/** @typedef {import('../log/recording.js').Recording} Recording */
/** @typedef {import('./family.js').Family} Family */
/** @typedef {import('./family.js').Told} Told */
/** @typedef {import('./missing.js').Missing} Missing */

/**
 * The beginning and the end of a child's log.
 * @typedef {object} ChildLog
 * @property {string} id
 * @property {any} started
 * @property {string | null} input The digest of its input. `null` if the log is erased.
 * @property {Whole} firstAt
 * @property {Whole} lastAt
 * @property {import('../log/event.js').Head} head
 * @property {{status: string, output: string | null, error: string | null} | null} end
 * @property {boolean} isErased
 * @property {(to: Whole) => Missing | undefined} missingUpTo What is missing of it up to an event.
 */

/**
 * The first place in which two logs do not agree.
 * @typedef {object} Contradiction
 * @property {Whole} inChild
 * @property {Whole} inParent
 * @property {string} message
 * @property {[Json, Json] | null} values What follows from the parent's log, and what the child's has.
 * @property {boolean} isOfGuest Whether it is about what a guest was asked for.
 */

/**
 * How two logs compare: where they do not agree, or what is missing of one of them.
 * @typedef {{found?: Contradiction, missing?: Missing}} Compared
 */

/**
 * `undefined` if the log does not begin with a start: it is refused for that.
 * @param {Recording} recording
 * @returns {ChildLog | undefined}
 */
export function childLog(recording) {
  const { started, kept, executionId, header, isErased } = recording;
  if (started === undefined) return undefined;
  const last = kept[kept.length - 1].event;
  return {
    id: executionId,
    started,
    input: isErased ? null : digest(started.initial_input),
    firstAt: kept[0].event.at,
    lastAt: last.at,
    head: header.head,
    end: endOf(last.kind),
    isErased,
    missingUpTo: (to) => missingUpTo(recording, to),
  };
}

/**
 * How a child ended, as its parent is told of it.
 * @param {import('../log/event.js').Kind} kind
 */
function endOf({ tag, value }) {
  switch (tag) {
    case 'workflow_completed':
      return { status: 'completed', output: value.final_state, error: null };
    case 'workflow_failed':
      return { status: 'failed', output: null, error: workflowFailure(value.cause) };
    case 'workflow_cancelled':
      return { status: 'cancelled', output: null, error: null };
    default:
      return null;
  }
}

/**
 * A contradiction as what is wrong with one of the logs.
 * @param {Contradiction} it
 * @param {Whole} sequence
 */
export function divergenceAt({ message, values }, sequence) {
  return values === null ? plain(sequence, message) : compared(sequence, message, ...values);
}

/**
 * @param {Whole} inChild
 * @param {Whole} inParent
 * @param {string} message
 * @param {[Json, Json] | null} [values]
 * @returns {Contradiction}
 */
function contradiction(inChild, inParent, message, values = null) {
  return { inChild, inParent, message, values, isOfGuest: false };
}

/**
 * Compares a child's log with what its parent's says. Both are whole in themselves.
 * @param {Family} family
 * @param {ChildLog} child
 * @returns {Compared}
 */
export function compare(family, child) {
  const told = family.children.get(child.id);
  const named = child.started.parent;
  if (named === null) {
    const asked = told?.requested.sequence ?? 1;
    return { found: contradiction(1, asked, `${child.id} does not say that it is a child`) };
  }
  if (told === undefined && named.execution_id === family.parent) {
    const missing = family.missingUpTo(named.sequence);
    if (missing !== undefined) return { missing };
  }
  const isAsked =
    told !== undefined &&
    named.execution_id === family.parent &&
    named.node_id === told.node_id &&
    named.attempt === told.attempt &&
    named.iteration === told.iteration &&
    named.sequence === told.requested.sequence;
  if (!isAsked) {
    return { found: contradiction(1, 1, `event ${named.sequence} of ${family.parent} does not ask for ${child.id}`) };
  }
  const found = beginsOtherwise(family, child, told) ?? startIsToldOtherwise(family, child, told);
  if (found !== undefined || told.ended === null) return { found };
  const missing = child.missingUpTo(told.ended.head.sequence);
  return missing === undefined ? { found: endIsToldOtherwise(family, child, told.ended) } : { missing };
}

/**
 * @param {Family} family
 * @param {ChildLog} child
 * @param {Told} told
 */
function beginsOtherwise(family, child, told) {
  const asked = told.requested.sequence;
  const differs = (/** @type {string} */ what, /** @type {[Json, Json]} */ values) =>
    contradiction(1, asked, `${child.id} does not begin as event ${asked} of ${family.parent} asks for it: ${what}`, values);
  const [expected, found] = [expectedStart(family, child, told), child.started];
  if (!isSame(expected, found)) {
    return differs('its event 1 has other values', [startJson(expected), startJson(found)]);
  }
  if (child.firstAt < told.requested.at) {
    return differs('it begins before it is asked for', [{ at: told.requested.at }, { at: child.firstAt }]);
  }
  if (told.input !== null && child.input !== null && told.input !== child.input) {
    /** @type {[Json, Json]} */
    const values = [{ input_digest: told.input }, { input_digest: child.input }];
    return { ...differs('the guest of its parent orders another input', values), isOfGuest: true };
  }
  return undefined;
}

/**
 * Event 1 of a child as it follows from its parent's log. What does not follow from that is
 * as the child has it.
 * @param {Family} family
 * @param {ChildLog} child
 * @param {Told} told
 */
function expectedStart(family, child, told) {
  const { started: parent, parent: id } = family;
  const inPlace = {
    workflow_id: `${parent.workflow_id}/${nodeOfRun(told.node_id)}`,
    version: parent.workflow_version,
  };
  const { workflow_id, version } = told.workflow ?? inPlace;
  const { workflow_digest, guest_digest } = told.started ?? child.started;
  return {
    ...child.started,
    workflow_id,
    workflow_version: version,
    workflow_digest,
    guest_digest,
    limits: parent.limits,
    tenant: parent.tenant,
    simulated: parent.simulated,
    key: null,
    forked_from: null,
    parent: {
      execution_id: id,
      node_id: told.node_id,
      attempt: told.attempt,
      iteration: told.iteration,
      sequence: told.requested.sequence,
      root: parent.parent?.root ?? id,
      depth: (parent.parent?.depth ?? 0) + 1,
    },
    labels: [],
    priority: parent.priority,
    by: null,
  };
}

/** @param {any} started @returns {Json} */
function startJson(started) {
  const { limits, forked_from, labels, parent, ...others } = started;
  const { workflow_id, workflow_version, workflow_digest, guest_digest, tenant, simulated, key, priority, by } = others;
  return sorted({
    workflow_id,
    workflow_version,
    workflow_digest,
    guest_digest,
    limits: sorted(limits),
    tenant,
    simulated,
    key,
    forked_from: forked_from?.execution_id ?? null,
    labels: labels.length,
    priority,
    by,
    root: parent?.root ?? null,
    depth: parent?.depth ?? null,
  });
}

/**
 * @param {Family} family
 * @param {ChildLog} child
 * @returns {(inParent: Whole, inChild: Whole, what: string, values?: [Json, Json] | null) => Contradiction}
 */
function refuting(family, child) {
  return (inParent, inChild, what, values = null) =>
    contradiction(inChild, inParent, `event ${inParent} of ${family.parent} ${what} ${child.id}`, values);
}

/**
 * What the parent was told of the start of a child, and is not so.
 * @param {Family} family
 * @param {ChildLog} child
 * @param {Told} told
 */
function startIsToldOtherwise(family, child, { refused, started }) {
  const refuted = refuting(family, child);
  if (refused !== null) return refuted(refused, 1, 'says that there is no');
  if (started === null || started.at >= child.firstAt) return undefined;
  return refuted(started.sequence, 1, 'was told before it was so of the start of');
}

/**
 * What the parent was told of the end of a child, and is not so.
 * @param {Family} family
 * @param {ChildLog} child
 * @param {NonNullable<Told['ended']>} ended
 */
function endIsToldOtherwise(family, child, ended) {
  const refuted = refuting(family, child);
  if (!isSame(ended.head, child.head)) {
    const values = /** @type {[Json, Json]} */ (
      [ended.head, child.head].map(({ sequence, hash }) => sorted({ sequence, head: hash }))
    );
    return refuted(ended.sequence, ended.head.sequence, 'names another last event of', values);
  }
  const last = child.head.sequence;
  if (ended.at < child.lastAt) return refuted(ended.sequence, last, 'was told before it was so of the end of');
  const isReadable = !family.isErased && !child.isErased;
  const said = endJson(ended, isReadable);
  const { end } = child;
  const own = end && endJson({ status: end.status, output: digestOf(end.output), error: digestOf(end.error) }, isReadable);
  if (own !== null && isSame(own, said)) return undefined;
  return refuted(ended.sequence, last, 'tells another end of', [own, said]);
}

/**
 * @param {{status: string, output: string | null, error: string | null}} end
 * @param {boolean} isReadable
 * @returns {Json}
 */
function endJson({ status, output, error }, isReadable) {
  return sorted({
    status,
    output_digest: isReadable ? output : null,
    error_digest: isReadable ? error : null,
  });
}
