//! What must hold whatever bytes come in: the bodies of the fuzz targets in
//! `tests/fuzz`, which include these files by their paths; and
//! `tests/fuzzing/main.rs` runs them on every machine, from the same corpus. Those of
//! components are in `tests/fuzz/components`, a package of its own, and
//! `tests/hostile_guests` runs them.
//!
//! A body panics where something does not hold, and only there. Each file
//! stands by itself.

pub mod component;
pub mod condition;
pub mod event_decoder;
pub mod generated;
pub mod log_file;
pub mod workflow_json;
