//! From the host's types of the contract to the native core's, and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The same value of the contract on the other side. Both sides generate their
/// types from the same WIT, field by field.
///
/// # Panics
/// If the two sides are not generated from the same WIT.
pub fn across<Here: Serialize, There: DeserializeOwned>(value: &Here) -> There {
    let value = serde_json::to_value(value).expect("contract types serialise");
    serde_json::from_value(value).expect("both sides have the same types")
}
