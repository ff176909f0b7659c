// The bytes of a component, read section by section into its definitions. Nothing is
// evaluated here: what an index means depends on where a definition stands.

import { DEFINITIONS_MAX, NESTING_MAX } from '../limits.js';
import { ComponentError, Cursor, unknown } from './cursor.js';

/** @typedef {{sort: string, index: number}} SortIndex */

/**
 * A type, as it is written: a primitive by its name, another one by its index in its scope.
 * @typedef {string | number} TypeRef
 */

/**
 * A definition of a type.
 * @typedef {{kind: 'value', name: string, parts: {name: string, type: TypeRef | null}[]}
 *   | {kind: 'func', params: {name: string, type: TypeRef}[], result: TypeRef | null}
 *   | {kind: 'instance' | 'component', declarations: Definition[]}
 *   | {kind: 'resource'}} TypeDefinition
 */

/** @typedef {{sort: string, index: number | null}} Description What an import or export is. */

/** @typedef {{memory: number | null, realloc: number | null, postReturn: number | null, encoding: string}} Options */

/**
 * @typedef {{do: 'module', bytes: Uint8Array}
 *   | {do: 'core instance', module: number, with: {name: string, index: number}[]}
 *   | {do: 'core exports', exports: {name: string, item: SortIndex}[]}
 *   | {do: 'core type'}
 *   | {do: 'component', definitions: Definition[]}
 *   | {do: 'instance', component: number, with: {name: string, item: SortIndex}[]}
 *   | {do: 'exports', exports: {name: string, item: SortIndex}[]}
 *   | {do: 'alias', sort: string, instance: number, name: string, isCore: boolean}
 *   | {do: 'outer', sort: string, count: number, index: number}
 *   | {do: 'type', type: TypeDefinition}
 *   | {do: 'lift', func: number, options: Options, type: number}
 *   | {do: 'lower', func: number, options: Options}
 *   | {do: 'import', name: string, description: Description}
 *   | {do: 'export', name: string, item: SortIndex}
 *   | {do: 'declare', name: string, description: Description}} Definition
 */

const CORE_SORTS = new Map([
  [0x00, 'core func'],
  [0x01, 'core table'],
  [0x02, 'core memory'],
  [0x03, 'core global'],
  [0x10, 'core type'],
  [0x11, 'module'],
  [0x12, 'core instance'],
]);

const SORTS = new Map([
  [0x01, 'func'],
  [0x03, 'type'],
  [0x04, 'component'],
  [0x05, 'instance'],
]);

const PRIMITIVES = new Map([
  [0x7f, 'bool'],
  [0x7e, 's8'],
  [0x7d, 'u8'],
  [0x7c, 's16'],
  [0x7b, 'u16'],
  [0x7a, 's32'],
  [0x79, 'u32'],
  [0x78, 's64'],
  [0x77, 'u64'],
  [0x76, 'f32'],
  [0x75, 'f64'],
  [0x74, 'char'],
  [0x73, 'string'],
]);

/** Reads the definitions of one component and of those within it. */
class Parser {
  constructor() {
    this.definitions = 0;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   * @param {number} depth
   * @returns {Definition[]}
   */
  component(bytes, start, end, depth) {
    if (depth > NESTING_MAX) throw new ComponentError('the component cannot be loaded: it is nested too deeply');
    const header = bytes.subarray(start, start + 8);
    if (header.join() !== '0,97,115,109,13,0,1,0') {
      throw new ComponentError('the component cannot be loaded: there is no component where one should begin');
    }
    const cursor = new Cursor(bytes, start + 8, end);
    /** @type {Definition[]} */
    const all = [];
    while (!cursor.isAtEnd) {
      const id = cursor.byte();
      const length = cursor.number();
      const from = cursor.at;
      cursor.take(length);
      this.section(all, id, new Cursor(bytes, from, cursor.at), depth);
    }
    return all;
  }

  /**
   * @param {Definition[]} all
   * @param {number} id
   * @param {Cursor} at
   * @param {number} depth
   */
  section(all, id, at, depth) {
    if (id === 0) return;
    if (id === 1) {
      all.push({ do: 'module', bytes: at.take(at.end - at.at) });
      return;
    }
    if (id === 4) {
      all.push({ do: 'component', definitions: this.component(at.bytes, at.at, at.end, depth + 1) });
      return;
    }
    const read = SECTIONS.get(id);
    if (read === undefined) throw unknown('a section', id);
    const count = at.number();
    this.definitions += count;
    if (this.definitions > DEFINITIONS_MAX) {
      throw new ComponentError(`the component cannot be loaded: it has more than ${DEFINITIONS_MAX} definitions`);
    }
    for (let place = 0; place < count; place += 1) all.push(read(at));
    if (!at.isAtEnd) throw new ComponentError('the component cannot be loaded: a section of it is too long');
  }
}

/** @type {Map<number, (at: Cursor) => Definition>} */
const SECTIONS = new Map([
  [2, coreInstance],
  [3, coreType],
  [5, instance],
  [6, alias],
  [7, (at) => ({ do: 'type', type: typeDefinition(at, 0) })],
  [8, canonical],
  [10, (at) => ({ do: 'import', name: at.externName(), description: description(at) })],
  [11, exported],
]);

/** @param {Cursor} at @returns {SortIndex} */
function coreItem(at) {
  const code = at.byte();
  const sort = CORE_SORTS.get(code);
  if (sort === undefined) throw unknown('a sort', code);
  return { sort, index: at.number() };
}

/** @param {Cursor} at */
function sortOf(at) {
  const code = at.byte();
  const sort = code === 0 ? CORE_SORTS.get(at.byte()) : SORTS.get(code);
  if (sort === undefined) throw unknown('a sort', code);
  return sort;
}

/** @param {Cursor} at @returns {SortIndex} */
function item(at) {
  const sort = sortOf(at);
  return { sort, index: at.number() };
}

/** @param {Cursor} at @returns {Definition} */
function coreInstance(at) {
  if (at.byte() === 1) {
    return { do: 'core exports', exports: at.list(() => ({ name: at.name(), item: coreItem(at) })) };
  }
  const module = at.number();
  const given = at.list(() => ({ name: at.name(), index: coreItem(at).index }));
  return { do: 'core instance', module, with: given };
}

/** @param {Cursor} at @returns {Definition} */
function coreType(at) {
  // Only imported modules need them, and no guest imports any.
  throw unknown('a core type', at.byte());
}

/** @param {Cursor} at @returns {Definition} */
function instance(at) {
  if (at.byte() === 1) {
    return { do: 'exports', exports: at.list(() => ({ name: at.externName(), item: item(at) })) };
  }
  const component = at.number();
  return { do: 'instance', component, with: at.list(() => ({ name: at.name(), item: item(at) })) };
}

/** @param {Cursor} at @returns {Definition} */
function alias(at) {
  const sort = sortOf(at);
  const target = at.byte();
  if (target === 2) return { do: 'outer', sort, count: at.number(), index: at.number() };
  if (target > 2) throw unknown('an alias', target);
  return { do: 'alias', sort, instance: at.number(), name: at.name(), isCore: target === 1 };
}

/** @param {Cursor} at @returns {Definition} */
function exported(at) {
  const name = at.externName();
  const named = item(at);
  at.optional(() => description(at));
  return { do: 'export', name, item: named };
}

/** @param {Cursor} at @returns {Definition} */
function canonical(at) {
  const code = at.byte();
  if (code > 1) throw unknown('a resource, or a function of the canonical ABI', code);
  at.byte();
  const func = at.number();
  /** @type {Options} */
  const options = { memory: null, realloc: null, postReturn: null, encoding: 'utf8' };
  at.list(() => option(at, options));
  return code === 0 ? { do: 'lift', func, options, type: at.number() } : { do: 'lower', func, options };
}

const ENCODINGS = ['utf8', 'utf16', 'latin1+utf16'];

/**
 * @param {Cursor} at
 * @param {Options} options
 */
function option(at, options) {
  const code = at.byte();
  if (code < ENCODINGS.length) options.encoding = ENCODINGS[code];
  else if (code === 3) options.memory = at.number();
  else if (code === 4) options.realloc = at.number();
  else if (code === 5) options.postReturn = at.number();
  else throw unknown('an option of the canonical ABI', code);
}

/** @param {Cursor} at @returns {Description} */
function description(at) {
  const code = at.byte();
  if (code === 0) {
    at.byte();
    return { sort: 'module', index: at.number() };
  }
  if (code === 3) return { sort: 'type', index: at.byte() === 0 ? at.number() : null };
  const sort = SORTS.get(code);
  if (sort === undefined) throw unknown('an import or export', code);
  return { sort, index: at.number() };
}

/** @param {Cursor} at @returns {TypeRef} */
function typeRef(at) {
  const primitive = PRIMITIVES.get(at.bytes[at.at]);
  if (primitive === undefined) return at.number();
  at.byte();
  return primitive;
}

/**
 * @param {Cursor} at
 * @param {number} depth
 * @returns {TypeDefinition}
 */
function typeDefinition(at, depth) {
  if (depth > NESTING_MAX) throw new ComponentError('the component cannot be loaded: a type is nested too deeply');
  const code = at.byte();
  const primitive = PRIMITIVES.get(code);
  if (primitive !== undefined) return { kind: 'value', name: 'same', parts: [{ name: '', type: primitive }] };
  const named = () => ({ name: at.name(), type: typeRef(at) });
  const alone = () => ({ name: '', type: typeRef(at) });
  switch (code) {
    case 0x72:
      return { kind: 'value', name: 'record', parts: at.list(named) };
    case 0x71:
      return { kind: 'value', name: 'variant', parts: at.list(() => variantCase(at)) };
    case 0x70:
      return { kind: 'value', name: 'list', parts: [alone()] };
    case 0x6f:
      return { kind: 'value', name: 'tuple', parts: at.list(alone) };
    case 0x6e:
      return { kind: 'value', name: 'flags', parts: at.list(() => ({ name: at.name(), type: null })) };
    case 0x6d:
      return { kind: 'value', name: 'enum', parts: at.list(() => ({ name: at.name(), type: null })) };
    case 0x6b:
      return { kind: 'value', name: 'option', parts: [alone()] };
    case 0x6a: {
      const ok = { name: 'ok', type: at.optional(() => typeRef(at)) };
      return { kind: 'value', name: 'result', parts: [ok, { name: 'err', type: at.optional(() => typeRef(at)) }] };
    }
    case 0x40: {
      const params = at.list(named);
      const hasNone = at.byte() === 1;
      if (hasNone) at.byte();
      return { kind: 'func', params, result: hasNone ? null : typeRef(at) };
    }
    case 0x41:
      return { kind: 'component', declarations: at.list(() => declaration(at, depth)) };
    case 0x42:
      return { kind: 'instance', declarations: at.list(() => declaration(at, depth)) };
    default:
      throw unknown('a type', code);
  }
}

/** @param {Cursor} at */
function variantCase(at) {
  const name = at.name();
  const type = at.optional(() => typeRef(at));
  at.byte();
  return { name, type };
}

/**
 * @param {Cursor} at
 * @param {number} depth
 * @returns {Definition}
 */
function declaration(at, depth) {
  const code = at.byte();
  switch (code) {
    case 0:
      return coreType(at);
    case 1:
      return { do: 'type', type: typeDefinition(at, depth + 1) };
    case 2:
      return alias(at);
    case 3:
      return { do: 'import', name: at.externName(), description: description(at) };
    case 4:
      return { do: 'declare', name: at.externName(), description: description(at) };
    default:
      throw unknown('a declaration', code);
  }
}

/**
 * The definitions of a component.
 * @param {Uint8Array} bytes
 * @returns {Definition[]}
 */
export function parse(bytes) {
  const isWebAssembly = bytes.length >= 8 && bytes.subarray(0, 4).join() === '0,97,115,109';
  if (isWebAssembly && bytes.subarray(4, 8).join() === '1,0,0,0') {
    throw new ComponentError(
      'this is a core WebAssembly module, not a component; encode it with `wasm-tools component new`',
    );
  }
  if (!isWebAssembly) throw new ComponentError('these bytes are no WebAssembly component; give the file of one');
  return new Parser().component(bytes, 0, bytes.length, 0);
}
