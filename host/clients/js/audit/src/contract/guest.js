// A guest: a component of the contract's world at work, with ports for what it may ask.

import { digest } from '../sha256.js';
import { ComponentError } from '../component/cursor.js';
import { instantiate } from '../component/instance.js';
import { Allowance } from '../component/space.js';
import { Trap } from '../component/trap.js';
import { spelled } from '../component/types.js';
import { numbersOf } from '../log/id.js';
import { quoted } from '../text.js';
import { digestToGuest, eventFromGuest, eventToGuest } from './convert.js';
import { EXPORT, SIGNATURES } from './doors.js';
import { shortDescription, shortError, shortFaults } from './texts.js';

/** @typedef {import('../bytes.js').Whole} Whole */
/** @typedef {import('../log/event.js').Event} Event */
/** @typedef {import('../log/event.js').Kind} Kind */

/** What went well or did not, in the contract's shape. @typedef {{tag: 'ok' | 'err', value: any}} Answer */

/**
 * What a guest may ask in a call about an execution.
 * @typedef {object} Ports
 * @property {() => string} loadWorkflow
 * @property {() => any} loadSnapshot A snapshot, or `null`.
 * @property {(first: Whole, max: number) => Event[]} readEvents
 * @property {(expected: Whole, events: Event[]) => Answer} appendEvents With an error of storage.
 * @property {() => Whole} now
 * @property {(orders: any[]) => string[]} order The digests of what is enqueued.
 */

/** What a port throws to refuse what it is asked: the guest is told so. */
export class PortRefusal extends Error {
  /** @param {any} value The error of the contract that the guest gets. */
  constructor(value) {
    super('a port refused what it was asked');
    this.name = 'PortRefusal';
    this.value = value;
  }
}

/** A guest's answer is a refusal: `{tag, value}` of the contract's `scheduler-error`. */
export class Refusal extends Error {
  /** @param {{tag: string, value: any}} error */
  constructor(error) {
    super(sentence(error));
    this.name = 'Refusal';
    this.error = error;
  }
}

/** A guest failed at its work. */
export class GuestFailure extends Error {
  /**
   * @param {string} problem
   * @param {unknown} [cause]
   */
  constructor(problem, cause) {
    super(problem, { cause });
    this.name = 'GuestFailure';
  }
}

/**
 * @param {string} door The interface.
 * @param {string} name
 * @param {any} type
 */
function checkType(door, name, type) {
  const expected = SIGNATURES[`${door}.${name}`];
  if (type.kind !== 'func' || expected !== digest(spelled(type))) {
    throw new ComponentError(
      `the component was built for another form of the contract; build it anew for the world \`scheduler\` of Refrain's wit/: \`${door}.${name}\` is of another type`,
    );
  }
}

/** @param {string} name Of an interface, with package and version. */
function doorOf(name) {
  return name.slice(name.indexOf('/') + 1, name.lastIndexOf('@'));
}

/** A guest at work. What it keeps between calls is a cache. */
export class Guest {
  /**
   * @param {import('../component/binary.js').Definition[]} definitions
   * @param {boolean} isChecked Whether types are held against the contract.
   */
  constructor(definitions, isChecked) {
    this.allowance = new Allowance();
    /** The ports of the current call. @type {Ports | null} */
    this.ports = null;
    this.isSpent = false;
    const exports = this.guarded(() =>
      instantiate(definitions, (name, declared) => this.door(name, declared, isChecked), this.allowance),
    );
    /** @type {Map<string, any>} */
    this.exports = exports.get(EXPORT)?.value.exports ?? new Map();
    for (const name of Object.keys(SIGNATURES).filter((it) => it.startsWith('decisions.'))) {
      const func = this.exports.get(name.slice('decisions.'.length));
      if (isChecked) checkType('decisions', name.slice('decisions.'.length), func?.value.type ?? {});
    }
  }

  /**
   * An instance that the component imports, with the host's functions.
   * @param {string} name
   * @param {any} declared
   * @param {boolean} isChecked
   */
  door(name, declared, isChecked) {
    const door = doorOf(name);
    const exports = new Map();
    for (const [each, item] of declared.value.exports) {
      if (item.sort !== 'func') {
        exports.set(each, item);
        continue;
      }
      if (isChecked) checkType(door, each, item.value);
      const call = HOST[`${door}.${each}`];
      const named = `${door}.${each}`;
      exports.set(each, {
        sort: 'func',
        value: { type: item.value, call: (/** @type {any[]} */ args) => call(this.asked(named), args) },
      });
    }
    return { sort: 'instance', value: { exports } };
  }

  /** @param {string} named */
  asked(named) {
    if (this.ports !== null) return this.ports;
    throw new Trap(
      `the guest called \`${named}\` while it was asked about no execution, where it has no access to one`,
      'out_of_place',
    );
  }

  /**
   * Offers facts that may come next, and lets the guest decide what follows: an `outcome`.
   * @param {Ports} ports
   * @param {string} id
   * @param {Whole} last The log's last event.
   * @param {Kind[]} facts
   * @returns {any}
   */
  step(ports, id, last, facts) {
    return this.about(ports, 'step', [numbersOf(id), last, facts]);
  }

  /**
   * Why a node is where it is: an `explanation`.
   * @param {Ports} ports
   * @param {string} id
   * @param {string} nodeId
   * @returns {any}
   */
  explain(ports, id, nodeId) {
    return this.about(ports, 'explain', [numbersOf(id), nodeId]);
  }

  /**
   * The state of an execution, and its hash.
   * @param {Ports} ports
   * @param {string} id
   * @returns {{state: string, hash: string}}
   */
  inspect(ports, id) {
    return this.about(ports, 'inspect', [numbersOf(id)]);
  }

  /**
   * A snapshot of an execution, with an empty `head`.
   * @param {Ports} ports
   * @param {string} id
   * @returns {{guest_digest: string, sequence: Whole, head: string, state: Uint8Array}}
   */
  snapshot(ports, id) {
    return this.about(ports, 'snapshot', [numbersOf(id)]);
  }

  /**
   * Drops what is cached for an execution.
   * @param {string} id
   */
  forget(id) {
    this.call('forget', [numbersOf(id)]);
  }

  /**
   * Whether a workflow is valid: a summary, or all faults at once.
   * @param {string} workflow
   * @returns {Answer}
   */
  validate(workflow) {
    const { tag, value } = this.call('validate', [workflow]);
    return { tag, value: tag === 'err' ? shortFaults(value) : value };
  }

  /**
   * What the guest says of itself.
   * @returns {{name: string, version: string}}
   */
  describe() {
    return shortDescription(this.call('describe', []));
  }

  /**
   * @param {Ports} ports
   * @param {string} name
   * @param {any[]} args
   */
  about(ports, name, args) {
    this.ports = ports;
    try {
      const { tag, value } = this.call(name, args);
      if (tag === 'err') throw new Refusal(shortError(value));
      return value;
    } finally {
      this.ports = null;
    }
  }

  /**
   * @param {string} name
   * @param {any[]} args
   */
  call(name, args) {
    if (this.isSpent) {
      throw new GuestFailure(
        'this guest instance was cut off in an earlier call and is spent; its execution needs a fresh one',
      );
    }
    const func = this.exports.get(name).value;
    this.allowance.refill();
    return this.guarded(() => {
      const answer = func.call(args);
      if (this.allowance.failed !== undefined) throw this.allowance.failed;
      return answer;
    });
  }

  /**
   * What the guest does wrong in a call is its failure, and the instance is spent.
   * @template T
   * @param {() => T} call
   * @returns {T}
   */
  guarded(call) {
    try {
      return call();
    } catch (error) {
      this.isSpent = true;
      throw failure(error);
    }
  }
}

/**
 * What an engine throws where a stack is used up; its name is not the same everywhere.
 * @param {unknown} error
 */
function isStackOverflow(error) {
  const isNamed = error instanceof RangeError || (error instanceof Error && error.name === 'InternalError');
  return isNamed && /call stack|recursion/i.test(error.message);
}

/** @param {unknown} error */
function failure(error) {
  if (error instanceof Trap) {
    const said = error.how === 'malformed' ? `the guest broke the contract: ${error.message}` : error.message;
    return new GuestFailure(said, error);
  }
  if (isStackOverflow(error)) return new GuestFailure('the guest overflowed its call stack', error);
  // Where there is no memory for it, an engine throws a `RangeError`.
  const hasCrashed = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  if (hasCrashed) return new GuestFailure(`the guest crashed: ${error.message}`, error);
  if (error instanceof WebAssembly.LinkError || error instanceof WebAssembly.CompileError) {
    return new ComponentError(`the component cannot be loaded: ${error.message}`);
  }
  return error;
}

/**
 * What a port answers, or refuses.
 * @param {() => any} ask
 * @returns {Answer}
 */
function told(ask) {
  try {
    return { tag: 'ok', value: ask() };
  } catch (error) {
    if (error instanceof PortRefusal) return { tag: 'err', value: error.value };
    throw error;
  }
}

/**
 * The functions that a guest may call.
 * @type {{[name: string]: (ports: Ports, args: any[]) => any}}
 */
const HOST = {
  'storage.load-workflow': (ports) => told(() => ports.loadWorkflow()),
  'storage.load-snapshot': (ports) => told(() => ports.loadSnapshot()),
  'storage.read-events': (ports, [first, max]) => told(() => ports.readEvents(first, max).map(eventToGuest)),
  'storage.append-events': (ports, [expected, events]) => ports.appendEvents(expected, events.map(eventFromGuest)),
  'clock.now': (ports) => ports.now(),
  'queue.order': (ports, [orders]) => told(() => ports.order(orders).map(digestToGuest)),
};

/** @param {{tag: string, value: any}} error */
function sentence({ tag, value }) {
  switch (tag) {
    case 'illegal':
      return `event ${value.sequence} may not stand there: ${value.reason}`;
    case 'invalid_workflow':
      return `the workflow is not valid, ${value.length} fault(s):${value.map(fault).join('')}`;
    case 'storage':
      return stored(value);
    case 'queue':
      return `the queue did not take the guest's order: ${value}`;
    case 'bad_snapshot':
      return `the guest cannot read its snapshot: ${value}`;
    default:
      return `the workflow has no node ${quoted(value)}; its text says which nodes it has`;
  }
}

/** @param {{pointer: string, message: string, remedy: string}} it */
function fault({ pointer, message, remedy }) {
  return `\n  at ${quoted(pointer)}: ${message}; ${remedy}`;
}

/** @param {{tag: string, value: any}} error */
function stored({ tag, value }) {
  switch (tag) {
    case 'conflict':
      return `the log ends at event ${value}, which is not what the guest had seen: someone else wrote to it; try again`;
    case 'failed':
      return `the guest could not get at what is stored: ${value}`;
    default:
      return `the log did not take the guest's decisions: ${value}`;
  }
}
