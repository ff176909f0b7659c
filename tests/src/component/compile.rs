//! From the guest's sources to a core WebAssembly module, the same bytes in
//! whatever folder, for everybody who does it with the same compiler.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::sources::Sources;
use super::toolchain::{Library, TARGET, Toolchain};

/// What is asked of the compiler beyond the manifests, as the stamp has it.
#[must_use]
pub fn flags(sources: &Sources) -> Vec<String> {
    let features = sources.features.iter();
    let features = features.map(|name| format!("--features={name}"));
    let fixed = [
        "--crate-type=cdylib".to_owned(),
        format!("--profile={}", sources.profile),
        "--target=wasm32-unknown-unknown".to_owned(),
        LOCATIONS.to_owned(),
    ];
    fixed.into_iter().chain(features).collect()
}

/// Panics of the guest have nobody to tell where they happened; without their
/// places the component is smaller, and no path can leak into it.
const LOCATIONS: &str = "-Zlocation-detail=none";

/// Build the core module of a package.
pub fn core_module(workspace: &Path, toolchain: &Toolchain, sources: &Sources) -> Result<Vec<u8>> {
    let target_folder = workspace.join("target/component");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace)
        .args([
            "rustc",
            "--quiet",
            "--locked",
            "--package",
            sources.package,
            "--lib",
            "--crate-type=cdylib",
        ])
        .args(["--profile", sources.profile, "--target", TARGET])
        .env("CARGO_TARGET_DIR", &target_folder)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(workspace, &toolchain.compiler.library)?,
        )
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
            &toolchain.linker,
        )
        .env("RUSTC", &toolchain.compiler.rustc)
        // `-Z` options on a released compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    if let Library::Sources(_) = toolchain.compiler.library {
        cargo.arg("-Zbuild-std=core,alloc");
    }
    for name in sources.features {
        cargo.args(["--features", name]);
    }
    let status = cargo.status().context("cannot start cargo")?;
    ensure!(
        status.success(),
        "{} does not build for {TARGET} with {}; see above",
        sources.package,
        toolchain.compiler.name
    );

    let module = target_folder
        .join(TARGET)
        .join(sources.profile)
        .join(sources.package.replace('-', "_"))
        .with_extension("wasm");
    fs::read(&module).with_context(|| format!("cargo left no {}", module.display()))
}

/// Flags for every crate: no path of this machine may be told from the bytes.
fn rustflags(workspace: &Path, library: &Library) -> Result<OsString> {
    let mut remaps = vec![
        (workspace.canonicalize()?, "/refrain"),
        (cargo_home()?, "/cargo"),
    ];
    if let Library::Sources(folder) = library {
        remaps.push((folder.clone(), "/rust/library"));
    }
    let mut flags = OsString::from(LOCATIONS);
    for (folder, name) in remaps {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    Ok(flags)
}

fn cargo_home() -> Result<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .context("there is no home folder; set CARGO_HOME to where cargo keeps its registry")
}
