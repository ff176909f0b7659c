// How much payload an event holds: all of an event that can be large.

const FIELDS = ['initial_input', 'final_state', 'output', 'state_patch', 'payload', 'telemetry'];

/**
 * About how many bytes of payload an event of this kind has.
 * @param {import('@refrain/audit/host').Kind} kind
 * @returns {number}
 */
export function payloadBytes(kind) {
  if (kind.value === null) return 0;
  return FIELDS.reduce((bytes, field) => bytes + (kind.value[field]?.length ?? 0), 0);
}
