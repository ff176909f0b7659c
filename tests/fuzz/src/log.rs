//! The host's log, from the host's own sources, and nothing else of the host.

#![expect(dead_code, reason = "a part of a crate, for the targets that need it")]

#[path = "../../../host/src/limits/mod.rs"]
pub mod limits;
#[path = "../../../host/src/json.rs"]
pub mod json;
#[path = "../../../host/src/model/mod.rs"]
pub mod model;
#[path = "../../../host/src/names.rs"]
pub mod names;
#[path = "../../../host/src/time.rs"]
pub mod time;
#[path = "../../../host/src/render/mod.rs"]
pub mod render;
#[path = "../../../host/src/log/mod.rs"]
pub mod log;
