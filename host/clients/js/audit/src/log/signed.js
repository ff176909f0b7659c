// Ed25519: public keys, and what they have signed. WebCrypto answers later, so what there is
// to be checked is collected first; where there is no Ed25519, nothing is claimed.

import { concat, fromHex, hex } from '../bytes.js';
import { EncodingError, base64 } from '../inflate.js';
import { digest } from '../sha256.js';

/** @typedef {import('./attestation.js').Signature} Signature */

/** A signature, and the bytes that it is said to be over. @typedef {{signature: Signature, message: Uint8Array}} Signed */

/** A text is no public key. */
export class KeyError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(problem);
    this.name = 'KeyError';
  }
}

/** What stands before a key's 32 bytes in DER: a `SubjectPublicKeyInfo` of RFC 8410. */
const BEFORE = fromHex('302a300506032b6570032100');

/**
 * The id of a key: `sha256:` and the SHA-256 of it in DER.
 * @param {string} key 64 hexadecimal digits.
 * @returns {string}
 */
export function fingerprint(key) {
  return `sha256:${digest(concat([BEFORE, fromHex(key)]))}`;
}

const PEM = /^-----BEGIN ([^\n]*)-----\n([^]*?)^-----END \1-----$/gm;

/**
 * The key of a PEM file, as `openssl pkey -pubout` writes it: 64 hexadecimal digits.
 * @param {string} pem
 * @returns {string}
 */
export function publicKey(pem) {
  const lines = pem.split('\n').map((line) => line.trim());
  const blocks = [...lines.join('\n').matchAll(PEM)];
  if (blocks.length !== 1 || blocks[0][1] !== 'PUBLIC KEY') {
    const found = blocks.length === 1 ? `a block ${blocks[0][1]}` : `${blocks.length} whole blocks`;
    throw new KeyError(`the file has ${found} where one block PUBLIC KEY is expected; \`openssl pkey -pubout\` writes one`);
  }
  const der = hex(decoded(blocks[0][2].replaceAll('\n', '')));
  const before = hex(BEFORE);
  if (der.length !== before.length + 64 || !der.startsWith(before)) {
    throw new KeyError('the key is none of Ed25519; `openssl genpkey -algorithm ed25519` makes one');
  }
  return der.slice(before.length);
}

/** @param {string} text */
function decoded(text) {
  try {
    return base64(text);
  } catch (error) {
    if (error instanceof EncodingError) throw new KeyError(`the block is damaged: ${error.message}`);
    throw error;
  }
}

/** Which signatures hold, as far as that could be found out. */
export class Signatures {
  constructor() {
    /** @type {Map<string, boolean>} */
    this.checked = new Map();
  }

  /**
   * Checks these, with what the platform has.
   * @param {Signed[]} all
   * @returns {Promise<Signatures>}
   */
  static async check(all) {
    const signatures = new Signatures();
    for (const signed of all) {
      const holds = await verified(signed);
      if (holds !== undefined) signatures.checked.set(nameOf(signed), holds);
    }
    return signatures;
  }

  /**
   * Whether a signature is that of its key over this message. `undefined` if that could not
   * be checked.
   * @param {Signed} signed
   * @returns {boolean | undefined}
   */
  holds(signed) {
    return this.checked.get(nameOf(signed));
  }
}

/** @param {Signed} signed */
function nameOf({ signature, message }) {
  return `${signature.key} ${signature.bytes} ${digest(message)}`;
}

/** @param {Signed} signed */
async function verified({ signature, message }) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const bytes = concat([fromHex(signature.bytes)]);
  try {
    const key = await subtle.importKey('raw', concat([fromHex(signature.key)]), 'Ed25519', false, ['verify']);
    return await subtle.verify('Ed25519', key, bytes, concat([message]));
  } catch (error) {
    const isUnknown = error instanceof Error && error.name === 'NotSupportedError';
    // What is refused as a key has signed nothing.
    return isUnknown ? undefined : false;
  }
}
