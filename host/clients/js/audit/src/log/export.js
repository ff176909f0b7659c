// The export of a log: NDJSON, one header line and one event a line.
//
// The header is believed only as far as event 1 binds it, which is the audit's business:
// here it is read what the lines say, and refused what is no export.

import { strictText } from '../bytes.js';
import { EncodingError, base64, inflate } from '../inflate.js';
import { COMPONENTS_BYTES_MAX, COMPONENT_BYTES_MAX, LINE_BYTES_MAX } from '../limits.js';
import { digest } from '../sha256.js';
import { readAttestation } from './attestation.js';
import { FORMAT, readKept } from './event.js';
import { FieldError, Fields } from './fields.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('./event.js').KeptEvent} KeptEvent */
/** @typedef {import('./event.js').Head} Head */

/**
 * The first line of an export.
 * @typedef {object} Header
 * @property {string} execution_id
 * @property {string} workflow The workflow's text as registered.
 * @property {string} guest_digest
 * @property {Head} head
 * @property {boolean} owed_a_step
 * @property {import('./attestation.js').Attestation | null} erased
 * @property {string[]} components The digests of the components that follow.
 */

/** A file is no whole export. */
export class ExportError extends Error {
  /**
   * @param {string} message
   * @param {'malformed' | 'newer' | 'cut'} cause
   */
  constructor(message, cause) {
    super(message);
    this.name = 'ExportError';
    this.why = cause;
  }
}

/** Bytes as lines of bounded length, counted from 1. */
class Lines {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
    this.number = 0;
  }

  /**
   * The next line: its text, `undefined` if its bytes are none; and whether it has its line
   * break: the last one of a cut file has not.
   */
  next() {
    const { bytes, at } = this;
    if (at >= bytes.length) return undefined;
    const found = bytes.indexOf(0x0a, at);
    const end = found < 0 ? bytes.length : found;
    this.number += 1;
    if (end + (found < 0 ? 0 : 1) - at > LINE_BYTES_MAX) {
      const problem = `line ${this.number} is longer than ${LINE_BYTES_MAX} bytes, and no event is`;
      throw new ExportError(`${problem}; export the log again`, 'malformed');
    }
    this.at = end + 1;
    return { text: strictText(bytes.subarray(at, end)), hasEnd: found >= 0 };
  }
}

/** Reads an export line by line. */
export class ExportReader {
  /**
   * Reads the header, and the components that it names.
   * @param {Uint8Array} bytes
   */
  constructor(bytes) {
    this.lines = new Lines(bytes);
    const first = this.lines.next();
    if (first === undefined) throw noExport('it is empty');
    if (first.text === undefined) throw noExport('it is no text in UTF-8');
    this.header = readHeader(first.text);
    this.components = readComponents(this.lines, this.header);
    this.before = this.lines.number;
  }

  /**
   * The next event. `undefined` if there are no more.
   * @returns {KeptEvent | undefined}
   */
  next() {
    const events = this.header.head.sequence;
    const place = this.lines.number + 1 - this.before;
    const line = this.lines.next();
    const { number } = this.lines;
    if (line === undefined) {
      if (place > events) return undefined;
      throw cut(number + 1, place, events, 'nothing follows');
    }
    if (place > events) {
      const problem = `line ${number} is one too many: the header says that there are ${events} events`;
      throw new ExportError(`${problem}; export the log again`, 'malformed');
    }
    if (line.text === undefined) {
      throw line.hasEnd ? noText(number) : cut(number, place, events, 'only a part of it does');
    }
    try {
      return readKept(line.text);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      if (!line.hasEnd) throw cut(number, place, events, 'only a part of it does');
      if (error.isNewer) throw new ExportError(`line ${number} cannot be read: ${error.message}`, 'newer');
      throw new ExportError(`line ${number} is no event, export the log again: ${error.message}`, 'malformed');
    }
  }
}

/**
 * @param {number} line
 * @param {number} next
 * @param {Whole} events
 * @param {string} found
 */
function cut(line, next, events, found) {
  const problem = `the file is cut: line ${line} should be event ${next} of ${events}, and ${found}`;
  return new ExportError(`${problem}; export the log again`, 'cut');
}

/**
 * With replaced characters, lines of other bytes would come to the same event.
 * @param {number} line
 */
function noText(line) {
  return new ExportError(`line ${line} is no text in UTF-8, export the log again`, 'malformed');
}

/** @param {string} problem */
function noExport(problem) {
  return new ExportError(`this is no exported log of the format ${FORMAT}: line 1: ${problem}`, 'malformed');
}

/**
 * @param {string} text
 * @returns {Header}
 */
function readHeader(text) {
  try {
    const fields = new Fields(text);
    // First of all: another format may have other fields.
    const format = fields.text('format');
    if (isNewer(format)) {
      const problem = `the format ${format} is newer than this program, which reads ${FORMAT}`;
      throw new ExportError(`line 1 cannot be read: ${problem}; use a newer Refrain for it`, 'newer');
    }
    if (format !== FORMAT) throw noExport(`the format is ${JSON.stringify(format)}`);
    /** @type {Header} */
    const header = {
      execution_id: fields.text('execution_id'),
      workflow: fields.text('workflow'),
      guest_digest: fields.hex('guest_digest'),
      head: { sequence: fields.whole('events'), hash: fields.hex('head') },
      owed_a_step: fields.isPresent('owed_a_step') && fields.flag('owed_a_step'),
      erased: fields.isPresent('erased') ? fields.record('erased', readAttestation) : null,
      components: fields.isPresent('components') ? fields.texts('components') : [],
    };
    fields.end();
    return header;
  } catch (error) {
    if (error instanceof FieldError) throw noExport(error.message);
    throw error;
  }
}

/** @param {string} format */
function isNewer(format) {
  const found = /^refrain-log\/\+?0*([0-9]{1,20})$/.exec(format);
  const version = found === null ? 0n : BigInt(found[1]);
  return version > 2n && version < 2n ** 64n;
}

/**
 * The scheduler components that an export brings, by their digests.
 * @param {Lines} lines
 * @param {Header} header
 */
function readComponents(lines, header) {
  /** @type {Map<string, Uint8Array>} */
  const components = new Map();
  let bytes = 0;
  for (const named of header.components) {
    const line = lines.next();
    const number = lines.number + (line === undefined ? 1 : 0);
    if (line !== undefined && line.text === undefined) throw noText(number);
    try {
      const component = readComponent(new Fields(line?.text ?? ''), named);
      bytes += component.length;
      components.set(named, component);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw new ExportError(`line ${number} is no component, export the log again: ${error.message}`, 'malformed');
    }
    if (bytes > COMPONENTS_BYTES_MAX) {
      const problem = `line ${number} is one component too many: those of one export may have ${COMPONENTS_BYTES_MAX} bytes together`;
      throw new ExportError(`${problem}; export the log without them`, 'malformed');
    }
  }
  return components;
}

/**
 * @param {Fields} fields
 * @param {string} expected
 */
function readComponent(fields, expected) {
  const named = fields.text('component');
  if (named !== expected) throw fields.error('component', `the header names the component ${expected} here`);
  const length = Number(fields.whole('bytes', COMPONENT_BYTES_MAX));
  const encoded = fields.text('zlib');
  fields.end();
  try {
    const bytes = inflate(base64(encoded), length);
    const found = digest(bytes);
    if (found === named) return bytes;
    throw new EncodingError(`these bytes are another component, whose digest is ${found}`);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw fields.error('zlib', `it does not hold ${length} bytes, compressed: ${error.message}`);
  }
}
