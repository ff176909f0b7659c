//! The host's log, from the host's own sources, and nothing else of the host.

#![expect(dead_code, reason = "a part of a crate, for the targets that need it")]
#![expect(
    missing_docs,
    reason = "generated from wit/, where every item is documented"
)]

/// The contract's types, as wit-bindgen makes them natively.
pub mod contract {
    wit_bindgen::generate!({
        world: "guest",
        path: "../../wit",
        additional_derives: [PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize],
        generate_all,
    });
    pub use self::refrain::scheduler::types::*;
}

#[path = "../../../host/src/limits.rs"]
pub mod limits;
#[path = "../../../host/src/log/mod.rs"]
pub mod log;
