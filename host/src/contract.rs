//! The contract's types, generated from `wit/`, and nothing else.
//!
//! They are the only names that the host has for events and work items.

#![expect(
    missing_docs,
    reason = "generated from wit/, where every item is documented"
)]

wasmtime::component::bindgen!({
    world: "guest",
    path: "../wit",
    additional_derives: [PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize],
});

// `self::`, because documentation tests know this crate as `refrain` too.
pub use self::refrain::scheduler::types::*;
