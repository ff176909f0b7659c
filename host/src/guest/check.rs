//! The door for components: is this a guest? If not, what is it, and what to
//! do about that?
//!
//! The artifact itself is checked, not what its makers meant to build.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::contract::{NEWEST_EXPORT, Version, Versions};
use crate::limits::COMPONENT_BYTES_MAX;

/// The first eight bytes of every component, and of every core module.
const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE_HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// Why these bytes are no guest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// There are too many of them.
    #[error(
        "the component has more than {COMPONENT_BYTES_MAX} bytes, which is the limit; build it with `opt-level = \"s\"` and `strip = true`"
    )]
    TooLarge,
    /// They are something else altogether.
    #[error(
        "this is no WebAssembly component (it does not begin as one); give the .wasm file of a scheduler guest"
    )]
    NotWebAssembly,
    /// They are what a compiler makes before it is encoded as a component.
    #[error(
        "this is a core WebAssembly module, not a component; encode it with `wasm-tools component new`"
    )]
    CoreModule,
    /// They begin well, but are damaged, or use what the sandbox has not.
    #[error(
        "the component cannot be loaded; build it anew, for wasm32-unknown-unknown and without extensions: {0}"
    )]
    Malformed(String),
    /// There is more in them than is compiled here.
    #[error(
        "the component is not compiled, because that might take too long: it has {found} {what}, and a guest may have {max}; split what is so large, or build it with less inlining"
    )]
    TooTangled {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        max: u64,
    },
    /// Little of it becomes a great deal of machine code.
    #[error(
        "the component comes to {bytes} bytes of machine code, and a guest may come to {max}; build it anew, optimised for size, or with less inlining"
    )]
    TooMuchCode {
        /// How much it is.
        bytes: usize,
        /// How much it may be.
        max: usize,
    },
    /// Compiling it took longer than anything honest does.
    #[error(
        "the component was not compiled within {seconds} seconds of processor time; build it anew, optimised for size, or split its largest functions"
    )]
    CompilesTooLong {
        /// How long it was tried.
        seconds: u64,
    },
    /// A component before it is still being compiled.
    #[error(
        "the component could not be compiled, because another one that was refused still is; start this program anew without that one"
    )]
    CompilerBusy,
    /// The compiler has a fault that this component shows.
    #[error(
        "the component makes the compiler crash, and is refused; build it anew with another version of its toolchain"
    )]
    Crashed,
    /// This program was built without the Cargo feature `compile`.
    #[error(
        "this build has no compiler, and so it runs only its own scheduler component, with a bound on fuel; build it with the Cargo feature `compile`"
    )]
    NoCompiler,
    /// It asks for more than the contract has.
    #[error(
        "the component imports {}, and a guest may import only refrain:scheduler's types, storage, clock and queue of version {version}; build it without WASI, for wasm32-unknown-unknown",
        first_of(imports)
    )]
    UndeclaredImports {
        /// All such imports, at least one.
        imports: Vec<String>,
        /// The version of the contract that it was built for.
        version: String,
    },
    /// It was built for a version of the contract that is not spoken here.
    #[error(
        "the component was built for version {found} of the contract, and this program speaks {spoken}; build it for one of these, and hand its executions over to a guest of one of these"
    )]
    OtherVersion {
        /// The version that it was built for.
        found: String,
        /// The versions that are spoken.
        spoken: String,
    },
    /// It is some other component.
    #[error(
        "the component does not export `{NEWEST_EXPORT}`; build it for the world `scheduler` of Refrain's wit/"
    )]
    MissingExport,
    /// It names our interfaces, but means others.
    #[error(
        "the component was built for another form of the contract; build it anew for the world `scheduler` of Refrain's wit/: {0}"
    )]
    OtherContract(String),
}

impl ComponentError {
    /// What kind of error it is, in a word that does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCompiler => "no_compiler",
            _ => "guest_refused",
        }
    }
}

/// The first of these imports, and how many there are besides.
fn first_of(imports: &[String]) -> String {
    match imports {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [first, second] => format!("`{first}` and `{second}`"),
        [first, rest @ ..] => format!("`{first}` and {} others", rest.len()),
    }
}

/// Could these bytes be a component?
pub(super) fn bytes(bytes: &[u8]) -> Result<(), ComponentError> {
    if bytes.starts_with(MODULE_HEADER) {
        return Err(ComponentError::CoreModule);
    }
    if !bytes.starts_with(COMPONENT_HEADER) {
        return Err(ComponentError::NotWebAssembly);
    }
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(ComponentError::TooLarge);
    }
    Ok(())
}

/// Does this component import nothing but the contract's doors, and export all
/// that the contract asks for, with the types that it has there?
pub(super) fn contract(
    versions: &Versions,
    engine: &Engine,
    component: &Component,
) -> Result<(), ComponentError> {
    let version = versions.of(engine, component);
    if version.is_none()
        && let Some(found) = other_version(versions, engine, component)
    {
        return Err(ComponentError::OtherVersion {
            found,
            spoken: versions.spoken().join(", "),
        });
    }
    let newest = Version::NEWEST;
    let spoken = version.as_ref().unwrap_or(&newest);
    let allowed = spoken.imports();
    let named = component.component_type();
    let imports = named.imports(engine).map(|(import, _)| import);
    let refused = imports.filter(|import| !allowed.contains(import));
    let refused: Vec<String> = refused.map(str::to_owned).collect();
    if !refused.is_empty() {
        return Err(ComponentError::UndeclaredImports {
            imports: refused,
            version: spoken.number().to_owned(),
        });
    }
    version
        .ok_or(ComponentError::MissingExport)?
        .check(engine, component)
        .map_err(|error| ComponentError::OtherContract(format!("{error:#}")))
}

/// The version of the contract that a component was built for, as what it exports and
/// imports says. `None` if it names none, or one that is spoken.
fn other_version(versions: &Versions, engine: &Engine, component: &Component) -> Option<String> {
    let named = component.component_type();
    let exports = named.exports(engine).map(|(export, _)| export);
    let names = exports.chain(named.imports(engine).map(|(import, _)| import));
    let found = names
        .filter(|name| name.starts_with("refrain:scheduler/"))
        .find_map(|name| name.rsplit_once('@'));
    let (_, found) = found?;
    (!versions.spoken().contains(&found)).then(|| found.to_owned())
}
