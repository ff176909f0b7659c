//! Where secrets come from, and which values they can have.

use crate::error::WorkError;
use crate::limits::{SECRET_BYTES_MAX, SECRET_BYTES_MIN};

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

/// Why this can be no secret's value, if it cannot: it could not be hidden.
pub(super) fn value_fault(name: &str, value: &str) -> Option<String> {
    match value.len() {
        0 => Some(format!("the secret {name} is empty")),
        bytes if bytes < SECRET_BYTES_MIN => Some(format!(
            "the secret {name} has fewer than {SECRET_BYTES_MIN} bytes: it would be found in too many texts"
        )),
        bytes if bytes > SECRET_BYTES_MAX => Some(format!(
            "the secret {name} has more than {SECRET_BYTES_MAX} bytes"
        )),
        _ => None,
    }
}
