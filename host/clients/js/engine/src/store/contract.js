// What a store is. `memory.js` and `indexed_db.js` are two; `laws.js` tests each of them,
// and yours.
//
// A store keeps plain values: objects, lists, texts, numbers, `bigint`s and byte arrays, as
// structured cloning has them. What it hands out is the caller's own: changing it changes
// nothing that is stored.
//
// All that a turn writes goes into one `commit`: facts, decisions, work items, status and
// next wake of each execution that it touched. It presents the version of the store that it
// has read, and of each execution the last sequence and head. Where one of them is another
// by now, the commit throws a `ConflictError`, and nothing of it is written. What was
// committed is there after a crash, or `commit` fails.

/**
 * An execution as it stands, without its events and items.
 * @typedef {object} ExecutionRecord
 * @property {string} id
 * @property {string} workflowId
 * @property {string} workflowVersion
 * @property {string} guestDigest the SHA-256 of its scheduler component
 * @property {string} tenant
 * @property {number} priority
 * @property {{name: string, value: string}[]} labels
 * @property {string | null} key the caller's key
 * @property {Status} status
 * @property {boolean} held whether the host stalls it: its scheduler has failed
 * @property {number} sequence the last event
 * @property {string} head the chain hash of that event, 64 hexadecimal digits
 * @property {number} startedAt
 * @property {number} lastAt the time of the last event
 * @property {number | null} nextWake when time alone could change something
 * @property {boolean} owed whether it is owed a step at the time of its last event
 */

/** @typedef {'running' | 'paused' | 'stalled' | 'completed' | 'failed' | 'cancelled'} Status */

/**
 * An event with what its place in the chain is made of.
 * @typedef {object} StoredEvent
 * @property {import('@refrain/audit/host').Event} event
 * @property {string} salt 32 hexadecimal digits
 * @property {string} hash the chain hash up to it, 64 hexadecimal digits
 */

/**
 * The work item of a node.
 * @typedef {object} ItemRecord
 * @property {import('@refrain/audit/host').WorkItem} item
 * @property {number} enqueuedAt
 * @property {number} releases how often this attempt was given back
 * @property {'waiting' | 'leased' | 'dead'} state a dead letter stays until a further attempt
 *   is ordered
 * @property {Lease | null} lease who holds it, where it is leased
 */

/**
 * A claim.
 * @typedef {object} Lease
 * @property {string} workerId
 * @property {number} fence the sequence of the claim
 * @property {number} expiresAt
 */

/**
 * What a turn changes of one execution.
 * @typedef {object} ExecutionChange
 * @property {{sequence: number, head: string}} expected how it is stored; of one that begins,
 *   sequence 0
 * @property {ExecutionRecord} record how it stands after the turn
 * @property {StoredEvent[]} events what is appended
 * @property {[nodeId: string, item: ItemRecord | null][]} items each item that changed; null:
 *   it has left the queue
 */

/**
 * A workflow as registered; it never changes.
 * @typedef {object} WorkflowRecord
 * @property {string} tenant
 * @property {string} workflowId
 * @property {string} version
 * @property {string} text
 */

/**
 * A scheduler component, which the store keeps for the executions that began with it.
 * @typedef {object} ComponentRecord
 * @property {string} digest
 * @property {Uint8Array} bytes
 */

/**
 * What a turn writes.
 * @typedef {object} Turn
 * @property {number} version the store's version that it has read
 * @property {number} at its clock reading
 * @property {ExecutionChange[]} executions
 * @property {WorkflowRecord[]} workflows
 * @property {ComponentRecord[]} components
 */

/**
 * What a host works on, as of one moment.
 * @typedef {object} OpenWork
 * @property {number} version
 * @property {number} at the greatest clock reading that was committed, 0 if none was
 * @property {ExecutionRecord[]} executions those that have not ended
 * @property {[executionId: string, nodeId: string, item: ItemRecord][]} items theirs
 */

/**
 * A store. Every method rejects with an error where the store cannot do it.
 * @typedef {object} Store
 * @property {string} name what people know it by
 * @property {string | null} lock the name of the Web Lock that keeps others away from it;
 *   null where no other can have it
 * @property {() => Promise<number>} version changes with each commit, whoever makes it
 * @property {() => Promise<OpenWork>} load
 * @property {(id: string) => Promise<ExecutionRecord | undefined>} execution
 * @property {(id: string) => Promise<[nodeId: string, item: ItemRecord][]>} items
 * @property {(id: string, first: number, max: number) => Promise<StoredEvent[]>} events from
 *   sequence `first` on, in order, at most `max`
 * @property {(options: {max: number, after?: string}) => Promise<ExecutionRecord[]>} list
 *   executions, the last that began first; `after` is the id of the last that the caller has
 * @property {(tenant: string, workflowId: string, version: string) => Promise<WorkflowRecord | undefined>} workflow
 * @property {(digest: string) => Promise<Uint8Array | undefined>} component
 * @property {(turn: Turn) => Promise<number>} commit answers the version after it
 * @property {() => Promise<void>} close
 */

/**
 * Whether nothing more can happen to an execution.
 * @param {Status} status
 * @returns {boolean}
 */
export function hasEnded(status) {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/**
 * Why a commit cannot follow on what is stored; undefined if it can.
 * @param {ExecutionChange} change
 * @param {ExecutionRecord | undefined} stored
 * @returns {string | undefined}
 */
export function conflictOf(change, stored) {
  const { expected, record, events } = change;
  const [sequence, head] = stored === undefined ? [0, expected.head] : [stored.sequence, stored.head];
  if (sequence !== expected.sequence) {
    return `the log of ${record.id} ends at event ${sequence}, and event ${expected.sequence} was expected`;
  }
  if (head !== expected.head) return `event ${sequence} of ${record.id} is another than was expected`;
  const gap = events.findIndex((stored, place) => stored.event.sequence !== sequence + place + 1);
  if (gap !== -1 || record.sequence !== sequence + events.length) {
    return `what is appended to ${record.id} does not follow on event ${sequence} without a gap`;
  }
  return undefined;
}
