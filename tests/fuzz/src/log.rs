//! The host's log, from the host's own sources, and of the host only what it needs.

#![expect(dead_code, reason = "a part of a crate, for the targets that need it")]

#[path = "../../../host/src/limits/mod.rs"]
pub mod limits;
#[path = "../../../host/src/id.rs"]
pub mod id;
#[path = "../../../host/src/json.rs"]
pub mod json;
#[path = "../../../host/src/model/mod.rs"]
pub mod model;
#[path = "../../../host/src/names.rs"]
pub mod names;
#[path = "../../../host/src/time.rs"]
pub mod time;
#[path = "../../../host/src/resembling.rs"]
mod resembling;
#[path = "../../../host/src/templates.rs"]
mod templates;
#[path = "../../../host/src/render/mod.rs"]
pub mod render;
#[path = "../../../host/src/signing/mod.rs"]
pub mod signing;
#[path = "../../../host/src/log/mod.rs"]
pub mod log;
