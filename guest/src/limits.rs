//! Every limit of the guest, with its reason.

use crate::time::{Millis, Timestamp};

/// Nodes in one workflow. Counters are 32 bits wide, and a graph this large
/// still plans in well under a second.
pub const NODES_MAX: usize = 20_000;

/// Edges in one workflow, those inside kinds included.
pub const EDGES_MAX: usize = 100_000;

/// Bytes of a workflow's text: room for the largest graph with some hundred
/// bytes for each node and edge.
pub const WORKFLOW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of one condition or mapping expression: it is for a person to read.
pub const CONDITION_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a secret's name: more than any variable of an environment needs.
pub const SECRET_NAME_BYTES_MAX: usize = 128;

/// Bytes of the list of a kind's texts that the worker puts something into: each payload
/// holds it.
pub const TEMPLATES_BYTES_MAX: usize = 64 * 1024;

/// Nesting of one condition. Its parser and evaluator recurse this deep.
pub const CONDITION_DEPTH_MAX: usize = 32;

/// Bytes that one evaluation of an expression may make: texts and lists that are
/// joined, lists that are written out, the whole state as one value. What would
/// go over is null. A path to a value makes nothing.
pub const EVALUATION_BYTES_MAX: usize = 2 * STATE_BYTES_MAX;

/// Bytes that the evaluations read together that follow from one event (all conditions
/// that are judged then), or go into one payload. What a path passes on its way is
/// read too; lists and objects that are compared count
/// [`TREE_COST`]-fold. What would go over is null, and no condition is true then: so a step
/// has an end, whatever a workflow asks of how large a state.
pub const READ_BYTES_MAX: usize = 3 * STATE_BYTES_MAX;

/// How often a byte counts that is decoded to be compared, besides being read.
pub const TREE_COST: usize = 4;

/// How many bytes that are only copied, where texts or lists are joined, count as one that
/// is read.
pub const COPIES_PER_READ: usize = 4;

/// Bytes of one payload: an input, an output, a patch.
pub const PAYLOAD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of an execution's state, together with the external events that are
/// kept for it: every work item without a mapping carries the whole state, and
/// a step orders several.
pub const STATE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of decisions and orders after which a step ends its batch and answers
/// that there is more: one further decision may still go over it. A host takes
/// several times as much from one step before it takes the guest for one that
/// never ends.
pub const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Decisions after which a step ends its batch and answers that there is more. A host takes
/// more than that from one step, and not without end.
pub const BATCH_DECISIONS_MAX: usize = 2 * NODES_MAX;

/// Nesting of JSON, below the depth at which the JSON parser itself refuses.
pub const JSON_DEPTH_MAX: usize = 100;

/// Bytes of an id: of a workflow, a node, a correlation key.
pub const ID_BYTES_MAX: usize = 256;

/// Bytes of the class of an error: it is a code, and no sentence.
pub const ERROR_CLASS_BYTES_MAX: usize = 64;

/// Bits of a seed: as many as programs keep that read numbers of JSON as floating
/// point.
pub const SEED_BITS_MAX: u32 = 53;

/// The greatest priority of an execution's work items.
pub const PRIORITY_MAX: u32 = 9;

/// Faults of one workflow that are reported at once: more than anyone reads.
pub const FAULTS_MAX: usize = 1_000;

/// So many nodes are named for a field that has no effect in them, and so many retry policies
/// that no node uses: enough to find them, and no long list.
pub const IGNORED_NAMED_MAX: usize = 20;

/// Elements of a map. Each takes three events of a log at least, and a list of so
/// many is as large as a payload may be.
pub const MAP_ITEMS_MAX: u32 = 100_000;

/// Instances that are named where a map has failed.
pub const FAILED_INSTANCES_TOLD: usize = 10;

/// Bytes that an id of a map leaves for what is added to it: the index of an
/// instance in brackets, and what the compensation of a node or an instance is called (rule R27).
pub const INSTANCE_SUFFIX_BYTES: usize = 16;

/// Iterations of a repeat: a loop of a year that goes round every minute is half as
/// long.
pub const ITERATIONS_MAX: u32 = 1_000_000;

/// How far below its root a child may be.
pub const CHILD_DEPTH_MAX: u32 = 32;

/// Events in one log: room for retries of the largest workflow.
pub const EVENTS_MAX: u64 = 1_000_000;

/// How often an attempt can be given back: enough for a worker that is restarted
/// again and again while it is deployed. What is given back once more has perhaps
/// stopped its workers itself, and counts as an expired lease (rule R25).
pub const RELEASES_MAX: u8 = 10;

/// Attempts that a policy may ask for.
pub const ATTEMPTS_MAX: u32 = 1_000;

/// The longest span of time that a workflow may ask for: a hundred years. Ends
/// of spans stay far from the last time that a host can write down.
pub const SPAN_MAX: Millis = Millis::from_secs(100 * 365 * 24 * 60 * 60);

/// The last time that a workflow may name for a wait: the first of January 2126, as far
/// ahead as [`SPAN_MAX`] when this was written. While a wait begins, its end is no further
/// ahead than that span, so that a host can be asked to wake it.
pub const UNTIL_MAX: Timestamp = Timestamp(4_922_899_200_000);

/// Parsed workflows that are kept though no execution needs them: those of the
/// last starts. The largest takes some ten megabytes.
pub const PLANS_KEPT_MAX: usize = 4;

/// Paths of a condition whose values an explanation tells.
pub const SEEN_PATHS_MAX: usize = 100;

/// Bytes of JSON of a value that an explanation tells: more than anyone reads.
pub const SEEN_BYTES_MAX: usize = 1024;

/// Events that the guest asks for in one page.
pub const EVENTS_PAGE: u32 = 512;

/// Whether this is a class of errors: a code that can never be personal.
#[must_use]
pub fn is_error_class(text: &str) -> bool {
    let is_of_code = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    (1..=ERROR_CLASS_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_of_code)
}

const _: () = assert!(
    EVENTS_MAX >= 3 * MAP_ITEMS_MAX as u64 + 3 * NODES_MAX as u64,
    "a map of the largest size needs three events for each instance, besides other nodes"
);
const _: () = assert!(
    MAP_ITEMS_MAX as usize * 2 < PAYLOAD_BYTES_MAX,
    "so many elements are no larger than a payload"
);
const _: () = assert!(
    JSON_DEPTH_MAX < 128,
    "serde_json refuses nesting of 128 by itself, with a worse message"
);
const _: () = assert!(
    EVENTS_MAX >= 10 * NODES_MAX as u64,
    "a workflow of the largest size needs some events for each node"
);
const _: () = assert!(
    PAYLOAD_BYTES_MAX <= STATE_BYTES_MAX,
    "the first patch of the largest size must find room in the state"
);
const _: () = assert!(
    EVALUATION_BYTES_MAX >= STATE_BYTES_MAX + PAYLOAD_BYTES_MAX,
    "an expression can take the whole of the largest state and make something of it"
);
const _: () = assert!(
    READ_BYTES_MAX >= EVALUATION_BYTES_MAX,
    "what one evaluation makes of the largest state counts as read too"
);
const _: () = assert!(
    BATCH_BYTES_MAX >= 2 * STATE_BYTES_MAX,
    "a batch is not cut after each decision that carries the state"
);
const _: () = assert!(
    PAYLOAD_BYTES_MAX <= WORKFLOW_BYTES_MAX,
    "a guest that can hold a workflow can hold a payload"
);
