// SHA-256 (FIPS 180-4). The engine's own is asynchronous, and needs an import of WASI.

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUNDS = [];
/** The same of the square roots of the first 8 primes. */
const BEGINNING = [];

for (let number = 2; ROUNDS.length < 64; number += 1) {
  let divisor = 2;
  while (divisor * divisor <= number && number % divisor !== 0) divisor += 1;
  if (divisor * divisor <= number) continue;
  if (BEGINNING.length < 8) BEGINNING.push(fraction(BigInt(number), 2n));
  ROUNDS.push(fraction(BigInt(number), 3n));
}

/**
 * 32 bits of the fractional part of a root. In whole numbers: the approximations of an
 * engine's `Math.cbrt` are its own.
 */
function fraction(number, degree) {
  const scaled = number << (32n * degree);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) {
    if ((root + bit) ** degree <= scaled) root += bit;
  }
  return Number(root & 0xffffffffn) | 0;
}

/**
 * The SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits.
 * @param {string} text
 */
export function sha256(text) {
  const bytes = new TextEncoder().encode(text);
  const length = Math.ceil((bytes.length + 9) / 64) * 64;
  const padded = new Uint8Array(length);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(length - 8, BigInt(bytes.length) * 8n);
  const hash = Int32Array.from(BEGINNING);
  for (let at = 0; at < length; at += 64) mix(hash, view, at);
  return [...hash].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

const turned = (word, by) => (word >>> by) | (word << (32 - by));

/** Takes 64 bytes into the hash. */
function mix(hash, view, at) {
  const w = new Int32Array(64);
  for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const [x, y] = [w[i - 15], w[i - 2]];
    w[i] =
      w[i - 16] + w[i - 7] +
      (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = hash;
  for (let i = 0; i < 64; i += 1) {
    const one = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i];
    const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    hash[i] += word;
  });
}
