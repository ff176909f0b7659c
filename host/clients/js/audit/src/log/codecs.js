// What fields an event can have. Each sort of field knows its canonical bytes and its JSON
// form; the table in `form.js` says which an event has.

import { ObjectText } from './object.js';

/** @typedef {import('./parts.js').Parts} Parts */
/** @typedef {import('./fields.js').Fields} Fields */

/**
 * How a field of one sort is written and read.
 * @typedef {object} Codec
 * @property {(value: any, parts: Parts, name: string) => void} put Its canonical bytes.
 * @property {(fields: Fields, name: string) => any} take Its value in JSON.
 * @property {(value: any, name: string, to: ObjectText) => void} show Its JSON form.
 * @property {any} [blank] What stands in the place of an erased one.
 */

/**
 * A field of a record: its name in the contract, its name in JSON, its sort, and whether it
 * can be erased.
 * @typedef {{name: string, json: string, codec: Codec, isErasable: boolean}} Field
 */

/** @type {Codec} */
export const text = {
  put: (value, parts) => parts.to.text(value),
  take: (fields, name) => fields.text(name),
  show: (value, name, to) => to.text(name, value),
  blank: '',
};

/** JSON text of the user's. @type {Codec} */
export const json = {
  put: (value, parts) => parts.to.text(value),
  take: (fields, name) => fields.json(name),
  show: (value, name, to) => to.json(name, value),
  blank: 'null',
};

/** A SHA-256, as 64 hexadecimal digits. @type {Codec} */
export const sha = {
  put: (value, parts) => parts.to.hex(value),
  take: (fields, name) => fields.hex(name),
  show: (value, name, to) => to.text(name, value),
  blank: '0'.repeat(64),
};

/** A number of 64 bits. @type {Codec} */
export const number = {
  put: (value, parts) => parts.to.whole(value),
  take: (fields, name) => fields.whole(name),
  show: (value, name, to) => to.field(name, String(value)),
};

/** A number of 32 bits. @type {Codec} */
export const count = { ...number, take: (fields, name) => fields.whole(name, 0xffffffff) };

/** A point in time. @type {Codec} */
export const time = {
  put: (value, parts) => parts.to.whole(value),
  take: (fields, name) => fields.time(name),
  show: (value, name, to) => to.time(name, value),
};

/** Yes or no. @type {Codec} */
export const flag = {
  put: (value, parts) => parts.to.flag(value),
  take: (fields, name) => fields.flag(name),
  show: (value, name, to) => to.field(name, String(value)),
};

/**
 * One of these names.
 * @param {...string} names
 * @returns {Codec}
 */
export function choice(...names) {
  return {
    put: (value, parts) => parts.to.text(value),
    take: (fields, name) => fields.choice(name, names),
    show: (value, name, to) => to.text(name, value),
  };
}

/**
 * A field that may be missing: `null` then.
 * @param {Codec} of
 * @returns {Codec}
 */
export function maybe(of) {
  return {
    put: (value, parts, name) => {
      parts.to.flag(value !== null);
      if (value !== null) of.put(value, parts, name);
    },
    take: (fields, name) => (fields.isPresent(name) ? of.take(fields, name) : null),
    show: (value, name, to) => {
      if (value !== null) of.show(value, name, to);
    },
    blank: null,
  };
}

/**
 * A field that may be missing, and leaves no byte then; else its name stands before it.
 * @param {Codec} of
 * @returns {Codec}
 */
export function late(of) {
  return {
    ...maybe(of),
    put: (value, parts, name) => {
      if (value === null) return;
      parts.to.text(name);
      of.put(value, parts, name);
    },
  };
}

/** Some texts. @type {Codec} */
export const texts = {
  put: (value, parts) => {
    parts.to.whole(value.length);
    for (const each of value) parts.to.text(each);
  },
  take: (fields, name) => fields.texts(name),
  show: (value, name, to) => {
    if (value.length > 0) to.field(name, JSON.stringify(value));
  },
};

/**
 * A record in a field of its own.
 * @param {Field[]} of
 * @returns {Codec}
 */
export function record(of) {
  return {
    put: (value, parts) => putAll(of, value, parts),
    take: (fields, name) => fields.record(name, (inner) => takeAll(of, inner)),
    show: (value, name, to) => to.field(name, shown(of, value)),
  };
}

/**
 * Some records.
 * @param {Field[]} of
 * @returns {Codec}
 */
export function list(of) {
  return {
    put: (value, parts) => {
      parts.to.whole(value.length);
      for (const each of value) putAll(of, each, parts);
    },
    take: (fields, name) => fields.list(name, (inner) => takeAll(of, inner)),
    show: (value, name, to) => {
      const all = value.map((/** @type {any} */ each) => shown(of, each));
      if (all.length > 0) to.field(name, `[${all.join(',')}]`);
    },
    blank: [],
  };
}

/**
 * An optional record of optional fields, which stand among those of the event itself. One
 * without any is the same as none.
 * @param {Field[]} of
 * @returns {Codec}
 */
export function flattened(of) {
  const none = Object.fromEntries(of.map((field) => [field.name, null]));
  return {
    put: (value, parts) => putAll(of, value ?? none, parts),
    take: (fields) => {
      const value = takeAll(of, fields);
      return of.every((field) => value[field.name] === null) ? null : value;
    },
    show: (value, _, to) => showAll(of, value ?? none, to),
    blank: null,
  };
}

/**
 * A code, with its data among the fields of the event itself. A code's data are one value
 * or a record: where they are one value, the only field has no name in the contract.
 * @param {{[code: string]: Field[]}} cases
 * @returns {Codec}
 */
export function variant(cases) {
  const names = Object.keys(cases);
  return {
    put: ({ tag, value }, parts) => {
      parts.to.text(tag);
      putAll(cases[tag], dataOf(cases[tag], value), parts);
    },
    take: (fields, name) => {
      const tag = fields.choice(name, names);
      const data = takeAll(cases[tag], fields);
      return { tag, value: valueOf(cases[tag], data) };
    },
    show: ({ tag, value }, name, to) => {
      to.text(name, tag);
      showAll(cases[tag], dataOf(cases[tag], value), to);
    },
  };
}

/** The name of the only field of a code whose data are one value. */
const ALONE = '';

/**
 * @param {Field[]} of
 * @param {any} value
 */
function dataOf(of, value) {
  return of.length === 1 && of[0].name === ALONE ? { [ALONE]: value } : (value ?? {});
}

/**
 * @param {Field[]} of
 * @param {any} data
 */
function valueOf(of, data) {
  if (of.length === 0) return null;
  return of[0].name === ALONE ? data[ALONE] : data;
}

/**
 * Writes the fields of a record, each into its part.
 * @param {Field[]} row
 * @param {any} value
 * @param {Parts} parts
 */
export function putAll(row, value, parts) {
  for (const { name, json: named, codec, isErasable } of row) {
    const before = parts.to;
    if (isErasable) parts.to = parts.erasable;
    codec.put(value[name], parts, named);
    parts.to = before;
  }
}

/**
 * Reads the fields of a record.
 * @param {Field[]} row
 * @param {Fields} fields
 * @returns {any}
 */
export function takeAll(row, fields) {
  /** @type {any} */
  const value = {};
  for (const { name, json: named, codec, isErasable } of row) {
    value[name] = isErasable && fields.isErased ? codec.blank : codec.take(fields, named);
  }
  return value;
}

/**
 * @param {Field[]} row
 * @param {any} value
 * @param {ObjectText} to
 */
export function showAll(row, value, to) {
  for (const { name, json: named, codec } of row) codec.show(value[name], named, to);
}

/**
 * @param {Field[]} row
 * @param {any} value
 */
function shown(row, value) {
  const to = new ObjectText();
  showAll(row, value, to);
  return to.toString();
}

/**
 * Fields of a table: names with their sorts. A name with a slash has another one in JSON
 * behind that; one that begins with `~` can be erased; one that begins with `=` is the only
 * value of a code.
 * @param {{[name: string]: Codec}} sorts
 * @returns {Field[]}
 */
export function fieldsOf(sorts) {
  return Object.entries(sorts).map(([written, codec]) => {
    const isErasable = written.startsWith('~');
    const plain = isErasable ? written.slice(1) : written;
    const isAlone = plain.startsWith('=');
    const [name, named = name] = (isAlone ? plain.slice(1) : plain).split('/');
    return { name: isAlone ? ALONE : name, json: named, codec, isErasable };
  });
}
