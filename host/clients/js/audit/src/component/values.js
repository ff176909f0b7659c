// How values stand in a guest's memory and in the arguments of its functions (the canonical
// ABI), and how they become JavaScript's and back.
//
// A record is an object and an enum's value a text, both with names in snake_case; a
// variant is `{tag, value}`; an option is the value or `null`; a whole number is a `number`
// as far as that is exact and a `bigint` beyond; `list<u8>` is a `Uint8Array`.

import { PRIMITIVES } from './primitives.js';
import { Trap } from './trap.js';

/** @typedef {import('./types.js').ValueType} ValueType */
/** @typedef {import('./space.js').Space} Space */

/** @typedef {import('./primitives.js').Flat} Flat */
/** @typedef {import('./primitives.js').Layout} Layout */

/**
 * A name of the contract as JavaScript and JSON have it.
 * @param {string} name
 * @returns {string}
 */
export function snake(name) {
  return name.replaceAll('-', '_').toLowerCase();
}

/**
 * @param {number} at
 * @param {number} align
 */
export function aligned(at, align) {
  return Math.ceil(at / align) * align;
}

/**
 * The layout of a type.
 * @param {ValueType} type
 * @returns {Layout}
 */
export function layoutOf(type) {
  type.layout ??= made(type);
  return type.layout;
}

/** @param {ValueType} type @returns {Layout} */
function made(type) {
  switch (type.kind) {
    case 'record':
      return record(type.parts.map((part) => snake(part.name)), inner(type));
    case 'tuple':
      return tuple(inner(type));
    case 'variant':
    case 'result':
      return tagged(type.parts.map((part) => snake(part.name)), cases(type));
    case 'enum':
      return named(type.parts.map((part) => snake(part.name)));
    case 'option':
      return option(type);
    case 'list':
      return list(/** @type {ValueType} */ (type.parts[0].type));
    case 'flags':
      return flags(type.parts.map((part) => snake(part.name)));
    case 'string':
      return string;
    default:
      return PRIMITIVES[type.kind];
  }
}

/** @param {ValueType} type */
function inner(type) {
  return type.parts.map((part) => layoutOf(/** @type {ValueType} */ (part.type)));
}

/** @param {ValueType} type */
function cases(type) {
  return type.parts.map((part) => (part.type === null ? null : layoutOf(part.type)));
}

/** @type {Layout} */
const string = {
  size: 8,
  align: 4,
  flat: ['i32', 'i32'],
  load: (space, at) => space.text(space.view.getUint32(at, true), space.view.getUint32(at + 4, true)),
  store: (space, at, value) => {
    const { place, length } = space.putText(value);
    space.view.setUint32(at, place, true);
    space.view.setUint32(at + 4, length, true);
  },
  lift: (space, from) => {
    const at = from.at;
    from.at += 2;
    return space.text(from.values[at] >>> 0, from.values[at + 1] >>> 0);
  },
  lower: (space, value, to) => {
    const { place, length } = space.putText(value);
    to.push(place, length);
  },
};

/**
 * Fields one behind the other.
 * @param {Layout[]} fields
 */
function placed(fields) {
  const places = [];
  let [at, align] = [0, 1];
  for (const field of fields) {
    at = aligned(at, field.align);
    places.push(at);
    at += field.size;
    align = Math.max(align, field.align);
  }
  return { places, size: aligned(at, align), align, flat: fields.flatMap((field) => field.flat) };
}

/**
 * @param {string[]} names
 * @param {Layout[]} fields
 * @returns {Layout}
 */
function record(names, fields) {
  const { places, ...layout } = placed(fields);
  const count = names.length;
  return {
    ...layout,
    load: (space, at) => {
      /** @type {any} */
      const value = {};
      for (let i = 0; i < count; i += 1) value[names[i]] = fields[i].load(space, at + places[i]);
      return value;
    },
    store: (space, at, value) => {
      for (let i = 0; i < count; i += 1) fields[i].store(space, at + places[i], value[names[i]]);
    },
    lift: (space, from) => Object.fromEntries(fields.map((field, i) => [names[i], field.lift(space, from)])),
    lower: (space, value, to) => fields.forEach((field, i) => field.lower(space, value[names[i]], to)),
  };
}

/**
 * @param {Layout[]} fields
 * @returns {Layout}
 */
function tuple(fields) {
  const { places, ...layout } = placed(fields);
  return {
    ...layout,
    load: (space, at) => fields.map((field, i) => field.load(space, at + places[i])),
    store: (space, at, value) => fields.forEach((field, i) => field.store(space, at + places[i], value[i])),
    lift: (space, from) => fields.map((field) => field.lift(space, from)),
    lower: (space, value, to) => fields.forEach((field, i) => field.lower(space, value[i], to)),
  };
}

/** @param {number} count */
function discriminant(count) {
  if (count <= 0x100) return PRIMITIVES.u8;
  return count <= 0x10000 ? PRIMITIVES.u16 : PRIMITIVES.u32;
}

/**
 * @param {string[]} names
 * @returns {Layout}
 */
function named(names) {
  const code = discriminant(names.length);
  const indexes = new Map(names.map((name, index) => [name, index]));
  /** @param {number} index */
  const name = (index) => {
    if (index >= names.length) throw new Trap('a value that its type does not have');
    return names[index];
  };
  return {
    ...code,
    load: (space, at) => name(code.load(space, at)),
    store: (space, at, value) => code.store(space, at, /** @type {number} */ (indexes.get(value))),
    lift: (space, from) => name(code.lift(space, from)),
    lower: (space, value, to) => to.push(indexes.get(value)),
  };
}

/**
 * The core type that holds values of both.
 * @param {string} a
 * @param {string} b
 */
function joined(a, b) {
  if (a === b) return a;
  return a.endsWith('32') && b.endsWith('32') ? 'i32' : 'i64';
}

const bits = new DataView(new ArrayBuffer(8));

/**
 * A core value out of one of a wider type.
 * @param {any} value
 * @param {string} have
 * @param {string} want
 */
function narrowed(value, have, want) {
  if (have === want) return value;
  bits.setBigInt64(0, BigInt(value), true);
  if (want === 'f32') return bits.getFloat32(0, true);
  if (want === 'f64') return bits.getFloat64(0, true);
  return bits.getInt32(0, true);
}

/**
 * The same the other way round.
 * @param {any} value
 * @param {string} have
 * @param {string} want
 */
function widened(value, have, want) {
  if (have === want) return value;
  bits.setBigInt64(0, 0n, true);
  if (have === 'f32') bits.setFloat32(0, value, true);
  else if (have === 'f64') bits.setFloat64(0, value, true);
  else bits.setInt32(0, value, true);
  return want === 'i32' ? bits.getInt32(0, true) : bits.getBigInt64(0, true);
}

/**
 * Values that are one of some cases, each with its payload or none.
 * @param {string[]} names
 * @param {(Layout | null)[]} payloads
 * @returns {Layout}
 */
function tagged(names, payloads) {
  const code = named(names);
  const indexes = new Map(names.map((name, index) => [name, index]));
  const held = payloads.filter((payload) => payload !== null);
  const payloadAlign = Math.max(1, ...held.map((payload) => payload.align));
  const from = aligned(code.size, payloadAlign);
  const align = Math.max(code.align, payloadAlign);
  const size = aligned(from + Math.max(0, ...held.map((payload) => payload.size)), align);
  /** @type {string[]} */
  const flat = [];
  for (const payload of held) {
    payload.flat.forEach((type, i) => {
      flat[i] = i < flat.length ? joined(flat[i], type) : type;
    });
  }
  return {
    size,
    align,
    flat: ['i32', ...flat],
    load: (space, at) => {
      const tag = code.load(space, at);
      const payload = payloads[/** @type {number} */ (indexes.get(tag))];
      return { tag, value: payload === null ? null : payload.load(space, at + from) };
    },
    store: (space, at, { tag, value }) => {
      code.store(space, at, tag);
      payloads[/** @type {number} */ (indexes.get(tag))]?.store(space, at + from, value);
    },
    lift: (space, source) => {
      const tag = code.lift(space, source);
      const payload = payloads[/** @type {number} */ (indexes.get(tag))];
      const values = source.values.slice(source.at, source.at + flat.length);
      source.at += flat.length;
      if (payload === null) return { tag, value: null };
      const own = payload.flat.map((type, i) => narrowed(values[i], flat[i], type));
      return { tag, value: payload.lift(space, { values: own, at: 0 }) };
    },
    lower: (space, { tag, value }, to) => {
      code.lower(space, tag, to);
      const payload = payloads[/** @type {number} */ (indexes.get(tag))];
      /** @type {any[]} */
      const own = [];
      payload?.lower(space, value, own);
      flat.forEach((type, i) => {
        const zero = type === 'i64' ? 0n : 0;
        to.push(i < own.length ? widened(own[i], /** @type {Layout} */ (payload).flat[i], type) : zero);
      });
    },
  };
}

/**
 * An option: its value or `null`. One of an option is in a list, so that both can be told.
 * @param {ValueType} type
 * @returns {Layout}
 */
function option(type) {
  const within = /** @type {ValueType} */ (type.parts[0].type);
  const isNested = within.kind === 'option';
  const of = layoutOf(within);
  const both = tagged(['none', 'some'], [null, of]);
  const place = aligned(1, of.align);
  /** @param {any} value */
  const tag = (value) => (value === null ? { tag: 'none', value: null } : { tag: 'some', value: isNested ? value[0] : value });
  /** @param {{tag: string, value: any}} it */
  const untagged = (it) => (it.tag === 'none' ? null : isNested ? [it.value] : it.value);
  return {
    ...both,
    load: (space, at) => {
      const code = space.bytes[at];
      if (code > 1) throw new Trap('a value that its type does not have');
      if (code === 0) return null;
      const value = of.load(space, at + place);
      return isNested ? [value] : value;
    },
    store: (space, at, value) => both.store(space, at, tag(value)),
    lift: (space, from) => untagged(both.lift(space, from)),
    lower: (space, value, to) => both.lower(space, tag(value), to),
  };
}

/**
 * @param {ValueType} type
 * @returns {Layout}
 */
function list(type) {
  const of = layoutOf(type);
  const isBytes = type.kind === 'u8';
  /** @param {Space} space @param {number} at @param {number} length */
  const load = (space, at, length) => {
    space.check(at, length * of.size, of.align);
    if (isBytes) return space.bytes.slice(at, at + length);
    const values = [];
    for (let i = 0; i < length; i += 1) values.push(of.load(space, at + i * of.size));
    return values;
  };
  /** @param {Space} space @param {any} values */
  const put = (space, values) => {
    const place = space.allocate(values.length * of.size, of.align);
    if (isBytes) space.bytes.set(values, place);
    else for (let i = 0; i < values.length; i += 1) of.store(space, place + i * of.size, values[i]);
    return place;
  };
  return {
    size: 8,
    align: 4,
    flat: ['i32', 'i32'],
    load: (space, at) => load(space, space.view.getUint32(at, true), space.view.getUint32(at + 4, true)),
    store: (space, at, values) => {
      const place = put(space, values);
      space.view.setUint32(at, place, true);
      space.view.setUint32(at + 4, values.length, true);
    },
    lift: (space, from) => {
      const at = from.at;
      from.at += 2;
      return load(space, from.values[at] >>> 0, from.values[at + 1] >>> 0);
    },
    lower: (space, values, to) => {
      const place = put(space, values);
      to.push(place, values.length);
    },
  };
}

/**
 * Flags: a set of the names that are up. At most 32, as the format has it.
 * @param {string[]} names
 * @returns {Layout}
 */
function flags(names) {
  const { size, align, load, store } = PRIMITIVES[names.length <= 8 ? 'u8' : names.length <= 16 ? 'u16' : 'u32'];
  /** @param {number} up */
  const setOf = (up) => new Set(names.filter((_, i) => (up >>> i) & 1));
  /** @param {Set<string>} set */
  const bitsOf = (set) => names.reduce((up, name, i) => (set.has(name) ? up | (1 << i) : up), 0) >>> 0;
  return {
    size,
    align,
    flat: ['i32'],
    load: (space, at) => setOf(load(space, at)),
    store: (space, at, set) => store(space, at, bitsOf(set)),
    lift: (_, from) => setOf(from.values[from.at++]),
    lower: (_, set, to) => to.push(bitsOf(set)),
  };
}
