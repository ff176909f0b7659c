//! The committed bytecode of the scheduler component, for wasmtime's interpreter: made of
//! the committed component, by the version of wasmtime that the lock file names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use refrain::guest::Sandbox;
use refrain::log::digest::digest;
use serde::{Deserialize, Serialize};

use super::product::SCHEDULER;
use super::workspace;

/// Where it is, from the workspace.
pub const BYTECODE: &str = "host/component/refrain-scheduler.pulley";
/// Where its stamp is.
const STAMP: &str = "host/component/bytecode.json";

/// What the bytecode was made of, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BytecodeStamp {
    /// The SHA-256 of the component.
    pub component: String,
    /// The version of wasmtime.
    pub wasmtime: String,
    /// The SHA-256 of the bytecode.
    pub bytecode: String,
}

impl BytecodeStamp {
    /// The stamp of this bytecode, made of this component today.
    fn of(component: &[u8], bytecode: &[u8]) -> Result<Self> {
        Ok(Self {
            component: digest(component),
            wasmtime: wasmtime_version()?,
            bytecode: digest(bytecode),
        })
    }
}

/// Makes the bytecode of the committed component, and puts it where it is committed.
pub fn rebuild() -> Result<(Vec<u8>, BytecodeStamp)> {
    let component = SCHEDULER.committed()?;
    let bytecode = Sandbox::bytecode(&component)?;
    let stamp = BytecodeStamp::of(&component, &bytecode)?;
    let text = serde_json::to_string_pretty(&stamp)? + "\n";
    for (place, bytes) in [(BYTECODE, &*bytecode), (STAMP, text.as_bytes())] {
        let path = workspace().join(place);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok((bytecode, stamp))
}

/// Is the committed bytecode what today's wasmtime makes of the committed component? If
/// not, the sentence that says what to do.
pub fn freshness() -> Result<Result<(), String>> {
    let (component, bytecode) = (SCHEDULER.committed()?, read(BYTECODE)?);
    let stamp: BytecodeStamp = serde_json::from_slice(&read(STAMP)?)?;
    let today = BytecodeStamp::of(&component, &bytecode)?;
    let fresh = stamp == today && bytecode == Sandbox::bytecode(&component)?;
    Ok(if fresh {
        Ok(())
    } else {
        Err(format!(
            "{BYTECODE} is not what wasmtime {} makes of the scheduler component; type: cargo rebuild-component",
            today.wasmtime
        ))
    })
}

fn read(place: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = workspace().join(place);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The version of wasmtime in the lock file.
fn wasmtime_version() -> Result<String> {
    let lock = String::from_utf8(read("Cargo.lock")?)?;
    let version = lock
        .split("[[package]]")
        .find_map(|package| package.strip_prefix("\nname = \"wasmtime\"\nversion = \""))
        .and_then(|rest| rest.split('"').next());
    let version = version.context("Cargo.lock names no version of wasmtime")?;
    Ok(version.to_owned())
}
