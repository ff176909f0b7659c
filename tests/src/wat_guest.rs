//! Small guests written by hand, in WebAssembly's text form.
//!
//! They need no compiler for WebAssembly, and do what no honest compiler would
//! write. Each is a core module wrapped as a component of some world, by
//! default the contract's own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::component::workspace;

/// The world of a [`WatGuest`].
#[derive(Clone, Copy, Debug)]
pub enum World<'a> {
    /// The contract's.
    Guest,
    /// The world `hostile` of a WIT package that includes the contract's.
    Wider(&'a str),
    /// The world `hostile` of a WIT package that knows no contract; the module
    /// has only what stands in [`WatGuest::rest`].
    Other(&'a str),
}

/// A guest that traps whatever it is asked, except for what is changed here.
#[derive(Clone, Copy, Debug)]
pub struct WatGuest<'a> {
    /// The world that it is of.
    pub world: World<'a>,
    /// Its imports.
    pub imports: &'a str,
    /// Its memory, in pages of 64 KiB.
    pub memory_pages: u32,
    /// The body of `step`, which answers the address of an outcome; see
    /// [`TAKE_ALL`]. In it, `$last` is the log's last event with all the facts
    /// that are offered, of which there are `$facts_length`. Where one of them is
    /// the host's own stall, it is not asked: all are taken, and nothing is
    /// decided.
    pub step: &'a str,
    /// The body of `explain`, which answers the address of an explanation.
    pub explain: &'a str,
    /// The body of `describe`, which answers the address of a description.
    pub describe: &'a str,
    /// What else there is in the module.
    pub rest: &'a str,
}

impl Default for WatGuest<'_> {
    fn default() -> Self {
        Self {
            world: World::Guest,
            imports: "",
            memory_pages: 1,
            step: "unreachable",
            explain: "unreachable",
            describe: "unreachable",
            rest: "",
        }
    }
}

impl WatGuest<'_> {
    /// The component.
    pub fn component(&self) -> Result<Vec<u8>> {
        encoded(&self.module(), self.world)
    }

    /// The core module, as text.
    #[must_use]
    pub fn module(&self) -> String {
        let Self {
            imports,
            memory_pages,
            rest,
            ..
        } = self;
        let exports = if matches!(self.world, World::Other(_)) {
            String::new()
        } else {
            self.exports()
        };
        format!(
            r#"(module
                {imports}
                (memory (export "memory") {memory_pages})
                {REALLOC}
                {exports}
                {rest}
            )"#
        )
    }

    fn exports(&self) -> String {
        let Self {
            step,
            explain,
            describe,
            ..
        } = self;
        format!(
            r#"
                (func (export "{SCHEDULER}#validate") (param i32 i32) (result i32) unreachable)
                {STEP}
                (func $step {STEP_PARAMS} (result i32) {step})
                (func (export "{SCHEDULER}#explain") (param i64 i64 i32 i32) (result i32) {explain})
                (func (export "{SCHEDULER}#inspect") (param i64 i64) (result i32) unreachable)
                (func (export "{SCHEDULER}#snapshot") (param i64 i64) (result i32) unreachable)
                (func (export "{SCHEDULER}#forget") (param i64 i64))
                (func (export "{SCHEDULER}#describe") (result i32) {describe})
            "#
        )
    }
}

/// The component that a file in WebAssembly's text form is assembled to. Where a
/// file of the same name with `.wit` stands next to it, that has its world.
pub fn assembled(path: &Path) -> Result<Vec<u8>> {
    let place = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(place)?;
    let wider = path.with_extension("wit");
    let component = if wider.exists() {
        encoded(&text, World::Wider(&fs::read_to_string(wider)?))
    } else {
        encoded(&text, World::Guest)
    };
    component.with_context(place)
}

/// A core module, wrapped as a component of a world.
fn encoded(module: &str, world: World<'_>) -> Result<Vec<u8>> {
    let mut module = wat::parse_str(module)?;
    let mut resolve = Resolve::default();
    let (package, world) = match world {
        World::Guest => (resolve.push_dir(workspace().join("wit"))?.0, "scheduler"),
        World::Wider(text) => {
            resolve.push_dir(workspace().join("wit"))?;
            (resolve.push_str("hostile.wit", text)?, "hostile")
        }
        World::Other(text) => (resolve.push_str("hostile.wit", text)?, "hostile"),
    };
    let world = resolve.select_world(&[package], Some(world))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default()
        .module(&module)?
        .validate(true)
        .encode()
        .context("the module does not fit its world")
}

/// A `step` that takes every fact and decides nothing: running, no wake.
pub const TAKE_ALL: &str = "
    (i64.store (i32.const 1040) (local.get $last))
    (i32.const 1024)";

const STEP_PARAMS: &str = "(param $high i64) (param $low i64) (param $last i64) \
    (param $facts i32) (param $facts_length i32)";

/// What is exported as `step`.
const STEP: &str = r#"
    (func (export "refrain:scheduler/decisions@0.2.0#step")
        (param $high i64) (param $low i64) (param $last i64)
        (param $facts i32) (param $facts_length i32) (result i32)
        (local.set $last (i64.add (local.get $last) (i64.extend_i32_u (local.get $facts_length))))
        (if (call $is_stalled (local.get $facts) (local.get $facts_length))
            (then
                (i64.store (i32.const 1040) (local.get $last))
                (i64.store (i32.const 1048) (i64.const 0))
                (i32.store8 (i32.const 1064) (i32.const 0))
                (return (i32.const 1024))))
        (call $step (local.get $high) (local.get $low) (local.get $last)
            (local.get $facts) (local.get $facts_length)))
    ;; Is one of these facts `host-stalled`? That is kind 33, and a fact has 216 bytes.
    (func $is_stalled (param $facts i32) (param $facts_length i32) (result i32)
        (loop $fact (result i32)
            (if (i32.eqz (local.get $facts_length)) (then (return (i32.const 0))))
            (if (i32.eq (i32.load8_u (local.get $facts)) (i32.const 33))
                (then (return (i32.const 1))))
            (local.set $facts (i32.add (local.get $facts) (i32.const 216)))
            (local.set $facts_length (i32.sub (local.get $facts_length) (i32.const 1)))
            (br $fact)))"#;

/// What the host hands over is put behind what it handed over before, and in
/// the end at the beginning again.
const REALLOC: &str = r#"
    (global $free (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
        (local $place i32)
        (if (i32.gt_u (i32.add (global.get $free) (local.get $bytes)) (i32.const 65000))
            (then (global.set $free (i32.const 4096))))
        (local.set $place (global.get $free))
        (global.set $free (i32.and
            (i32.add (i32.add (local.get $place) (local.get $bytes)) (i32.const 7))
            (i32.const -8)))
        (local.get $place))"#;

const SCHEDULER: &str = "refrain:scheduler/decisions@0.2.0";
