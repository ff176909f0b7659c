//! The library: components by their digest.
//!
//! A guest's name is the SHA-256 of its bytes, so what is found under a name
//! is what was meant, a year later too. Components are compiled when they are
//! first needed, and kept. It must never look for components by itself:
//! whoever needs another than the built-in one brings its bytes.

use std::borrow::Cow;
use std::collections::HashMap;

use wasmtime::component::Component;

use super::check;
use super::{CallLimits, ComponentError, GuestFailure, Instance, Ports, Sandbox};
use crate::log::digest;

/// The scheduler component that this program was built with.
const BUILT_IN: &[u8] = include_bytes!("../../component/refrain-scheduler.wasm");

/// Components by digest, and the sandbox that they run in. A clone shares what
/// has been compiled, and goes its own way from there.
#[derive(Clone)]
pub struct Library {
    sandbox: Sandbox,
    shelf: HashMap<String, Volume>,
    built_in: String,
}

/// One component.
#[derive(Clone)]
struct Volume {
    bytes: Cow<'static, [u8]>,
    compiled: Option<Component>,
}

/// Why there is no instance of this guest.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Nobody brought it.
    #[error("the guest {digest} is not at hand; give its component with `--guest FILE.wasm`")]
    Unknown {
        /// The digest that was asked for.
        digest: String,
    },
    /// It is no guest.
    #[error("{digest} is not a scheduler guest: {reason}")]
    Refused {
        /// Its digest.
        digest: String,
        /// Why not.
        #[source]
        reason: ComponentError,
    },
    /// It failed before it was asked anything.
    #[error("the guest {digest} cannot start: {failure}")]
    Start {
        /// Its digest.
        digest: String,
        /// How it failed.
        #[source]
        failure: GuestFailure,
    },
}

impl Library {
    /// A library that holds the built-in component.
    #[must_use]
    pub fn new(sandbox: Sandbox) -> Self {
        let mut library = Self {
            sandbox,
            shelf: HashMap::new(),
            built_in: String::new(),
        };
        library.built_in = library.put(Cow::Borrowed(BUILT_IN));
        library
    }

    /// The same library, where each call may take this much.
    #[must_use]
    pub fn with_limits(mut self, limits: CallLimits) -> Self {
        self.sandbox = self.sandbox.with_limits(limits);
        self
    }

    /// The digest of the built-in component.
    #[must_use]
    pub fn built_in(&self) -> &str {
        &self.built_in
    }

    /// Take a component in, and say its digest. Whether it is a guest shows
    /// when it is compiled; what cannot even be a component is refused at once.
    pub fn add(&mut self, bytes: Vec<u8>) -> Result<String, ComponentError> {
        check::bytes(&bytes)?;
        Ok(self.put(Cow::Owned(bytes)))
    }

    /// The bytes of a component, if it is at hand.
    #[must_use]
    pub fn bytes(&self, digest: &str) -> Option<&[u8]> {
        self.shelf.get(digest).map(|volume| &*volume.bytes)
    }

    /// Is the component with this digest a guest?
    pub fn check(&mut self, digest: &str) -> Result<(), LibraryError> {
        self.compiled(digest).map(drop)
    }

    /// A fresh instance of the guest with this digest.
    pub fn instance<P: Ports>(&mut self, digest: &str) -> Result<Instance<P>, LibraryError> {
        let component = self.compiled(digest)?;
        Instance::new(&self.sandbox, &component).map_err(|failure| LibraryError::Start {
            digest: digest.to_owned(),
            failure,
        })
    }

    fn put(&mut self, bytes: Cow<'static, [u8]>) -> String {
        let digest = digest::digest(&bytes);
        self.shelf.entry(digest.clone()).or_insert(Volume {
            bytes,
            compiled: None,
        });
        digest
    }

    fn compiled(&mut self, digest: &str) -> Result<Component, LibraryError> {
        let volume = self
            .shelf
            .get_mut(digest)
            .ok_or_else(|| LibraryError::Unknown {
                digest: digest.to_owned(),
            })?;
        if let Some(component) = &volume.compiled {
            return Ok(component.clone());
        }
        let component =
            self.sandbox
                .compile(&volume.bytes)
                .map_err(|reason| LibraryError::Refused {
                    digest: digest.to_owned(),
                    reason,
                })?;
        Ok(volume.compiled.insert(component).clone())
    }
}
