// What a worker was given: the log has the digest of a work item alone, so its scheduler is
// asked for it again.

/** @typedef {import('../../../clients/js/audit/src/index.js').Travel} Travel */

/**
 * The payload of the last attempt of a node that was ordered up to the cursor, and which
 * attempt that is. `undefined` if none was. The cursor stands where it stood before.
 * @param {Travel} travel
 * @param {string} node
 * @returns {{attempt: number, payload: string} | undefined}
 */
export function givenTo(travel, node) {
  const from = travel.sequence;
  try {
    return itemBefore(travel, node);
  } finally {
    travel.go(from);
  }
}

/**
 * @param {Travel} travel
 * @param {string} node
 */
function itemBefore(travel, node) {
  const { kept } = travel.recording;
  const orders = (/** @type {any} */ { event: { kind } }) => ['node_scheduled', 'retry_scheduled'].includes(kind.tag) && kind.value.node_id === node;
  const ordered = kept.slice(0, travel.sequence).findLastIndex(orders);
  if (ordered < 0) return undefined;
  const { at } = kept[ordered].event;
  const attempt = Number(kept[ordered].event.kind.value.attempt);
  // The decisions of one time before it, of one batch or of several.
  let place = ordered;
  while (place > 0 && kept[place - 1].event.origin === 'decision' && kept[place - 1].event.at === at) place -= 1;
  while (place <= ordered) {
    travel.go(place);
    const step = travel.nextStep(at);
    const found = step.orders.find((it) => it.tag === 'enqueue' && it.value.node_id === node && Number(it.value.attempt) === attempt);
    if (found !== undefined) return { attempt, payload: found.value.payload };
    if (step.decisions.length === 0) return undefined;
    place += step.decisions.length;
  }
  return undefined;
}
