// An audit for people, line by line. Texts of the world stand in it with what steers a
// terminal spelled out, and a line of theirs cannot be taken for one of ours.

import { write } from '../json/value.js';
import { escaped, quoted } from '../text.js';
import { rfc3339 } from '../time.js';
import { ADVICE } from './divergence.js';
import { missingSentence } from './missing.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../json/value.js').Json} Json */
/** @typedef {import('./audit.js').Audit} Audit */
/** @typedef {import('./audit.js').Link} Link */
/** @typedef {import('./divergence.js').Divergence} Divergence */
/** @typedef {import('./vouching.js').SignatureCheck} SignatureCheck */

/**
 * @param {Whole} count
 * @param {string} noun
 */
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** @param {Whole} at */
function stamp(at) {
  return rfc3339(at) ?? 'after the year 9999';
}

/**
 * A text that may have several lines: all but the first stand behind a mark.
 * @param {string} text
 */
function lines(text) {
  let end = text.length;
  while (end > 0 && '\r\n'.includes(text[end - 1])) end -= 1;
  return text
    .slice(0, end)
    .split('\n')
    .map((line) => escaped(line.replace(/\r$/, '')))
    .join('\n    | ');
}

/**
 * An audit in lines.
 * @param {Audit} audit
 * @param {string | null} [file] Where the log stands, of several.
 * @returns {string[]}
 */
export function auditLines(audit, file = null) {
  const id = audit.execution_id ?? '(unknown execution)';
  const owed = audit.owed_a_step ? '; owed a step: a turn ended before it had decided all' : '';
  const place = file === null ? '' : `; in ${escaped(file)}`;
  const all = [
    `${id}  ${audit.verdict}  ${counted(audit.events, 'event')}, ${counted(audit.decisions, 'decision')} replayed${owed}${place}`,
  ];
  if (audit.forked_from !== null) all.push(`  ${forkLine(audit.forked_from)}`);
  if (audit.child_of !== null) all.push(`  ${childLine(audit.child_of)}`);
  all.push(...audit.missing.map((missing) => `  ${missingSentence(missing)}: not compared`));
  if (audit.erased !== null && audit.signature !== null) {
    const { by, at, verdict } = audit.erased;
    const said = `erased by ${escaped(by)} on ${stamp(at)}, when its audit said ${verdict}; what it said is gone for good`;
    all.push(`  ${said}. ${vouched(audit.signature)}`);
  }
  const anchored = anchorLine(audit);
  if (anchored !== undefined) all.push(`  ${anchored}`);
  if (audit.divergence !== null) all.push(...divergenceLines(audit.divergence).map((line) => `  ${line}`));
  return all;
}

/** @param {Link} link */
function forkLine({ execution_id, sequence, link }) {
  const events = sequence === 1 ? 'event 1 is' : `events 1 to ${sequence} are`;
  const said = {
    linked: `${events} the same there`,
    broken: `${events} not the same there`,
    origin_unsound: `its log is not sound, so ${events} not compared`,
    partly_compared: `${events} the same there`,
    cut: 'its log is cut, and is the same as far as it goes',
    origin_missing: `its log is not at hand, so ${events} not compared`,
  };
  return `forked from ${escaped(execution_id)}: ${said[link]}`;
}

/** @param {Link} link */
function childLine({ execution_id, sequence, link }) {
  const said = {
    linked: 'both logs name each other',
    partly_compared: 'both logs name each other; the input that was ordered for it is not known',
    cut: 'one of both logs is cut, and they agree in what is there',
    broken: 'the logs do not agree',
    origin_unsound: 'its log is not sound, so they are not compared',
    origin_missing: 'its log is not at hand, so they are not compared',
  };
  return `child of ${escaped(execution_id)}, event ${sequence}: ${said[link]}`;
}

/** @param {SignatureCheck} signature */
function vouched(signature) {
  switch (signature.result) {
    case 'unsigned':
      return 'It is not signed, so by itself it proves nothing';
    case 'untrusted':
      return `That is signed with the key ${signature.key}, which --trust does not name, so it proves only that the holder of this key says so`;
    case 'trusted':
      return `That is signed with the trusted key ${signature.key}`;
    case 'bad':
      return `The key ${signature.key} has not signed that`;
    default:
      return `It is signed with ${escaped(signature.algorithm)}, which cannot be checked here: signature not checked`;
  }
}

/** @param {Audit} audit */
function anchorLine({ anchor, verdict, events }) {
  if (anchor === null) return undefined;
  const { place, sequence, complete, signature } = anchor;
  if (signature.result === 'bad') {
    return `${escaped(place)}: the key ${signature.key} has not signed this anchor: it was changed, or its signature was forged`;
  }
  if (verdict !== 'clean' && verdict !== 'erased') return undefined;
  const at = anchor.at === null ? '' : ` at ${stamp(anchor.at)}`;
  const event = complete ? `event ${sequence}, its last` : `event ${sequence} of ${events}`;
  switch (signature.result) {
    case 'trusted':
      if (complete) return `signed and complete: the trusted key ${signature.key} has signed ${event}${at}`;
      return `signed up to there: the trusted key ${signature.key} has signed ${event}${at}, and nobody has signed what came later`;
    case 'untrusted':
      return `whole: the anchor at ${event}${at} is signed with the key ${signature.key}, which --trust does not name`;
    case 'unsigned':
      return `whole: the anchor at ${event}${at} is not signed`;
    default:
      return `whole: the anchor at ${event}${at} is signed with ${escaped(signature.algorithm)}, which cannot be checked here: signature not checked`;
  }
}

/**
 * A divergence in lines: what is wrong, then set in what it is about, and what to do next.
 * @param {Divergence} divergence
 * @returns {string[]}
 */
function divergenceLines(divergence) {
  const { sequence, message, rule, state_hash, advice } = divergence;
  const place = `event ${sequence}`;
  const isNamed = sequence === 0 || message.startsWith(place);
  const all = [isNamed ? message : `${place}: ${message}`, ...valueLines(divergence)];
  if (rule !== null) all.push(`  rule: ${rule}`);
  if (state_hash !== null) all.push(`  state before: ${state_hash}`);
  all.push(...explanationLines(/** @type {any} */ (divergence.explanation)));
  return [...all.map(lines), `  next: ${ADVICE[advice]}`];
}

/** @param {Divergence} divergence */
function valueLines({ compared, expected, found, difference }) {
  const [byGuest, byLog] = compared === null ? ['expected', 'found'] : ['the guest decides', 'the log has'];
  const all = [];
  if (expected !== null) all.push(`  ${byGuest}  ${write(expected)}`);
  if (found !== null) all.push(`  ${byLog.padEnd(byGuest.length)}  ${write(found)}`);
  const side = (/** @type {Json} */ value) => (value === null ? 'nothing' : write(value));
  for (const it of difference) {
    if (it.pointer === '') continue;
    all.push(`  at ${quoted(it.pointer)}: ${byGuest} ${side(it.expected)}, ${byLog} ${side(it.found)}`);
  }
  return all;
}

/** @param {any} explanation */
function explanationLines(explanation) {
  if (explanation === null) return [];
  const { node_id, state, reasons } = explanation;
  const said = reasons.map((/** @type {any} */ reason) => `    ${reason.message}`);
  return [`  the guest on node ${quoted(node_id)}, which is ${state}:`, ...said];
}
