//! Secrets, which workflows name and no log holds (rule R29).
//!
//! A workflow says `${secret.NAME}`; the value is put in where a worker begins an attempt,
//! and taken out of all that the worker says. So it is in no event, no work item, no
//! export and no message. Where values come from is a [`Secrets`].
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod source;
mod environment;
mod file;
mod spelling;
mod masks;
mod put_in;

pub use environment::EnvironmentSecrets;
pub(crate) use environment::PREFIX;
pub use file::{SecretsFile, SecretsFileError};
pub use masks::Masks;
pub(crate) use masks::{StreamMask, Unhidden};
#[cfg(feature = "http")]
pub(crate) use put_in::is_put_in;
pub use put_in::put_in;
pub use source::Secrets;
