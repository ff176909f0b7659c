// The command line of the auditor.

import { ADVICE } from '../audit/divergence.js';
import { auditJson } from '../audit/document.js';
import { auditLines } from '../audit/words.js';
import { AnchorError, AuditError, Component, ComponentError, KeyError, auditEachContained } from '../index.js';
import { writePretty } from '../json/value.js';
import { publicKey } from '../log/signed.js';
import { ANCHORS_BYTES_MAX, COMPONENT_BYTES_MAX, KEY_BYTES_MAX, LOG_BYTES_MAX } from '../limits.js';
import { escaped, escapedJson, escapedLines } from '../text.js';
import { bundledComponentBytes } from './component.js';
import { CommandError, logsAt, read, readText, said } from './files.js';

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
 * What came of the logs. One that cannot be audited does not keep the others from it.
 * @typedef {object} Audited
 * @property {{path: string, audit: Audit}[]} found
 * @property {{path: string, code: string, message: string}[]} failed
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
  const options = {
    components: [bundledComponentBytes(), ...asked.with.map((path) => component(path).bytes)],
    guest: guest?.bytes,
    anchors: anchors.map((place) => ({ place, text: readText(place, 'anchors_unreadable', 'anchors', ANCHORS_BYTES_MAX) })),
    trust: asked.trust.map(trusted),
  };
  const logs = asked.logs.flatMap(logsAt).map((path) => ({ path, log: readOrError(path) }));
  const readable = logs.filter(({ log }) => !(log instanceof CommandError));
  const answers = await auditEachContained(readable.map(({ log }) => /** @type {Uint8Array} */ (log)), options);
  const audits = new Map(readable.map((it, place) => [it, answers[place]]));
  /** @type {Audited} */
  const all = { found: [], failed: [] };
  for (const it of logs) {
    const { path, log } = it;
    const answer = log instanceof CommandError ? log : /** @type {Audit | AuditError} */ (audits.get(it));
    if (!(answer instanceof Error)) {
      all.found.push({ path, audit: answer });
      continue;
    }
    // An error of the only one is the command's.
    if (logs.length === 1) throw answer;
    if (answer instanceof CommandError) all.failed.push({ path, code: answer.code, message: answer.message });
    else all.failed.push({ path, code: 'not_audited', message: `cannot audit ${path}: ${answer.message}` });
  }
  return all;
}

/**
 * The bytes of a log, or why they cannot be read.
 * @param {string} path
 */
function readOrError(path) {
  try {
    return read(path, 'log_unreadable', 'log', LOG_BYTES_MAX);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
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
function documentOf(audited, guest) {
  const failed = audited.failed.map(({ path, code, message }) => ({
    execution_id: path,
    error: { code, message, remedy: null },
  }));
  const one = (/** @type {{path: string, audit: Audit}} */ { path, audit }) => ({ file: path, ...auditJson(audit) });
  if (guest === undefined) return { executions: audited.found.map(one), failed };
  const executions = audited.found.map((it) => ({ outcome: OUTCOMES[it.audit.verdict], ...one(it) }));
  return { mode: 'exact', guest: guest.digest, summary: summaryOf(auditsOf(audited)), executions, failed };
}

/** @param {Audited} audited */
function auditsOf({ found }) {
  return found.map(({ audit }) => audit);
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
  const { found, failed } = all;
  const audits = auditsOf(all);
  for (const { message } of failed) streams.err(`error: ${escapedLines(message)}\n`);
  if (asked.json) document(documentOf(all, guest), streams);
  else {
    const isAlone = found.length + failed.length === 1;
    const lines = found.flatMap(({ path, audit }) => auditLines(audit, isAlone ? null : path));
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
