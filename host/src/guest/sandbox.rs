//! The sandbox in which every guest runs, the built-in one too.
//!
//! It is one wasmtime engine, set up so that the same bytes give the same answers on
//! every machine, and so that no guest can take more than it is given. It must
//! never offer a guest anything beyond the contract's imports.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use super::CallLimits;
use super::bytecode;
use super::check::{self, ComponentError};
#[cfg(feature = "compile")]
use super::code_cache::{CodeCache, Key};
use super::contract::{Contract, Versions};
#[cfg(feature = "compile")]
use super::{bounds, compiler};
#[cfg(feature = "compile")]
use crate::limits::CODE_BYTES_MAX;
use crate::limits::GUEST_STACK_MAX;

/// The engine that compiles and runs guests. A clone is the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    limits: CallLimits,
    /// Whether the engine counts fuel.
    is_metered: bool,
    /// `None` if there is no folder for it.
    #[cfg(feature = "compile")]
    code_cache: Option<CodeCache>,
    versions: Versions,
}

/// The sandbox could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error(
    "the WebAssembly engine does not run on this machine; Refrain needs one that wasmtime supports: {0}"
)]
pub struct SandboxError(String);

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A sandbox with these limits, which keeps compiled code in the user's
    /// cache folder where there is one, so that a second start is quick. While the
    /// built-in guest is not compiled yet, it is interpreted.
    ///
    /// Without the Cargo feature `compile` it is [`Sandbox::interpreting`].
    ///
    /// # Errors
    /// [`SandboxError`] if wasmtime does not run on this machine.
    pub fn new(limits: CallLimits) -> Result<Self, SandboxError> {
        #[cfg(feature = "compile")]
        return Self::with(&deterministic(limits), limits);
        #[cfg(not(feature = "compile"))]
        Self::interpreting(limits)
    }

    /// A sandbox that interprets guests (wasmtime's Pulley) instead of
    /// compiling them to machine code: for machines that forbid it, and to
    /// hold one execution of a guest against another. It decides the same,
    /// more slowly.
    ///
    /// The built-in guest is there as bytecode. Others are compiled to bytecode, which
    /// needs the Cargo feature `compile`; so does the built-in one where
    /// [`CallLimits::fuel`] is `None`.
    ///
    /// # Errors
    /// As for [`Sandbox::new`].
    pub fn interpreting(limits: CallLimits) -> Result<Self, SandboxError> {
        Self::with(&interpreting(limits)?, limits)
    }

    /// The bytecode that [`Sandbox::interpreting`] makes of a component: how the bytecode
    /// of the built-in guest is made. It is the same for the same version of wasmtime.
    ///
    /// Only with the Cargo feature `compile`.
    ///
    /// # Errors
    /// [`ComponentError`] if the bytes are no component.
    #[cfg(feature = "compile")]
    pub fn bytecode(component: &[u8]) -> Result<Vec<u8>, ComponentError> {
        let malformed = |error: &dyn fmt::Display| ComponentError::Malformed(error.to_string());
        let mut config = interpreting(CallLimits::default()).map_err(|error| malformed(&error))?;
        // It is for backtraces, and there are none.
        config.generate_address_map(false);
        let bytecode =
            Engine::new(&config).and_then(|engine| engine.precompile_component(component));
        bytecode.map_err(|error| malformed(&format_args!("{error:#}")))
    }

    /// The same sandbox, with other limits.
    #[must_use]
    pub fn with_limits(self, limits: CallLimits) -> Self {
        Self { limits, ..self }
    }

    /// The same sandbox, which neither looks for compiled code nor keeps it:
    /// each component is compiled anew in each process.
    #[must_use]
    pub fn without_code_cache(self) -> Self {
        Self {
            #[cfg(feature = "compile")]
            code_cache: None,
            ..self
        }
    }

    /// The same sandbox, which keeps compiled code in this folder.
    #[cfg(all(test, feature = "compile"))]
    pub(super) fn keeping_code_in(self, folder: std::path::PathBuf) -> Self {
        let cache = CodeCache::at(folder).expect("the folder can be used");
        Self {
            code_cache: Some(cache),
            ..self
        }
    }

    /// The same sandbox, which also runs guests of this version of the contract.
    #[must_use]
    pub fn speaking(mut self, contract: Arc<dyn Contract>) -> Self {
        self.versions = self.versions.with(contract);
        self
    }

    fn with(config: &Config, limits: CallLimits) -> Result<Self, SandboxError> {
        let engine = Engine::new(config).map_err(|error| SandboxError(format!("{error:#}")))?;
        Ok(Self {
            engine,
            limits,
            is_metered: limits.fuel.is_some(),
            #[cfg(feature = "compile")]
            code_cache: CodeCache::of_the_user(),
            versions: Versions::default(),
        })
    }

    /// The built-in component as bytecode, in an engine that interprets. `None` where
    /// that cannot be had: nothing counts its fuel.
    pub(super) fn built_in_bytecode(&self) -> Option<Component> {
        if !self.is_metered {
            return None;
        }
        let engine = match self.engine.is_pulley() {
            true => self.engine.clone(),
            false => Engine::new(&interpreting(CallLimits::default()).ok()?).ok()?,
        };
        bytecode::built_in(&engine, &self.versions)
    }

    /// Whether it interprets guests for good.
    #[cfg(feature = "compile")]
    pub(super) fn is_interpreting(&self) -> bool {
        self.engine.is_pulley()
    }

    /// Whether this is bytecode that machine code is to take the place of.
    pub(super) fn is_stopgap(&self, component: &Component) -> bool {
        component.engine().is_pulley() && !self.engine.is_pulley()
    }

    /// A component that somebody brought.
    #[cfg(not(feature = "compile"))]
    pub(super) fn compile(&self, _: &str, bytes: &[u8]) -> Result<Component, ComponentError> {
        check::bytes(bytes)?;
        Err(ComponentError::NoCompiler)
    }

    /// Compiles a component that somebody brought, if it is a guest. Its code
    /// is taken from the cache if it is there.
    #[cfg(feature = "compile")]
    pub(super) fn compile(&self, digest: &str, bytes: &[u8]) -> Result<Component, ComponentError> {
        check::bytes(bytes)?;
        self.cached(digest, || {
            let (engine, bytes) = (self.engine.clone(), bytes.to_vec());
            let versions = self.versions.clone();
            compiler::within(compiler::deadline(bytes.len()), move || {
                bounds::check(&bytes)?;
                compile(&versions, &engine, &bytes)
            })
        })
    }

    /// Compiles the component that this program brought itself.
    #[cfg(feature = "compile")]
    pub(super) fn compile_built_in(
        &self,
        digest: &str,
        bytes: &[u8],
    ) -> Result<Component, ComponentError> {
        self.cached(digest, || compile(&self.versions, &self.engine, bytes))
    }

    /// The component, from the cache or compiled, once it is known as a guest.
    #[cfg(feature = "compile")]
    fn cached(
        &self,
        digest: &str,
        compiled: impl FnOnce() -> Result<Component, ComponentError>,
    ) -> Result<Component, ComponentError> {
        if let Some(component) = self.kept(digest)? {
            return Ok(component);
        }
        let component = compiled()?;
        if let Some(cache) = &self.code_cache {
            cache.keep(Key::new(&self.engine, digest), &component);
        }
        Ok(component)
    }

    /// The component from the cache, if its code is there.
    #[cfg(feature = "compile")]
    pub(super) fn kept(&self, digest: &str) -> Result<Option<Component>, ComponentError> {
        let Some(cache) = &self.code_cache else {
            return Ok(None);
        };
        let Some(component) = cache.load(&self.engine, Key::new(&self.engine, digest)) else {
            return Ok(None);
        };
        check::contract(&self.versions, &self.engine, &component)?;
        Ok(Some(component))
    }

    #[cfg(all(test, feature = "compile"))]
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn versions(&self) -> &Versions {
        &self.versions
    }

    pub(super) fn limits(&self) -> CallLimits {
        self.limits
    }
}

#[cfg(feature = "compile")]
fn compile(
    versions: &Versions,
    engine: &Engine,
    bytes: &[u8],
) -> Result<Component, ComponentError> {
    let component = compile_to(CODE_BYTES_MAX, engine, bytes)?;
    check::contract(versions, engine, &component)?;
    Ok(component)
}

/// Compiles it to at most this much machine code. Only the compiler knows how much it
/// becomes: the most expensive instructions have one or two bytes in the component and
/// some fifty in machine code.
#[cfg(feature = "compile")]
fn compile_to(
    code_bytes_max: usize,
    engine: &Engine,
    bytes: &[u8],
) -> Result<Component, ComponentError> {
    let component = Component::new(engine, bytes)
        .map_err(|error| ComponentError::Malformed(format!("{error:#}")))?;
    let code_bytes = code_bytes(&component);
    if code_bytes > code_bytes_max {
        return Err(ComponentError::TooMuchCode {
            bytes: code_bytes,
            max: code_bytes_max,
        });
    }
    Ok(component)
}

/// The memory that the component's machine code takes, in bytes.
pub(super) fn code_bytes(component: &Component) -> usize {
    let image = component.image_range();
    image.end as usize - image.start as usize
}

/// The configuration of a sandbox that interprets.
fn interpreting(limits: CallLimits) -> Result<Config, SandboxError> {
    let mut config = deterministic(limits);
    config
        .target("pulley64")
        .map_err(|error| SandboxError(format!("{error:#}")))?;
    Ok(config)
}

/// The configuration that gives the same answers on every machine, without features
/// that no guest needs.
fn deterministic(limits: CallLimits) -> Config {
    let mut config = Config::new();
    // Processors differ only in the bit pattern of a NaN. Without a compiler, the code has
    // that settled already.
    #[cfg(feature = "compile")]
    config.cranelift_nan_canonicalization(true);
    config
        // Fuel counts instructions. With a deadline, the speed of the machine would
        // decide at which point a guest is cut off.
        .consume_fuel(limits.fuel.is_some())
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(GUEST_STACK_MAX)
        // Guests are stripped, and a backtrace of numbers is of no use.
        .wasm_backtrace_max_frames(None)
        .wasm_memory64(false)
        // The code that joins the components within a component moves data from one
        // memory to another.
        .wasm_multi_memory(true)
        .concurrency_support(false);
    config
}

#[cfg(all(test, feature = "compile"))]
mod tests {
    use super::*;

    /// A component of a few kilobytes, each of whose bytes is an instruction
    /// that takes many in machine code.
    fn dense() -> Vec<u8> {
        let body = "f64.add local.get 0 ".repeat(2_000);
        let text = format!(
            "(component (core module (func (param f64) (result f64) local.get 0 local.get 0 {body} drop)))"
        );
        wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_component_within_its_size_that_comes_to_too_much_code_is_refused() {
        let sandbox = Sandbox::new(CallLimits::default()).unwrap_or_else(|error| panic!("{error}"));
        let bytes = dense();
        let code_max = 4 * bytes.len();
        let refused = compile_to(code_max, sandbox.engine(), &bytes).map(drop);
        let Err(reason @ ComponentError::TooMuchCode { bytes: found, max }) = refused else {
            panic!("{refused:?}");
        };
        assert!(max == code_max && found > code_max, "{reason}");
        // With as much as it comes to, only what else it is counts.
        let enough = compile_to(found, sandbox.engine(), &bytes);
        let checked = enough.and_then(|component| {
            check::contract(sandbox.versions(), sandbox.engine(), &component)
        });
        assert_eq!(checked, Err(ComponentError::MissingExport));
    }
}
