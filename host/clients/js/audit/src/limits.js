// Every limit, with its reason. Those of a log are Refrain's own: who audits elsewhere
// reads what Refrain writes, and refuses what Refrain would refuse.

/** Bytes of one line of an export: the largest event or header, with each byte escaped. */
export const LINE_BYTES_MAX = 128 * 1024 * 1024;

/** Bytes of a log: what is made of it takes several times as much memory. */
export const LOG_BYTES_MAX = 1024 * 1024 * 1024;

/** Bytes of a component. One that holds a JavaScript engine has 14 MB. */
export const COMPONENT_BYTES_MAX = 32 * 1024 * 1024;

/** Bytes of all components in one export, which are in memory together. */
export const COMPONENTS_BYTES_MAX = 8 * COMPONENT_BYTES_MAX;

/** Events that storage hands to a guest in one page. */
export const PAGE_EVENTS_MAX = 1024;

/** Canonical bytes of such a page, one event at least. */
export const PAGE_BYTES_MAX = 8 * 1024 * 1024;

/** Pages of 64 KiB that each memory of a guest may have: 1 GiB. */
export const MEMORY_PAGES_MAX = 16384;

/** Elements that each table of a guest may have: function pointers, some thousand. */
export const TABLE_ELEMENTS_MAX = 100_000;

/** Bytes that a guest may hand over in one call, counted before they are copied. */
export const TRANSFER_BYTES_MAX = 256 * 1024 * 1024;

/** How far below its root a child may be. */
export const CHILD_DEPTH_MAX = 32;

/** Bytes of a text that a guest says in an error. */
export const TEXT_BYTES_MAX = 64 * 1024;

/** Faults of one workflow that a guest may tell of. */
export const FAULTS_MAX = 1_000;

/** Bytes of each text of a fault: it names ids and conditions, which are shorter. */
export const FAULT_TEXT_BYTES_MAX = 8 * 1024;

/** Bytes of a guest's name, and of its version. */
export const NAME_BYTES_MAX = 256;

/** Bytes of the name of a secret. */
export const SECRET_NAME_BYTES_MAX = 128;

/** Bytes of a file of anchors. */
export const ANCHORS_BYTES_MAX = 256 * 1024 * 1024;

/** Bytes of the file of a public key. */
export const KEY_BYTES_MAX = 64 * 1024;

/** Definitions in a component, those of components within it included. */
export const DEFINITIONS_MAX = 100_000;

/** How deep components may stand within each other, and types too. */
export const NESTING_MAX = 100;

/** Parts of a type, those of its parts included: the contract's largest has some hundred. */
export const TYPE_PARTS_MAX = 20_000;

/** Events between two snapshots of a journey: reading them again takes a moment. */
export const EVENTS_BETWEEN_MARKS = 4096;

/** Events between a cursor that goes back and the snapshot that is taken for it: a moment. */
export const EVENTS_TO_NEAR_MARK = 256;

/** Snapshots that are kept near the places where a cursor went back. */
export const NEAR_MARKS_MAX = 8;

/** Bytes that all snapshots of a journey take. */
export const MARKS_BYTES_MAX = 32 * 1024 * 1024;
