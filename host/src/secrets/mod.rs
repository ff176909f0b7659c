//! Secrets, which workflows name and no log holds (rule R29).
//!
//! A workflow says `${secret.NAME}`; the value is put in where a worker begins an attempt,
//! and taken out of all that the worker says. So it is in no event, no work item, no
//! export and no message. Where values come from is a [`Secrets`].
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod environment;
mod file;
mod masks;
mod put_in;

use crate::error::WorkError;

pub use environment::EnvironmentSecrets;
pub(crate) use environment::PREFIX;
pub use file::{SecretsFile, SecretsFileError};
pub use masks::Masks;
pub(crate) use masks::{StreamMask, Unhidden};
#[cfg(feature = "http")]
pub(crate) use put_in::is_put_in;
pub use put_in::put_in;

/// Where the values of secrets come from: `(tenant, name)` to value.
///
/// It is asked in each attempt that names a secret, once for each name, on the thread that
/// runs the worker. What it takes long for, it had better keep.
pub trait Secrets: Send + Sync + 'static {
    /// The value of a tenant's secret; `None` if there is none of this name.
    ///
    /// # Errors
    /// Why it cannot be told now. The attempt fails with this; the text must hold nothing
    /// secret.
    fn secret(&self, tenant: &str, name: &str) -> Result<Option<String>, WorkError>;
}
