//! The pure scheduler core of Refrain.
//!
//! It holds no clock, no randomness, no input and no output: time is an
//! argument, chance is derived from the seed in event 1, and whatever the core
//! wants from the world it says in its answer. Built natively it is a library
//! for tests; built for `wasm32-unknown-unknown` it is the scheduler component.
//!
//! # The contract of use
//!
//! A [`Machine`](machine::Machine) is one execution. [`apply::start`] makes it
//! of event 1. From there [`apply::apply()`] is the only thing that changes it:
//! it takes the next event, fact or decision, or refuses it and changes nothing.
//! [`decide::decide()`] changes nothing: it answers the one decision that comes
//! next, at a time that the caller reads. Deciding must be drained: decide,
//! apply, and again until there is nothing left; [`decide::drain`] is that loop.
//!
//! The core must never panic on a log, no matter who wrote it.
//!
//! # The modules
//!
//! From the bottom up; each may use those above it in this list, never those
//! below it, whether by a path or by a method. That holds inside each folder
//! too, where the parent stands on its children. A test of the workspace
//! (`tests/native/layers.rs`) reads the order from here and holds the sources to it.
#![no_std]

extern crate alloc;
#[cfg(feature = "proptest")]
extern crate std;

// The contract: its types as generated, and what is asked of all of them.
pub mod bindings;
pub use bindings::refrain::scheduler::types as contract;
// Instants and spans.
pub mod time;
// Decimal numbers, added exactly.
pub mod decimal;
// Every limit, with its reason.
pub mod limits;
// The SHA-256 of a text.
pub mod digest;
// JSON text kept verbatim.
pub mod json;
// What a mistyped name was to be.
pub(crate) mod resembling;
// The language of conditions and expressions (rule R8).
pub mod condition;
// Texts that hold expressions (rule R29).
pub mod template;
// What a valid workflow is (rule R1).
pub mod workflow;
// Which run of a node: its own, or that of one of its instances.
pub mod instance;
// One node's transition table.
pub mod node;
// What an execution can come to.
pub mod ending;
// What an execution is between two events.
pub mod state;
// A set of nodes, in their order.
pub(crate) mod node_set;
// What is to be done next, in order: an index over the state.
pub(crate) mod agenda;
// What becomes of a map, by what has become of its instances.
pub(crate) mod verdict;
// An execution: workflow, state, agenda.
pub mod machine;
// Pure questions that both applying and deciding ask.
pub mod guards;
// Whether a failed attempt is followed by another, and after how long.
pub(crate) mod backoff;
// An event becomes state: the only writer.
pub mod apply;
// State and time become the next decision; draining.
pub mod decide;
// Codes and their data as JSON.
pub(crate) mod codes;
// The state as JSON.
pub mod inspect;
// Why a node is where it is, in codes and data.
pub mod explain;
// The state as bytes, and back.
pub mod snapshot;
// Parsed workflows, as a cache.
pub(crate) mod plan_cache;
// What a call may ask of the world.
pub(crate) mod world;
// A machine is made of what is stored, and brought up to date.
pub(crate) mod reading;
// Ports in, machine, ports out; machines as a cache.
pub mod shell;
// Tests as tables: read, played, replayed, printed.
#[cfg(feature = "proptest")]
pub mod notation;
// Generated workflows, legal histories, hostile logs.
#[cfg(feature = "proptest")]
pub mod strategies;
// The generated imports as a world, and the scheduler as the exports.
#[cfg(target_family = "wasm")]
pub mod component;
