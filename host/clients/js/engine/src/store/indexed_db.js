// A store in IndexedDB: executions outlive their page.
//
// ```text
// executions  id              records; `open` is there while one has not ended
// events      [id, last]      those that one turn appended, by the last of them
// items       [id, node]
// workflows   [tenant, id, version]
// components  digest
// state       'state'         version, and the greatest clock reading
// ```
//
// A commit is one transaction over all of them, and is answered when it is complete, with
// the durability that the store was opened with. A browser may still drop a whole database
// when its disk is full, unless the page was granted `navigator.storage.persist()`.

import { quoted } from '@refrain/audit/host';
import { ConflictError, EngineError, said, workflowDiffers } from '../errors.js';
import { conflictOf, hasEnded } from './contract.js';

/** @typedef {import('./contract.js').Store} Store */
/** @typedef {import('./contract.js').ExecutionRecord} ExecutionRecord */
/** @typedef {import('./contract.js').ItemRecord} ItemRecord */
/** @typedef {ExecutionRecord & {open?: 1}} StoredRecord */

/** The layout of the database. */
const LAYOUT = 1;

const TABLES = ['executions', 'events', 'items', 'workflows', 'components', 'state'];

/**
 * A store in a database of IndexedDB.
 * @implements {Store}
 */
export class IndexedDbStore {
  /** @type {IDBDatabase} */
  #database;
  /** @type {IDBTransactionDurability} */
  #durability;
  /** @type {string | undefined} */
  #gone;
  /** @type {typeof IDBKeyRange} */
  #ranges;

  /**
   * Opens the database of this name, and makes it where there is none.
   * @param {string} [name]
   * @param {object} [options]
   * @param {IDBTransactionDurability} [options.durability] `strict` unless said: what was
   *   acknowledged is on the disk. `relaxed` is quicker, and may lose the last moments when
   *   the machine stops
   * @param {IDBFactory} [options.factory] where databases come from; the page's own unless said
   * @param {typeof IDBKeyRange} [options.ranges] what belongs to it
   * @returns {Promise<IndexedDbStore>}
   */
  static async open(name = 'refrain', options = {}) {
    const factory = options.factory ?? globalThis.indexedDB;
    if (factory === undefined) {
      throw new EngineError('store_failed', 'there is no IndexedDB here; use a MemoryStore, or give a `factory`');
    }
    const opening = factory.open(name, LAYOUT);
    opening.onupgradeneeded = () => layOut(opening.result);
    const database = await new Promise((resolve, reject) => {
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(failure(name, opening.error));
      opening.onblocked = () =>
        reject(
          new EngineError(
            'store_failed',
            `the database ${quoted(name)} is open in an older version of this program; close its other tabs, and try again`,
          ),
        );
    });
    return new IndexedDbStore(database, options);
  }

  /**
   * @param {IDBDatabase} database
   * @param {{durability?: IDBTransactionDurability, ranges?: typeof IDBKeyRange}} options
   */
  constructor(database, { durability = 'strict', ranges = globalThis.IDBKeyRange }) {
    this.#database = database;
    this.#durability = durability;
    this.#ranges = ranges;
    this.name = database.name;
    this.lock = `refrain/${database.name}`;
    database.onclose = () => (this.#gone = 'it was removed, with all that was in it');
    database.onversionchange = () => {
      this.#gone = 'a newer version of this program has to change it; load the page again';
      database.close();
    };
  }

  async version() {
    return this.#read(['state'], async (tables) => (await state(tables.state)).version);
  }

  async load() {
    return this.#read(['state', 'executions', 'items'], async (tables) => {
      const { version, at } = await state(tables.state);
      /** @type {StoredRecord[]} */
      const stored = await answer(tables.executions.index('open').getAll());
      const items = await Promise.all(stored.map(({ id }) => this.#itemsOf(tables.items, id)));
      return { version, at, executions: stored.map(withoutMark), items: items.flat() };
    });
  }

  /** @param {string} id */
  async execution(id) {
    return this.#read(['executions'], async ({ executions }) => {
      /** @type {StoredRecord | undefined} */
      const stored = await answer(executions.get(id));
      return stored && withoutMark(stored);
    });
  }

  /** @param {string} id */
  async items(id) {
    return this.#read(['items'], async ({ items }) => {
      const stored = await this.#itemsOf(items, id);
      return stored.map(([, nodeId, item]) => /** @type {[string, ItemRecord]} */ ([nodeId, item]));
    });
  }

  /**
   * @param {string} id
   * @param {number} first
   * @param {number} max
   */
  async events(id, first, max) {
    const last = first + max - 1;
    return this.#read(['events'], async ({ events }) => {
      // The row behind the last one that ends in this range may begin in it.
      const [within, behind] = await Promise.all([
        answer(events.getAll(this.#ranges.bound([id, first], [id, last]))),
        answer(events.getAll(this.#ranges.bound([id, last], [id, []], true), 1)),
      ]);
      /** @type {import('./contract.js').StoredEvent[]} */
      const found = [...within, ...behind].flatMap(({ stored }) => stored);
      return found.filter(({ event: { sequence } }) => sequence >= first && sequence <= last);
    });
  }

  /** @param {{max: number, after?: string}} options */
  async list({ max, after }) {
    return this.#read(['executions'], async ({ executions }) => {
      /** @type {StoredRecord | undefined} */
      const last = after === undefined ? undefined : await answer(executions.get(after));
      const range = last && this.#ranges.upperBound([last.startedAt, last.id], true);
      const cursor = executions.index('begun').openCursor(range, 'prev');
      return walk(cursor, max, withoutMark);
    });
  }

  /**
   * @param {string} tenant
   * @param {string} workflowId
   * @param {string} version
   * @returns {Promise<import('./contract.js').WorkflowRecord | undefined>}
   */
  async workflow(tenant, workflowId, version) {
    return this.#read(['workflows'], ({ workflows }) => answer(workflows.get([tenant, workflowId, version])));
  }

  /** @param {string} digest */
  async component(digest) {
    return this.#read(['components'], async ({ components }) => {
      /** @type {import('./contract.js').ComponentRecord | undefined} */
      const stored = await answer(components.get(digest));
      return stored?.bytes;
    });
  }

  /** @param {import('./contract.js').Turn} turn */
  async commit(turn) {
    return this.#inTransaction(TABLES, 'readwrite', async (tables) => {
      // All at once: each answer takes a way to the browser's own process and back.
      const [stored, records, workflows] = await Promise.all([
        state(tables.state),
        Promise.all(turn.executions.map(({ record }) => answer(tables.executions.get(record.id)))),
        Promise.all(turn.workflows.map((it) => answer(tables.workflows.get([it.tenant, it.workflowId, it.version])))),
      ]);
      mustFollow(turn, stored.version, records, workflows);
      for (const change of turn.executions) writeChange(tables, change);
      for (const workflow of turn.workflows) tables.workflows.put(workflow);
      for (const component of turn.components) tables.components.put(component);
      const version = stored.version + 1;
      tables.state.put({ version, at: Math.max(stored.at, turn.at) }, 'state');
      return version;
    });
  }

  async close() {
    this.#gone ??= 'it was closed';
    this.#database.close();
  }

  /**
   * @param {IDBObjectStore} items
   * @param {string} id
   * @returns {Promise<[string, string, ItemRecord][]>}
   */
  async #itemsOf(items, id) {
    // A list sorts behind all texts.
    const range = this.#ranges.bound([id], [id, []]);
    /** @type {{id: string, nodeId: string, record: ItemRecord}[]} */
    const rows = await answer(items.getAll(range));
    return rows.map(({ nodeId, record }) => [id, nodeId, record]);
  }

  /**
   * @template T
   * @param {string[]} tables
   * @param {(tables: Record<string, IDBObjectStore>) => Promise<T>} read
   * @returns {Promise<T>}
   */
  #read(tables, read) {
    return this.#inTransaction(tables, 'readonly', read);
  }

  /**
   * @template T
   * @param {string[]} names
   * @param {IDBTransactionMode} mode
   * @param {(tables: Record<string, IDBObjectStore>) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #inTransaction(names, mode, work) {
    if (this.#gone !== undefined) throw failure(this.name, this.#gone);
    /** @type {IDBTransaction} */
    let transaction;
    try {
      transaction = this.#database.transaction(names, mode, { durability: this.#durability });
    } catch (thrown) {
      throw failure(this.name, this.#gone ?? thrown);
    }
    const tables = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
    const complete = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(undefined);
      transaction.onabort = () => reject(failure(this.name, transaction.error ?? 'the transaction was aborted'));
    });
    try {
      const worked = await Promise.race([work(tables), complete.then(() => never())]);
      await complete;
      return worked;
    } catch (thrown) {
      complete.catch(() => undefined);
      abort(transaction);
      throw thrown instanceof ConflictError || thrown instanceof EngineError ? thrown : failure(this.name, thrown);
    }
  }
}

/** @param {IDBDatabase} database */
function layOut(database) {
  const executions = database.createObjectStore('executions', { keyPath: 'id' });
  executions.createIndex('open', 'open');
  executions.createIndex('begun', ['startedAt', 'id']);
  database.createObjectStore('events', { keyPath: ['id', 'last'] });
  database.createObjectStore('items', { keyPath: ['id', 'nodeId'] });
  database.createObjectStore('workflows', { keyPath: ['tenant', 'workflowId', 'version'] });
  database.createObjectStore('components', { keyPath: 'digest' });
  database.createObjectStore('state');
}

/**
 * A turn has to follow on what is stored.
 * @param {import('./contract.js').Turn} turn
 * @param {number} version
 * @param {(ExecutionRecord | undefined)[]} records those of its executions
 * @param {(import('./contract.js').WorkflowRecord | undefined)[]} workflows those of its workflows
 */
function mustFollow(turn, version, records, workflows) {
  if (turn.version !== version) {
    throw new ConflictError(`the store is at version ${version}, and ${turn.version} was read`);
  }
  for (const [place, change] of turn.executions.entries()) {
    const conflict = conflictOf(change, records[place]);
    if (conflict !== undefined) throw new ConflictError(conflict);
  }
  for (const [place, { workflowId, version, text }] of turn.workflows.entries()) {
    const stored = workflows[place];
    if (stored !== undefined && stored.text !== text) throw workflowDiffers(workflowId, version);
  }
}

/**
 * @param {Record<string, IDBObjectStore>} tables
 * @param {import('./contract.js').ExecutionChange} change
 */
function writeChange(tables, { record, events, items }) {
  const { id } = record;
  tables.executions.put(hasEnded(record.status) ? record : { ...record, open: 1 });
  // `add` fails where there is one already.
  if (events.length > 0) tables.events.add({ id, last: record.sequence, stored: events });
  for (const [nodeId, item] of items) {
    if (item === null) tables.items.delete([id, nodeId]);
    else tables.items.put({ id, nodeId, record: item });
  }
}

/**
 * @param {IDBObjectStore} table
 * @returns {Promise<{version: number, at: number}>}
 */
async function state(table) {
  return (await answer(table.get('state'))) ?? { version: 0, at: 0 };
}

/**
 * @param {StoredRecord} stored
 * @returns {ExecutionRecord}
 */
function withoutMark({ open: _, ...record }) {
  return record;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {IDBRequest<IDBCursorWithValue | null>} request
 * @param {number} max
 * @param {(value: any) => T} read
 * @returns {Promise<T[]>}
 */
function walk(request, max, read) {
  /** @type {T[]} */
  const found = [];
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null || found.length >= max) return resolve(found);
      found.push(read(cursor.value));
      cursor.continue();
    };
  });
}

/** @param {IDBTransaction} transaction */
function abort(transaction) {
  try {
    transaction.abort();
  } catch (thrown) {
    // It is over already.
    if (!(thrown instanceof DOMException || /** @type {Error} */ (thrown).name === 'InvalidStateError')) throw thrown;
  }
}

/** @returns {never} */
function never() {
  throw new Error('the transaction ended before its work');
}

/**
 * @param {string} name
 * @param {unknown} why
 */
function failure(name, why) {
  const isFull = why instanceof Error && why.name === 'QuotaExceededError';
  const remedy = isFull ? 'free some of the space that this site may use' : 'load the page again';
  return new EngineError('store_failed', `the database ${quoted(name)} cannot be used: ${said(why)}; ${remedy}`);
}
