//! The map of ARCHITECTURE.md's chapter "How we know" is true: what it names is
//! there, and no law, rule or fault is without a guard.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use refrain_tests::component::workspace;

const CHAPTER: &str = "## How we know";

/// The text between the chapter's heading and the next.
fn chapter() -> Result<String> {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md"))?;
    let (_, rest) = text
        .split_once(&format!("\n{CHAPTER}\n"))
        .with_context(|| format!("ARCHITECTURE.md has no chapter `{CHAPTER}`"))?;
    let end = rest.find("\n## ").unwrap_or(rest.len());
    Ok(rest[..end].to_owned())
}

/// What stands in backquotes and is the path of a file or folder, perhaps with
/// the name of a test in it: `tests/native/rules/laws.rs`, `tests/engine/golden.rs::law2_…`.
fn guards(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|it| {
        ["guest/", "host/", "tests/"]
            .iter()
            .any(|start| it.starts_with(start))
    })
}

fn is_there(guard: &str) -> Result<()> {
    let (path, name) = guard
        .split_once("::")
        .map_or((guard, None), |(path, name)| (path, Some(name)));
    let place = workspace().join(path);
    ensure!(
        place.exists(),
        "{CHAPTER} names {path}, and there is no such file"
    );
    let Some(name) = name else { return Ok(()) };
    let source = fs::read_to_string(&place).with_context(|| path.to_owned())?;
    let starts = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let call = format!("fn {name}");
    let mut found = source
        .match_indices(&call)
        .map(|(at, _)| &source[at + call.len()..]);
    ensure!(
        found.any(starts),
        "{CHAPTER} names the test {name} of {path}, which has none of this name"
    );
    Ok(())
}

/// The rows of the chapter's tables, by what stands in the first column.
fn rows(chapter: &str) -> BTreeMap<&str, Vec<&str>> {
    let rows = chapter
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.map(|(what, rest)| (what.trim(), guards(rest).collect()))
        .collect()
}

#[test]
fn what_the_map_names_is_there() -> Result<()> {
    let chapter = chapter()?;
    let named: Vec<&str> = guards(&chapter).collect();
    ensure!(named.len() > 100, "only {} guards are named", named.len());
    named.into_iter().try_for_each(is_there)
}

#[test]
fn every_law_rule_and_fault_has_a_guard() -> Result<()> {
    let chapter = chapter()?;
    let rows = rows(&chapter);
    let laws = (1..=10).map(|number| format!("L{number}"));
    let rules = (1..=20).map(|number| format!("R{number}"));
    let faults = (1..=17).map(|number| format!("fault {number}"));
    for what in laws.chain(rules).chain(faults) {
        let guards = rows.get(what.as_str());
        let guards = guards.with_context(|| format!("the map has no row for {what}"))?;
        let tests = guards.iter().filter(|guard| guard.contains("::")).count();
        ensure!(tests > 0, "the map names no test that guards {what}");
    }
    Ok(())
}
