//! The examples as text, as they are drawn in 80 columns; and as pages draw them, by the
//! committed WebAssembly module.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};
use refrain::picture::{of_workflow, svg, text};
use refrain_tests::component::{drawing, workspace};
use serde_json::{Value, json};
use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

fn examples() -> Result<Vec<PathBuf>> {
    let examples = workspace().join("host/examples");
    let mut files: Vec<PathBuf> = fs::read_dir(&examples)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    ensure!(files.len() > 8, "the examples are there");
    Ok(files)
}

/// The file, and what is in it now.
fn drawn_now() -> Result<(PathBuf, String)> {
    let mut all = String::new();
    for file in examples()? {
        let workflow = fs::read_to_string(&file)?;
        let picture = of_workflow(&workflow).with_context(|| file.display().to_string())?;
        all.push_str(&text(&picture, 80));
        all.push('\n');
    }
    Ok((workspace().join("tests/native/pictures.txt"), all))
}

#[test]
fn the_examples_are_drawn_as_before() -> Result<()> {
    let (path, drawn) = drawn_now()?;
    let kept = fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        kept == drawn,
        "{} is not what is drawn now:\n{drawn}\nif this is as it should be, type `cargo renew-reference`",
        path.display()
    );
    Ok(())
}

#[test]
#[ignore = "it writes the file: `cargo renew-reference`"]
fn renew_the_reference_of_pictures() -> Result<()> {
    let (path, drawn) = drawn_now()?;
    fs::write(&path, drawn).with_context(|| path.display().to_string())
}

/// The module of pages, as they use it.
struct Page {
    store: Store<()>,
    memory: Memory,
    room: TypedFunc<u32, u32>,
    draw: TypedFunc<u32, u32>,
    answer: TypedFunc<(), u32>,
    answer_length: TypedFunc<(), u32>,
}

impl Page {
    fn open(module: &[u8]) -> wasmtime::Result<Self> {
        let engine = Engine::default();
        let module = Module::new(&engine, module)?;
        let mut store = Store::new(&engine, ());
        let it = Instance::new(&mut store, &module, &[])?;
        Ok(Self {
            memory: it
                .get_memory(&mut store, "memory")
                .ok_or_else(|| wasmtime::Error::msg("it has no memory"))?,
            room: it.get_typed_func(&mut store, "room")?,
            draw: it.get_typed_func(&mut store, "draw")?,
            answer: it.get_typed_func(&mut store, "answer")?,
            answer_length: it.get_typed_func(&mut store, "answer_length")?,
            store,
        })
    }

    /// The picture of a text, or the sentence that says why there is none.
    fn drawn(
        &mut self,
        text: &[u8],
        is_execution: bool,
    ) -> wasmtime::Result<Result<String, String>> {
        let room = self.room.call(&mut self.store, text.len().try_into()?)?;
        self.memory.write(&mut self.store, room as usize, text)?;
        let is_drawn = self.draw.call(&mut self.store, is_execution.into())? == 1;
        let at = self.answer.call(&mut self.store, ())? as usize;
        let length = self.answer_length.call(&mut self.store, ())? as usize;
        let answer = self.memory.data(&self.store)[at..at + length].to_vec();
        let answer = String::from_utf8(answer)?;
        Ok(if is_drawn { Ok(answer) } else { Err(answer) })
    }
}

fn committed_page() -> Result<Page> {
    Page::open(&drawing::committed()?).map_err(told)
}

fn told(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

#[test]
fn pages_draw_what_the_program_draws() -> Result<()> {
    let mut page = committed_page()?;
    for file in examples()? {
        let workflow = fs::read_to_string(&file)?;
        for is_execution in [false, true] {
            let drawn = page.drawn(workflow.as_bytes(), is_execution);
            let mut picture = of_workflow(&workflow)?;
            if is_execution {
                picture = picture.not_begun();
            }
            let is_same = drawn.map_err(told)? == Ok(svg(&picture));
            ensure!(is_same, "{} is drawn otherwise", file.display());
        }
    }
    Ok(())
}

/// A workflow of so many nodes, each with so many edges to those behind it.
fn workflow(nodes: usize, edges: usize) -> Value {
    let all = (0..nodes).map(|it| (format!("n{it}"), json!({ "kind": { "type": "task" } })));
    let steps = (0..nodes).flat_map(|from| (1..=edges).map(move |step| (from, from + step)));
    let steps = steps.filter(|(_, to)| *to < nodes);
    json!({
        "workflow_id": "w",
        "version": "1.0.0",
        "start_node": "n0",
        "nodes": all.collect::<serde_json::Map<_, _>>(),
        "edges": steps.map(|(from, to)| json!({ "from": format!("n{from}"), "to": format!("n{to}") })).collect::<Vec<_>>(),
    })
}

/// So many workflows, each in a node of the one around it.
fn nested(depth: usize) -> String {
    let before = r#"{"nodes":{"a":{"kind":{"type":"subgraph","body":"#;
    let behind = r#"}}},"edges":[],"start_node":"a"}"#;
    let innermost = r#"{"nodes":{},"edges":[],"start_node":"a"}"#;
    format!(
        "{}{innermost}{}",
        before.repeat(depth),
        behind.repeat(depth)
    )
}

#[test]
fn what_pages_do_not_draw_they_say() -> Result<()> {
    let mut page = committed_page()?;
    for (text, says) in [
        (String::new(), "text of a valid workflow"),
        ("[".repeat(1_000_000), "text of a valid workflow"),
        (nested(30), ""),
        (nested(100_000), "text of a valid workflow"),
        (
            workflow(10_001, 1).to_string(),
            "has 10001 nodes and 10000 edges, and a page draws 10000",
        ),
        (workflow(10_000, 4).to_string(), "39990 edges"),
    ] {
        let drawn = page.drawn(text.as_bytes(), true).map_err(told)?;
        let is_so = match &drawn {
            Ok(_) => says.is_empty(),
            Err(sentence) => !says.is_empty() && sentence.contains(says),
        };
        let beginning: String = text.chars().take(40).collect();
        ensure!(is_so, "{beginning}: {drawn:?}");
    }
    let no_text = page.drawn(b"{\"nodes\":\xff}", false).map_err(told)?;
    ensure!(no_text.is_err(), "{no_text:?}");
    Ok(())
}
