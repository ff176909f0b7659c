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

mod malformed;
mod convert;
mod exports;
mod brought;
mod v0_2;

use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{Engine, Store};

use super::Ports;
use super::host_state::HostState;

pub(super) use exports::Exports;

pub use brought::{AnyPorts, BoxedPorts, BroughtGuest, BroughtStore, Contract};
pub use exports::GuestAnswer;

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
        self.all()
            .find(|version| exports.contains(&version.export()))
    }

    /// The numbers of the versions that are spoken.
    pub(super) fn spoken(&self) -> Vec<&str> {
        let brought = self.brought.iter().map(|contract| contract.export());
        let exports = [v0_2::EXPORT].into_iter().chain(brought);
        exports.map(number).collect()
    }

    fn all(&self) -> impl Iterator<Item = Version> {
        let brought = self.brought.iter().cloned().map(Version::Brought);
        [Version::NEWEST].into_iter().chain(brought)
    }
}

/// The number of the version that stands in the name of an interface.
fn number(export: &str) -> &str {
    export.rsplit_once('@').map_or(export, |(_, number)| number)
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

    /// Its number.
    pub(super) fn number(&self) -> &'static str {
        number(self.export())
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
