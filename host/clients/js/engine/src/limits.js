// Every limit of this host, with its reason. Those of payloads, texts and logs are the
// contract's, and the same in all hosts.

/** Bytes of one payload: an input, an output, a patch. */
export const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes of a key, a reason, a person's name, an error's text. */
export const TEXT_BYTES_MAX = 64 * 1024;

/** Nesting of a payload's JSON. */
export const JSON_DEPTH_MAX = 100;

/** Bytes of the class of an error: it is a code, and no sentence. */
export const ERROR_CLASS_BYTES_MAX = 64;

/** Bytes of a workflow's text. */
export const WORKFLOW_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes of a scheduler component. */
export const COMPONENT_BYTES_MAX = 32 * 1024 * 1024;

/** Labels of one execution, and bytes of their names and values. */
export const LABELS_MAX = 64;
export const LABEL_NAME_BYTES_MAX = 256;
export const LABEL_VALUE_BYTES_MAX = 256;

/** The priority of who names none, and the greatest. The scheduler has the same bound. */
export const PRIORITY_DEFAULT = 5;
export const PRIORITY_MAX = 9;

/** Nodes of one execution in flight, and work items of one step, unless the engine is opened otherwise. */
export const CONCURRENT_NODES_DEFAULT = 16;
export const DISPATCH_PER_TICK_DEFAULT = 8;

/** The greatest number of 32 bits: counts of the contract have no more. */
export const U32_MAX = 2 ** 32 - 1;

/** The tenant of those who name none. */
export const TENANT_DEFAULT = 'default';

/** Events that storage hands to a scheduler in one page, and bytes of payload in one. */
export const EVENTS_PAGE_MAX = 1024;
export const EVENTS_PAGE_BYTES_MAX = 8 * 1024 * 1024;

/** Bytes of one event: the largest state, and the short texts next to it. */
export const EVENT_BYTES_MAX = 18 * 1024 * 1024;

/** Decisions of one step: the largest workflow, each node settled twice over. */
export const DECISIONS_PER_STEP_MAX = 65_536;

/** How far from now a scheduler's wake may be: the longest span is a hundred years. */
export const WAKE_SPAN_MS_MAX = 101 * 365 * 24 * 60 * 60 * 1000;

/** The latest time that there is. Times are numbers here, and these are exact up to there. */
export const TIME_MAX = Number.MAX_SAFE_INTEGER;

/** How often an attempt can be given back; once more counts as an expired lease (rule R25). The scheduler counts to the same number. */
export const RELEASES_MAX = 10;

/** How long a claim holds without being renewed, unless the engine is opened otherwise. */
export const LEASE_MS_DEFAULT = 10_000;

/** The shortest lease: renewing takes a turn, and a turn takes a transaction. */
export const LEASE_MS_MIN = 100;

/** How often a lease is renewed within its time: one renewal may fail without losing it. */
export const RENEWALS_PER_LEASE = 3;

/** How many moments are in a lease: as far as one, clocks may jump unnoticed. */
export const LEASE_MOMENTS = 10;

/** Facts that go into one turn: the first of them does not wait long. */
export const FACTS_PER_TURN_MAX = 640;

/** Work items that are claimed in one turn. */
export const CLAIMS_PER_TURN_MAX = 1024;

/** Executions that one turn looks at because of their time. */
export const WAKES_PER_TURN_MAX = 256;

/** Steps of one execution in a turn, before what is left goes into the next. */
export const STEPS_PER_TURN_MAX = 64;

/** Bytes of payload that one execution appends and orders in a turn, in the same way. */
export const BYTES_PER_TURN = 16 * 1024 * 1024;

/** Callers that wait at once. One more is told so at once. */
export const CALLERS_MAX_DEFAULT = 10_000;

/** Executions that one scheduler instance keeps in mind; dropping one costs a reading of its log. */
export const EXECUTIONS_KNOWN_MAX = 10_000;

/** How often a turn is done anew because somebody else has written meanwhile. */
export const CONFLICTS_IN_A_ROW_MAX = 20;

/** How long an execution rests that still asks to be woken at a time that has passed. */
export const PAST_WAKE_PAUSE_MS = 100;

/** How long to leave a store alone that has failed. */
export const STORE_RETRY_PAUSE_MS = 250;

/** How often an engine that shares its store looks for what others have written. */
export const LOOK_EVERY_MS_DEFAULT = 500;

/** Items of one queue that are worked on at once, unless the worker says otherwise. */
export const WORKER_SLOTS_DEFAULT = 16;

/** How long closing waits for workers to heed their signals. */
export const CLOSE_PATIENCE_MS_DEFAULT = 5_000;

/** The longest delay of a timer of JavaScript: longer ones fire at once. */
export const TIMER_MS_MAX = 2_147_483_647;

/** A secret's name, and its value: a shorter one stands in too many texts by chance. */
export const SECRET_NAME_BYTES_MAX = 128;
export const SECRET_BYTES_MIN = 4;
export const SECRET_BYTES_MAX = 64 * 1024;

/** How long a request may take, redirects included. */
export const HTTP_TIMEOUT_MS = 60_000;

/** The body of a refusal, as far as a failure repeats it; headers that are kept. */
export const HTTP_ERROR_BYTES_MAX = 1024;
export const HTTP_KEPT_HEADERS_BYTES_MAX = 4 * 1024;

/** The name of an attempt in `Idempotency-Key`: many servers refuse longer ones. */
export const HTTP_IDEMPOTENCY_KEY_BYTES_MAX = 255;
