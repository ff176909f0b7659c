//! What a list of executions says of children.

use refrain::id::ExecutionId;
use refrain::store::{ChildRecord, Reader, SqliteStore, StoreError};
use serde::Serialize;

/// The execution whose child one is, and for which of its nodes.
#[derive(Serialize)]
pub(super) struct ParentDocument<'a> {
    execution_id: String,
    node_id: &'a str,
    attempt: u32,
    iteration: u32,
}

impl<'a> ParentDocument<'a> {
    pub(super) fn of(child: &'a ChildRecord) -> Self {
        Self {
            execution_id: child.parent.to_string(),
            node_id: &child.node_id,
            attempt: child.attempt,
            iteration: child.iteration,
        }
    }
}

/// What is said of children, where that can be read.
pub(super) struct Children {
    /// Whether nothing was left out.
    pub(super) is_whole: bool,
    /// Why they cannot be read.
    pub(super) unread: Option<StoreError>,
}

impl Default for Children {
    fn default() -> Self {
        Self {
            is_whole: true,
            unread: None,
        }
    }
}

impl Children {
    /// What an execution is a child of, if it is one and that can be read.
    pub(super) fn of(
        &mut self,
        store: &mut SqliteStore,
        id: ExecutionId,
    ) -> Result<Option<ChildRecord>, StoreError> {
        if self.unread.is_some() {
            return Ok(None);
        }
        match store.child(id) {
            Err(error @ (StoreError::Malformed { .. } | StoreError::Corrupt { .. })) => {
                self.unread = Some(error);
                Ok(None)
            }
            child => child,
        }
    }
}

/// What is said of children.
pub(super) fn child_mark(child: Option<&ChildRecord>) -> &'static str {
    if child.is_some() { ", child" } else { "" }
}
