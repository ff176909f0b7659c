// A place in the bytes of a component or a module, and what may be wrong there.

/** Bytes are no component that can be loaded, or one that is no guest. */
export class ComponentError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(problem);
    this.name = 'ComponentError';
  }
}

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A place in the bytes. */
export class Cursor {
  /**
   * @param {Uint8Array} bytes
   * @param {number} at
   * @param {number} end
   */
  constructor(bytes, at, end) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isAtEnd() {
    return this.at >= this.end;
  }

  byte() {
    if (this.isAtEnd) throw new ComponentError('the component cannot be loaded: it ends too early');
    this.at += 1;
    return this.bytes[this.at - 1];
  }

  /** A number of 32 bits (LEB128). */
  number() {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new ComponentError('the component cannot be loaded: it has a number that is too long');
  }

  /** @param {number} length */
  take(length) {
    const start = this.at;
    if (start + length > this.end) throw new ComponentError('the component cannot be loaded: it ends too early');
    this.at += length;
    return this.bytes.subarray(start, this.at);
  }

  name() {
    const bytes = this.take(this.number());
    try {
      return text.decode(bytes);
    } catch {
      throw new ComponentError('the component cannot be loaded: a name in it is no UTF-8');
    }
  }

  /** The name of an import or export. */
  externName() {
    const form = this.byte();
    if (form > 1) throw unknown('a form of names', form);
    return this.name();
  }

  /**
   * @template T
   * @param {() => T} read
   * @returns {T[]}
   */
  list(read) {
    return Array.from({ length: Math.min(this.number(), this.end - this.at + 1) }, read);
  }

  /**
   * @template T
   * @param {() => T} read
   * @returns {T | null}
   */
  optional(read) {
    return this.byte() === 0 ? null : read();
  }
}

/**
 * What is in a component, and is not known here.
 * @param {string} what
 * @param {number} code
 */
export function unknown(what, code) {
  return new ComponentError(
    `the component cannot be loaded: it has ${what} that is not known here (${code}); build it anew without resources and other extensions`,
  );
}
