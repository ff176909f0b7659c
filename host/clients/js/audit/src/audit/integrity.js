// The checks that need no guest: laws 1, 4, 5 and 6, and the authors of events. The chain
// comes first: only of a log that nobody touched is it asked whether it is legal.

import { add } from '../bytes.js';
import { FORMAT_VERSION } from '../log/event.js';
import { authorOf } from '../log/form.js';
import { digest } from '../sha256.js';
import { Finding, between, plain } from './divergence.js';

/** @typedef {import('../log/recording.js').Recording} Recording */
/** @typedef {import('../log/event.js').Head} Head */

/** @type {{changed: 'tampered', malformed: 'unreadable', newer: 'newer'}} */
const VERDICTS = { changed: 'tampered', malformed: 'unreadable', newer: 'newer' };

/**
 * What is said of a log that could not be read any further.
 * @param {import('../log/recording.js').Unreadable} unreadable
 * @returns {Finding}
 */
export function unreadableFinding({ cause, sequence, message }) {
  return new Finding(VERDICTS[cause], plain(sequence, message));
}

/**
 * Throws the first fault of the log itself.
 * @param {Recording} recording
 */
export function checkIntegrity(recording) {
  checkChain(recording);
  if (recording.brokenOff !== null) throw unreadableFinding(recording.brokenOff);
  checkEnd(recording.end, recording.header.head);
  checkBound(recording);
  checkAttested(recording);
  checkLawful(recording);
}

/**
 * @param {import('./divergence.js').Divergence} divergence
 */
function tampered(divergence) {
  return new Finding('tampered', divergence);
}

/**
 * Laws 1 and 4: no event was edited, removed, inserted or moved.
 * @param {Recording} recording
 */
function checkChain({ kept, brokenLink }) {
  /** @type {import('../bytes.js').Whole} */
  let due = 1;
  for (const [place, { event, hash }] of kept.entries()) {
    const { sequence } = event;
    if (sequence > due) {
      throw tampered(plain(due, `event ${due} is missing: the log goes on with event ${sequence}`));
    }
    if (sequence < due) {
      const stands = sequence === 0 ? 'an event with the number 0, which none has' : `a second event ${sequence}`;
      throw tampered(plain(due, `where event ${due} should be stands ${stands}`));
    }
    if (brokenLink?.place === place) {
      const message = `event ${sequence} was changed: its hash is not that of its content and of what comes before it`;
      throw tampered(between(sequence, message, brokenLink.expected, hash));
    }
    due = add(sequence, 1);
  }
}

/**
 * A cut tail leaves a log that is whole in itself: only the recorded head shows it.
 * @param {Head} end
 * @param {Head} recorded
 */
function checkEnd(end, recorded) {
  const [ends, named] = [end.sequence, recorded.sequence];
  if (ends < named) {
    const next = add(ends, 1);
    const message = `event ${next} is missing: the log ends with event ${ends}, and its recorded head is event ${named}`;
    throw tampered(plain(next, message));
  }
  if (ends > named) {
    const next = add(named, 1);
    throw tampered(plain(next, `event ${next} was inserted: the recorded head is event ${named}`));
  }
  if (end.hash !== recorded.hash) {
    const message = `the recorded head names another event ${ends}`;
    throw tampered(between(ends, message, recorded.hash, end.hash));
  }
}

/**
 * Event 1 is this execution's, and binds this workflow's text and guest.
 * @param {Recording} recording
 */
function checkBound(recording) {
  const { started, header } = recording;
  if (started === undefined) return;
  const differs = (/** @type {string} */ message, /** @type {any} */ expected, /** @type {any} */ found) =>
    tampered(between(1, message, expected, found));
  if (started.format !== FORMAT_VERSION) {
    throw differs("event 1 names another version of the log's encoding", FORMAT_VERSION, started.format);
  }
  if (started.execution_id !== header.execution_id) {
    const message = `the log is that of another execution, ${started.execution_id}`;
    throw differs(message, header.execution_id, started.execution_id);
  }
  const found = digest(header.workflow);
  if (started.workflow_digest !== found) {
    const message = `the text of workflow ${started.workflow_id} ${started.workflow_version} is not the one that event 1 names`;
    throw differs(message, started.workflow_digest, found);
  }
  if (started.guest_digest !== header.guest_digest) {
    throw differs('the header names another guest than event 1', started.guest_digest, header.guest_digest);
  }
}

/**
 * A log is erased where it is said to be, and nowhere else.
 * @param {Recording} recording
 */
function checkAttested({ header, isErased }) {
  const attestation = header.erased;
  if (attestation === null && isErased) {
    const message =
      'event 1 is erased, and so are the others; but no attestation says by whom, and what their audit said before';
    throw tampered(plain(1, message));
  }
  if (attestation === null) return;
  if (!isErased) {
    throw tampered(plain(1, 'an attestation says that the log was erased, and event 1 is not'));
  }
  const { head } = attestation;
  if (head.sequence !== header.head.sequence || head.hash !== header.head.hash) {
    const message = `the attestation is of another log, or of another state of this one: it names another event ${head.sequence}`;
    throw tampered(between(head.sequence, message, head.hash, header.head.hash));
  }
}

/** The kinds that end an execution. @type {Set<string>} */
export const TERMINAL = new Set(['workflow_completed', 'workflow_failed', 'workflow_cancelled']);

/**
 * Laws 5 and 6, and the authors of events.
 * @param {Recording} recording
 */
function checkLawful(recording) {
  const refused = (/** @type {any} */ sequence, /** @type {string} */ message) =>
    new Finding('illegal', plain(sequence, message));
  const [first] = recording.kept;
  if (first === undefined) {
    throw refused(1, 'the log has no events: it should begin with workflow_started');
  }
  let { at } = first.event;
  /** @type {import('../bytes.js').Whole | null} */
  let end = null;
  for (const { event } of recording.kept) {
    const { sequence, origin, kind } = event;
    if ((sequence === 1) !== (kind.tag === 'workflow_started')) {
      throw refused(sequence, `event ${sequence}: event 1, and no other, is workflow_started`);
    }
    if (authorOf(kind.tag) !== origin) {
      throw refused(sequence, `event ${sequence}: a ${origin} cannot be of this kind`);
    }
    if (event.at < at) {
      const before = BigInt(at) - BigInt(event.at);
      throw refused(sequence, `event ${sequence} is stamped ${before} ms before the event before it`);
    }
    if (end !== null) {
      throw refused(sequence, `event ${sequence} comes after event ${end}, which ended the execution`);
    }
    at = event.at;
    end = TERMINAL.has(kind.tag) ? sequence : null;
  }
  if (recording.isErased && end === null) {
    const last = recording.header.head.sequence;
    throw refused(last, `event ${last} does not end the execution, and only what has ended is erased`);
  }
}
