//! What an expression is evaluated on.

use crate::json::Object;

/// What an expression can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub(super) input: &'a str,
    pub(super) state: &'a Object,
    /// JSON text.
    pub(super) error: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// The execution's input, which must be JSON that [`crate::json::check`]
    /// accepts, and its state.
    #[must_use]
    pub fn new(input: &'a str, state: &'a Object) -> Self {
        Self {
            input,
            state,
            error: None,
        }
    }

    /// The same, and the failure that is judged: JSON that
    /// [`crate::json::check`] accepts.
    #[must_use]
    pub fn with_error(self, error: &'a str) -> Self {
        Self {
            error: Some(error),
            ..self
        }
    }
}
