// A turn that is open: what it reads is stored or staged, what it writes is staged.

import { START, linkOf, quoted } from '@refrain/audit/host';
import { ConflictError, EngineError, unknownExecution } from '../errors.js';
import { EVENTS_PAGE_MAX } from '../limits.js';
import { Staged } from '../execution/staged.js';
import { known } from '../workflows.js';

/** @typedef {import('../runtime/core.js').Core} Core */
/** @typedef {import('../values/facts.js').ClaimId} ClaimId */

/**
 * A claim that own workers are given when the turn is committed.
 * @typedef {object} Granted
 * @property {ClaimId} id
 * @property {import('../store/contract.js').ItemRecord['item']} item
 * @property {{workflowId: string, version: string}} workflow
 * @property {number} at
 * @property {number} leaseMs
 */

/** An open turn. */
export class Transaction {
  /** @type {Map<string, Staged>} */
  staged = new Map();
  /** Executions of which more may be decided at this reading. @type {Set<string>} */
  toStep = new Set();
  /** @type {import('../store/contract.js').WorkflowRecord[]} */
  workflows = [];
  /** @type {import('../store/contract.js').ComponentRecord[]} */
  components = [];
  /** @type {Granted[]} */
  granted = [];
  /** Executions that were looked at because of their time. @type {Set<string>} */
  looked = new Set();
  /** Claims of own workers that were renewed, and until when. @type {{id: ClaimId, expiresAt: number}[]} */
  renewed = [];

  /**
   * @param {Core} core
   * @param {import('../clock.js').Reading} reading
   */
  constructor(core, reading) {
    this.core = core;
    this.reading = reading;
  }

  /** The turn's clock reading. */
  get now() {
    return this.reading.at;
  }

  /**
   * The execution, in this turn.
   * @param {string} id
   * @returns {Promise<Staged>}
   */
  async open(id) {
    const setAside = this.core.setAside.get(id);
    if (setAside !== undefined) throw new EngineError('tampered', setAside, { execution: id });
    const staged = this.staged.get(id) ?? (await this.#stored(id));
    if (staged === undefined) throw unknownExecution(id);
    this.staged.set(id, staged);
    return staged;
  }

  /**
   * Does something with an execution, unless its log is broken: then all others go on.
   * @template T
   * @param {string} id
   * @param {(staged: Staged) => Promise<T>} work
   * @returns {Promise<T | undefined>}
   */
  async unlessSetAside(id, work) {
    try {
      return await work(await this.open(id));
    } catch (thrown) {
      if (!(thrown instanceof EngineError && thrown.code === 'tampered')) throw thrown;
      this.staged.delete(id);
      this.toStep.delete(id);
      return undefined;
    }
  }

  /**
   * An execution that begins in this turn.
   * @param {import('../store/contract.js').ExecutionRecord} record
   * @param {import('../workflows.js').KnownWorkflow} workflow
   */
  begin(record, workflow) {
    const staged = new Staged(record, new Map(), workflow, () => this.core.random.salt());
    this.staged.set(record.id, staged);
    return staged;
  }

  /**
   * A registered workflow, stored or of this turn.
   * @param {string} workflowId
   * @param {string} version
   */
  async workflow(workflowId, version) {
    const { tenant } = this.core.settings;
    const own = this.workflows.find((it) => it.workflowId === workflowId && it.version === version);
    return own === undefined ? this.core.workflows.get(tenant, workflowId, version) : known(own);
  }

  /**
   * Fetches the stored log of an execution, and holds it against its chain (law 4). One that
   * is broken is set aside, and all others go on.
   * @param {Staged} staged
   */
  async loadLog(staged) {
    const { id } = staged.record;
    const { sequence, head } = staged.expected;
    /** @type {import('../store/contract.js').StoredEvent[]} */
    const log = [];
    let hash = START;
    while (log.length < sequence) {
      // Others may have appended more since.
      const page = await this.core.store.events(id, log.length + 1, Math.min(EVENTS_PAGE_MAX, sequence - log.length));
      if (page.length === 0) break;
      for (const stored of page) {
        hash = linkOf(hash, { ...stored, commitment: null });
        if (stored.event.sequence !== log.length + 1 || stored.hash !== hash) this.#setAside(staged, log.length + 1);
        log.push(stored);
      }
    }
    if (log.length !== sequence || hash !== head) this.#setAside(staged, sequence);
    staged.log = log;
  }

  /**
   * What the turn writes; undefined if that is nothing.
   * @returns {import('../store/contract.js').Turn | undefined}
   */
  write() {
    const executions = [...this.staged.values()]
      .filter((staged) => staged.hasChanged())
      .map((staged) => staged.change());
    const { workflows, components } = this;
    if (executions.length + workflows.length + components.length === 0) return undefined;
    return { version: this.core.version, at: this.now, executions, workflows, components };
  }

  /** @param {string} id */
  async #stored(id) {
    const { core } = this;
    const cached = core.cache.get(id);
    // Of what has ended, no item is asked for any more.
    const record = cached?.record ?? (await core.store.execution(id));
    if (record === undefined) return undefined;
    const workflow = await core.workflows.get(record.tenant, record.workflowId, record.workflowVersion);
    if (workflow === undefined) {
      throw new EngineError(
        'tampered',
        `the workflow ${quoted(record.workflowId)} of version ${quoted(record.workflowVersion)}, of which ${id} is, is gone from the store; export the log, and begin anew`,
      );
    }
    return new Staged(record, cached?.items ?? new Map(), workflow, () => core.random.salt());
  }

  /**
   * @param {Staged} staged
   * @param {number} sequence
   * @returns {never}
   */
  #setAside({ record: { id }, events }, sequence) {
    const text = `the log of ${id} was changed at or before event ${sequence}: its chain does not lead to the recorded head; nothing is done to it any more. Export it, and audit that`;
    this.core.setAside.set(id, text);
    this.core.warn(text);
    // What this turn has done to it may have been promised to somebody: it is done anew.
    if (events.length > 0) throw new ConflictError(text);
    throw new EngineError('tampered', text, { execution: id, sequence });
  }
}
