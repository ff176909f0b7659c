// The command line of the auditor.

import { closeSync, existsSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ADVICE } from '../audit/divergence.js';
import { auditJson } from '../audit/document.js';
import { auditLines } from '../audit/words.js';
import { AnchorError, AuditError, Component, ComponentError, KeyError, auditEachContained } from '../index.js';
import { writePretty } from '../json/value.js';
import { publicKey } from '../log/signed.js';
import { ANCHORS_BYTES_MAX, COMPONENT_BYTES_MAX, KEY_BYTES_MAX, LOG_BYTES_MAX } from '../limits.js';
import { escaped, escapedJson, escapedLines } from '../text.js';
import { bundledComponentBytes } from './component.js';

/** @typedef {import('../audit/audit.js').Audit} Audit */
/** @typedef {import('../json/value.js').Json} Json */
/** @typedef {{out: (text: string) => void, err: (text: string) => void}} Streams */

const HELP = `Replay executions from their logs, and compare every decision

Usage: refrain-audit LOG.ndjson|FOLDER... [options]

Of several logs, forks are compared with those that they were forked from, and children
with their parents.

Options:
      --guest FILE.wasm      Ask this scheduler component instead of those that the logs name
      --with FILE.wasm       A scheduler component that a log names and does not hold; may be
                             given several times. Refrain's own is at hand
      --anchors FILE         Heads that were noted before
      --trust PUBLICKEY.pem  A public key whose word is trusted, about erased logs and in
                             anchors; may be given several times
      --json                 Answer with one JSON document
  -h, --help                 Print help

Answers 1 if a log is anything but clean or erased, and 2 if one could not be audited, or is
newer than this program.
`;

/** A command was not typed as it should be, or what it names cannot be read. */
class CommandError extends Error {
  /**
   * @param {string} code
   * @param {string} problem
   */
  constructor(code, problem) {
    super(problem);
    this.code = code;
  }
}

/** @typedef {{logs: string[], guest: string | null, with: string[], anchors: string | null, trust: string[], json: boolean, help: boolean}} Arguments */

/**
 * @param {string[]} words
 * @returns {Arguments}
 */
function argumentsOf(words) {
  /** @type {Arguments} */
  const found = { logs: [], guest: null, with: [], anchors: null, trust: [], json: false, help: false };
  let areOptions = true;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (!areOptions || !word.startsWith('-') || word === '-') {
      found.logs.push(word);
      continue;
    }
    const [name, ...rest] = word.split('=');
    const value = () => {
      const given = rest.length > 0 ? rest.join('=') : words[(at += 1)];
      if (given === undefined) throw new CommandError('usage', `a file is missing behind ${name}`);
      return given;
    };
    if (word === '--') areOptions = false;
    else if (word === '--json') found.json = true;
    else if (word === '--help' || word === '-h') found.help = true;
    else if (word === '--file') found.logs.push(value());
    else if (name === '--guest') found.guest = value();
    else if (name === '--with') found.with.push(value());
    else if (name === '--anchors') found.anchors = value();
    else if (name === '--trust') found.trust.push(value());
    else throw new CommandError('usage', `there is no option ${word}; \`refrain-audit --help\` lists them`);
  }
  if (found.logs.length === 0 && !found.help) {
    throw new CommandError('usage', 'no log is named; `refrain-audit LOG.ndjson` audits one');
  }
  const files = [...found.logs, found.guest, ...found.with, found.anchors, ...found.trust];
  if (files.filter((it) => it === '-').length > 1) {
    throw new CommandError('usage', 'stdin is named twice, and can be read once; write it to a file');
  }
  return found;
}

/**
 * The bytes of a file of at most so many.
 * @param {string} path
 * @param {string} code
 * @param {string} what
 * @param {number} bytesMax
 */
function read(path, code, what, bytesMax) {
  try {
    if (path === '-') return upTo(bytesMax, STDIN);
    const file = openSync(path, 'r');
    try {
      return upTo(bytesMax, file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new CommandError(code, `cannot read the ${what} ${path}: ${said(error)}`);
  }
}

const STDIN = 0;

/** Bytes that are read at once. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * All bytes of a file. A pipe or a device says how many they are only by ending.
 * @param {number} bytesMax
 * @param {number} file
 */
function upTo(bytesMax, file) {
  /** @type {Uint8Array[]} */
  const chunks = [];
  const room = new Uint8Array(CHUNK_BYTES);
  let size = 0;
  for (;;) {
    const read = readSync(file, room);
    if (read === 0) return joined(chunks, size);
    size += read;
    if (size > bytesMax) throw new Error(`it is longer than ${bytesMax} bytes, which is the limit`);
    chunks.push(room.slice(0, read));
  }
}

/**
 * @param {Uint8Array[]} chunks
 * @param {number} size Of all of them.
 */
function joined(chunks, size) {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/**
 * The logs that are meant: of a folder, those in it, by their names.
 * @param {string} path
 * @returns {string[]}
 */
function logsAt(path) {
  if (path === '-' || !existsSync(path) || !statSync(path).isDirectory()) return [path];
  const logs = readdirSync(path).filter((name) => name.endsWith('.ndjson'));
  if (logs.length > 0) return logs.sort().map((name) => join(path, name));
  throw new CommandError('log_unreadable', `there is no log in the folder ${path}: none of its files ends in .ndjson`);
}

/** @param {unknown} error */
function said(error) {
  return error instanceof Error ? error.message : String(error);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text of a file of at most so many bytes.
 * @param {string} path
 * @param {string} code
 * @param {string} what
 * @param {number} bytesMax
 */
function readText(path, code, what, bytesMax) {
  const bytes = read(path, code, what, bytesMax);
  const refused = (/** @type {string} */ problem) => new CommandError(code, `cannot read the ${what} ${path}: ${problem}`);
  let text;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw refused('it is no text in UTF-8');
  }
  if (text.startsWith('\ufeff')) throw refused('it begins with a byte order mark; save it as UTF-8 without one');
  return text;
}

/**
 * What came of the logs. One that cannot be audited does not keep the others from it.
 * @typedef {object} Audited
 * @property {Audit[]} audits
 * @property {{path: string, message: string}[]} failed
 */

/**
 * The bytes of a component's file, and its digest.
 * @param {string} path
 */
function component(path) {
  const bytes = read(path, 'unreadable', 'component', COMPONENT_BYTES_MAX);
  try {
    return { bytes, digest: new Component(bytes).digest };
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw new CommandError('invalid_component', `${path} is not a scheduler component: ${error.message}`);
  }
}

/**
 * The text of a public key's file.
 * @param {string} path
 */
function trusted(path) {
  const pem = readText(path, 'invalid_key', 'key', KEY_BYTES_MAX);
  try {
    publicKey(pem);
    return pem;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new CommandError('invalid_key', `the key in ${path} cannot be used: ${error.message}`);
  }
}

/**
 * @param {Arguments} asked
 * @param {{bytes: Uint8Array, digest: string} | undefined} guest
 * @returns {Promise<Audited>}
 */
async function audited(asked, guest) {
  const anchors = asked.anchors === null ? [] : [asked.anchors];
  const paths = asked.logs.flatMap(logsAt);
  const logs = paths.map((path) => read(path, 'log_unreadable', 'log', LOG_BYTES_MAX));
  const answers = await auditEachContained(logs, {
    components: [bundledComponentBytes(), ...asked.with.map((path) => component(path).bytes)],
    guest: guest?.bytes,
    anchors: anchors.map((place) => ({ place, text: readText(place, 'anchors_unreadable', 'anchors', ANCHORS_BYTES_MAX) })),
    trust: asked.trust.map(trusted),
  });
  /** @type {Audited} */
  const all = { audits: [], failed: [] };
  answers.forEach((answer, place) => {
    if (!(answer instanceof AuditError)) all.audits.push(answer);
    // An error of the only one is the command's.
    else if (answers.length === 1) throw answer;
    else all.failed.push({ path: paths[place], message: `cannot audit ${paths[place]}: ${answer.message}` });
  });
  return all;
}

/** @type {{[verdict: string]: string}} */
const OUTCOMES = {
  clean: 'same',
  erased: 'erased',
  divergent: 'diverges',
  illegal: 'diverges',
  tampered: 'unsound',
  unreadable: 'unsound',
  newer: 'newer',
};

/** @param {Audit[]} audits */
function summaryOf(audits) {
  const count = (/** @type {string} */ outcome) => audits.filter((it) => OUTCOMES[it.verdict] === outcome).length;
  const sum = (/** @type {(it: Audit) => number} */ of) => audits.reduce((total, it) => total + of(it), 0);
  return {
    same: count('same'),
    diverge: count('diverges'),
    unsound: count('unsound'),
    erased: count('erased'),
    newer: count('newer'),
    events: sum((it) => Number(it.events)),
    decisions: sum((it) => it.decisions),
  };
}

/**
 * @param {Audited} audited
 * @param {{bytes: Uint8Array, digest: string} | undefined} guest
 * @returns {Json}
 */
function documentOf({ audits, failed: all }, guest) {
  const failed = all.map(({ path, message }) => ({
    execution_id: path,
    error: { code: 'not_audited', message, remedy: null },
  }));
  if (guest === undefined) return { executions: audits.map(auditJson), failed };
  const executions = audits.map((it) => ({ outcome: OUTCOMES[it.verdict], ...auditJson(it) }));
  return { mode: 'exact', guest: guest.digest, summary: summaryOf(audits), executions, failed };
}

/**
 * What another guest would have decided, in a line.
 * @param {Audit[]} audits
 */
function summaryLine(audits) {
  const { same, diverge, unsound, erased, newer, events } = summaryOf(audits);
  const counted = (/** @type {number} */ count, /** @type {string} */ noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const logs = diverge === 1 ? '1 log' : `${diverge} logs`;
  const first = diverge === 0 ? 'no decision would be another' : `${logs} would be decided otherwise`;
  const rest = [
    [unsound, 'not sound, whoever is asked'],
    [erased, 'erased, so that no scheduler can be asked'],
    [newer, 'of a newer program'],
  ].filter(([count]) => count !== 0);
  const all = same + diverge + unsound + erased + newer;
  const line = `exact: ${first}, ${same} the same; ${counted(all, 'log')} with ${counted(events, 'event')} replayed`;
  return [line, ...rest.map(([count, what]) => `${count} ${what}`)].join('; ');
}

/**
 * Whether an audit is good, and somebody who is trusted vouches for it, where that is asked.
 * @param {Audit} audit
 * @param {Arguments} asked
 */
function isGood({ verdict, anchor, signature }, asked) {
  if (verdict !== 'clean' && verdict !== 'erased') return false;
  if (anchor?.signature.result === 'bad') return false;
  if (asked.trust.length === 0) return true;
  const isAttested = signature === null || signature.result === 'trusted';
  const isSigned = anchor !== null && anchor.complete && anchor.signature.result === 'trusted';
  return isAttested && (asked.anchors === null || isSigned);
}

/**
 * Does what the words of a command line ask for.
 * @param {string[]} words
 * @param {Streams} streams
 * @returns {Promise<number>} The exit code.
 */
export async function run(words, streams) {
  const isJson = words.includes('--json');
  try {
    return await answer(argumentsOf(words), streams);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    streams.err(`error: ${escapedLines(said(error))}\n`);
    if (isJson) document({ error: { code, message: said(error), remedy: null } }, streams);
    return 2;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  if (error instanceof CommandError) return error.code;
  if (error instanceof AnchorError) return 'invalid_anchors';
  return error instanceof AuditError ? 'not_audited' : undefined;
}

/**
 * @param {Json} value
 * @param {Streams} streams
 */
function document(value, streams) {
  streams.out(`${escapedJson(writePretty(value))}\n`);
}

/**
 * @param {Arguments} asked
 * @param {Streams} streams
 */
async function answer(asked, streams) {
  if (asked.help) {
    streams.out(HELP);
    return 0;
  }
  const guest = asked.guest === null ? undefined : component(asked.guest);
  const all = await audited(asked, guest);
  const { audits, failed } = all;
  for (const { message } of failed) streams.err(`error: ${escapedLines(message)}\n`);
  if (asked.json) document(documentOf(all, guest), streams);
  else {
    const lines = audits.flatMap(auditLines);
    if (guest !== undefined) lines.push(summaryLine(audits));
    streams.out(lines.map((line) => `${line}\n`).join(''));
  }
  if (failed.length > 0) {
    streams.err(`error: ${failed.length} of ${audits.length + failed.length} executions could not be audited\n`);
    return 2;
  }
  const newer = audits.filter((it) => it.verdict === 'newer').length;
  if (newer > 0) {
    const problem = `${newer} of ${audits.length} executions are of a newer program than this one, or hold events of one, and nothing is said of them; ${ADVICE.use_newer}`;
    streams.err(`error: ${escaped(problem)}\n`);
    return 2;
  }
  return audits.every((it) => isGood(it, asked)) ? 0 : 1;
}
