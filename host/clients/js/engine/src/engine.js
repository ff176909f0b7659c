// The engine: what users hold.

import { quoted } from '@refrain/audit/host';
import { componentOf, ownComponent } from './component.js';
import { EngineError, said } from './errors.js';
import { Execution } from './execution_handle.js';
import { Guests } from './guests.js';
import { CALLERS_MAX_DEFAULT, CLOSE_PATIENCE_MS_DEFAULT, LOOK_EVERY_MS_DEFAULT } from './limits.js';
import { logOf } from './log_text.js';
import { partsOf } from './options.js';
import { isExecutionId } from './random.js';
import { Core } from './runtime/core.js';
import { EventLoop } from './runtime/event_loop.js';
import { Later } from './runtime/inbox.js';
import { Endings } from './runtime/endings.js';
import { takeLock } from './runtime/lock.js';
import { answerTo, explained, shown } from './shown.js';
import { answered } from './turn/answers.js';
import { question } from './turn/call.js';
import { offer } from './turn/offer.js';
import { register, start } from './turn/start.js';
import { catchUp } from './turn/step.js';
import { objectGiven, textOf } from './values/texts.js';
import { Pool } from './workers/pool.js';
import { Workflows } from './workflows.js';

/** @typedef {import('@refrain/audit/host').Kind} Kind */
/** @typedef {import('./execution_handle.js').Ending} Ending */
/** @typedef {import('./runtime/event_loop.js').News} News */
/** @typedef {import('./turn/transaction.js').Granted} Granted */
/** @typedef {import('./turn/transaction.js').Transaction} Transaction */

/** @typedef {import('./options.js').EngineOptions} EngineOptions */

/** How an engine is opened, for who did not. */
const OPENED = 'Engine.open({ store: new MemoryStore() })';

/** A live host: executions that run, now, in this page or process. */
export class Engine {
  #core;
  #loop;
  #unlock;
  /** @type {Promise<void>} */
  #running;
  #endings;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** @type {EngineError | undefined} */
  #died;

  /**
   * Opens an engine on a store. Where another tab works on it, that one is waited for.
   * @param {EngineOptions} options
   * @returns {Promise<Engine>}
   */
  static async open(options) {
    const { store, ifBusy = 'wait', onWaiting = () => undefined } = objectGiven('what an engine is opened with', OPENED, options);
    objectGiven('the store of an engine', OPENED, store);
    const mayLock = options.isShared !== true && store.lock !== null;
    const unlock = mayLock ? await takeLock(/** @type {string} */ (store.lock), ifBusy, onWaiting) : undefined;
    try {
      const isAlone = options.isShared !== true && (store.lock === null || unlock !== undefined);
      const bytes = options.component ?? (await ownComponent());
      const engine = new Engine(options, await componentOf(bytes), bytes, isAlone, unlock ?? (() => undefined));
      await engine.#core.load();
      engine.#run();
      return engine;
    } catch (thrown) {
      unlock?.();
      throw thrown;
    }
  }

  /**
   * @param {EngineOptions} options
   * @param {import('@refrain/audit/host').Component} component
   * @param {Uint8Array} bytes
   * @param {boolean} isAlone
   * @param {() => void} unlock
   */
  constructor(options, component, bytes, isAlone, unlock) {
    const { store } = options;
    const pool = new Pool(
      options.secrets,
      (granted, outcome) => this.#delivered(granted, outcome),
      (id) => this.#attemptEnded(id),
    );
    for (const [queue, worker] of Object.entries(options.workers ?? {})) {
      pool.add(textOf('name of a queue', queue), worker);
    }
    const guests = new Guests(store, component, bytes);
    this.#core = new Core({ store, guests, workflows: new Workflows(store), pool, ...partsOf(options, isAlone) });
    this.#unlock = unlock;
    this.#endings = new Endings(store);
    this.#running = Promise.resolve();
    this.#loop = new EventLoop(this.#core, {
      callersMax: options.callersMax ?? CALLERS_MAX_DEFAULT,
      lookEveryMs: options.lookEveryMs ?? LOOK_EVERY_MS_DEFAULT,
      onNews: (news) => {
        this.#endings.tell(news);
        this.#tell(options.onCommit, news);
      },
      onReload: () => this.#endings.look(),
    });
  }

  /** The SHA-256 of the scheduler that new executions belong to. */
  get guestDigest() {
    return this.#core.guests.own;
  }

  /**
   * From now on, this worker works on the items of a queue.
   * @param {string} queue
   * @param {import('./workers/pool.js').Worker | {run: import('./workers/pool.js').Worker, slots?: number}} worker
   */
  work(queue, worker) {
    this.#core.pool.add(textOf('name of a queue', queue), worker);
    this.#loop.inbox.signal();
  }

  /**
   * Registers a workflow: its JSON, as text or as an object. The same content again is no
   * change; other content under the same id and version is refused.
   * @param {unknown} workflow
   * @returns {Promise<import('./turn/start.js').Summary>}
   */
  register(workflow) {
    return this.#bring((transaction) => register(transaction, workflow));
  }

  /**
   * Starts an execution of a registered workflow.
   * @param {import('./turn/start.js').StartOptions} options
   * @returns {Promise<Execution>}
   */
  async start(options) {
    const asked = objectGiven('what is to be started', "engine.start({ workflowId: 'review' })", options);
    return new Execution(this, await this.#bring((transaction) => start(transaction, asked)));
  }

  /**
   * An execution by its id. Whether there is one is told by the first that it is asked.
   * @param {string} id
   * @returns {Execution}
   */
  execution(id) {
    if (!isExecutionId(textOf('execution id', id))) {
      throw new EngineError(
        'invalid_argument',
        `${quoted(id)} is no execution id: it should be "exec_" and 32 hexadecimal digits`,
      );
    }
    return new Execution(this, id);
  }

  /**
   * Executions, the last that began first.
   * @param {{max?: number, after?: string}} [options] `after` is the id of the last that the
   *   caller has
   */
  async list({ max = 100, after } = {}) {
    const records = await this.#core.store.list({ max, after });
    return records.map(({ id, workflowId, workflowVersion, status, labels, startedAt, lastAt, sequence }) => ({
      id,
      workflowId,
      workflowVersion,
      status,
      labels,
      startedAt,
      lastAt,
      events: sequence,
    }));
  }

  /**
   * Closes the engine: its workers are told to stop, what they do not answer in time is given
   * back, and the store is closed.
   * @param {{patienceMs?: number}} [options] how long workers have to heed their signals
   * @returns {Promise<void>}
   */
  close({ patienceMs = CLOSE_PATIENCE_MS_DEFAULT } = {}) {
    this.#closing ??= this.#close(patienceMs);
    return this.#closing;
  }

  /**
   * Waits for the end of an execution.
   * @param {string} id
   * @returns {Promise<Ending>}
   */
  finished(id) {
    return this.#endings.wait(id);
  }

  /**
   * How an execution stands: status, state, and each node with the scheduler's own reasons.
   * @param {string} id
   */
  show(id) {
    return this.#ask(id, shown);
  }

  /**
   * Why a node, or a run of one, is where it is.
   * @param {string} id
   * @param {string} nodeId
   */
  explain(id, nodeId) {
    const node = textOf('node id', nodeId);
    return this.#ask(id, (guest, ports, { record }) => explained(guest, ports, record.id, node));
  }

  /**
   * The log of an execution as NDJSON.
   * @param {string} id
   * @param {{withGuest?: boolean}} options
   * @returns {Promise<string>}
   */
  log(id, options) {
    return logOf(this.#core.store, id, options.withGuest ?? false);
  }

  /**
   * Offers a fact to an execution.
   * @param {string} id
   * @param {Kind} fact
   * @returns {Promise<number>} its sequence
   */
  offer(id, fact) {
    return this.#bring(async (transaction) => offer(transaction, await caughtUp(transaction, id), fact));
  }

  /**
   * Lifts a stall: that of the host, of which the scheduler is not asked because it failed;
   * or that on a budget.
   * @param {string} id
   * @param {Kind} fact
   * @returns {Promise<void>}
   */
  lift(id, fact) {
    return this.#bring(async (transaction) => {
      const staged = await transaction.open(id);
      if (staged.record.held) {
        staged.pushFact(fact, transaction.now);
        staged.lift(transaction.now);
        transaction.toStep.add(id);
      } else {
        await offer(transaction, await caughtUp(transaction, id), fact);
      }
    });
  }

  /**
   * What a listener throws is its own affair: the turn is written.
   * @param {((news: News[]) => void) | undefined} listener
   * @param {News[]} news
   */
  #tell(listener, news) {
    try {
      listener?.(news);
    } catch (thrown) {
      this.#core.warn(`\`onCommit\` has thrown: ${said(thrown)}`);
    }
  }

  #run() {
    this.#running = this.#loop.run().catch((thrown) => {
      this.#died = new EngineError(
        'engine_died',
        `the engine has stopped, because of an error of its own: ${said(thrown)}; open it again`,
      );
      this.#died.cause = thrown;
      this.#core.warn(this.#died.message);
      this.#endings.fail(this.#died);
      for (const write of this.#loop.inbox.take(Infinity)) write.reject(this.#died);
    });
  }

  /**
   * Does something in a turn, and answers when that is written.
   * @template T
   * @param {(transaction: Transaction) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #bring(work) {
    this.#mustBeOpen();
    return this.#loop.inbox.bring(work);
  }

  #mustBeOpen() {
    if (this.#died !== undefined) throw this.#died;
    if (this.#closing !== undefined) throw new EngineError('shut_down', 'the engine is closed; open another one');
  }

  /**
   * Asks the scheduler of an execution about it.
   * @template T
   * @param {string} id
   * @param {(guest: import('@refrain/audit/host').Guest, ports: import('./execution/ports.js').CallPorts, staged: import('./execution/staged.js').Staged) => T} ask
   * @returns {Promise<T>}
   */
  #ask(id, ask) {
    return this.#bring(async (transaction) => {
      const staged = await transaction.open(id);
      try {
        return await question(transaction, staged, (guest, ports) => ask(guest, ports, staged));
      } catch (thrown) {
        throw answerTo(id, thrown);
      }
    });
  }

  /**
   * An attempt has come to this.
   * @param {Granted} granted
   * @param {import('./turn/answers.js').Outcome} outcome
   */
  async #delivered({ id, at }, outcome) {
    try {
      await this.#loop.inbox.bring(
        async (transaction) => answered(transaction, await caughtUp(transaction, id.execution), id, outcome, at),
        { mustBeWritten: true },
      );
    } catch (thrown) {
      this.#core.warn(`an answer was not taken: ${said(thrown)}`);
    }
  }

  /**
   * A slot is free; and where the answer was not taken, its claim is over.
   * @param {string} id
   */
  #attemptEnded(id) {
    const { cache, clock } = this.#core;
    cache.look(id, clock.now(), false);
    this.#loop.inbox.signal();
  }

  /** @param {number} patienceMs */
  async #close(patienceMs) {
    const { pool, store } = this.#core;
    this.#loop.mayClaim = false;
    const left = await pool.close(patienceMs);
    await Promise.all(left.map((granted) => this.#delivered(granted, { released: true })));
    this.#loop.stop();
    await this.#running;
    this.#endings.fail(
      new EngineError('shut_down', 'the engine was closed before the execution ended; open it again, and wait there'),
    );
    await store.close();
    this.#unlock();
  }
}

/**
 * The execution, with nothing due that would come before a fact.
 * @param {Transaction} transaction
 * @param {string} id
 */
async function caughtUp(transaction, id) {
  const staged = await transaction.open(id);
  if (!(await catchUp(transaction, staged))) throw new Later();
  return staged;
}
