// Logs and all that an audit of them goes by, as they come from outside: bytes and texts.

import { utf8 } from '../bytes.js';
import { Component } from '../contract/component.js';
import { readAnchors } from '../log/anchor.js';
import { Recording, readRecording } from '../log/recording.js';
import { Signatures, publicKey } from '../log/signed.js';
import { Auditor } from './audit.js';
import { AuditError } from './divergence.js';
import { Guests } from './guests.js';
import { signedInAnchor, signedInLog } from './vouching.js';

/** @typedef {import('./audit.js').Audit} Audit */
/** @typedef {import('../log/recording.js').Unreadable} Unreadable */

/**
 * What an audit goes by, besides the logs.
 * @typedef {object} AuditOptions
 * @property {(Component | Uint8Array)[]} [components] Scheduler components that the logs may name.
 * @property {Component | Uint8Array} [guest] The component to ask instead of those that the logs name.
 * @property {{text: string, place: string}[]} [anchors] Documents in which heads were noted.
 * @property {string[]} [trust] Public keys whose word is trusted, as PEM.
 * @property {(progress: Progress) => void} [onProgress] Is told what is being done.
 */

/**
 * What is being done, before it is: a guest may never come back.
 * @typedef {object} Progress
 * @property {number} log The place of the log among those that are audited.
 * @property {'start' | 'call' | 'explain'} doing A guest is started; or asked what it decides; or asked what it makes of a finding.
 * @property {number} done The events that are behind it.
 * @property {number} of All events of the log.
 */

/**
 * That a guest was stopped from outside at something, and why.
 * @typedef {Progress & {problem: string}} Stop
 */

/** @param {Component | Uint8Array} it */
function componentOf(it) {
  return it instanceof Component ? it : new Component(it);
}

/**
 * Reads a log that `refrain export` wrote: a {@link Recording}, or why it cannot be read.
 * @param {Uint8Array | string} log
 * @returns {Recording | Unreadable}
 */
export function readLog(log) {
  return readRecording(typeof log === 'string' ? utf8(log) : log);
}

/**
 * Audits several logs, as {@link auditEach} does. It throws where one of them cannot be audited.
 * @param {(Uint8Array | string | Recording)[]} logs
 * @param {AuditOptions} [options]
 * @param {Stop[]} [stops] What guests were stopped at before: they have failed at that.
 * @returns {Promise<Audit[]>}
 */
export async function auditAll(logs, options = {}, stops = []) {
  const answers = await auditEach(logs, options, stops);
  return answers.map((answer) => {
    if (answer instanceof AuditError) throw answer;
    return answer;
  });
}

/**
 * Audits several logs: forks and children among them are compared with those that they come
 * from, and what one of them brings is at hand for all. A fault of a log is the answer, not an
 * error; of one that cannot be audited, the answer is the reason.
 * @param {(Uint8Array | string | Recording)[]} logs
 * @param {AuditOptions} [options]
 * @param {Stop[]} [stops] What guests were stopped at before: they have failed at that.
 * @returns {Promise<(Audit | AuditError)[]>}
 */
export async function auditEach(logs, options = {}, stops = []) {
  const readings = logs.map((log) => (log instanceof Recording ? log : readLog(log)));
  const recordings = readings.filter((it) => it instanceof Recording);
  const anchors = (options.anchors ?? []).flatMap(({ text, place }) => readAnchors(text, place));
  const signed = [...recordings.flatMap(signedInLog), ...anchors.flatMap(signedInAnchor)];
  const trusted = new Set((options.trust ?? []).map(publicKey));
  const guests = new Guests((options.components ?? []).map(componentOf));
  const other = options.guest === undefined ? null : componentOf(options.guest);
  if (other !== null) guests.add(other);
  /** @param {Recording} recording @returns {import('./asked.js').Watch} */
  const watch = (recording) => {
    const [log, of] = [readings.indexOf(recording), recording.kept.length];
    const own = stops.filter((it) => it.log === log);
    return (doing, done) => {
      options.onProgress?.({ log, doing, done, of });
      return own.find((it) => it.doing === doing && it.done === done)?.problem;
    };
  };
  const auditor = new Auditor({
    guests,
    other: other?.digest ?? null,
    anchors,
    vouching: { signatures: await Signatures.check(signed), trusted },
    origins: recordings.length > 1 ? recordings : [],
    watch,
  });
  return readings.map((reading) => {
    try {
      return auditor.audit(reading);
    } catch (error) {
      if (error instanceof AuditError) return error;
      throw error;
    }
  });
}

/**
 * Audits a log by the components that it names. A fault of the log is the answer, not an
 * error; it throws where the audit cannot be done.
 * @param {Uint8Array | string | Recording} log
 * @param {AuditOptions} [options]
 * @returns {Promise<Audit>}
 */
export async function audit(log, options = {}) {
  const [only] = await auditAll([log], options);
  return only;
}
