// What the indexes of a component mean: one list for each sort, and the types among them
// resolved to structures.

import { NESTING_MAX, TYPE_PARTS_MAX } from '../limits.js';
import { ComponentError } from './cursor.js';

/** @typedef {import('./binary.js').Definition} Definition */
/** @typedef {import('./binary.js').TypeDefinition} TypeDefinition */
/** @typedef {import('./binary.js').TypeRef} TypeRef */
/** @typedef {import('./types.js').ValueType} ValueType */
/** @typedef {import('./types.js').Type} Type */
/** @typedef {{sort: string, value: any}} Item Anything that has an index. */

/** @type {Map<string, ValueType>} */
const primitives = new Map();

/**
 * @param {string} name
 * @returns {ValueType}
 */
function primitive(name) {
  const known = primitives.get(name) ?? { kind: name, parts: [] };
  primitives.set(name, known);
  return known;
}

/** The index spaces of one component, or of the type of one. */
export class Scope {
  /** @param {Scope | null} outer */
  constructor(outer) {
    this.outer = outer;
    /** @type {Map<string, any[]>} */
    this.spaces = new Map();
  }

  /**
   * @param {string} sort
   * @param {any} value
   */
  add(sort, value) {
    const space = this.spaces.get(sort);
    if (space === undefined) this.spaces.set(sort, [value]);
    else space.push(value);
  }

  /**
   * @param {string} sort
   * @param {number} index
   * @returns {any}
   */
  get(sort, index) {
    const value = this.spaces.get(sort)?.[index];
    if (value === undefined) throw new ComponentError(`the component cannot be loaded: it has no ${sort} ${index}`);
    return value;
  }

  /**
   * What an alias of an enclosing component means.
   * @param {string} sort
   * @param {number} count How many components out.
   * @param {number} index
   */
  getOuter(sort, count, index) {
    /** @type {Scope | null} */
    let scope = this;
    for (let out = 0; out < count && scope !== null; out += 1) scope = scope.outer;
    if (scope === null) throw new ComponentError('the component cannot be loaded: an alias leads out of it');
    return scope.get(sort, index);
  }

  /**
   * @param {TypeRef} ref
   * @returns {ValueType}
   */
  valueType(ref) {
    if (typeof ref === 'string') return primitive(ref);
    const type = this.get('type', ref);
    if (type.parts === undefined) throw new ComponentError('the component cannot be loaded: a value is of a type that has none');
    return type;
  }

  /**
   * Resolves a definition of a type.
   * @param {TypeDefinition} definition
   * @returns {Type}
   */
  resolve(definition) {
    const known = RESOLVED.get(definition);
    if (known !== undefined) return known;
    const type = this.resolved(definition);
    RESOLVED.set(definition, type);
    return type;
  }

  /**
   * @param {TypeDefinition} definition
   * @returns {Type}
   */
  resolved(definition) {
    switch (definition.kind) {
      case 'value':
        return this.resolveValue(definition.name, definition.parts);
      case 'func': {
        const params = definition.params.map((it) => ({ name: it.name, type: this.valueType(it.type) }));
        return { kind: 'func', params, result: definition.result === null ? null : this.valueType(definition.result) };
      }
      case 'instance':
        return this.resolveInstance(definition.declarations);
      case 'component':
        return { kind: 'component' };
      default:
        throw new ComponentError('the component cannot be loaded: it has a resource, and a guest has none');
    }
  }

  /**
   * @param {string} name
   * @param {{name: string, type: TypeRef | null}[]} parts
   * @returns {ValueType}
   */
  resolveValue(name, parts) {
    const resolved = parts.map((it) => ({ name: it.name, type: it.type === null ? null : this.valueType(it.type) }));
    if (name === 'same') return /** @type {ValueType} */ (resolved[0].type);
    const sizes = resolved.map((it) => (it.type === null ? ONE : sizeOf(it.type)));
    const type = { kind: name, parts: resolved };
    const depth = sizes.reduce((most, it) => Math.max(most, it.depth), 0) + 1;
    const count = sizes.reduce((sum, it) => sum + it.parts, 1);
    if (depth > NESTING_MAX) throw new ComponentError('the component cannot be loaded: a type is nested too deeply');
    if (count > TYPE_PARTS_MAX) throw new ComponentError('the component cannot be loaded: a type has too many parts');
    SIZES.set(type, { depth, parts: count });
    return type;
  }

  /**
   * @param {Definition[]} declarations
   * @returns {Type}
   */
  resolveInstance(declarations) {
    const inner = new Scope(this);
    const exports = new Map();
    for (const it of declarations) {
      if (it.do === 'type') inner.add('type', inner.resolve(it.type));
      else if (it.do === 'outer') inner.add(it.sort, inner.getOuter(it.sort, it.count, it.index));
      else if (it.do === 'alias') inner.add(it.sort, exportOf(inner.get('instance', it.instance), it.name).value);
      else if (it.do === 'declare') {
        const described = inner.described(it.description);
        exports.set(it.name, described);
        inner.add(described.sort, described.value);
      }
    }
    return { kind: 'instance', exports };
  }

  /**
   * What an import or export is, by its description: of a function, its type; of an
   * instance, one whose functions are types.
   * @param {import('./binary.js').Description} description
   * @returns {Item}
   */
  described({ sort, index }) {
    if (index === null) throw new ComponentError('the component cannot be loaded: it has a resource, and a guest has none');
    const value = this.get('type', index);
    if (sort === 'instance' && value.kind !== 'instance') {
      throw new ComponentError('the component cannot be loaded: an instance is of a type that is none of instances');
    }
    return { sort, value };
  }
}

/**
 * What definitions came to. They come to the same for each instance: there are no resources,
 * and other types are the same where their structure is.
 * @type {WeakMap<TypeDefinition, Type>}
 */
const RESOLVED = new WeakMap();

/** How deep a type is nested, and how many parts it has, those of its parts included. @typedef {{depth: number, parts: number}} Size */

/** @type {Size} */
const ONE = { depth: 0, parts: 1 };

/** Of types that are not primitive. @type {WeakMap<ValueType, Size>} */
const SIZES = new WeakMap();

/** @param {ValueType} type */
function sizeOf(type) {
  return SIZES.get(type) ?? ONE;
}

/**
 * An export of an instance.
 * @param {{exports: Map<string, Item>}} instance
 * @param {string} name
 * @returns {Item}
 */
export function exportOf(instance, name) {
  const found = instance.exports.get(name);
  if (found === undefined) throw new ComponentError(`the component cannot be loaded: an instance of it has no \`${name}\``);
  return found;
}
