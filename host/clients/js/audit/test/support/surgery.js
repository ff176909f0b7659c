// Guests that mean harm, made from the scheduler's own component: a function of it gets
// another body.

const STEP = 'refrain:scheduler/decisions@0.2.0#step';
const [CUSTOM, MODULE, IMPORTS, EXPORTS, CODE] = [0, 1, 2, 7, 10];

/** Sections of components. */
const [COMPONENT, INSTANCE, ALIAS, IMPORT, EXPORT] = [4, 5, 6, 10, 11];

/** Bodies for `step`: without locals, up to the last `end`. @type {{[deed: string]: (self: number) => number[]}} */
export const DEEDS = {
  /** `unreachable` */
  crashes: () => [0x00, 0x00, 0x0b],
  /** `loop br 0 end unreachable` */
  neverEnds: () => [0x00, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00, 0x0b],
  /** It calls itself, with its own arguments. */
  callsItself: (self) => [0x00, 0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4, 0x10, ...leb(self), 0x0b],
  /** `loop i32.const 1024 memory.grow i32.const -1 i32.ne br_if 0 end unreachable` */
  takesAllMemory: () => [0x00, 0x03, 0x40, 0x41, 0x80, 0x08, 0x40, 0x00, 0x41, 0x7f, 0x47, 0x0d, 0x00, 0x0b, 0x00, 0x0b],
  /** Its outcome lies at an address that is not aligned. */
  answersAside: () => [0x00, 0x41, 0x03, 0x0b],
  /** Its outcome lies behind all memory. */
  answersOutside: () => [0x00, 0x41, 0x78, 0x0b],
};

/** @param {number} value */
function leb(value) {
  const bytes = [];
  let left = value;
  for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return [...bytes, left];
}

/** A place in bytes. */
class Cursor {
  /** @param {Uint8Array} bytes @param {number} at */
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  number() {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  }

  name() {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}

/**
 * The sections of a module or a component.
 * @param {Uint8Array} bytes
 */
function sections(bytes) {
  const found = [];
  const cursor = new Cursor(bytes, 8);
  while (cursor.at < bytes.length) {
    const id = cursor.bytes[cursor.at++];
    const length = cursor.number();
    found.push({ id, body: bytes.subarray(cursor.at, cursor.at + length) });
    cursor.at += length;
  }
  return found;
}

/**
 * @param {Uint8Array} header
 * @param {{id: number, body: Uint8Array}[]} all
 */
function joined(header, all) {
  const parts = all.flatMap(({ id, body }) => [Uint8Array.from([id, ...leb(body.length)]), body]);
  return new Uint8Array(Buffer.concat([header, ...parts]));
}

/** How many functions a module imports. @param {Uint8Array} body */
function importedFunctions(body) {
  const cursor = new Cursor(body, 0);
  let functions = 0;
  for (let left = cursor.number(); left > 0; left -= 1) {
    cursor.name();
    cursor.name();
    const kind = body[cursor.at++];
    if (kind === 0) {
      functions += 1;
      cursor.number();
    } else if (kind === 1) {
      cursor.at += 1;
      limits(cursor);
    } else if (kind === 2) limits(cursor);
    else cursor.at += 2;
  }
  return functions;
}

/** @param {Cursor} cursor */
function limits(cursor) {
  const hasMax = cursor.bytes[cursor.at++] === 1;
  cursor.number();
  if (hasMax) cursor.number();
}

/** The index of the function that a module exports as `step`. @param {Uint8Array} body */
function exportedStep(body) {
  const cursor = new Cursor(body, 0);
  for (let left = cursor.number(); left > 0; left -= 1) {
    const name = cursor.name();
    cursor.at += 1;
    const index = cursor.number();
    if (name === STEP) return index;
  }
  return undefined;
}

/**
 * A code section in which one function has another body.
 * @param {Uint8Array} section
 * @param {number} place
 * @param {number[]} body
 */
function withBody(section, place, body) {
  const cursor = new Cursor(section, 0);
  const count = cursor.number();
  const bodies = [];
  for (let i = 0; i < count; i += 1) {
    const start = cursor.at;
    const length = cursor.number();
    cursor.at += length;
    bodies.push(i === place ? Uint8Array.from([...leb(body.length), ...body]) : section.subarray(start, cursor.at));
  }
  return new Uint8Array(Buffer.concat([Uint8Array.from(leb(count)), ...bodies]));
}

/** @param {Uint8Array} module @param {(self: number) => number[]} deed */
function operated(module, deed) {
  const all = sections(module).filter(({ id }) => id !== CUSTOM);
  const step = exportedStep(all.find(({ id }) => id === EXPORTS)?.body ?? Uint8Array.of(0));
  if (step === undefined) return module;
  const imported = importedFunctions(all.find(({ id }) => id === IMPORTS)?.body ?? Uint8Array.of(0));
  const changed = all.map(({ id, body }) => ({
    id,
    body: id === CODE ? withBody(body, step - imported, deed(step)) : body,
  }));
  return joined(module.subarray(0, 8), changed);
}

/**
 * A component whose `step` does something else.
 * @param {Uint8Array} component
 * @param {(self: number) => number[]} deed
 * @returns {Uint8Array}
 */
export function guestThat(component, deed) {
  const all = sections(component).map(({ id, body }) => ({ id, body: id === MODULE ? operated(body, deed) : body }));
  return joined(component.subarray(0, 8), all);
}

/**
 * A component in which a name of the same length stands in the place of another.
 * @param {Uint8Array} component
 * @param {string} from
 * @param {string} to
 * @returns {Uint8Array}
 */
export function renamed(component, from, to) {
  const text = Buffer.from(component).toString('latin1');
  return new Uint8Array(Buffer.from(text.replaceAll(from, to), 'latin1'));
}

/** @param {string} text */
function named(text) {
  const bytes = new TextEncoder().encode(text);
  return [...leb(bytes.length), ...bytes];
}

/**
 * A component around another: it hands on what it imports, and exports what that one exports.
 * @param {Uint8Array} component
 * @returns {Uint8Array}
 */
export function composed(component) {
  const all = sections(component);
  // The types, and the imports that need them, stand before the modules.
  const before = all.slice(0, all.findIndex(({ id }) => id === MODULE));
  const imports = before.filter(({ id }) => id === IMPORT).map(({ body }) => {
    const cursor = new Cursor(body, 2);
    return cursor.name();
  });
  const door = 'refrain:scheduler/decisions@0.2.0';
  const given = imports.flatMap((name, place) => [...named(name), 0x05, ...leb(place)]);
  const section = (/** @type {number} */ id, /** @type {number[]} */ body) => ({ id, body: Uint8Array.from([1, ...body]) });
  return joined(component.subarray(0, 8), [
    ...before,
    { id: COMPONENT, body: component },
    section(INSTANCE, [0x00, 0x00, ...leb(imports.length), ...given]),
    section(ALIAS, [0x05, 0x00, ...leb(imports.length), ...named(door)]),
    section(EXPORT, [0x00, ...named(door), 0x05, ...leb(imports.length + 1), 0x00]),
  ]);
}
