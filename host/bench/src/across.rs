//! From the host's model to the native core's types, and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The same value on the other side: field by field, by their names. The core's
/// types are generated from the WIT of the version that it is built for, and the
/// host's are its own.
///
/// # Panics
/// If one side has what the other has not.
pub fn across<Here: Serialize, There: DeserializeOwned>(value: &Here) -> There {
    let value = serde_json::to_value(value).expect("contract types serialise");
    serde_json::from_value(value).expect("both sides have the same types")
}
