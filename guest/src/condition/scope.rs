//! What an expression is evaluated on.

use super::reads::Reads;
use crate::json::Object;

/// What an expression can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub(super) input: &'a str,
    pub(super) state: &'a Object,
    /// Where it stands in a node.
    pub(super) node_id: Option<&'a str>,
    /// The failure that an edge is judged on (rule R26), as JSON text.
    pub(super) error: Option<&'a str>,
    /// The element of a map's instance, and its index, both as JSON.
    pub(super) instance: Option<(&'a str, &'a str)>,
    /// What the iteration before came to, and which one it is, both as JSON.
    pub(super) iteration: Option<(&'a str, &'a str)>,
    /// What the run produced that is undone (rule R27), as JSON text.
    pub(super) output: Option<&'a str>,
    /// How nodes failed whose failure an edge has handled (rule R26), by their ids.
    pub(super) errors: Option<&'a Object>,
    /// What it may read, together with others. `None` if it is alone.
    pub(super) reads: Option<&'a Reads>,
}

impl<'a> Scope<'a> {
    /// The execution's input, which must be JSON that [`crate::json::check`]
    /// accepts, and its state.
    #[must_use]
    pub fn new(input: &'a str, state: &'a Object) -> Self {
        Self {
            input,
            state,
            node_id: None,
            error: None,
            instance: None,
            iteration: None,
            output: None,
            errors: None,
            reads: None,
        }
    }

    /// The same, for evaluations that share what they may read.
    #[must_use]
    pub fn reading(self, reads: &'a Reads) -> Self {
        Self {
            reads: Some(reads),
            ..self
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

    /// The same, seen by the instance of a map that has this element and this
    /// index, both checked JSON (rule R21).
    #[must_use]
    pub fn of_instance(self, item: &'a str, index: &'a str) -> Self {
        Self {
            instance: Some((item, index)),
            ..self
        }
    }

    /// The same, seen in an iteration: what the one before came to, and which one it is,
    /// both checked JSON (rule R23).
    #[must_use]
    pub fn in_iteration(self, last: &'a str, iteration: &'a str) -> Self {
        Self {
            iteration: Some((last, iteration)),
            ..self
        }
    }

    /// The same, seen by what undoes a run that produced this checked JSON (rule R27).
    #[must_use]
    pub fn of_undone(self, output: &'a str) -> Self {
        Self {
            output: Some(output),
            ..self
        }
    }

    /// The same, and how nodes failed whose failure an edge has handled (rule R26), by
    /// their ids.
    #[must_use]
    pub fn with_errors(self, errors: &'a Object) -> Self {
        Self {
            errors: Some(errors),
            ..self
        }
    }

    /// The same, seen from the node of this id.
    #[must_use]
    pub fn in_node(self, node_id: &'a str) -> Self {
        Self {
            node_id: Some(node_id),
            ..self
        }
    }
}
