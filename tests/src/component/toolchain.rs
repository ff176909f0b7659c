//! Whatever is at hand that can compile for WebAssembly.
//!
//! Most machines have no wasm target, and some cannot download one. So three
//! kinds of compilers will do, and the one that the stamp names comes first.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The target of every guest: WebAssembly and nothing around it.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler with the standard library for [`TARGET`], and a linker.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The compiler.
    pub compiler: Compiler,
    /// The linker. It does not show in the bytes.
    pub linker: PathBuf,
}

/// A compiler with the standard library for [`TARGET`].
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program.
    pub rustc: PathBuf,
    /// What it says of itself, and how it comes by the library: what the stamp
    /// calls it. Under the same name, the same sources give the same bytes.
    pub name: String,
    /// How it comes by `core` and `alloc`.
    pub library: Library,
}

/// How a compiler comes by `core` and `alloc`.
#[derive(Clone, Debug)]
pub enum Library {
    /// Compiled along, from the compiler's own sources in this folder.
    Sources(PathBuf),
    /// Installed for the target.
    Installed,
}

impl Toolchain {
    /// The compiler named `stamped`, if it is at hand; else the first that can
    /// do it.
    pub fn find(stamped: Option<&str>) -> Result<Self> {
        let mut compilers = compilers();
        compilers.sort_by_key(|compiler| Some(compiler.name.as_str()) != stamped);
        let compiler = compilers.into_iter().next().context(NO_COMPILER)?;
        Ok(Self {
            compiler,
            linker: linker()?,
        })
    }
}

const NO_COMPILER: &str = "no compiler at hand can build for wasm32-unknown-unknown; install one of these:
  on Debian:     apt-get install --no-install-recommends rustc-web rust-web-src   (the one that the stamp names)
  with rustup:   rustup target add wasm32-unknown-unknown
  or:            rustup component add rust-src";

const NO_LINKER: &str = "no linker for WebAssembly is at hand; install Rust's stable toolchain with rustup \
(it brings `rust-lld`), or, on Debian: apt-get install --no-install-recommends lld";

/// The compilers at hand that can build for the target, the best kind first:
/// a system compiler with its sources, an installed target, other sources.
fn compilers() -> Vec<Compiler> {
    let system = Path::new("/usr/bin/rustc");
    let usual = env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
    let of_its_own = |rustc| {
        Compiler::with(
            rustc,
            library_sources(rustc)?,
            "core and alloc from its sources",
        )
    };
    let installed = |rustc| {
        Compiler::with(
            rustc,
            installed_library(rustc)?,
            "core and alloc as installed",
        )
    };
    [of_its_own(system), installed(&usual), of_its_own(&usual)]
        .into_iter()
        .flatten()
        .collect()
}

impl Compiler {
    fn with(rustc: &Path, library: Library, remark: &str) -> Option<Self> {
        let version = ask(rustc, &["--version"])?;
        Some(Self {
            rustc: rustc.to_owned(),
            name: format!("{version}, {remark}"),
            library,
        })
    }
}

fn library_sources(rustc: &Path) -> Option<Library> {
    let folder =
        Path::new(&ask(rustc, &["--print", "sysroot"])?).join("lib/rustlib/src/rust/library");
    // Resolved, because the compiler writes the real path into what it builds.
    folder
        .join("alloc/src/lib.rs")
        .is_file()
        .then(|| folder.canonicalize().ok().map(Library::Sources))?
}

fn installed_library(rustc: &Path) -> Option<Library> {
    let folder = ask(rustc, &["--print", "target-libdir", "--target", TARGET])?;
    let mut files = std::fs::read_dir(folder).ok()?.flatten();
    files
        .any(|file| file.file_name().to_string_lossy().starts_with("liballoc-"))
        .then_some(Library::Installed)
}

/// `rust-lld` of the usual toolchain, else one of the system's.
fn linker() -> Result<PathBuf> {
    let of_rust = ask(Path::new("rustc"), &["--print", "target-libdir"])
        .map(|libraries| Path::new(&libraries).with_file_name("bin").join("rust-lld"))
        .filter(|path| path.is_file());
    let of_system = ["wasm-ld", "lld"]
        .map(PathBuf::from)
        .into_iter()
        .find(|name| ask(name, &["-flavor", "wasm", "--version"]).is_some());
    of_rust.or(of_system).context(NO_LINKER)
}

/// What a program answers, if it is there and does.
fn ask(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
