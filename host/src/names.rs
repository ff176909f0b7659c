//! How the contract's enums are spelled in JSON and on the command line: in
//! snake_case, one spelling each, for ever.

use serde::{Deserialize, Deserializer, Serializer};

use crate::model::{NodeState, Status};

macro_rules! spellings {
    ($( $(#[$doc:meta])* $name:ident, $parse:ident: $enum:ident { $( $variant:ident = $text:literal ),* $(,)? } )*) => { $(
        $(#[$doc])*
        #[must_use]
        pub fn $name(value: $enum) -> &'static str {
            match value {
                $( $enum::$variant => $text, )*
            }
        }

        /// The value that is spelled so, if there is one.
        #[must_use]
        pub fn $parse(text: &str) -> Option<$enum> {
            match text {
                $( $text => Some($enum::$variant), )*
                _ => None,
            }
        }
    )* };
}

/// Writes a status as it is spelled: for `#[serde(serialize_with)]`.
pub(crate) fn serialize_status<S: Serializer>(
    value: &Status,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status(*value))
}

/// Reads a status as it is spelled: for `#[serde(deserialize_with)]`.
pub(crate) fn deserialize_status<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Status, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_status(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no execution's status")))
}

spellings! {
    /// An execution's status.
    status, parse_status: Status {
        Running = "running",
        Paused = "paused",
        Stalled = "stalled",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
    /// A node's state.
    node_state, parse_node_state: NodeState {
        Pending = "pending",
        Ready = "ready",
        Scheduled = "scheduled",
        Running = "running",
        Failing = "failing",
        BackingOff = "backing_off",
        Waiting = "waiting",
        Completed = "completed",
        Failed = "failed",
        Skipped = "skipped",
        Cancelled = "cancelled",
    }
}
