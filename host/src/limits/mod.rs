//! Every limit of the host, with its reason.

mod guest;
mod kept;
mod secrets;
mod turn;

use std::num::NonZeroU64;
use std::time::Duration;

pub use guest::{
    FUEL_PER_BYTE, FUEL_PER_BYTE_AGAIN, FUEL_PER_CALL, FUEL_PER_IMPORT, GUEST_MEMORY_MAX,
    GUEST_STACK_MAX, GUEST_TABLE_ELEMENTS_MAX, GUEST_TRANSFER_BYTES_MAX, GUESTS_AT_WORK_MAX,
    GUESTS_FULL_MAX,
};
pub use kept::{
    LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, OUTPUT_BYTES_MAX, OUTPUT_FLUSH_EVERY,
    OUTPUT_PIECE_BYTES_MAX, OUTPUT_PIECE_COST,
};
pub use secrets::{
    SECRET_BYTES_MAX, SECRET_BYTES_MIN, SECRET_NAME_BYTES_MAX, SECRETS_FILE_BYTES_MAX,
};
pub use turn::{
    BYTES_PER_TURN, CLAIMS_PER_TURN_MAX, EXPIRIES_PER_TURN_MAX, FACTS_PER_TURN_MAX, FUEL_PER_TURN,
    TURN_CALLS_BETWEEN_LOOKS, TURN_FUEL_BETWEEN_LOOKS, TURN_TIME_MAX, TurnLimits,
    WAKES_PER_TURN_MAX,
};

/// Nodes of one execution in flight at once, unless the engine is built otherwise.
pub const CONCURRENT_NODES_DEFAULT: u32 = 16;

/// Work items that one step may order, unless the engine is built otherwise.
pub const DISPATCH_PER_TICK_DEFAULT: u32 = 8;

/// How far below its root a child may be: a workflow that calls itself without end is
/// stopped there.
pub const CHILD_DEPTH_MAX: u32 = 32;

/// Children, and children of these, that a root may have: as many as a map of the
/// largest size starts.
pub const DESCENDANTS_MAX: u64 = 100_000;

/// Callers that wait for an engine at once, unless the engine is built otherwise: some
/// seconds of turns. One more is told so at once, which serves it better than a place
/// in a queue without an end.
pub const CALLERS_MAX_DEFAULT: usize = 10_000;

/// Bytes of workflows, inputs, answers and events that callers who wait for an engine
/// have brought, unless the engine is built otherwise: they are in memory, and four turns
/// take as much.
pub const CALLERS_BYTES_MAX_DEFAULT: usize = 4 * BYTES_PER_TURN;

/// Readers of the store that are at work for callers at once: more than a machine has
/// disks and cores for such short questions, and each has a connection of its own.
pub const READERS_MAX: usize = 8;

/// Questions to guests about stored executions that are answered at once: each has a
/// thread, a reader and an instance, and takes a core for as long as it lasts.
pub const QUESTIONS_AT_ONCE_MAX: usize = 4;

/// Those of them that one guest may have: a guest that burns all its fuel each time leaves
/// room for others.
pub const QUESTIONS_OF_A_GUEST_AT_ONCE_MAX: usize = 2;

/// Questions to one guest that are answered or wait: people and their pages ask so much,
/// and of a guest that is slow no more callers wait than that.
pub const QUESTIONS_OF_A_GUEST_MAX: usize = 256;

const _: () = assert!(
    QUESTIONS_OF_A_GUEST_AT_ONCE_MAX < QUESTIONS_AT_ONCE_MAX,
    "a slow guest must not keep all others waiting"
);
const _: () = assert!(
    QUESTIONS_OF_A_GUEST_MAX < CALLERS_MAX_DEFAULT,
    "who asks a slow guest must not take the room of all other callers"
);

/// Ends of executions that an engine remembers, so that a caller who waits for one
/// need not read the store first: more than come between a start and the wait for its
/// end, in 64 KiB.
pub const RECENT_ENDS_MAX: usize = 4096;

/// The tenant of those who name none.
pub const TENANT_DEFAULT: &str = "default";

/// How urgent the work items of an execution are, unless it says otherwise.
pub const PRIORITY_DEFAULT: u32 = 5;

/// The greatest priority. The guest has the same bound.
pub const PRIORITY_MAX: u32 = 9;

/// Bytes of the class of an error: it is a code, and no sentence.
pub const ERROR_CLASS_BYTES_MAX: usize = 64;

/// How often an attempt can be given back; once more counts as an expired lease (rule
/// R25). The guest counts to the same number.
pub const RELEASES_MAX: u32 = 10;

/// How long a claim holds without a heartbeat, unless the engine is built otherwise.
pub const LEASE_DEFAULT: Duration = Duration::from_secs(10);

/// The shortest lease: a heartbeat takes a turn, and a turn takes a sync.
pub const LEASE_MIN: Duration = Duration::from_millis(100);

/// How many heartbeats fit into a lease: one may be lost without losing the lease.
pub const HEARTBEATS_PER_LEASE: u32 = 3;

/// How many moments are in a lease: as long as one, others are given to take the
/// write lock before leases are ended, and as far as one, clocks may jump unnoticed.
pub const LEASE_MOMENTS: u32 = 10;

/// How often the live loop looks for what it was not told of, unless the
/// engine is built otherwise. Only where no file watcher works does anything
/// depend on it.
pub const FALLBACK_POLL_DEFAULT: Duration = Duration::from_millis(500);

/// How long an execution rests that still asks to be woken at a time that has
/// passed, when it has been stepped: long enough that an engine which serves
/// thousands of them is not at work all the time, short enough that its
/// scheduler hardly notices.
pub const PAST_WAKE_PAUSE_MS: u64 = 100;

/// Turns that are cut off, follow one another at once, and together held the store's
/// write lock for so long, have kept others waiting.
pub const LOCK_HELD_LONG: Duration = Duration::from_millis(100);

/// The same for turns that were not cut off, each of which had all to do that there was:
/// callers wait for the next of them, so that the lock is left alone a fiftieth of the
/// time, and only where it was not free for as long in the gaps between them.
pub const LOCK_HELD_LONG_BY_MANY: Duration = Duration::from_secs(1);

/// So long the lock is left alone then: for others to find it free, and a sixth of
/// the time in which it is held by turns that are cut off.
pub const LOCK_LEFT_ALONE: Duration = Duration::from_millis(20);

/// Who waits for the write lock of a SQLite file looks at it again after this long.
/// SQLite itself waits up to a tenth of a second between two looks, and would miss
/// most of the moments in which the lock is left alone.
pub const LOCK_LOOK_PAUSE: Duration = Duration::from_millis(5);

/// A call that burns so much, some twenty milliseconds, puts its execution behind
/// the others. Calls about a workflow of a thousand nodes burn a tenth of it.
pub const COSTLY_CALL_FUEL: u64 = FUEL_PER_CALL / 100;

/// Calls that burn less, one after another, after which such an execution is like
/// the others again.
pub const CALLS_TO_BE_CHEAP_AGAIN: u32 = 32;

/// What costly calls must have burnt for each item of theirs that is passed by to find those
/// of others behind them: ten times what reading one takes.
pub const FUEL_PER_ITEM_PASSED: u64 = COSTLY_CALL_FUEL / 2_000;

/// Executions that are remembered as costly.
pub const COSTLY_EXECUTIONS_MAX: usize = 4_096;

/// How far from now a guest's wake may be, in milliseconds: the longest span
/// of a workflow is a hundred years, and a few days of leap years are on top.
/// What lies beyond would let simulated time run to its end.
pub const WAKE_SPAN_MS_MAX: u64 = 101 * 365 * 24 * 60 * 60 * 1000;

/// How often a turn is done anew because, as a whole, it conflicts with what someone else
/// wrote meanwhile. Who holds the write lock meets no conflict, so more than one is
/// strange already.
pub const CONFLICTS_PER_TURN_MAX: u32 = 5;

/// How many turns in a row may meet a conflict of one execution before its callers are
/// told, and it rests for [`STORE_RETRY_PAUSE`].
pub const CONFLICTS_IN_A_ROW_MAX: u32 = 5;

/// How long to leave a store alone that has failed.
pub const STORE_RETRY_PAUSE: Duration = Duration::from_millis(250);

/// How often to open a store anew when the outcome of a commit is unknown,
/// before the callers are told that it is.
pub const REOPENS_MAX: u32 = 40;

/// How long a worker's answer waits before it is offered anew to a store that failed.
pub const ANSWER_RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Items that workers of one registration work on at once, unless registered otherwise.
pub const WORKER_SLOTS_DEFAULT: usize = 16;

/// Items of one queue that simulated workers claim at once.
pub const SIMULATED_CLAIMS_AT_ONCE_MAX: usize = 64;

/// How long a simulated worker takes at most, in milliseconds: a hundred years.
/// Longer ones take that, so that simulated time never comes to its end.
pub const SIMULATED_DELAY_MS_MAX: u64 = 100 * 365 * 24 * 60 * 60 * 1000;

/// Executions with work under way, and their work items, that an engine keeps
/// cached: no more than 16,384 executions, because each has an item, and more than
/// are at work at once. They take some ten megabytes in the engine and, where each
/// has ten nodes, some fifty in their guests.
pub const BUSY_EXECUTIONS_CACHED_MAX: usize = 32_768;

/// Executions without work under way, which may wait for days, that an engine
/// keeps cached: enough for those that are asked about again and again.
pub const IDLE_EXECUTIONS_CACHED_MAX: usize = 256;

/// Memory at which an instance that was asked about several executions is given
/// up for a fresh one.
pub const CACHE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Events between two snapshots of an execution, unless the engine is built
/// otherwise: what a fresh guest has to
/// read again is a matter of milliseconds.
pub const EVENTS_PER_SNAPSHOT: NonZeroU64 = NonZeroU64::new(1_000).expect("it is not zero");

/// How long a program that is stopped may take to end by itself, before it is
/// killed with all that it started. Where the attempt was stopped because its claim holds
/// no longer, the next one may begin meanwhile.
pub const PROGRAM_GRACE: Duration = Duration::from_secs(2);

/// How long an engine that stops waits for its workers to end and for what they give back
/// to be written.
pub const STOP_PATIENCE: Duration = Duration::from_secs(6);

/// How long the pipes of a program that has ended are read on, where something
/// that it left behind holds them open.
pub const PIPE_GRACE: Duration = Duration::from_millis(250);

/// What a failed command said last, as far as its failure repeats it.
pub const COMMAND_STDERR_BYTES_MAX: usize = 4096;

/// The body of a refusal, as far as the failure of a request repeats it.
pub const HTTP_ERROR_BYTES_MAX: usize = 1024;

/// Redirects that follow one another in one request. Honest ones are two or three.
pub const HTTP_REDIRECTS_MAX: usize = 10;

/// How long a request may take, redirects included. A shorter node timeout ends the attempt
/// earlier, and the request with it.
pub const HTTP_TIMEOUT: Duration = Duration::from_secs(60);

/// How long each of these may take: a connection to one address, the setting up of TLS, a
/// proxy's letting through. After that, the next address is tried.
pub const HTTP_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection waits for the next request to the same origin. Servers wait
/// longer, two seconds at least: a request that must not be made twice hardly ever meets a
/// connection that its server is just closing.
pub const HTTP_IDLE: Duration = Duration::from_secs(1);

/// Connections of a client that wait for their next request.
pub const HTTP_IDLE_CONNECTIONS_MAX: usize = 1024;

/// The status line and the headers of an answer.
pub const HTTP_HEAD_BYTES_MAX: usize = 64 * 1024;

/// What a proxy says when it is asked to let a request through.
pub const HTTP_PROXY_ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Headers of an answer that are kept in the log, their names and values.
pub const HTTP_KEPT_HEADERS_BYTES_MAX: usize = 4 * 1024;

/// The name of an attempt in the header `Idempotency-Key`: many servers refuse longer ones.
pub const HTTP_IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Different troubles that an engine remembers to have told of, so that it does
/// not tell of each again and again.
pub const TROUBLES_MAX: usize = 10_000;

/// Different texts of one kind of trouble that are told at once.
pub const TROUBLE_VARIANTS_MAX: usize = 3;

/// Bytes of what is told of a trouble, and remembered of it.
pub const TROUBLE_TEXT_BYTES_MAX: usize = 4 * 1024;

/// How long a trouble that was told is not told again, though it lasts; twice as
/// long each time.
pub const TROUBLE_SILENCE_FIRST: Duration = Duration::from_secs(60);

/// How long it is not told again at most.
pub const TROUBLE_SILENCE_MAX: Duration = Duration::from_secs(3_600);

/// Decisions that one step may append: the largest workflow, each node settled
/// twice over.
pub const DECISIONS_PER_STEP_MAX: usize = 65_536;

/// Bytes of a workflow's text.
pub const WORKFLOW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Memory for what workflows let be ordered, in an engine: twice the largest one
/// at the least.
pub const ORDER_RULES_BYTES_MAX: usize = 2 * WORKFLOW_BYTES_MAX;

/// Bytes of one payload: an input, an output, a patch.
pub const PAYLOAD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Nesting of a payload's JSON.
pub const JSON_DEPTH_MAX: usize = 100;

/// Queues of one request for work, each of which costs every turn a question while the
/// request waits. A worker that serves more of them makes several requests.
pub const QUEUES_PER_REQUEST_MAX: usize = 256;

/// Callers that wait with one and the same request for work. Each is answered with a copy
/// of all that it is given, and all but the last have probably gone away.
pub const CALLERS_PER_REQUEST_MAX: usize = 16;

/// Bytes of a caller's key, a reason, a user's name, an error text.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Bytes of each text of a fault that a guest finds in a workflow: it names ids and
/// conditions, which are shorter.
pub const FAULT_TEXT_BYTES_MAX: usize = 8 * 1024;

/// Faults of one workflow that a guest may tell of: as many as our own does.
pub const FAULTS_MAX: usize = 1_000;

/// Bytes of a guest's name, and of its version.
pub const NAME_BYTES_MAX: usize = 256;

/// Bytes of a guest component: one that holds a JavaScript engine has 14 MB, one
/// with Python inside 18.
pub const COMPONENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of one component's machine code that are kept between runs.
pub const CODE_FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of all machine code that is kept between runs, in the user's cache
/// folder.
pub const CODE_CACHE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Bytes of machine code that an engine keeps in memory between its turns, and
/// that one component may come to: a guest with an engine for JavaScript or
/// Python inside comes to forty million.
pub const CODE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of one event: the largest state, and the short texts that stand
/// next to it. What is longer could be stored, but not be read from an export.
pub const EVENT_BYTES_MAX: usize = 18 * 1024 * 1024;

/// Events that storage hands to a guest in one page.
pub const EVENTS_PAGE_MAX: u32 = 1024;

/// Bytes of event payload in one such page, one event at least.
pub const EVENTS_PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of one line of an exported log. The header holds the workflow, an
/// event two payloads and a few texts; escaped, each byte can become six.
pub const EXPORT_LINE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Events that one report holds: a browser derives them again in some seconds, and people
/// look for their place in them with a slider.
pub const REPORT_EVENTS_MAX: u64 = 200_000;

/// Bytes of the logs that one report holds, unpacked: a browser has them as one text, which
/// may have half a gigabyte, and some copies of it.
pub const REPORT_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Bytes of the components that one exported log holds, all together: their reader
/// has them in memory.
pub const EXPORT_COMPONENTS_BYTES_MAX: usize = 8 * COMPONENT_BYTES_MAX;

/// Bytes of a conformance kit, which its reader has in memory: five times what ours has.
pub const CONFORMANCE_KIT_BYTES_MAX: usize = 16 * 1024 * 1024;

const _: () = assert!(
    2 * COSTLY_CALL_FUEL < FUEL_PER_TURN / 4 && FUEL_PER_TURN < FUEL_PER_CALL,
    "who uses up its share of a turn is costly, and who uses up a turn even more so"
);
const _: () = assert!(
    TURN_TIME_MAX.as_millis() <= LEASE_DEFAULT.as_millis() / LEASE_MOMENTS as u128,
    "heartbeats that wait for a turn come in time"
);
const _: () = assert!(
    STOP_PATIENCE.as_secs() > 2 * PROGRAM_GRACE.as_secs()
        && STOP_PATIENCE.as_secs() < LEASE_DEFAULT.as_secs(),
    "a program that has to be killed has ended by then, and no lease of an engine that \
        cannot renew any more"
);
const _: () = assert!(
    LOCK_LEFT_ALONE.as_millis() >= 3 * LOCK_LOOK_PAUSE.as_millis(),
    "who waits for the write lock looks at it while it is left alone"
);
const _: () = assert!(
    EXPORT_LINE_BYTES_MAX >= 2 * COMPONENT_BYTES_MAX,
    "a component that does not get smaller by compression fits into a line in base64"
);
const _: () = assert!(
    EXPORT_LINE_BYTES_MAX >= 6 * (WORKFLOW_BYTES_MAX + 16 * TEXT_BYTES_MAX),
    "every header that was written can be read again"
);
const _: () = assert!(
    EXPORT_LINE_BYTES_MAX >= 6 * (EVENT_BYTES_MAX + 16 * TEXT_BYTES_MAX),
    "every event that was written can be read again"
);
const _: () = assert!(
    LEASE_DEFAULT.as_millis() / LEASE_MOMENTS as u128 >= 2 * STORE_RETRY_PAUSE.as_millis(),
    "who is kept from renewing tries again within a moment"
);
const _: () = assert!(
    EVENT_BYTES_MAX >= 2 * PAYLOAD_BYTES_MAX + 16 * TEXT_BYTES_MAX,
    "an event holds an output and a patch of the largest size"
);
const _: () = assert!(
    CALLERS_BYTES_MAX_DEFAULT >= 4 * (WORKFLOW_BYTES_MAX + EVENT_BYTES_MAX),
    "some callers with the largest workflow or answer may wait at once"
);
const _: () = assert!(
    DISPATCH_PER_TICK_DEFAULT <= CONCURRENT_NODES_DEFAULT,
    "a step may not order more than may be in flight"
);
const _: () = assert!(
    EVENTS_PAGE_BYTES_MAX >= 2 * PAYLOAD_BYTES_MAX,
    "the largest event, with an output and a patch, fits into one page"
);
const _: () = assert!(
    GUEST_TRANSFER_BYTES_MAX >= 2 * (EVENT_BYTES_MAX + DECISIONS_PER_STEP_MAX * 512),
    "the decisions of one step and the largest event go through in one append"
);
const _: () = assert!(
    GUEST_MEMORY_MAX >= 8 * WORKFLOW_BYTES_MAX,
    "a guest can hold the largest workflow, parsed"
);
const _: () = assert!(
    FUEL_PER_CALL >= 2 * FUEL_PER_IMPORT * DECISIONS_PER_STEP_MAX as u64,
    "a step has fuel for an order to the queue with each of its decisions"
);
const _: () = assert!(
    COMMAND_STDERR_BYTES_MAX < TEXT_BYTES_MAX && HTTP_ERROR_BYTES_MAX < TEXT_BYTES_MAX,
    "what workers repeat fits into an error text"
);
