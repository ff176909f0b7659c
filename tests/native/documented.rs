//! The examples of `docs/rules.md`, `docs/laws.md` and `docs/patterns.md` are played:
//! what these pages say is what happens, and no rule, law or pattern is without an example.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use refrain_guest::shell::Scheduler;
use refrain_tests::component::workspace;
use refrain_tests::notation::play;

/// An example of a page.
struct Example {
    /// The rule or law that it stands under; `None` before the first of them.
    under: Option<u32>,
    /// The line of the page on which it begins.
    line: usize,
    /// What it is: the word after its opening fence.
    kind: String,
    text: String,
}

/// The examples of a page whose rules or laws have headings like `### R5: …`.
fn examples(page: &str, heading: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let (mut under, mut inside) = (None, false);
    for (line, text) in page.lines().enumerate() {
        match text.strip_prefix("```") {
            Some(kind) if !inside => {
                inside = true;
                found.push(Example {
                    under,
                    line: line + 1,
                    kind: kind.to_owned(),
                    text: String::new(),
                });
            }
            Some(_) => inside = false,
            None if inside => {
                let example = found.last_mut().expect("one is open");
                example.text.push_str(text);
                example.text.push('\n');
            }
            None => {
                let title = text.strip_prefix("### ");
                let rest = title.and_then(|title| title.strip_prefix(heading));
                let number = rest.and_then(|rest| rest.split_once(':')?.0.parse().ok());
                under = number.or(under);
            }
        }
    }
    found
}

/// A table without its remarks: what follows three spaces, behind the `=>` of a
/// row (before it, rows are aligned).
fn without_remarks(table: &str) -> String {
    let bare = |line: &str| {
        let from = line.find("=> ").map_or(0, |arrow| arrow + 3);
        let remark = line[from..].find("   ");
        let end = remark.map_or(line.len(), |at| from + at);
        format!("{}\n", &line[..end])
    };
    table.lines().map(bare).collect()
}

/// A workflow that is refused: its JSON, then a line for each fault, with the
/// pointer and a part of the message.
fn is_refused(example: &str) -> Result<()> {
    let (workflow, faults) = example.split_once("=>").context("no fault is named")?;
    let found = Scheduler::validate(workflow)
        .err()
        .context("it is accepted")?;
    for fault in faults.split("=>").map(str::trim) {
        let (pointer, part) = fault.split_once(' ').context("a fault is POINTER PART")?;
        let is_it = |it: &&refrain_guest::contract::Fault| {
            it.pointer == pointer && it.message.contains(part) && !it.remedy.is_empty()
        };
        ensure!(
            found.iter().any(|it| is_it(&it)),
            "no {fault:?} among {found:#?}"
        );
    }
    Ok(())
}

/// Plays all examples of a page. Says how many there are of each rule or law.
fn plays(page: &str, heading: &str) -> Result<BTreeMap<u32, usize>> {
    let path = workspace().join("docs").join(page);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut played = BTreeMap::new();
    for example in examples(&text, heading) {
        let done = match example.kind.as_str() {
            "table" => play(&without_remarks(&example.text))
                .map(drop)
                .map_err(anyhow::Error::msg),
            "workflow" => is_refused(&example.text),
            _ => continue,
        };
        done.with_context(|| format!("docs/{page}, line {}", example.line))?;
        if let Some(number) = example.under {
            *played.entry(number).or_default() += 1;
        }
    }
    Ok(played)
}

/// The rules that hold so far.
pub(crate) fn rules() -> Vec<u32> {
    (1..=20).chain([25]).collect()
}

#[test]
fn documented_rules_are_what_happens() -> Result<()> {
    let played = plays("rules.md", "R")?;
    let missing = rules().into_iter().find(|rule| !played.contains_key(rule));
    ensure!(
        missing.is_none(),
        "docs/rules.md has no example of R{missing:?}"
    );
    Ok(())
}

#[test]
fn documented_laws_are_what_happens() -> Result<()> {
    let played = plays("laws.md", "Law ")?;
    let missing = (1..=11).find(|law| !played.contains_key(law));
    ensure!(
        missing.is_none(),
        "docs/laws.md has no example of law {missing:?}"
    );
    Ok(())
}

/// The patterns of a page's table: number, name, and what stands under *directly*.
fn patterns(page: &str) -> Vec<(u32, String, String)> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let number = cells.next()?.parse().ok()?;
        Some((number, cells.next()?.to_owned(), cells.next()?.to_owned()))
    });
    rows.collect()
}

/// All 43 patterns are told of, and those that are said to be there are played.
#[test]
fn documented_patterns_are_what_happens() -> Result<()> {
    let path = workspace().join("docs/patterns.md");
    let page = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let patterns = patterns(&page);
    let numbers = patterns.iter().map(|(number, ..)| *number);
    ensure!(numbers.eq(1..=43), "the table has a row for each pattern");
    let played = plays("patterns.md", "P")?;
    for (number, name, directly) in &patterns {
        let is_played = played.contains_key(number);
        match directly.as_str() {
            "yes" => ensure!(is_played, "P{number} has no example"),
            "no" | "not yet" => {
                ensure!(!is_played, "P{number} has an example, and says {directly}");
            }
            other => anyhow::bail!("P{number} says {other:?}, which is neither yes nor no"),
        }
        let heading = format!("\n### P{number}: {name}\n");
        ensure!(
            page.contains(&heading) == is_played,
            "the heading of P{number} is not its name, {name:?}"
        );
    }
    Ok(())
}
