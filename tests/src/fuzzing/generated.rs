//! Components that nobody wrote: valid ones, made by wasm-smith out of any
//! bytes, alone or as a part of a guest; and guests with some bytes changed.
//!
//! What is generated uses more of WebAssembly than any compiler for guests
//! does, and much that the sandbox has not.

use arbitrary::{Arbitrary, Result, Unstructured};
use wasm_smith::{Component, Config, Module};

use crate::sections;

/// A component, and what came of the bytes that it is made of.
///
/// # Errors
/// There are too few bytes.
pub fn component(guest: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let mut chance = Unstructured::new(data);
    let mut bytes = guest.to_vec();
    match chance.int_in_range(0..=5)? {
        0 => return module(&mut chance),
        1 => return whole(&mut chance),
        2 => {
            let part = module(&mut chance)?;
            sections::append(&mut bytes, sections::CORE_MODULE, &part);
        }
        3 => {
            let part = whole(&mut chance)?;
            sections::append(&mut bytes, sections::COMPONENT, &part);
        }
        // Their start function runs when the guest begins.
        _ => {
            let part = complete(&mut chance)?;
            sections::append_instantiated(&mut bytes, sections::CORE_MODULE, &part);
        }
    }
    Ok(bytes)
}

/// A component with modules, instances and components in it.
fn whole(chance: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let config = Config {
        max_components: 10,
        max_instances: 10,
        max_modules: 10,
        max_values: 10,
        ..config(chance)?
    };
    Ok(Component::new(config, chance)?.to_bytes())
}

/// A core module.
fn module(chance: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let config = config(chance)?;
    Ok(Module::new(config, chance)?.to_bytes())
}

/// One that imports nothing.
fn complete(chance: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let config = Config {
        max_imports: 0,
        ..config(chance)?
    };
    Ok(Module::new(config, chance)?.to_bytes())
}

/// Half of them use any proposal that there is, the others only what the
/// sandbox has.
fn config(chance: &mut Unstructured<'_>) -> Result<Config> {
    let any = Config::arbitrary(chance)?;
    if chance.arbitrary()? {
        return Ok(any);
    }
    Ok(Config {
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        ..any
    })
}

/// A change of one byte: where, of all places, and what it becomes.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Change {
    place: u32,
    byte: u8,
}

/// This component with up to eight bytes changed, as these bytes have it.
///
/// # Errors
/// There are too few bytes.
pub fn changed(component: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let mut chance = Unstructured::new(data);
    let mut bytes = component.to_vec();
    for _ in 0..chance.int_in_range(1..=8)? {
        let Change { place, byte } = chance.arbitrary()?;
        let place = place as usize % bytes.len();
        bytes[place] = byte;
    }
    Ok(bytes)
}
