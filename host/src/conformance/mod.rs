//! The conformance kit: logs, and what an auditor has to say of each.
//!
//! A kit is one file of lines of JSON: some whole logs, and cases. A case is one of these
//! logs with edits, which a line each is enough for; [`Kit::log`] carries them out, and always
//! comes to the same bytes. [`Expected`] is what an audit of that log alone answers; or, where
//! several logs are given together, of each of them with the others at hand. With the logs
//! written out, an auditor in any language can be held against them.
//!
//! # The file
//!
//! | line | what it is |
//! |---|---|
//! | 1 | `{"kit":{"format":"refrain-conformance/2","guest":…}}`: the digest of the scheduler that the logs name, unless they are about another one |
//! | then | `{"component":…}`: another scheduler that logs name, as [exports](crate::log::export) hold them |
//! | then | `{"unusable":…}`: the same of bytes that no auditor can use for a scheduler, and that logs bring |
//! | then | `{"base":{"name":…,"shows":…,"lines":[…]}}`: a log, its lines as they are |
//! | then | `{"case":{"name":…,"base":…,"edits":[…],"expected":{…}}}` |
//! | then | `{"together":{"name":…,"logs":[…]}}`: cases as above, in the order of their names |

mod json_line;
mod log_text;
mod edit;
mod rechain;
mod apply;
mod expected;
mod case;
mod kit;

pub use case::{Base, Case, Together};
pub use edit::Edit;
pub use expected::{Expected, SignatureWord};
pub use kit::{FORMAT, Kit, KitError};
