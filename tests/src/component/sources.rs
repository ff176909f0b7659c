//! What a component is built from, as one digest.
//!
//! Four parts: the guest's sources, the contract, what the manifests say about
//! the guest's build, and the exact dependencies that the lock file gives it.
//! Nothing else counts: a change in the host, in a test or in another crate's
//! dependencies does not make the component stale. Reading them takes neither
//! a network nor a compiler.
//!
//! Tests count only where they share a file with what they test; files named
//! `tests.rs` or `*_tests.rs` are left out. So is what only a feature brings,
//! because the component is built with none but its exports: the folders of its
//! features, the optional dependencies, the table of features itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use refrain::log::digest::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use toml::Table;

/// What a component is built from.
#[derive(Clone, Copy, Debug)]
pub struct Sources {
    /// The package that becomes the component.
    pub package: &'static str,
    /// The features that it is built with.
    pub features: &'static [&'static str],
    /// The profile that it is built with.
    pub profile: &'static str,
    /// Its manifest; that of the guest, where it is only a package around that.
    pub manifest: &'static str,
    /// The manifest of a package around the guest.
    pub around: Option<&'static str>,
    /// The folders with its sources and its contract.
    pub folders: &'static [&'static str],
}

/// The guest and the contract.
pub const GUEST: Sources = Sources {
    package: "refrain-guest",
    features: &["exports"],
    profile: "component",
    manifest: "guest/Cargo.toml",
    around: None,
    folders: &["guest/src", "wit"],
};

/// Folders that are compiled only with a feature.
const OF_FEATURES: [&str; 2] = ["guest/src/notation", "guest/src/strategies"];

/// The SHA-256 over all that the component is built from.
pub fn digest(workspace: &Path, sources: &Sources) -> Result<String> {
    let mut parts = BTreeMap::new();
    for folder in sources.folders {
        texts(workspace, Path::new(folder), &mut parts)?;
    }
    if let Some(around) = sources.around {
        let manifest = serde_json::to_string(&table(workspace, around)?)?;
        parts.insert("manifest around".to_owned(), manifest);
    }
    let guest = table(workspace, sources.manifest)?;
    let whole = table(workspace, "Cargo.toml")?;
    let lock = table(workspace, "Cargo.lock")?;
    parts.insert(
        "manifests".to_owned(),
        manifests(&guest, &whole, sources.profile).to_string(),
    );
    parts.insert(
        "dependencies".to_owned(),
        closure(&guest, &lock)?.join("\n"),
    );

    let mut sha = Sha256::new();
    for (name, text) in &parts {
        for field in [name, text] {
            sha.update((field.len() as u64).to_le_bytes());
            sha.update(field);
        }
    }
    Ok(hex(&sha.finalize()))
}

/// Every source text below a folder, by its path from the workspace.
fn texts(workspace: &Path, folder: &Path, parts: &mut BTreeMap<String, String>) -> Result<()> {
    let place = workspace.join(folder);
    for entry in fs::read_dir(&place).with_context(|| format!("cannot list {}", place.display()))? {
        let path = folder.join(entry?.file_name());
        if OF_FEATURES.iter().any(|folder| path == Path::new(folder)) {
            continue;
        }
        if workspace.join(&path).is_dir() {
            texts(workspace, &path, parts)?;
        } else if is_source(&path) {
            let name = path.to_string_lossy().replace('\\', "/");
            // Line ends are a matter of the checkout, not of the source.
            parts.insert(name, read(workspace, &path)?.replace("\r\n", "\n"));
        }
    }
    Ok(())
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".rs", ".wit", ".css"].iter().any(|it| name.ends_with(it))
        && name != "tests.rs"
        && !name.ends_with("_tests.rs")
}

/// What the manifests say about the guest's build: its own, and what it
/// inherits from the workspace.
fn manifests(guest: &Table, whole: &Table, profile: &str) -> Value {
    let inherited: BTreeMap<_, _> = dependencies(guest)
        .into_iter()
        .map(|name| {
            let version = whole["workspace"]["dependencies"].get(&name);
            (name, version)
        })
        .collect();
    // Each inherits from the one before it.
    let own = (profile != "component").then_some(profile);
    let profiles = ["release", "component"].into_iter().chain(own);
    json!({
        "package": guest.get("package"),
        "dependencies": built_in(guest.get("dependencies")),
        "target": guest.get("target"),
        "inherited": inherited,
        "workspace": whole["workspace"].get("package"),
        "profiles": profiles.map(|name| whole["profile"].get(name)).collect::<Vec<_>>(),
    })
}

/// A table of dependencies without those that only a feature brings.
fn built_in(dependencies: Option<&toml::Value>) -> Table {
    let all = dependencies.and_then(|table| table.as_table());
    let is_optional = |dependency: &toml::Value| {
        let optional = dependency.get("optional");
        optional.and_then(toml::Value::as_bool) == Some(true)
    };
    all.into_iter()
        .flatten()
        .filter(|(_, dependency)| !is_optional(dependency))
        .map(|(name, dependency)| (name.clone(), dependency.clone()))
        .collect()
}

/// The names of the guest's dependencies on any target, without those of its
/// tests.
fn dependencies(guest: &Table) -> BTreeSet<String> {
    let on_targets = guest
        .get("target")
        .and_then(|target| target.as_table())
        .into_iter()
        .flat_map(Table::values);
    on_targets
        .map(|target| target.get("dependencies"))
        .chain([guest.get("dependencies")])
        .flat_map(|place| built_in(place).into_iter().map(|(name, _)| name))
        .collect()
}

/// The guest's dependencies and theirs, each as `name version checksum`.
fn closure(guest: &Table, lock: &Table) -> Result<Vec<String>> {
    let packages = lock
        .get("package")
        .and_then(|packages| packages.as_array())
        .context("Cargo.lock lists no packages")?;
    let direct = dependencies(guest);
    let package = text(&guest["package"], "name");
    let mut todo: Vec<&str> = locked_dependencies(find(packages, package)?)
        .filter(|dependency| direct.contains(dependency.split(' ').next().unwrap_or_default()))
        .collect();
    let mut lines = BTreeMap::new();
    while let Some(dependency) = todo.pop() {
        let package = find(packages, dependency)?;
        let [name, version, checksum] =
            ["name", "version", "checksum"].map(|key| text(package, key));
        if lines
            .insert((name, version), format!("{name} {version} {checksum}"))
            .is_none()
        {
            todo.extend(locked_dependencies(package));
        }
    }
    Ok(lines.into_values().collect())
}

fn locked_dependencies(package: &toml::Value) -> impl Iterator<Item = &str> {
    let dependencies = package
        .get("dependencies")
        .and_then(|dependencies| dependencies.as_array());
    dependencies
        .into_iter()
        .flatten()
        .filter_map(|dependency| dependency.as_str())
}

/// The package that a lock file's dependency means: `name`, or `name version`
/// where several versions are locked.
fn find<'a>(packages: &'a [toml::Value], dependency: &str) -> Result<&'a toml::Value> {
    let mut words = dependency.split(' ');
    let (name, version) = (words.next().unwrap_or_default(), words.next());
    packages
        .iter()
        .find(|package| {
            text(package, "name") == name
                && version.is_none_or(|version| text(package, "version") == version)
        })
        .with_context(|| {
            format!(
                "Cargo.lock has no package {dependency:?}; run `cargo build` to bring it up to date"
            )
        })
}

fn text<'a>(package: &'a toml::Value, key: &str) -> &'a str {
    package
        .get(key)
        .and_then(|value| value.as_str())
        .unwrap_or_default()
}

fn table(workspace: &Path, path: &str) -> Result<Table> {
    read(workspace, Path::new(path))?
        .parse()
        .with_context(|| format!("{path} is not TOML"))
}

fn read(workspace: &Path, path: &Path) -> Result<String> {
    fs::read_to_string(workspace.join(path))
        .with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace.package]\nversion = '1'\n[workspace.dependencies]\n\
        near = '1'\nfar = '1'\n[profile.release]\n[profile.component]\nlto = true\n";
    const GUEST: &str = "[package]\nname = 'refrain-guest'\n[dependencies]\nnear.workspace = true\n\
        [dev-dependencies]\nfar.workspace = true\n";
    const LOCK: &str = "[[package]]\nname = 'refrain-guest'\nversion = '1'\ndependencies = ['near', 'far']\n\
        [[package]]\nname = 'near'\nversion = '1'\nchecksum = 'n'\ndependencies = ['deep']\n\
        [[package]]\nname = 'deep'\nversion = '1'\nchecksum = 'd'\n\
        [[package]]\nname = 'far'\nversion = '1'\nchecksum = 'f'\n";

    #[test]
    fn only_what_is_built_in_makes_a_component_stale() {
        for (file, text, stale) in [
            ("guest/src/lib.rs", "fn new() {}".to_owned(), true),
            ("guest/src/deep/new.rs", String::new(), true),
            ("guest/src/deep/tests.rs", "fn new() {}".to_owned(), false),
            ("guest/src/deep/plan_tests.rs", String::new(), false),
            ("guest/src/notes.md", String::new(), false),
            ("guest/src/strategies/new.rs", String::new(), false),
            ("guest/src/notation/new.rs", String::new(), false),
            (
                "guest/Cargo.toml",
                format!("{GUEST}[features]\nf = ['dep:far']\n"),
                false,
            ),
            (
                "guest/Cargo.toml",
                GUEST.replace(
                    "[dev-",
                    "far = { workspace = true, optional = true }\n[dev-",
                ),
                false,
            ),
            (
                "guest/Cargo.toml",
                GUEST.replace("[dev-", "far = { workspace = true }\n[dev-"),
                true,
            ),
            ("host/src/lib.rs", "fn new() {}".to_owned(), false),
            ("wit/world.wit", "world other {}".to_owned(), true),
            ("Cargo.toml", MANIFEST.replace("true", "false"), true),
            (
                "Cargo.toml",
                MANIFEST.replace("near = '1'", "near = '2'"),
                true,
            ),
            (
                "Cargo.toml",
                MANIFEST.replace("far = '1'", "far = '2'"),
                false,
            ),
            ("Cargo.lock", LOCK.replace("'n'", "'m'"), true),
            ("Cargo.lock", LOCK.replace("'d'", "'e'"), true),
            ("Cargo.lock", LOCK.replace("'f'", "'g'"), false),
        ] {
            let workspace = tempfile::tempdir().expect("there is room for it");
            let write = |file: &str, text: &str| {
                let path = workspace.path().join(file);
                fs::create_dir_all(path.parent().expect("it is in a folder"))
                    .expect("it can be made");
                fs::write(path, text).expect("it can be written");
            };
            let base = [
                ("guest/src/lib.rs", ""),
                ("guest/src/deep/tests.rs", ""),
                ("wit/world.wit", ""),
            ];
            for (file, text) in base.into_iter().chain([
                ("Cargo.toml", MANIFEST),
                ("guest/Cargo.toml", GUEST),
                ("Cargo.lock", LOCK),
            ]) {
                write(file, text);
            }
            let before = digest(workspace.path(), &super::GUEST).expect("all is there");
            write(file, &text);
            let after = digest(workspace.path(), &super::GUEST).expect("all is there");
            assert_eq!(before != after, stale, "{file}: {text}");
        }
    }
}
