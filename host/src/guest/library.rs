//! The library: components by their digest.
//!
//! A guest's name is the SHA-256 of its bytes, so a name means the same bytes a year
//! later. Components are compiled when they are first needed, and kept. The library
//! must never look for components by itself: a caller that needs another than the
//! built-in one brings its bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use wasmtime::component::Component;

use super::check;
#[cfg(feature = "compile")]
use super::in_background;
use super::sandbox::code_bytes;
use super::shared_code::SharedCode;
use super::{CallLimits, ComponentError, GuestFailure, Instance, Ports, Sandbox};
use crate::limits::CODE_BYTES_MAX;
use crate::log::digest;

/// The scheduler component that this program was built with.
const BUILT_IN: &[u8] = include_bytes!("../../component/refrain-scheduler.wasm");

/// Components by digest, and the sandbox that they run in. Clones share the code that any
/// of them compiles; which components are at hand, each knows for itself.
#[derive(Clone)]
pub struct Library {
    sandbox: Sandbox,
    entries: HashMap<String, Entry>,
    built_in: String,
    /// What this library and its clones have compiled.
    shared: SharedCode,
    /// Questions for code so far.
    asked: u64,
    /// Whether the code of the built-in component is bytecode that machine code is to
    /// take the place of.
    has_stopgap: bool,
}

/// One component.
#[derive(Clone)]
struct Entry {
    bytes: Arc<Cow<'static, [u8]>>,
    /// The result of compiling it. `None` if that was not tried, or was dropped to make
    /// room.
    compiled: Option<Result<Component, ComponentError>>,
    /// The last time that the code was asked for, counted in questions.
    asked: u64,
    /// Whether the caller can bring the bytes again.
    is_copy: bool,
}

impl Entry {
    fn droppable_bytes(&self) -> usize {
        let code = match &self.compiled {
            Some(Ok(component)) => code_bytes(component),
            _ => 0,
        };
        code + if self.is_copy { self.bytes.len() } else { 0 }
    }

    /// Drops code and bytes that can be had again. A refusal is kept, because it would
    /// take long to find it again.
    fn drop_what_can_be(&mut self) {
        if let Some(Ok(_)) = self.compiled {
            self.compiled = None;
        }
        if self.is_copy {
            self.bytes = Arc::default();
        }
    }
}

/// The reason why there is no instance of a guest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// The library does not have it.
    #[error("the guest {digest} is not at hand; add its component to the library")]
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

impl LibraryError {
    /// What kind of error it is, in a word that does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown_guest",
            Self::Refused { reason, .. } => reason.code(),
            Self::Start { .. } => "guest_failed",
        }
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("built_in", &self.built_in)
            .field("components", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl Library {
    /// A library that holds the built-in component.
    #[must_use]
    pub fn new(sandbox: Sandbox) -> Self {
        let mut library = Self {
            sandbox,
            entries: HashMap::new(),
            built_in: String::new(),
            shared: SharedCode::default(),
            asked: 0,
            has_stopgap: false,
        };
        library.built_in = library.put(Cow::Borrowed(BUILT_IN), false);
        library
    }

    /// The same library, with these limits for each call.
    #[must_use]
    pub fn with_limits(mut self, limits: CallLimits) -> Self {
        self.sandbox = self.sandbox.with_limits(limits);
        self
    }

    /// The limits of each call.
    #[must_use]
    pub fn limits(&self) -> CallLimits {
        self.sandbox.limits()
    }

    /// The digest of the built-in component.
    #[must_use]
    pub fn built_in(&self) -> &str {
        &self.built_in
    }

    /// Takes a component in, and answers its digest. Whether it is a guest shows
    /// when it is compiled; bytes that cannot be a component are refused at once.
    ///
    /// # Errors
    /// [`ComponentError`] if the bytes do not begin as a component, or are too many.
    pub fn add(&mut self, bytes: Vec<u8>) -> Result<String, ComponentError> {
        check::bytes(&bytes)?;
        Ok(self.put(Cow::Owned(bytes), false))
    }

    /// As [`Library::add`], for bytes that the library may drop, because the caller can
    /// bring them again.
    ///
    /// # Errors
    /// As for [`Library::add`].
    pub fn add_copy(&mut self, bytes: Vec<u8>) -> Result<String, ComponentError> {
        check::bytes(&bytes)?;
        Ok(self.put(Cow::Owned(bytes), true))
    }

    /// The bytes of a component, if it is at hand.
    #[must_use]
    pub fn bytes(&self, digest: &str) -> Option<&[u8]> {
        let bytes = self.entries.get(digest).map(|entry| &**entry.bytes);
        bytes.filter(|bytes| !bytes.is_empty())
    }

    /// Checks that the component with this digest is a guest. One that was brought is
    /// compiled for that if it was not before, which may take seconds.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`] if there is none of this digest, and
    /// [`LibraryError::Refused`] if it is no guest, or cannot be compiled.
    pub fn check(&mut self, digest: &str) -> Result<(), LibraryError> {
        self.compiled(digest).map(drop)
    }

    /// Waits until the guest with this digest is compiled, which may take seconds: for
    /// measurements, and where the first call must be as quick as all others. Without
    /// waiting, the built-in guest is interpreted until its machine code is ready; this
    /// concerns instances that are made from now on. Where guests are interpreted for
    /// good, there is nothing to wait for.
    ///
    /// # Errors
    /// As for [`Library::check`].
    pub fn wait_until_compiled(&mut self, digest: &str) -> Result<(), LibraryError> {
        self.check(digest)?;
        #[cfg(feature = "compile")]
        if self.has_stopgap && digest == self.built_in {
            let bytes = self.bytes(digest).unwrap_or_default();
            let compiled = in_background::wait(&self.sandbox, &self.shared, digest, bytes);
            compiled.map_err(|reason| LibraryError::Refused {
                digest: digest.to_owned(),
                reason,
            })?;
            self.take_over();
        }
        Ok(())
    }

    /// Takes the machine code of the built-in guest in place of its bytecode, if it is
    /// ready since this was last asked. Answers the guest's digest then: its instances are
    /// better made anew.
    pub(crate) fn take_over(&mut self) -> Option<&str> {
        if !self.has_stopgap {
            return None;
        }
        let shared = self.shared.get(&self.built_in);
        if shared
            .as_ref()
            .is_some_and(|code| self.sandbox.is_stopgap(code))
        {
            return None;
        }
        self.has_stopgap = false;
        if let Some(entry) = self.entries.get_mut(&self.built_in) {
            // What is shared no longer is asked for anew.
            entry.compiled = shared.map(Ok);
        }
        Some(&self.built_in)
    }

    /// Whether the built-in guest is interpreted for now.
    #[cfg(all(test, feature = "compile"))]
    pub(super) fn is_interpreting(&self) -> bool {
        self.has_stopgap
    }

    /// Whether this guest cannot run because there is no compiler.
    pub(crate) fn lacks_compiler(&self, digest: &str) -> bool {
        cfg!(not(feature = "compile")) && digest != self.built_in && self.bytes(digest).is_some()
    }

    /// Whether the guest with this digest is compiled, here or by a clone, or known to be
    /// none, so that asking for an instance takes hardly any time.
    #[must_use]
    pub fn is_ready(&mut self, digest: &str) -> bool {
        let Some(entry) = self.entries.get_mut(digest) else {
            return true;
        };
        if entry.compiled.is_none() {
            entry.compiled = self.shared.get(digest).map(Ok);
            if let Some(Ok(component)) = &entry.compiled {
                self.has_stopgap |= self.sandbox.is_stopgap(component);
            }
        }
        entry.compiled.is_some()
    }

    /// Drops what was asked for longest ago, until the rest is within bounds: machine
    /// code, which is compiled anew or taken from the cache when it is needed again, and
    /// copies ([`Library::add_copy`]) with their bytes.
    pub fn trim(&mut self) {
        if self.entries.len() <= 1 {
            return;
        }
        let mut bytes: usize = self.entries.values().map(Entry::droppable_bytes).sum();
        while bytes > CODE_BYTES_MAX {
            let last = self.asked;
            let oldest = self
                .entries
                .values_mut()
                .filter(|entry| entry.droppable_bytes() > 0 && entry.asked < last)
                .min_by_key(|entry| entry.asked);
            let Some(oldest) = oldest else {
                return;
            };
            bytes -= oldest.droppable_bytes();
            oldest.drop_what_can_be();
        }
        self.entries
            .retain(|_, entry| !entry.bytes.is_empty() || entry.compiled.is_some());
    }

    /// A fresh instance of the guest with this digest. The guest is compiled for that
    /// if it was not before, which may take seconds.
    ///
    /// # Errors
    /// As for [`Library::check`], and [`LibraryError::Start`] if the guest fails before
    /// it is asked anything.
    pub fn instance<P: Ports>(&mut self, digest: &str) -> Result<Instance<P>, LibraryError> {
        let component = self.compiled(digest)?;
        Instance::new(&self.sandbox, &component).map_err(|failure| LibraryError::Start {
            digest: digest.to_owned(),
            failure,
        })
    }

    fn put(&mut self, bytes: Cow<'static, [u8]>, is_copy: bool) -> String {
        let digest = digest::digest(&bytes);
        let entry = self.entries.entry(digest.clone()).or_insert(Entry {
            bytes: Arc::default(),
            compiled: None,
            asked: self.asked,
            is_copy,
        });
        if entry.bytes.is_empty() {
            entry.bytes = Arc::new(bytes);
        }
        entry.is_copy &= is_copy;
        digest
    }

    fn compiled(&mut self, digest: &str) -> Result<Component, LibraryError> {
        let entry = self
            .entries
            .get_mut(digest)
            .ok_or_else(|| LibraryError::Unknown {
                digest: digest.to_owned(),
            })?;
        self.asked += 1;
        entry.asked = self.asked;
        let (sandbox, shared) = (&self.sandbox, &self.shared);
        let compiled = entry.compiled.get_or_insert_with(|| {
            if let Some(component) = shared.get(digest) {
                return Ok(component);
            }
            if *digest == self.built_in {
                return built_in(sandbox, shared, digest, &entry.bytes);
            }
            let compiled = sandbox.compile(digest, &entry.bytes);
            compiled.inspect(|component| shared.put(digest, component))
        });
        if let Ok(component) = &*compiled {
            self.has_stopgap |= sandbox.is_stopgap(component);
        }
        compiled.clone().map_err(|reason| LibraryError::Refused {
            digest: digest.to_owned(),
            reason,
        })
    }
}

/// The code of the built-in component, shared: from the cache, else its bytecode, while
/// it is compiled in the background.
#[cfg(feature = "compile")]
fn built_in(
    sandbox: &Sandbox,
    shared: &SharedCode,
    digest: &str,
    bytes: &Arc<Cow<'static, [u8]>>,
) -> Result<Component, ComponentError> {
    let kept = match sandbox.is_interpreting() {
        true => None,
        false => sandbox.kept(digest)?,
    };
    let Some(component) = kept.or_else(|| sandbox.built_in_bytecode()) else {
        let compiled = sandbox.compile_built_in(digest, bytes);
        return compiled.inspect(|component| shared.put(digest, component));
    };
    let component = shared.put_first(digest, component);
    if sandbox.is_stopgap(&component) {
        in_background::start(sandbox, shared, digest, bytes);
    }
    Ok(component)
}

/// The code of the built-in component, shared: its bytecode.
#[cfg(not(feature = "compile"))]
fn built_in(
    sandbox: &Sandbox,
    shared: &SharedCode,
    digest: &str,
    _: &Arc<Cow<'static, [u8]>>,
) -> Result<Component, ComponentError> {
    let bytecode = sandbox.built_in_bytecode();
    let component = bytecode.ok_or(ComponentError::NoCompiler)?;
    Ok(shared.put_first(digest, component))
}
