//! Whatever is at hand that can compile for WebAssembly.
//!
//! Most machines have no wasm target, and some cannot download one. So three
//! kinds of compilers will do, and the one that the stamp names comes first.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The target of every guest: WebAssembly and nothing around it.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler, a linker, and the standard library for [`TARGET`].
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The compiler.
    pub rustc: PathBuf,
    /// What it says of itself.
    pub version: String,
    /// Where `core` and `alloc` come from.
    pub library: Library,
    /// The linker.
    pub linker: PathBuf,
}

/// Where `core` and `alloc` come from.
#[derive(Clone, Debug)]
pub enum Library {
    /// Compiled along, from the compiler's own sources in this folder.
    Sources(PathBuf),
    /// Installed for the target.
    Installed,
}

impl Toolchain {
    /// The compiler that says `stamped` of itself, if it is at hand; else the
    /// first that can do it.
    pub fn find(stamped: Option<&str>) -> Result<Self> {
        let mut compilers = compilers();
        compilers.sort_by_key(|(_, version, _)| Some(version.as_str()) != stamped);
        let Some((rustc, version, library)) = compilers.into_iter().next() else {
            bail!(NO_COMPILER)
        };
        Ok(Self {
            rustc,
            version,
            library,
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
fn compilers() -> Vec<(PathBuf, String, Library)> {
    let system = PathBuf::from("/usr/bin/rustc");
    let usual = env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
    let kinds = [
        (&system, library_sources as fn(&Path) -> Option<Library>),
        (&usual, installed_library),
        (&usual, library_sources),
    ];
    kinds
        .into_iter()
        .filter_map(|(rustc, library)| {
            Some((rustc.clone(), ask(rustc, &["--version"])?, library(rustc)?))
        })
        .collect()
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
