// The digest of a work item: what decisions name it by.

import { hex } from '../bytes.js';
import { Parts } from '../log/parts.js';
import { sha256 } from '../sha256.js';

const { to } = new Parts();

/**
 * The SHA-256 over the fields in the order of the contract's record. The execution is not
 * in it: a fork has the same items as its origin.
 * @param {any} item
 * @returns {string}
 */
export function workItemDigest({ node_id, attempt, max_attempts, queue, tenant, priority, not_before, payload }) {
  to.length = 0;
  to.text(node_id);
  to.whole(attempt);
  to.whole(max_attempts);
  to.text(queue);
  to.text(tenant);
  to.whole(priority);
  to.whole(not_before);
  to.text(payload);
  return hex(sha256(to.all));
}
