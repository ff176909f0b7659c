//! Limits of what is kept next to logs.

use std::time::Duration;

/// Labels of one execution: the contract's number. People look for an execution by a
/// handful, and each is a row that is written with the start.
pub const LABELS_MAX: usize = 64;

/// Bytes of a label's name: the contract's number.
pub const LABEL_NAME_BYTES_MAX: usize = 256;

/// Bytes of a label's value: the contract's number. It is there to be looked for; what
/// is longer belongs into the input.
pub const LABEL_VALUE_BYTES_MAX: usize = 256;

/// Bytes of what programs have written that are kept of one execution; what is more
/// drops the oldest. It is for people who look for a fault, and takes no part in a replay:
/// some ten thousand lines.
pub const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one piece of it: a row of a store.
pub const OUTPUT_PIECE_BYTES_MAX: usize = 64 * 1024;

/// What each piece counts besides its bytes, so that an execution has a bounded number of
/// them however short each is: about what a row takes.
pub const OUTPUT_PIECE_COST: usize = 64;

/// How long what a program writes waits before it is stored, so that others can read it
/// while the program runs: short enough for a person who looks on, and no more than two
/// commits a second for a program that never stops writing. A program that ends sooner
/// costs no commit besides that of its answer.
pub const OUTPUT_FLUSH_EVERY: Duration = Duration::from_millis(500);

const _: () = assert!(
    OUTPUT_PIECE_BYTES_MAX + OUTPUT_PIECE_COST <= OUTPUT_BYTES_MAX,
    "a piece must fit"
);
