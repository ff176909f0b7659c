//! The pure scheduler core of Refrain.
//!
//! It holds no clock, no randomness, no input and no output: time is an
//! argument, chance is derived from the seed in event 1, and whatever the core
//! wants from the world it says in its answer. Built natively it is a library
//! for tests; built for `wasm32-unknown-unknown` it is the scheduler component.
//!
//! The modules, from the bottom up; each may use those above it in this list.
#![no_std]

extern crate alloc;
#[cfg(feature = "proptest")]
extern crate std;

pub mod bindings;
pub use bindings::refrain::scheduler::types as contract;
pub mod limits;
pub mod time;
pub mod json;
pub mod condition;
pub mod workflow;
pub mod node;
pub mod state;
pub(crate) mod agenda;
pub mod machine;
pub mod apply;
pub mod decide;
pub mod inspect;
pub mod explain;
pub mod snapshot;
pub(crate) mod key;
pub(crate) mod plans;
pub mod shell;
#[cfg(feature = "proptest")]
pub mod notation;
#[cfg(feature = "proptest")]
pub mod strategies;
#[cfg(target_family = "wasm")]
pub mod component;
