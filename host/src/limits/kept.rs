//! Limits of what is kept next to logs.

/// Labels of one execution: the contract's number. People look for an execution by a
/// handful, and each is a row that is written with the start.
pub const LABELS_MAX: usize = 64;

/// Bytes of a label's name: the contract's number.
pub const LABEL_NAME_BYTES_MAX: usize = 256;

/// Bytes of a label's value: the contract's number. It is there to be looked for; what
/// is longer belongs into the input.
pub const LABEL_VALUE_BYTES_MAX: usize = 256;
