// An execution as bytes, and back. What JSON has no form for (whole numbers of 64 bits, maps)
// is spelled as an object with one member.

/** @returns {Uint8Array} */
export function pack(execution) {
  return new TextEncoder().encode(JSON.stringify(execution, spelled));
}

/** @param {Uint8Array} bytes what `pack` has made */
export function unpack(bytes) {
  return JSON.parse(new TextDecoder().decode(bytes), meant);
}

function spelled(_, value) {
  if (typeof value === 'bigint') return { $number: String(value) };
  if (value instanceof Map) return { $map: [...value] };
  return value;
}

function meant(_, value) {
  if (value?.$number !== undefined) return BigInt(value.$number);
  if (value?.$map !== undefined) return new Map(value.$map);
  return value;
}
