//! The payload of a work item.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A work item's payload (rule R5), and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) node_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) kind: &'a RawValue,
    #[serde(borrow)]
    #[expect(
        dead_code,
        reason = "that it is there and is JSON is all that is asked of it"
    )]
    input: &'a RawValue,
    /// The pointers of the texts into which the worker puts something (rule R29).
    #[serde(default)]
    pub(super) templates: Vec<String>,
}

impl<'a> Payload<'a> {
    /// A repeated key or one too many is an error: nothing that two readers
    /// could read differently is handed to a worker.
    pub(super) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        // `serde` would read the fields from a list, too.
        if text.trim_start().starts_with('[') {
            return Err(serde::de::Error::custom("it is a list"));
        }
        serde_json::from_str(text)
    }
}

/// The payload of an item of this node as our own scheduler spells it, up to `input`; and
/// where `kind` begins in it.
pub(super) fn usual(node_id: &str, kind: &str) -> (String, usize) {
    let before = format!(
        r#"{{"node_id":{},"kind":"#,
        serde_json::Value::from(node_id)
    );
    (format!(r#"{before}{kind},"input":"#), before.len())
}
