//! The versions of the contract that this program speaks, each with an adapter
//! of its own.
//!
//! wasmtime links by exact types: a guest that was built for one version can
//! be given the types of no other, not even with one kind of event more. So an
//! adapter is the only place that knows the types generated from its version
//! of `wit/`. To the rest of the host an instance is [`Exports`], and the world
//! is [`Ports`](super::Ports), both in the host's own [model](crate::model).
//!
//! A further version is one more module here with a WIT of its own, one more
//! value of [`Version`], and the arms that the compiler then asks for. Programs that
//! embed the library can bring others ([`Contract`]); a [`Sandbox`](super::Sandbox)
//! is told of them.

mod brought;
mod convert;
mod v0_2;

use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{Engine, Store};

use super::Ports;
use super::ports::HostState;
use crate::model::{
    Description, EventKind, Explanation, Fault, Inspection, Outcome, SchedulerError, Snapshot,
    WorkflowSummary,
};

pub use brought::{AnyPorts, BoxedPorts, BroughtGuest, Contract};

/// A version of the contract.
#[derive(Clone)]
pub(super) enum Version {
    /// `refrain:scheduler@0.2.0`.
    V0_2,
    /// One that somebody brought.
    Brought(Arc<dyn Contract>),
}

/// The versions that a sandbox speaks.
#[derive(Clone, Default)]
pub(super) struct Versions {
    /// Those that were brought. Those that are built in are spoken always.
    brought: Vec<Arc<dyn Contract>>,
}

/// A value that guests of this version cannot know, because it came with a
/// later one. It is never handed to them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} is newer than the guest, which was built for version {version} of the contract; change the execution to a guest that knows it"
)]
#[non_exhaustive]
pub struct Newer {
    /// What it is.
    pub what: String,
    /// The version of the contract that the guest was built for.
    pub version: &'static str,
    /// The event of the log that holds it. `None` if it is none of the log's.
    pub sequence: Option<u64>,
}

impl Newer {
    /// This is newer than guests of this version.
    #[must_use]
    pub fn new(what: impl Into<String>, version: &'static str) -> Self {
        Self {
            what: what.into(),
            version,
            sequence: None,
        }
    }

    /// The same, found in this event of the log.
    #[must_use]
    pub fn at(self, sequence: u64) -> Self {
        Self {
            sequence: Some(sequence),
            ..self
        }
    }
}

/// A guest gave something that the contract's types allow and its text does
/// not.
pub(super) struct Malformed {
    /// The innermost field that is at fault, if it is one.
    field: Option<&'static str>,
    problem: String,
}

impl Malformed {
    fn new(problem: impl ToString) -> Self {
        Self {
            field: None,
            problem: problem.to_string(),
        }
    }

    /// The same, found in this field or within it.
    fn of(self, field: &'static str) -> Self {
        Self {
            field: self.field.or(Some(field)),
            ..self
        }
    }

    fn sentence(self) -> String {
        match self.field {
            Some(field) => format!("`{field}`: {}", self.problem),
            None => self.problem,
        }
    }
}

/// An answer about an execution: what wasmtime says, around what the guest says.
pub type Answer<T> = wasmtime::Result<Result<T, SchedulerError>>;

/// A guest at work, whatever version it speaks: its exports, in the model.
pub(super) trait Exports<P: Ports>: Send {
    fn step(
        &self,
        store: &mut Store<HostState<P>>,
        id: &str,
        last: u64,
        facts: &[EventKind],
    ) -> Answer<Outcome>;
    fn explain(&self, store: &mut Store<HostState<P>>, id: &str, node: &str)
    -> Answer<Explanation>;
    fn inspect(&self, store: &mut Store<HostState<P>>, id: &str) -> Answer<Inspection>;
    fn snapshot(&self, store: &mut Store<HostState<P>>, id: &str) -> Answer<Snapshot>;
    fn forget(&self, store: &mut Store<HostState<P>>, id: &str) -> wasmtime::Result<()>;
    fn validate(
        &self,
        store: &mut Store<HostState<P>>,
        workflow: &str,
    ) -> wasmtime::Result<Result<WorkflowSummary, Vec<Fault>>>;
    fn describe(&self, store: &mut Store<HostState<P>>) -> wasmtime::Result<Description>;
}

/// What guests that are built now must export.
pub(super) const NEWEST_EXPORT: &str = v0_2::EXPORT;

impl Versions {
    /// The same, and this one.
    pub(super) fn with(mut self, contract: Arc<dyn Contract>) -> Self {
        self.brought.push(contract);
        self
    }

    /// The version that a component speaks: it shows in what it exports.
    pub(super) fn of(&self, engine: &Engine, component: &Component) -> Option<Version> {
        let component_type = component.component_type();
        let exports: Vec<&str> = component_type
            .exports(engine)
            .map(|(export, _)| export)
            .collect();
        let brought = self.brought.iter().cloned().map(Version::Brought);
        let mut all = [Version::NEWEST].into_iter().chain(brought);
        all.find(|version| exports.contains(&version.export()))
    }
}

impl Version {
    /// The version that guests should be built for.
    pub(super) const NEWEST: Self = Self::V0_2;

    /// What a guest must export.
    fn export(&self) -> &'static str {
        match self {
            Self::V0_2 => v0_2::EXPORT,
            Self::Brought(contract) => contract.export(),
        }
    }

    /// All that a guest may import.
    pub(super) fn imports(&self) -> &'static [&'static str] {
        match self {
            Self::V0_2 => &v0_2::IMPORTS,
            Self::Brought(contract) => contract.imports(),
        }
    }

    /// Whether the component has what this version asks for, with the types
    /// that it has there.
    pub(super) fn check(&self, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
        match self {
            Self::V0_2 => v0_2::check(engine, component),
            Self::Brought(contract) => contract.check(engine, component),
        }
    }

    /// A fresh instance of a component of this version.
    pub(super) fn instantiate<P: Ports>(
        &self,
        store: &mut Store<HostState<P>>,
        component: &Component,
    ) -> wasmtime::Result<Box<dyn Exports<P>>> {
        match self {
            Self::V0_2 => v0_2::instantiate(store, component),
            Self::Brought(contract) => brought::instantiate(&**contract, store, component),
        }
    }
}
