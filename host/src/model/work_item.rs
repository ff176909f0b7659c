//! Work items.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::child::{ChildName, ChildOrder};
use super::timestamp::Timestamp;
use crate::json::Json;

/// What decisions ask of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WorkOrder {
    /// A new work item.
    Enqueue(WorkItem),
    /// An unsettled work item back, claimed or not.
    Cancel(ItemName),
    /// A child, as a decision of the same call asks for it.
    StartChild(ChildOrder),
    /// The end of a child that nobody waits for any more.
    CancelChild(ChildName),
}

/// Which of an execution's work items.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ItemName {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// An ordered attempt of one node. It is identified by (execution, node,
/// attempt).
///
/// Its digest is the SHA-256 over the fields in the order of this record,
/// without the execution: a fork has the same items as its origin. A text
/// counts as its length in bytes (u64, little-endian) and its UTF-8 bytes; a
/// number counts as a u64, little-endian.
///
/// Its `Debug` form leaves the payload out, as secrets may have been put into it.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkItem {
    /// The execution.
    pub execution_id: String,
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The last attempt that there can be.
    pub max_attempts: u32,
    /// The queue.
    pub queue: String,
    /// Whom the execution belongs to.
    pub tenant: String,
    /// How urgent it is: 0 to 9, the greater first.
    pub priority: u32,
    /// The item may not be claimed before this time.
    pub not_before: Timestamp,
    /// `{node_id, kind, input}`, JSON text; and `templates`, where a worker puts secrets
    /// or the execution's id into texts of the kind (rule R29): the list of their JSON
    /// pointers. A worker of an engine gets it with these put in.
    pub payload: String,
}

impl fmt::Debug for WorkItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = format_args!("{} bytes", self.payload.len());
        f.debug_struct("WorkItem")
            .field("execution_id", &self.execution_id)
            .field("node_id", &self.node_id)
            .field("attempt", &self.attempt)
            .field("max_attempts", &self.max_attempts)
            .field("queue", &self.queue)
            .field("tenant", &self.tenant)
            .field("priority", &self.priority)
            .field("not_before", &self.not_before)
            .field("payload", &payload)
            .finish()
    }
}

/// A work item's payload (rule R5), as far as workers ask for it.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(borrow)]
    input: &'a RawValue,
}

impl WorkItem {
    /// The node's input (rule R5).
    ///
    /// # Errors
    /// When the payload is not of the form that rule R5 gives it; another scheduler component ordered it then.
    pub fn input(&self) -> Result<Json, serde_json::Error> {
        serde_json::from_str::<Payload<'_>>(&self.payload)
            .map(|payload| Json::trusted(payload.input.get().to_owned()))
    }

    /// The node's `kind` object: verbatim from the workflow, but for what expressions
    /// came to and what was put in. It is the one place where a worker is shown secrets: it
    /// stands in the payload, which is not for logs.
    ///
    /// # Errors
    /// As for [`WorkItem::input`].
    pub fn kind(&self) -> Result<Json, serde_json::Error> {
        serde_json::from_str::<Payload<'_>>(&self.payload)
            .map(|payload| Json::trusted(payload.kind.get().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r29_a_payload_is_not_in_what_is_printed_of_its_item() {
        let item = WorkItem {
            node_id: "a".into(),
            payload: r#"{"kind":{"auth":"Bearer s3cr3t"}}"#.into(),
            ..WorkItem::default()
        };
        let printed = format!("{item:?}");
        assert!(printed.contains(r#"node_id: "a""#), "{printed}");
        assert!(printed.ends_with("payload: 33 bytes }"), "{printed}");
    }

    #[test]
    fn r5_payload_is_read_verbatim() {
        let item = WorkItem {
            execution_id: String::new(),
            node_id: "a".into(),
            attempt: 1,
            max_attempts: 3,
            queue: "http".into(),
            tenant: String::new(),
            priority: 5,
            not_before: 0,
            payload: r#"{"node_id":"a","kind":{"type":"http"},"input":{"n":1.50}}"#.into(),
        };
        assert_eq!(item.input().expect("an input").as_str(), r#"{"n":1.50}"#);
        assert_eq!(item.kind().expect("a kind").as_str(), r#"{"type":"http"}"#);
    }
}
