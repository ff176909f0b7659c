//! The conformance kit: logs, and what an auditor has to say of each.
//!
//! A kit is one file of lines of JSON: some whole logs, and cases. A case is one of these
//! logs with edits, which a line each is enough for; [`Kit::log`] carries them out, and always
//! comes to the same bytes. [`Expected`] is what an audit of that log alone answers. With the
//! logs written out, an auditor in any language can be held against them.
//!
//! # The file
//!
//! | line | what it is |
//! |---|---|
//! | 1 | `{"kit":{"format":"refrain-conformance/1","guest":…}}`: the digest of the scheduler that the logs name, unless they are about another one |
//! | then | `{"component":…}`: another scheduler that logs name, as [exports](crate::log::export) hold them |
//! | then | `{"base":{"name":…,"shows":…,"lines":[…]}}`: a log, its lines as they are |
//! | then | `{"case":{"name":…,"base":…,"edits":[…],"expected":{…}}}` |

mod json_line;
mod log_text;
mod edit;
mod rechain;
mod apply;
mod expected;
mod kit;

pub use edit::Edit;
pub use expected::{Expected, SignatureWord};
pub use kit::{Base, Case, FORMAT, Kit, KitError};
