// Bytes in zlib (RFC 1950) and base64, as the data blocks of a report and the lines of an
// export have them.

/**
 * @param {string} base64
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function unpacked(base64) {
  const text = atob(base64.trim());
  const packed = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) packed[at] = text.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * @param {string} base64
 * @returns {Promise<string>}
 */
export async function unpackedText(base64) {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await unpacked(base64));
}
