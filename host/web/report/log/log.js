// An exported log as the page reads it: lines of text, and of each event what moves, filters
// and charts ask for. What an event says in full is read when it is shown.
//
// Nothing is judged here. The audit reads the log by itself, and strictly.

import { JsonError, members } from '../../../clients/js/audit/src/json/scan.js';
import { milliseconds } from '../base/time.js';
import { Standing } from './standing.js';

/** @typedef {import('./standing.js').Event} Event */

/** Events that are read before the page gets its turn again. */
const EVENTS_AT_ONCE = 4000;

/** What stands for a line that is no event. */
const UNREADABLE = 'unreadable';

const FAILURES = new Set([
  'node_failed', 'node_timed_out', 'lease_expired', 'node_exhausted', 'child_refused',
  'workflow_failed', 'workflow_timed_out', 'stalled', 'host_stalled',
]);

export class Log {
  /**
   * @param {Record<string, any>} header
   * @param {string[]} lines One for each event.
   */
  constructor(header, lines) {
    this.header = header;
    this.lines = lines;
    this.count = lines.length;
    /** The time of each event, which has the place of its sequence; before the first: of that. */
    this.at = new Float64Array(this.count + 1);
    this.isDecision = new Uint8Array(this.count + 1);
    this.isFailure = new Uint8Array(this.count + 1);
    /** @type {string[]} */
    this.types = new Array(this.count + 1).fill('');
    /** @type {(string | undefined)[]} */
    this.nodes = new Array(this.count + 1).fill(undefined);
    /** How the execution stands behind each event. */
    this.statuses = new Array(this.count + 1).fill('running');
    /** The workflow, read. */
    this.workflow = workflowOf(header.workflow);
    /** @type {Event} */
    this.first = this.count > 0 ? this.event(1) : { type: UNREADABLE };
  }

  get executionId() {
    return text(this.header.execution_id) || 'an unknown execution';
  }

  get workflowName() {
    const { workflow_id: id, workflow_version: version } = this.first;
    return `${text(id)} ${text(version)}`.trim() || 'an unknown workflow';
  }

  /** Whether its first event says how the execution began. */
  get isReadable() {
    return this.first.type !== UNREADABLE;
  }

  /** Whether its events have only their plain fields. */
  get isErased() {
    return this.header.erased !== undefined || 'commitment' in this.first;
  }

  /** The digests of the schedulers that it names, in its order. */
  get guests() {
    const changes = this.types.flatMap((type, at) => (type === 'guest_changed' ? [this.event(at)] : []));
    const named = [this.first, ...changes].map((event) => text(event.guest_digest));
    return [...new Set(named)].filter((digest) => digest !== '');
  }

  /**
   * A node as the workflow's text has it, to the letter. `undefined` if it has none.
   * @param {string} id
   * @returns {string | undefined}
   */
  nodeText(id) {
    try {
      const nodes = members(String(this.header.workflow)).get('nodes');
      return nodes === undefined ? undefined : members(nodes).get(id);
    } catch (error) {
      if (error instanceof JsonError) return undefined;
      throw error;
    }
  }

  /** How the execution stands at the end of the log. */
  get status() {
    return this.statuses[this.count];
  }

  /**
   * The event of this sequence, read.
   * @param {number} sequence
   * @returns {Event}
   */
  event(sequence) {
    try {
      const event = JSON.parse(this.lines[sequence - 1]);
      if (event !== null && typeof event === 'object' && typeof event.type === 'string') return event;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    return { type: UNREADABLE };
  }

  /**
   * Reads all events once, in their order, each handed to `take` too. The page has its turns
   * in between.
   * @param {(event: Event, sequence: number) => void} take
   */
  async read(take) {
    const standing = new Standing();
    for (let sequence = 1; sequence <= this.count; sequence += 1) {
      const event = this.event(sequence);
      this.at[sequence] = milliseconds(event.at);
      this.isDecision[sequence] = event.origin === 'decision' ? 1 : 0;
      this.isFailure[sequence] = isFailure(event) ? 1 : 0;
      this.types[sequence] = event.type;
      this.nodes[sequence] = typeof event.node_id === 'string' ? event.node_id : undefined;
      this.statuses[sequence] = standing.after(event);
      take(event, sequence);
      if (sequence % EVENTS_AT_ONCE === 0) await new Promise((done) => setTimeout(done));
    }
    this.at[0] = this.at[1] ?? 0;
  }
}

/**
 * A log out of the text of an export.
 * @param {string} text
 * @returns {Log}
 */
export function logOf(text) {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  /** @type {Record<string, any>} */
  let header = {};
  try {
    const first = JSON.parse(lines[0] ?? '');
    if (first !== null && typeof first === 'object') header = first;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const components = Array.isArray(header.components) ? header.components.length : 0;
  return new Log(header, lines.slice(1 + components));
}

/**
 * Whether an event says that something failed, or stalled.
 * @param {Event} event
 */
function isFailure(event) {
  return FAILURES.has(event.type) || (event.type === 'child_ended' && event.status !== 'completed');
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' ? value : '';
}

/**
 * @param {unknown} written
 * @returns {Record<string, any>}
 */
function workflowOf(written) {
  try {
    const workflow = JSON.parse(String(written));
    if (workflow !== null && typeof workflow === 'object') return workflow;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return {};
}
