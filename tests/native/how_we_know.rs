//! No law, rule or fault is without a test that carries its number, and the
//! kinds of tests in ARCHITECTURE.md's chapter "How we know" are where it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use refrain_tests::component::workspace;

use crate::documented::rules;

const CHAPTER: &str = "## How we know";

/// What the name of a test says that it guards: `law3_law4_r05_each_…` guards
/// three things.
fn guarded(name: &str) -> impl Iterator<Item = (&'static str, u32)> {
    name.split('_').map_while(|word| {
        ["law", "fault", "r"].into_iter().find_map(|kind| {
            let number = word.strip_prefix(kind)?.parse().ok()?;
            Some((kind, number))
        })
    })
}

/// The names of the tests of a source file.
fn tests_of(source: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    source.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
            return None;
        }
        let (_, rest) = line.split_once("fn ")?;
        let name = rest.split(['(', '<']).next()?;
        std::mem::take(&mut is_test).then_some(name)
    })
}

/// All that the tests beneath this folder guard.
fn all_guarded(folder: &Path, found: &mut BTreeSet<(&'static str, u32)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            all_guarded(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path)?;
            found.extend(tests_of(&source).flat_map(guarded));
        }
    }
    Ok(())
}

#[test]
fn every_law_rule_and_fault_has_a_test_of_its_name() -> Result<()> {
    let mut found = BTreeSet::new();
    for folder in ["guest", "host", "tests"] {
        all_guarded(&workspace().join(folder), &mut found)?;
    }
    let numbered: [(_, Vec<u32>); 3] = [
        ("law", (1..=11).collect()),
        ("r", rules()),
        ("fault", (1..=17).collect()),
    ];
    for (kind, numbers) in numbered {
        for number in numbers {
            ensure!(
                found.contains(&(kind, number)),
                "no test has a name that begins with `{kind}{number}_`"
            );
        }
    }
    Ok(())
}

#[test]
fn names_are_read_as_they_are_meant() {
    let names = |name: &'static str| guarded(name).collect::<Vec<_>>();
    assert_eq!(
        names("law3_law4_r05_each_decisions_item_is_enqueued"),
        [("law", 3), ("law", 4), ("r", 5)]
    );
    assert_eq!(names("fault12_a_late_start"), [("fault", 12)]);
    assert_eq!(names("rules_are_no_numbers"), []);
    let source = "#[test]\nfn r1_a() {}\nfn r2_helper() {}\n#[tokio::test]\nasync fn law7_b() {}";
    assert_eq!(tests_of(source).collect::<Vec<_>>(), ["r1_a", "law7_b"]);
}

/// The text between the chapter's heading and the next.
fn chapter() -> Result<String> {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md"))?;
    let (_, rest) = text
        .split_once(&format!("\n{CHAPTER}\n"))
        .with_context(|| format!("ARCHITECTURE.md has no chapter `{CHAPTER}`"))?;
    let end = rest.find("\n## ").unwrap_or(rest.len());
    Ok(rest[..end].to_owned())
}

#[test]
fn the_kinds_of_tests_are_where_the_chapter_says() -> Result<()> {
    let chapter = chapter()?;
    let quoted = chapter.split('`').skip(1).step_by(2);
    let is_path = |it: &&str| {
        let starts = ["guest/", "host/", "tests/"];
        starts.iter().any(|start| it.starts_with(start))
    };
    let paths: Vec<&str> = quoted.filter(is_path).collect();
    ensure!(paths.len() > 15, "only {} places are named", paths.len());
    for path in paths {
        ensure!(
            workspace().join(path).exists(),
            "{CHAPTER} names {path}, and there is no such file"
        );
    }
    Ok(())
}
