// A log, and all that its replay needs besides, out of an export.

import { canonicalLength, linkOf, START } from './event.js';
import { ExportError, ExportReader } from './export.js';
import { isId } from './id.js';
import { PAGE_BYTES_MAX, PAGE_EVENTS_MAX } from '../limits.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('./event.js').Event} Event */
/** @typedef {import('./event.js').KeptEvent} KeptEvent */
/** @typedef {import('./event.js').Head} Head */
/** @typedef {import('./export.js').Header} Header */

/**
 * Why a log cannot be read, or not any further.
 * @typedef {object} Unreadable
 * @property {string | null} execution_id `null` if even that cannot be read.
 * @property {Whole} sequence The first event that cannot be read; 0: what stands before.
 * @property {'changed' | 'malformed' | 'newer'} cause
 * @property {string} message
 */

/** A log that was read. */
export class Recording {
  /**
   * @param {Header} header
   * @param {Map<string, Uint8Array>} components
   */
  constructor(header, components) {
    this.header = header;
    this.components = components;
    /** @type {KeptEvent[]} */
    this.kept = [];
    /** The first event whose hash is not that of its bytes. @type {{place: number, expected: string} | null} */
    this.brokenLink = null;
    /** Where reading had to stop. `null` if that is the end. @type {Unreadable | null} */
    this.brokenOff = null;
  }

  get executionId() {
    return this.header.execution_id;
  }

  /** The workflow's text. */
  get workflow() {
    return this.header.workflow;
  }

  /** Whether the log is erased: its events have only their plain fields. */
  get isErased() {
    return this.kept.length > 0 && this.kept[0].salt === null;
  }

  /** The first event, if it begins an execution. @returns {any} */
  get started() {
    const first = this.kept[0]?.event.kind;
    return first?.tag === 'workflow_started' ? first.value : undefined;
  }

  /**
   * The event of this sequence. `undefined` if there is none, or the log is erased.
   * @param {Whole} sequence
   * @returns {Event | undefined}
   */
  event(sequence) {
    return this.isErased ? undefined : this.kept[Number(sequence) - 1]?.event;
  }

  /** The digests of the guests that the log names, in its order. @returns {string[]} */
  guests() {
    const kinds = this.kept.map((kept) => kept.event.kind);
    const naming = kinds.filter((kind) => kind.tag === 'workflow_started' || kind.tag === 'guest_changed');
    return naming.map((kind) => kind.value.guest_digest);
  }

  /**
   * A page of the first `end` events, from this sequence on, as a guest reads it.
   * @param {Whole} first
   * @param {number} max
   * @param {number} end
   * @returns {Event[]}
   */
  page(first, max, end) {
    const start = first > end ? end : Math.max(Number(first) - 1, 0);
    /** @type {Event[]} */
    const page = [];
    let bytes = 0;
    for (let place = start; place < end && page.length < Math.min(max, PAGE_EVENTS_MAX); place += 1) {
      const { event } = this.kept[place];
      bytes += canonicalLength(event);
      if (page.length > 0 && bytes > PAGE_BYTES_MAX) break;
      page.push(event);
    }
    return page;
  }

  /** @returns {Head} */
  get end() {
    const last = this.kept[this.kept.length - 1];
    return last === undefined ? { sequence: 0, hash: START } : { sequence: last.event.sequence, hash: last.hash };
  }

  /**
   * Takes the next event. One that is erased among others that are not, or the other way
   * round, ends the reading: `false`.
   * @param {KeptEvent} kept
   * @returns {boolean}
   */
  push(kept) {
    const last = this.kept[this.kept.length - 1];
    if (last !== undefined && (last.salt === null) !== (kept.salt === null)) {
      const sequence = Number(last.event.sequence) + 1;
      const said = kept.salt === null ? 'is erased, and those before it are not' : 'is not erased, and those before it are';
      this.brokenOff = {
        execution_id: this.executionId,
        sequence,
        cause: 'changed',
        message: `event ${sequence} ${said}: a log is erased as a whole`,
      };
      return false;
    }
    const expected = linkOf(last?.hash ?? START, kept);
    if (expected !== kept.hash && this.brokenLink === null) {
      this.brokenLink = { place: this.kept.length, expected };
    }
    this.kept.push(kept);
    return true;
  }
}

/**
 * The log that an export holds, or why it cannot be read.
 * @param {Uint8Array} bytes
 * @returns {Recording | Unreadable}
 */
export function readRecording(bytes) {
  /** @type {ExportReader} */
  let reader;
  try {
    reader = new ExportReader(bytes);
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    const cause = error.why === 'newer' ? 'newer' : 'malformed';
    return { execution_id: null, sequence: 0, cause, message: error.message };
  }
  const { header, components } = reader;
  if (!isId(header.execution_id)) {
    const named = JSON.stringify(header.execution_id);
    const problem = `line 1: ${named} is not an execution id: it should be "exec_" and 32 hexadecimal digits`;
    return { execution_id: null, sequence: 0, cause: 'malformed', message: problem };
  }
  const recording = new Recording(header, components);
  readEvents(reader, recording);
  return recording;
}

/**
 * @param {ExportReader} reader
 * @param {Recording} recording
 */
function readEvents(reader, recording) {
  try {
    for (let kept = reader.next(); kept !== undefined; kept = reader.next()) {
      if (!recording.push(kept)) return;
    }
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    // The head shows that the end is missing, and where.
    if (error.why === 'cut') return;
    recording.brokenOff = {
      execution_id: recording.executionId,
      sequence: recording.kept.length + 1,
      cause: error.why,
      message: error.message,
    };
  }
}
