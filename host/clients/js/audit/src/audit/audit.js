// The audit of logs: a log in, a verdict out.

import { Component } from '../contract/component.js';
import { ComponentError } from '../component/cursor.js';
import { isId } from '../log/id.js';
import { Recording } from '../log/recording.js';
import { askedFor, checkChildLinks } from './child_links.js';
import { AuditError, Finding } from './divergence.js';
import { familyOf } from './family.js';
import { checkFork, isSound } from './fork_link.js';
import { checkIntegrity, unreadableFinding } from './integrity.js';
import { childLog, compare, divergenceAt } from './parent_link.js';
import { checkAnchors, checkAttestation, signatureHolds, toldOf } from './vouching.js';
import { Walk } from './walk.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/recording.js').Unreadable} Unreadable */
/** @typedef {import('../log/attestation.js').Attestation} Attestation */
/** @typedef {import('./divergence.js').Divergence} Divergence */
/** @typedef {import('./divergence.js').Verdict} Verdict */
/** @typedef {import('./family.js').Asked} Asked */
/** @typedef {import('./family.js').Family} Family */
/** @typedef {import('./guests.js').Guests} Guests */
/** @typedef {import('./missing.js').Missing} Missing */
/** @typedef {import('./vouching.js').SignatureCheck} SignatureCheck */
/** @typedef {import('./vouching.js').AnchorCheck} AnchorCheck */

/**
 * The link of a fork with its origin, or of a child with its parent (law 11).
 * @typedef {object} Link
 * @property {string} execution_id
 * @property {Whole} sequence
 * @property {'linked' | 'partly_compared' | 'cut' | 'broken' | 'origin_missing' | 'origin_unsound'} link
 */

/**
 * The audit of one execution. The names are those of its JSON.
 * @typedef {object} Audit
 * @property {string | null} execution_id `null` if even that cannot be read.
 * @property {Verdict} verdict
 * @property {Whole} events The number of events, as far as the log can be read.
 * @property {string | null} head The hash of the last of them.
 * @property {number} decisions How many decisions came out the same.
 * @property {boolean} owed_a_step Whether the log ends where a turn's budget cut its guest off.
 * @property {Link | null} forked_from
 * @property {Link | null} child_of
 * @property {Missing[]} missing The events that other logs at hand name of this one, or this one of them, and that are not there.
 * @property {Attestation | null} erased
 * @property {SignatureCheck | null} signature
 * @property {AnchorCheck | null} anchor
 * @property {Divergence | null} divergence The first fault.
 */

/**
 * What an auditor goes by.
 * @typedef {object} Question
 * @property {Guests} guests The components at hand.
 * @property {string | null} other The guest to ask instead of those that the logs name.
 * @property {import('../log/anchor.js').Anchor[]} anchors Heads that were noted elsewhere.
 * @property {import('./vouching.js').Vouching} vouching
 * @property {Recording[]} origins Logs that others may name as origin, parent or child.
 * @property {(log: Recording) => import('./walk.js').Watch} watch Who is told what is being done with a log.
 */

/** Audits logs with the guests that they name, or with another. */
export class Auditor {
  /** @param {Question} question */
  constructor(question) {
    this.question = question;
    this.origins = new Map(question.origins.map((it) => [it.executionId, it]));
    /** The components that any of them brings, by their digests. */
    this.brought = new Map(question.origins.flatMap((it) => [...it.components]));
    /** What is known of parents, by their logs. @type {Map<Recording, Family | undefined>} */
    this.known = new Map();
  }

  /**
   * Audits a log that was read. A fault of the log is the answer, not an error.
   * @param {Recording | Unreadable} reading
   * @returns {Audit}
   */
  audit(reading) {
    if (!(reading instanceof Recording)) {
      const { sequence } = reading;
      const audit = empty(reading.execution_id, sequence === 0 ? 0 : Number(sequence) - 1);
      conclude(audit, unreadableFinding(reading), false);
      return audit;
    }
    const { vouching, anchors, other } = this.question;
    const audit = {
      ...empty(reading.executionId, reading.kept.length),
      head: reading.kept.length === 0 ? null : reading.end.hash,
      erased: reading.header.erased,
      signature: checkAttestation(reading, vouching),
      anchor: toldOf(anchors, reading, vouching),
    };
    try {
      this.judge(reading, audit);
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      conclude(audit, error, other !== null);
    }
    return audit;
  }

  /**
   * @param {Recording} recording
   * @param {Audit} audit
   */
  judge(recording, audit) {
    const { anchors, vouching } = this.question;
    checkIntegrity(recording);
    checkAnchors(anchors, recording, vouching);
    checkChildLinks(recording);
    this.checkLink(recording, audit);
    /** @type {Asked} */
    let asked = 'unknown';
    if (recording.isErased) {
      audit.verdict = 'erased';
      signatureHolds(audit.signature);
    } else {
      asked = this.replay(recording, audit);
    }
    this.checkChildren(recording, asked, audit);
  }

  /**
   * Replays a log. Answers what its guest ordered for children.
   * @param {Recording} recording
   * @param {Audit} audit
   */
  replay(recording, audit) {
    const { guests, other, watch } = this.question;
    this.takeGuests(recording);
    const walk = new Walk(guests, other, recording, watch(recording));
    try {
      walk.replayAll();
    } finally {
      audit.decisions = walk.decisions;
      audit.owed_a_step = walk.isOwedAStep;
    }
    return walk.inputs;
  }

  /**
   * Takes the guests that a log names, and that its export brings, or another one.
   * @param {Recording} recording
   */
  takeGuests(recording) {
    const { guests, other } = this.question;
    if (other !== null) return;
    for (const named of recording.guests()) {
      const brought = recording.components.get(named) ?? this.brought.get(named);
      if (brought === undefined || guests.has(named)) continue;
      try {
        guests.add(new Component(brought));
      } catch (error) {
        if (!(error instanceof ComponentError)) throw error;
        throw new AuditError(`the component ${named} that the export brings cannot be used: ${error.message}`, error);
      }
    }
  }

  /**
   * The log that another one names as its origin or its parent.
   * @param {string} id
   */
  origin(id) {
    return /** @type {import('./fork_link.js').Origin} */ (isId(id) ? (this.origins.get(id) ?? 'missing') : 'missing');
  }

  /**
   * Compares a fork with its origin, and a child with its parent.
   * @param {Recording} recording
   * @param {Audit} audit
   */
  checkLink(recording, audit) {
    const { parent, forked_from } = recording.started;
    if (parent !== null) {
      const { link, finding, missing } = this.checkChild(recording, parent, this.origin(parent.execution_id));
      audit.child_of = link;
      if (finding !== null) throw finding;
      if (missing !== undefined) audit.missing.push(missing);
    } else if (forked_from !== null) {
      const origin = this.origin(forked_from.execution_id);
      const { link, finding, missing } = checkFork(recording, forked_from, origin);
      audit.forked_from = link;
      if (finding !== null) throw finding;
      if (missing !== undefined) audit.missing.push(missing);
    }
  }

  /**
   * Compares a child, which is whole in itself, with its parent.
   * @param {Recording} recording
   * @param {any} named
   * @param {import('./fork_link.js').Origin} parent
   * @returns {{link: Link, finding: Finding | null, missing?: Missing}}
   */
  checkChild(recording, named, parent) {
    const { execution_id, sequence } = named;
    const link = (/** @type {Link['link']} */ state) => ({ execution_id, sequence, link: state });
    if (parent === 'missing') return { link: link('origin_missing'), finding: null };
    const [family, child] = [this.family(parent), childLog(recording)];
    if (family === undefined || child === undefined) return { link: link('origin_unsound'), finding: null };
    const { found, missing } = compare(family, child);
    if (found !== undefined) {
      const finding = new Finding(this.verdictOn(found), divergenceAt(found, found.inChild));
      return { link: link('broken'), finding };
    }
    if (family.asked === 'diverges') return { link: link('origin_unsound'), finding: null, missing };
    if (missing !== undefined) return { link: link('cut'), finding: null, missing };
    const isWhole = family.asked !== 'unknown' && !child.isErased;
    return { link: link(isWhole ? 'linked' : 'partly_compared'), finding: null };
  }

  /**
   * Another guest that orders something else does not show that anything was changed.
   * @param {import('./parent_link.js').Contradiction} found
   */
  verdictOn(found) {
    return found.isOfGuest && this.question.other !== null ? 'divergent' : 'tampered';
  }

  /**
   * What is known of a parent whose log is at hand. `undefined` if that is not sound.
   * @param {Recording} parent
   */
  family(parent) {
    // That two logs claim the same head says nothing of what stands in them.
    if (this.known.has(parent)) return this.known.get(parent);
    const family = isSound(parent) ? familyOf(parent, this.ask(parent)) : undefined;
    this.known.set(parent, family);
    return family;
  }

  /**
   * What the guest of a log orders for its children.
   * @param {Recording} recording
   * @returns {Asked}
   */
  ask(recording) {
    if (recording.isErased) return 'unknown';
    const { guests, other, watch } = this.question;
    try {
      this.takeGuests(recording);
      const walk = new Walk(guests, other, recording, watch(recording));
      walk.replayEvents();
      return walk.inputs;
    } catch (error) {
      if (error instanceof Finding) return 'diverges';
      // A guest that is not at hand.
      if (error instanceof AuditError) return 'unknown';
      throw error;
    }
  }

  /**
   * Compares a log with those of its children that are at hand, and sound: what is wrong with
   * one of them, its own audit says.
   * @param {Recording} recording
   * @param {Asked} asked
   * @param {Audit} audit
   */
  checkChildren(recording, asked, audit) {
    const family = familyOf(recording, asked);
    this.known.set(recording, family);
    if (family === undefined) return;
    /** @type {Missing[]} */
    const all = [];
    for (const id of askedFor(recording)) {
      const log = this.origins.get(id);
      const child = log === undefined || !isSound(log) ? undefined : childLog(log);
      if (child === undefined) continue;
      const { found, missing } = compare(family, child);
      if (found !== undefined) throw new Finding(this.verdictOn(found), divergenceAt(found, found.inParent));
      if (missing !== undefined) all.push(missing);
    }
    audit.missing.push(...all);
  }
}

/**
 * An audit in which nothing was found yet.
 * @param {string | null} execution_id
 * @param {Whole} events
 * @returns {Audit}
 */
function empty(execution_id, events) {
  return {
    execution_id,
    verdict: 'clean',
    events,
    head: null,
    decisions: 0,
    owed_a_step: false,
    forked_from: null,
    child_of: null,
    missing: [],
    erased: null,
    signature: null,
    anchor: null,
    divergence: null,
  };
}

/**
 * Takes what was found, with the law that it is about and what to do next. Where another
 * guest was asked than the log's own, a divergence is nothing bad.
 * @param {Audit} audit
 * @param {Finding} finding
 * @param {boolean} askedOther
 */
function conclude(audit, { verdict, divergence }, askedOther) {
  const laws = { newer: null, divergent: 'law 2', illegal: 'law 2' };
  const law = verdict in laws ? laws[/** @type {keyof typeof laws} */ (verdict)] : 'law 4';
  const isKept = verdict === 'divergent' && askedOther;
  const advice = verdict === 'newer' ? 'use_newer' : isKept ? 'keep_guest' : 'compare_copies';
  audit.verdict = verdict;
  audit.divergence = { ...divergence, rule: divergence.rule ?? law, advice };
}
