//! The components that are committed, and where.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::digest::digest;

use super::sources::{GUEST, Sources};
use super::stamp::Stamp;
use super::toolchain::Toolchain;
use super::{compile, encode, sources, workspace};
use crate::few;

/// A component that is committed with its stamp.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// What it is, for people.
    pub name: &'static str,
    /// Where it is, from the workspace.
    pub component: &'static str,
    /// Where its stamp is.
    pub stamp: &'static str,
    /// What it is built from.
    pub sources: Sources,
}

/// The scheduler itself.
pub const SCHEDULER: Product = Product {
    name: "the scheduler component",
    component: "host/component/refrain-scheduler.wasm",
    stamp: "host/component/stamp.json",
    sources: GUEST,
};

/// A scheduler that dispatches the other way round, for audits to find out.
pub const DIVERGENT: Product = Product {
    name: "the divergent guest of the tests",
    component: "tests/guests/divergent.wasm",
    stamp: "tests/guests/divergent.json",
    sources: Sources {
        package: "refrain-divergent-guest",
        features: &[],
        profile: "component",
        manifest: "guest/Cargo.toml",
        around: Some("tests/guests/divergent/Cargo.toml"),
        folders: &["guest/src", "wit", "tests/guests/divergent/src"],
    },
};

/// A scheduler of another version of the contract, which is the tests' own.
pub const FEW: Product = Product {
    name: "the guest of the tests' own contract",
    component: "tests/guests/few.wasm",
    stamp: "tests/guests/few.json",
    sources: Sources {
        package: "refrain-few-guest",
        features: &[],
        profile: "component",
        manifest: "tests/guests/few/Cargo.toml",
        around: None,
        folders: &["tests/guests/few/src", "tests/guests/few/wit"],
    },
};

/// All of them.
pub const PRODUCTS: [Product; 3] = [SCHEDULER, DIVERGENT, FEW];

impl Product {
    /// Build it: its bytes, and the stamp that belongs to them.
    pub fn build(&self, toolchain: &Toolchain) -> Result<(Vec<u8>, Stamp)> {
        let workspace = workspace();
        let module = compile::core_module(&workspace, toolchain, &self.sources)?;
        let component = encode::component(&module)?;
        accepted(&component)?;
        let stamp = Stamp {
            sources: sources::digest(&workspace, &self.sources)?,
            compiler: toolchain.compiler.name.clone(),
            flags: compile::flags(&self.sources),
            component: digest(&component),
        };
        Ok((component, stamp))
    }

    /// Put it where it is committed.
    pub fn write(&self, component: &[u8], stamp: &Stamp) -> Result<()> {
        let path = self.path(self.component);
        fs::write(&path, component).with_context(|| format!("cannot write {}", path.display()))?;
        stamp.write(&self.path(self.stamp))
    }

    /// The committed bytes.
    pub fn committed(&self) -> Result<Vec<u8>> {
        let path = self.path(self.component);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// The committed stamp.
    pub fn stamp(&self) -> Result<Stamp> {
        Stamp::read(&self.path(self.stamp))
    }

    /// Is the committed component what today's sources ask for? If not, the
    /// sentence that says what to do.
    pub fn freshness(&self) -> Result<Result<(), String>> {
        let (stamp, component) = (self.stamp()?, self.committed()?);
        let fresh = stamp.sources == sources::digest(&workspace(), &self.sources)?
            && stamp.flags == compile::flags(&self.sources)
            && stamp.component == digest(&component);
        Ok(if fresh {
            Ok(())
        } else {
            Err(format!(
                "{} is not built from today's sources; type: cargo rebuild-component",
                self.name
            ))
        })
    }

    fn path(&self, place: impl AsRef<Path>) -> PathBuf {
        workspace().join(place)
    }
}

/// Show the component to the host's own door, which knows what a guest may
/// import and must export.
fn accepted(component: &[u8]) -> Result<()> {
    let sandbox = Sandbox::new(CallLimits::default())?.speaking(few::contract());
    let mut library = Library::new(sandbox);
    let digest = library.add(component.to_vec())?;
    Ok(library.check(&digest)?)
}
