//! The built-in component as bytecode for Pulley, wasmtime's interpreter, which runs
//! without being compiled.
//!
//! The file is made of the component by wasmtime's compiler, and committed next to it. It
//! fits one major version of wasmtime, the settings of the sandbox and machines with
//! little-endian words of 64 bits. wasmtime refuses it where it does not fit, and then it
//! counts as missing. A test of the workspace compiles it anew and compares the bytes.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::check::{self, ComponentError};
use super::contract::Versions;

/// The bytecode of the component that this program was built with.
const BUILT_IN: &[u8] = include_bytes!("../../component/refrain-scheduler.pulley");

/// The built-in component in an engine that interprets, with a meter for fuel. `None` if
/// the bytecode does not fit this engine or machine.
pub(super) fn built_in(engine: &Engine, versions: &Versions) -> Option<Component> {
    let loaded = deserialize(engine)
        .map_err(|error| ComponentError::Malformed(format!("{error:#}")))
        .and_then(|component| {
            check::contract(versions, engine, &component)?;
            Ok(component)
        });
    if let Err(error) = &loaded {
        tracing::warn!("the bytecode of the built-in scheduler component is not used: {error}");
    }
    loaded.ok()
}

#[expect(
    unsafe_code,
    reason = "compiled code cannot be loaded in another way, and this is a part of the program"
)]
fn deserialize(engine: &Engine) -> wasmtime::Result<Component> {
    // SAFETY: wasmtime asks that nobody has changed what its compiler made. These bytes
    // were made by it from the committed component, which a test checks byte for byte, and
    // they are a part of this program, like its own machine code: nothing is read at run
    // time. wasmtime itself checks that they were made by a version and with settings that
    // this engine can run.
    unsafe { Component::deserialize(engine, BUILT_IN) }
}
