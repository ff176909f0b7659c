//! What an expression is evaluated on.

use crate::json::Object;

/// What an expression can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub(super) input: &'a str,
    pub(super) state: &'a Object,
    /// The element of a map's instance, and its index, both as JSON.
    pub(super) instance: Option<(&'a str, &'a str)>,
}

impl<'a> Scope<'a> {
    /// The execution's input, which must be JSON that [`crate::json::check`]
    /// accepts, and its state.
    #[must_use]
    pub fn new(input: &'a str, state: &'a Object) -> Self {
        Self {
            input,
            state,
            instance: None,
        }
    }

    /// The same, seen by the instance of a map that has this element and this
    /// index, both checked JSON (rule R21).
    #[must_use]
    pub fn of_instance(self, item: &'a str, index: &'a str) -> Self {
        Self {
            instance: Some((item, index)),
            ..self
        }
    }
}
