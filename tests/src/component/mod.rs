//! The committed component: how it is built from the guest's sources, and how
//! anyone can tell whether it still is what they say.
//!
//! From the bottom up; each may use those above it in this list.

pub mod compile;
pub mod encode;
pub mod product;
pub mod drawing;
pub mod bytecode;
pub mod copies;
pub mod sources;
pub mod stamp;
pub mod toolchain;

use std::path::PathBuf;

/// The top folder of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map_or(tests.clone(), PathBuf::from)
}
