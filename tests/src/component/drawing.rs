//! The committed WebAssembly module that draws workflows on pages: how it is built from the
//! sources of pictures, and whether it still is what they say.
//!
//! Pages are served by any server of files, and take no file but scripts, so that it stands
//! in one: packed, as a text.

use std::fs;

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;
use refrain::log::digest::digest;
use wasmtime::{Engine, Module};

use super::sources::Sources;
use super::stamp::Stamp;
use super::toolchain::Toolchain;
use super::{compile, encode, sources, workspace};

/// Where it is, from the workspace.
pub const SCRIPT: &str = "host/web/built/picture.js";
/// Where its stamp is.
const STAMP: &str = "host/web/built/picture.json";

/// What it is built from.
const SOURCES: Sources = Sources {
    package: "refrain-picture",
    features: &[],
    profile: "picture",
    manifest: "host/picture/Cargo.toml",
    around: None,
    folders: &["host/picture/src"],
};

/// What stands before and behind the module in its script.
const BEFORE: &str = "// Draws workflows: WebAssembly in zlib (RFC 1950) and base64, built from host/picture by\n// `cargo rebuild-component`.\n\nexport const PICTURE = '";
const BEHIND: &str = "';\n";

/// All that it exports.
const EXPORTS: [&str; 5] = ["answer", "answer_length", "draw", "memory", "room"];

/// How hard the compressor tries.
const LEVEL: u8 = 9;

/// Builds it: its bytes, and the stamp that belongs to them.
pub fn build(toolchain: &Toolchain) -> Result<(Vec<u8>, Stamp)> {
    let workspace = workspace();
    let module = compile::core_module(&workspace, toolchain, &SOURCES)?;
    let module = encode::without_notes(&module)?;
    accepted(&module)?;
    let stamp = Stamp {
        sources: sources::digest(&workspace, &SOURCES)?,
        compiler: toolchain.compiler.name.clone(),
        flags: compile::flags(&SOURCES),
        component: digest(&module),
    };
    Ok((module, stamp))
}

/// Puts it where it is committed.
pub fn write(module: &[u8], stamp: &Stamp) -> Result<()> {
    let path = workspace().join(SCRIPT);
    fs::write(&path, script(module)).with_context(|| format!("cannot write {}", path.display()))?;
    stamp.write(&workspace().join(STAMP))
}

/// The committed module.
pub fn committed() -> Result<Vec<u8>> {
    let path = workspace().join(SCRIPT);
    let script =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let packed = script.strip_prefix(BEFORE);
    let packed = packed.and_then(|rest| rest.strip_suffix(BEHIND));
    let packed = STANDARD.decode(packed.context("the script has another form")?)?;
    let unpacked = decompress_to_vec_zlib(&packed);
    unpacked.map_err(|error| anyhow!("{SCRIPT}: {error}"))
}

/// The committed stamp.
pub fn stamp() -> Result<Stamp> {
    Stamp::read(&workspace().join(STAMP))
}

/// Is the committed script what today's sources ask for? If not, the sentence that says what
/// to do.
pub fn freshness() -> Result<Result<(), String>> {
    let (stamp, module) = (stamp()?, committed()?);
    let is_fresh = stamp.sources == sources::digest(&workspace(), &SOURCES)?
        && stamp.flags == compile::flags(&SOURCES)
        && stamp.component == digest(&module);
    Ok(match is_fresh {
        true => Ok(()),
        false => Err(format!(
            "{SCRIPT} is not built from today's sources; type: cargo rebuild-component"
        )),
    })
}

/// The module asks for nothing, and has the doors that pages know.
fn accepted(module: &[u8]) -> Result<()> {
    let module = Module::new(&Engine::default(), module).map_err(|error| anyhow!("{error:#}"))?;
    let imports: Vec<&str> = module.imports().map(|it| it.name()).collect();
    ensure!(imports.is_empty(), "it imports {imports:?}");
    let mut exports: Vec<&str> = module.exports().map(|it| it.name()).collect();
    // Globals of the linker say where its data ends.
    exports.retain(|name| !name.starts_with("__"));
    exports.sort_unstable();
    ensure!(exports == EXPORTS, "it exports {exports:?}");
    Ok(())
}

fn script(module: &[u8]) -> String {
    let packed = STANDARD.encode(compress_to_vec_zlib(module, LEVEL));
    format!("{BEFORE}{packed}{BEHIND}")
}
