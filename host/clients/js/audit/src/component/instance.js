// A component at work: its definitions are carried out one after the other.

import { ComponentError } from './cursor.js';
import { lifted, lowered } from './functions.js';
import { bounded } from './memory.js';
import { Scope, exportOf } from './scope.js';
import { Space } from './space.js';

/** @typedef {import('./binary.js').Definition} Definition */
/** @typedef {import('./binary.js').Options} Options */
/** @typedef {import('./scope.js').Item} Item */
/** @typedef {import('./space.js').Allowance} Allowance */

/** What a component is given for an import, by name. @typedef {(name: string, declared: Item) => Item} Imports */

/** @type {WeakMap<Uint8Array, WebAssembly.Module>} */
const compiled = new WeakMap();

/**
 * The core module of these bytes, which are a slice of the component's.
 * @param {Uint8Array} bytes
 * @returns {WebAssembly.Module}
 */
function moduleOf(bytes) {
  const known = compiled.get(bytes);
  if (known !== undefined) return known;
  const module = new WebAssembly.Module(bounded(bytes));
  compiled.set(bytes, module);
  return module;
}

/**
 * Compiles all core modules ahead, where that may not be done in one go: in the main thread
 * of a browser.
 * @param {Definition[]} definitions
 * @returns {Promise<void>}
 */
export async function compileAhead(definitions) {
  for (const it of definitions) {
    if (it.do === 'component') await compileAhead(it.definitions);
    if (it.do === 'module' && !compiled.has(it.bytes)) {
      compiled.set(it.bytes, await WebAssembly.compile(bounded(it.bytes)));
    }
  }
}

/**
 * Carries out the definitions of a component.
 * @param {Definition[]} definitions
 * @param {Imports} imports
 * @param {Allowance} allowance
 * @param {Scope | null} [outer]
 * @returns {Map<string, Item>} What it exports.
 */
export function instantiate(definitions, imports, allowance, outer = null) {
  const building = new Building(imports, allowance, outer);
  for (const definition of definitions) building.carryOut(definition);
  return building.exports;
}

/** A component that is being instantiated. */
class Building {
  /**
   * @param {Imports} imports
   * @param {Allowance} allowance
   * @param {Scope | null} outer
   */
  constructor(imports, allowance, outer) {
    this.imports = imports;
    this.allowance = allowance;
    this.scope = new Scope(outer);
    /** Whether the instance may be called, and may call out. */
    this.owner = { mayEnter: true, mayLeave: true };
    /** @type {Map<string, Item>} */
    this.exports = new Map();
  }

  /** @param {Definition} it */
  carryOut(it) {
    const { scope } = this;
    switch (it.do) {
      case 'module':
        return scope.add('module', it.bytes);
      case 'core instance':
        return scope.add('core instance', this.coreInstance(scope.get('module', it.module), it.with));
      case 'core exports': {
        const entries = it.exports.map(({ name, item }) => [name, scope.get(item.sort, item.index)]);
        return scope.add('core instance', Object.assign(Object.create(null), Object.fromEntries(entries)));
      }
      case 'component':
        return scope.add('component', { definitions: it.definitions, scope });
      case 'instance':
        return scope.add('instance', { exports: this.instance(it.component, it.with) });
      case 'exports':
        return scope.add('instance', { exports: this.items(it.exports) });
      case 'alias':
        return this.alias(it.sort, it.instance, it.name, it.isCore);
      case 'outer':
        return scope.add(it.sort, scope.getOuter(it.sort, it.count, it.index));
      case 'type':
        return scope.add('type', scope.resolve(it.type));
      case 'lift':
        return scope.add('func', this.lift(it.func, it.options, it.type));
      case 'lower':
        return scope.add('core func', lowered(scope.get('func', it.func), this.space(it.options)));
      case 'import': {
        const item = this.imports(it.name, scope.described(it.description));
        return scope.add(item.sort, item.value);
      }
      case 'export': {
        const value = scope.get(it.item.sort, it.item.index);
        this.exports.set(it.name, { sort: it.item.sort, value });
        return scope.add(it.item.sort, value);
      }
      default:
        throw new ComponentError('the component cannot be loaded: a definition stands where it may not');
    }
  }

  /**
   * @param {{name: string, item: {sort: string, index: number}}[]} named
   * @returns {Map<string, Item>}
   */
  items(named) {
    return new Map(
      named.map(({ name, item: { sort, index } }) => [name, { sort, value: this.scope.get(sort, index) }]),
    );
  }

  /**
   * @param {Uint8Array} bytes
   * @param {{name: string, index: number}[]} given
   */
  coreInstance(bytes, given) {
    const entries = given.map(({ name, index }) => [name, this.scope.get('core instance', index)]);
    const imports = Object.assign(Object.create(null), Object.fromEntries(entries));
    try {
      return new WebAssembly.Instance(moduleOf(bytes), imports).exports;
    } catch (error) {
      // An instance that a module imports from is not there.
      if (error instanceof TypeError) throw new ComponentError(`the component cannot be loaded: ${error.message}`);
      throw error;
    }
  }

  /**
   * @param {number} index
   * @param {{name: string, item: {sort: string, index: number}}[]} given
   */
  instance(index, given) {
    const component = this.scope.get('component', index);
    const items = this.items(given);
    /** @type {Imports} */
    const imports = (name) => exportOf({ exports: items }, name);
    return instantiate(component.definitions, imports, this.allowance, component.scope);
  }

  /**
   * @param {string} sort
   * @param {number} index
   * @param {string} name
   * @param {boolean} isCore
   */
  alias(sort, index, name, isCore) {
    if (!isCore) {
      const item = exportOf(this.scope.get('instance', index), name);
      if (item.sort !== sort) throw new ComponentError(`the component cannot be loaded: \`${name}\` is no ${sort}`);
      return this.scope.add(sort, item.value);
    }
    const value = this.scope.get('core instance', index)[name];
    if (value === undefined) throw new ComponentError(`the component cannot be loaded: a module of it has no \`${name}\``);
    return this.scope.add(sort, value);
  }

  /**
   * @param {number} func
   * @param {Options} options
   * @param {number} index
   */
  lift(func, options, index) {
    const type = this.scope.get('type', index);
    if (type.kind !== 'func') throw new ComponentError('the component cannot be loaded: a function is of a type that is none of functions');
    const postReturn = options.postReturn === null ? null : this.scope.get('core func', options.postReturn);
    return lifted(type, this.scope.get('core func', func), this.space(options), postReturn);
  }

  /** @param {Options} options */
  space(options) {
    const memory = options.memory === null ? null : this.scope.get('core memory', options.memory);
    const realloc = options.realloc === null ? null : this.scope.get('core func', options.realloc);
    return new Space(memory, realloc, options.encoding, this.allowance, this.owner);
  }
}
