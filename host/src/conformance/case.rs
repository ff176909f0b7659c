//! What stands in a kit: logs, and what is done to them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::edit::Edit;
use super::expected::Expected;

/// A log that cases begin with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub shows: String,
    /// Its lines: the header, and an event each.
    pub lines: Vec<Box<RawValue>>,
}

/// A log, and what an auditor has to say of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name: letters, digits, `_`, `-` and `.`, so that a file can have it.
    pub name: String,
    /// The log that it begins with.
    pub base: String,
    /// What is done to that, in this order.
    pub edits: Vec<Edit>,
    /// What an auditor has to say of it.
    pub expected: Expected,
}

/// Logs that are given together: each may be compared with the others (law 11), and brings
/// its schedulers for all of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Together {
    /// Its name, as a folder can have it.
    pub name: String,
    /// The logs, in the order of their names, which are unique among them.
    pub logs: Vec<Case>,
}
