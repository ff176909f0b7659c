//! What an expression is evaluated on.

use super::root::Root;
use crate::json::Object;

/// What an expression can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    input: &'a str,
    state: &'a Object,
    /// What is there besides, each as JSON text.
    locals: &'a [(Root, &'a str)],
}

impl<'a> Scope<'a> {
    /// The execution's input, which must be JSON that [`crate::json::check`]
    /// accepts, and its state.
    #[must_use]
    pub fn new(input: &'a str, state: &'a Object) -> Self {
        Self {
            input,
            state,
            locals: &[],
        }
    }

    /// The same, with the values of further roots, each as checked JSON text.
    #[must_use]
    pub fn with(self, locals: &'a [(Root, &'a str)]) -> Self {
        Self { locals, ..self }
    }

    pub(super) fn state(&self) -> &'a Object {
        self.state
    }

    /// The JSON text of a root other than the state. `None` if it is not there.
    pub(super) fn root(&self, root: Root) -> Option<&'a str> {
        match root {
            Root::Input => Some(self.input),
            _ => {
                let mut locals = self.locals.iter();
                locals
                    .find(|(name, _)| *name == root)
                    .map(|(_, json)| *json)
            }
        }
    }
}
