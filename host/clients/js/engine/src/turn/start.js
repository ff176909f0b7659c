// Workflows are registered, and executions begin.

import { FORMAT_VERSION, GuestFailure, START, quoted } from '@refrain/audit/host';
import { EngineError, workflowDiffers } from '../errors.js';
import { PRIORITY_DEFAULT, PRIORITY_MAX } from '../limits.js';
import { idOfKey } from '../random.js';
import { payloadOf } from '../values/json_text.js';
import { labelsOf, optionalText, textOf } from '../values/texts.js';
import { refuseChildren, refuseWithoutWorker, workflowText } from '../workflows.js';
import { offer } from './offer.js';

/** @typedef {import('./transaction.js').Transaction} Transaction */

/**
 * A start, as a caller asks for it.
 * @typedef {object} StartOptions
 * @property {string} workflowId
 * @property {string} version
 * @property {unknown} [input] null unless said
 * @property {string} [key] the same key starts once (law 8)
 * @property {Record<string, string>} [labels] what to find the execution by
 * @property {number} [priority] how urgent its work is, 0 to 9; 5 unless said
 * @property {string} [by] who starts it
 */

/**
 * What a valid workflow is.
 * @typedef {object} Summary
 * @property {string} workflowId
 * @property {string} version
 * @property {number} nodes
 * @property {number} edges
 * @property {string[]} queues the queues that its nodes are dispatched to
 * @property {string[]} ignored JSON pointers of fields that change nothing
 * @property {string[]} unreachable
 */

/**
 * Registers a workflow; the same content again is no change.
 * @param {Transaction} transaction
 * @param {unknown} workflow
 * @returns {Promise<Summary>}
 */
export async function register(transaction, workflow) {
  const text = workflowText(workflow);
  const { tag, value } = await validated(transaction, text);
  if (tag === 'err') throw invalid(value);
  refuseChildren(text);
  const { tenant } = transaction.core.settings;
  const { workflow_id: workflowId, version, nodes, edges, queues, ignored, unreachable } = value;
  const registered = await transaction.workflow(workflowId, version);
  if (registered !== undefined && registered.text !== text) throw workflowDiffers(workflowId, version);
  if (registered === undefined) transaction.workflows.push({ tenant, workflowId, version, text });
  return { workflowId, version, nodes, edges, queues, ignored, unreachable };
}

/**
 * What the scheduler says of a workflow.
 * @param {Transaction} transaction
 * @param {string} text
 */
async function validated({ core }, text) {
  try {
    return await core.guests.validate(text);
  } catch (thrown) {
    if (!(thrown instanceof GuestFailure)) throw thrown;
    throw new EngineError(
      'guest_failed',
      `the scheduler component ${core.guests.own} failed at the workflow: ${thrown.message}`,
    );
  }
}

/**
 * Starts an execution, or finds the one that the same key started. Answers its id.
 * @param {Transaction} transaction
 * @param {StartOptions} options
 * @returns {Promise<string>}
 */
export async function start(transaction, options) {
  const { core } = transaction;
  const asked = checked(options);
  const { tenant } = core.settings;
  if (asked.key !== null) {
    const found = await startedBefore(transaction, idOfKey(tenant, asked.key), asked);
    if (found !== undefined) return found;
  }
  const workflow = await transaction.workflow(asked.workflowId, asked.version);
  if (workflow === undefined) {
    throw new EngineError(
      'unknown_workflow',
      `no workflow ${quoted(asked.workflowId)} of version ${quoted(asked.version)} is registered; register it first`,
    );
  }
  refuseChildren(workflow.text);
  refuseWithoutWorker(workflow.text, (queue) => core.pool.has(queue));
  const id = asked.key === null ? core.random.executionId() : idOfKey(tenant, asked.key);
  const staged = transaction.begin(recordOf(transaction, id, asked), workflow);
  try {
    await offer(transaction, staged, {
      tag: 'workflow_started',
      value: eventOne(transaction, id, asked, workflow.digest),
    });
  } catch (thrown) {
    transaction.staged.delete(id);
    throw thrown;
  }
  await keepComponent(transaction);
  return id;
}

/** @typedef {ReturnType<typeof checked>} Asked */

/** @param {StartOptions} options */
function checked({ workflowId, version, input, key, labels = {}, priority = PRIORITY_DEFAULT, by }) {
  if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
    throw new EngineError(
      'invalid_priority',
      `the priority is ${priority}; give a whole number from 0 to ${PRIORITY_MAX}`,
    );
  }
  return {
    workflowId: textOf('workflow id', workflowId),
    version: textOf('workflow version', version),
    input: payloadOf('input', input),
    key: optionalText('key', key),
    labels: labelsOf(labels),
    priority,
    by: optionalText('name of who does it', by),
  };
}

/**
 * The execution that the key has started, if it has.
 * @param {Transaction} transaction
 * @param {string} id
 * @param {Asked} asked
 */
async function startedBefore(transaction, id, asked) {
  const isBegun = transaction.staged.has(id) || (await transaction.core.store.execution(id)) !== undefined;
  if (!isBegun) return undefined;
  const staged = await transaction.open(id);
  const [first] = staged.expected.sequence > 0 ? await transaction.core.store.events(id, 1, 1) : staged.events;
  const { value } = first.event.kind;
  const labels = (/** @type {Asked['labels']} */ of) =>
    JSON.stringify(of.map(({ name, value }) => [name, value]).sort());
  const isSame =
    value.workflow_id === asked.workflowId &&
    value.workflow_version === asked.version &&
    value.initial_input === asked.input &&
    value.priority === asked.priority &&
    labels(value.labels) === labels(asked.labels);
  if (isSame) return id;
  throw new EngineError(
    'key_taken',
    `the key ${quoted(asked.key ?? '')} has started ${id}, with another workflow, input, labels or priority; choose another key`,
    { execution: id },
  );
}

/**
 * @param {Transaction} transaction
 * @param {string} id
 * @param {Asked} asked
 * @returns {import('../store/contract.js').ExecutionRecord}
 */
function recordOf({ core, now }, id, { workflowId, version, priority, labels, key }) {
  return {
    id,
    workflowId,
    workflowVersion: version,
    guestDigest: core.guests.own,
    tenant: core.settings.tenant,
    priority,
    labels,
    key,
    status: 'running',
    held: false,
    sequence: 0,
    head: START,
    startedAt: now,
    lastAt: now,
    nextWake: null,
    owed: false,
  };
}

/**
 * @param {Transaction} transaction
 * @param {string} id
 * @param {Asked} asked
 * @param {string} workflowDigest
 */
function eventOne({ core }, id, { workflowId, version, input, key, labels, priority, by }, workflowDigest) {
  const { tenant, limits } = core.settings;
  return {
    format: FORMAT_VERSION,
    execution_id: id,
    workflow_id: workflowId,
    workflow_version: version,
    workflow_digest: workflowDigest,
    guest_digest: core.guests.own,
    initial_input: input,
    limits: { max_concurrent_nodes: limits.maxConcurrentNodes, max_dispatch_per_tick: limits.maxDispatchPerTick },
    seed: core.random.jitterSeed(),
    tenant,
    simulated: false,
    key,
    forked_from: null,
    parent: null,
    labels,
    priority,
    by,
  };
}

/**
 * The store keeps the component that the execution belongs to (law 10).
 * @param {Transaction} transaction
 */
async function keepComponent({ core, components }) {
  const { own, bytes } = core.guests;
  if (core.isComponentKept || components.length > 0) return;
  if ((await core.store.component(own)) === undefined) components.push({ digest: own, bytes });
}

/** @param {{pointer: string, message: string, remedy: string}[]} faults */
function invalid(faults) {
  const told = faults.map(({ pointer, message, remedy }) => `\n  at ${quoted(pointer)}: ${message}; ${remedy}`);
  return new EngineError('invalid_workflow', `the workflow is not valid, ${faults.length} fault(s):${told.join('')}`, {
    faults,
  });
}
