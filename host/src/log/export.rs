//! The export of a log: NDJSON, one header line and one event a line.
//!
//! An export can be audited with no database at hand. The header is believed
//! only as far as event 1 binds it, and that is the audit's business: the
//! reader returns what the lines say, and refuses what is no export, what is
//! cut, and lines that are no events.
//!
//! # The format
//!
//! | line | what it is |
//! |---|---|
//! | 1 | the header: `format`, `execution_id`, `workflow` (its text), `guest_digest`, `events`, `head`; and only where it is so `owed_a_step`, `erased`, `components` |
//! | then | one line for each digest in `components`: `{"component":…,"bytes":…,"zlib":…}`, the digest, how many bytes it has, and these in zlib (RFC 1950) and base64 (RFC 4648) |
//! | then | one line for each event, in [its JSON form](crate::log::json), with `salt` and `hash` |
//!
//! With the components that its log names, an export is all that an auditor needs.
//!
//! The log of an erased execution has `erased` in its header: the
//! [`Attestation`](crate::log::Attestation). Each of its events has only its plain fields, and `commitment` in
//! the place of `salt`: 64 hexadecimal digits, which the chain takes as the hash of
//! what was erased.

mod error;
mod header;
mod lines;
mod writer;
mod reader;
#[cfg(test)]
mod tests;

pub use error::ExportError;
pub use header::Header;
pub use reader::ExportReader;
pub use writer::ExportWriter;

/// The format that this module writes and reads.
pub use crate::log::chain::FORMAT;
pub use crate::log::component::Component;
