//! Guests: scheduler components, kept by digest, run in a sandbox.
//!
//! A guest sees the world through [`Ports`] and nothing else. Live, the ports
//! stage what it orders; in an audit they compare it with the log.
//!
//! ```text
//! Sandbox   one wasmtime engine: what every guest runs under
//! Library   components by digest, compiled when first needed
//! Instance  a guest at work: one call at a time, each with ports of its own
//! ```
//!
//! The built-in guest is at hand as bytecode too, which is interpreted until its machine
//! code is ready. Without the Cargo feature `compile` there is no machine code: the
//! built-in guest is interpreted, and any other is refused
//! ([`ComponentError::NoCompiler`]).

// From the bottom up; each may use those above it in this list.
mod ports;
mod newer;
mod failure;
mod call_limits;
mod meter;
mod host_state;
mod fuel;
mod metered;
mod contract;
mod check;
#[cfg(feature = "compile")]
mod thread_clock;
#[cfg(feature = "compile")]
mod bounds;
#[cfg(feature = "compile")]
mod compiler;
#[cfg(feature = "compile")]
mod code_cache;
mod bytecode;
mod sandbox;
mod cut_off;
mod texts;
mod instance;
mod footprint;
mod shared_code;
#[cfg(feature = "compile")]
mod in_background;
mod library;
mod memory_ports;
mod in_memory;
mod condition;
#[cfg(test)]
mod tests;

pub use call_limits::CallLimits;
pub use check::ComponentError;
pub use condition::check_condition;
pub(crate) use condition::{ConditionError, asking, holds as condition_holds, why_refused};
pub use contract::{AnyPorts, BoxedPorts, BroughtGuest, BroughtStore, Contract, GuestAnswer};
pub use failure::{CallError, GuestFailure};
pub(crate) use footprint::Footprint;
pub use host_state::HostState;
pub use in_memory::InMemoryExecution;
pub use instance::Instance;
pub use library::{Library, LibraryError};
pub use memory_ports::{Call, MemoryPorts};
pub use metered::{MeteredPorts, PortAnswer};
pub use newer::Newer;
pub use ports::{NoPorts, Ports};
pub use sandbox::{Sandbox, SandboxError};
