//! The real binary on a real SQLite file, killed with SIGKILL.
//!
//! ```text
//! rounds    killed at random moments, over and over; what was acknowledged is still there
//! diamond   a diamond of commands, under such rounds
//! tree      maps, children, loops of them, within each other, under such rounds
//! witness   what was acknowledged, and the look whether it is still there
//! claims    what the dead process was at does not wait for its lease
//! batch     killed in the middle of what one step orders
//! erased    killed in the middle of erasing
//! ```

mod batch;
mod claims;
mod diamond;
mod erased;
mod rounds;
mod tree;
mod undo;
mod witness;

use std::process::Command;

use anyhow::{Context, Result};
use refrain_tests::binary::{stderr, stdout};
use serde_json::Value;

/// The JSON document that a command answers with.
fn document(command: &mut Command) -> Result<Value> {
    let output = command.output()?;
    serde_json::from_str(&stdout(&output))
        .with_context(|| format!("{command:?}: {}", stderr(&output)))
}
