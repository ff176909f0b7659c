// Zlib streams (RFC 1950) with what they hold (RFC 1951), and base64 (RFC 4648):
// synchronous, and never more bytes than were announced.

/** Bytes are no zlib stream, or a text is no base64. */
export class EncodingError extends Error {}

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const CODE_BITS_MAX = 15;

/** Bits, the least significant of a byte first. */
class Bits {
  /**
   * @param {Uint8Array} bytes
   * @param {number} at
   */
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
    this.held = 0;
    this.count = 0;
  }

  /** @param {number} count */
  take(count) {
    while (this.count < count) {
      if (this.at >= this.bytes.length) throw new EncodingError('it ends too early');
      this.held |= this.bytes[this.at] << this.count;
      this.at += 1;
      this.count += 8;
    }
    const value = this.held & ((1 << count) - 1);
    this.held >>>= count;
    this.count -= count;
    return value;
  }

  /** Goes to the next whole byte. */
  align() {
    this.held = 0;
    this.count = 0;
  }
}

/** A Huffman code: how many codes there are of each length, and what they stand for. */
class Code {
  /** @param {number[]} lengths The length of the code of each symbol; 0: it has none. */
  constructor(lengths) {
    this.counts = new Uint16Array(CODE_BITS_MAX + 1);
    for (const length of lengths) this.counts[length] += 1;
    this.counts[0] = 0;
    let left = 1;
    for (let length = 1; length <= CODE_BITS_MAX; length += 1) {
      left = 2 * left - this.counts[length];
      if (left < 0) throw new EncodingError('a code of it is ambiguous');
    }
    const places = new Uint16Array(CODE_BITS_MAX + 2);
    for (let length = 1; length <= CODE_BITS_MAX; length += 1) {
      places[length + 1] = places[length] + this.counts[length];
    }
    this.symbols = new Uint16Array(lengths.length);
    lengths.forEach((length, symbol) => {
      if (length > 0) this.symbols[places[length]++] = symbol;
    });
  }

  /** @param {Bits} bits */
  next(bits) {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length <= CODE_BITS_MAX; length += 1) {
      code |= bits.take(1);
      const count = this.counts[length];
      if (code - count < first) return this.symbols[index + (code - first)];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new EncodingError('it has a code that stands for nothing');
  }
}

/** The bytes that come out, as many as were announced and no more. */
class Room {
  /** @param {number} bytes */
  constructor(bytes) {
    this.bytes = new Uint8Array(bytes);
    this.filled = 0;
  }

  /** @param {number} byte */
  put(byte) {
    if (this.filled >= this.bytes.length) throw new EncodingError('it holds more');
    this.bytes[this.filled] = byte;
    this.filled += 1;
  }

  /**
   * @param {number} length
   * @param {number} distance
   */
  repeat(length, distance) {
    if (distance > this.filled) throw new EncodingError('it repeats what was not there');
    for (let i = 0; i < length; i += 1) this.put(this.bytes[this.filled - distance]);
  }
}

/**
 * The bytes that a zlib stream holds, which must be so many.
 * @param {Uint8Array} stream
 * @param {number} length
 * @returns {Uint8Array}
 */
export function inflate(stream, length) {
  const [method, flags] = stream;
  const isZlib = (method & 0x0f) === 8 && method >> 4 <= 7 && ((method << 8) | flags) % 31 === 0;
  if (stream.length < 6 || !isZlib || (flags & 0x20) !== 0) throw new EncodingError('it is no zlib stream');
  const bits = new Bits(stream, 2);
  const room = new Room(length);
  for (let isLast = false; !isLast; ) {
    isLast = bits.take(1) === 1;
    block(bits, room);
  }
  if (room.filled !== length) throw new EncodingError(`it holds ${room.filled} bytes`);
  bits.align();
  const [a, b, c, d] = [bits.take(8), bits.take(8), bits.take(8), bits.take(8)];
  if (((a << 24) | (b << 16) | (c << 8) | d) >>> 0 !== adler32(room.bytes)) {
    throw new EncodingError('its checksum is another');
  }
  return room.bytes;
}

/** @param {Uint8Array} bytes */
function adler32(bytes) {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

/**
 * @param {Bits} bits
 * @param {Room} room
 */
function block(bits, room) {
  const kind = bits.take(2);
  if (kind === 0) return stored(bits, room);
  if (kind === 3) throw new EncodingError('it has a block of no known kind');
  const [symbols, distances] = kind === 1 ? fixed() : dynamic(bits);
  for (;;) {
    const symbol = symbols.next(bits);
    if (symbol === 256) return;
    if (symbol < 256) {
      room.put(symbol);
      continue;
    }
    const place = symbol - 257;
    if (place >= LENGTHS.length) throw new EncodingError('it has a length of no known kind');
    const length = LENGTHS[place] + bits.take(LENGTH_BITS[place]);
    const back = distances.next(bits);
    if (back >= DISTANCES.length) throw new EncodingError('it has a distance of no known kind');
    room.repeat(length, DISTANCES[back] + bits.take(DISTANCE_BITS[back]));
  }
}

/**
 * @param {Bits} bits
 * @param {Room} room
 */
function stored(bits, room) {
  bits.align();
  const length = bits.take(16);
  if ((bits.take(16) ^ 0xffff) !== length) throw new EncodingError('a block of it has two lengths');
  for (let i = 0; i < length; i += 1) room.put(bits.take(8));
}

function fixed() {
  const lengths = Array.from({ length: 288 }, (_, symbol) => {
    if (symbol < 144) return 8;
    if (symbol < 256) return 9;
    return symbol < 280 ? 7 : 8;
  });
  return [new Code(lengths), new Code(new Array(30).fill(5))];
}

/** @param {Bits} bits */
function dynamic(bits) {
  const symbols = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const codes = bits.take(4) + 4;
  /** @type {number[]} */
  const own = new Array(19).fill(0);
  for (const symbol of CODE_ORDER.slice(0, codes)) own[symbol] = bits.take(3);
  const code = new Code(own);
  /** @type {number[]} */
  const lengths = [];
  while (lengths.length < symbols + distances) {
    const symbol = code.next(bits);
    if (symbol < 16) {
      lengths.push(symbol);
      continue;
    }
    if (symbol === 16 && lengths.length === 0) throw new EncodingError('it repeats a length before the first');
    const repeated = symbol === 16 ? lengths[lengths.length - 1] : 0;
    const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    for (let i = 0; i < times; i += 1) lengths.push(repeated);
  }
  if (lengths.length > symbols + distances) throw new EncodingError('it has more lengths than it says');
  return [new Code(lengths.slice(0, symbols)), new Code(lengths.slice(symbols))];
}

/**
 * The bytes of a base64 text with its padding.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function base64(text) {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new EncodingError('it is no base64');
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < bytes.length; place += 1) bytes[place] = binary.charCodeAt(place);
  return bytes;
}
