//! In the guest and in the host each module uses only what stands below it,
//! methods included; and the reader that says so finds what does not.

use std::fs;

use anyhow::{Context, Result, ensure};
use refrain_tests::component::workspace;
use refrain_tests::layers::{Exemption, Finding, check, judge};

/// Arrows of the host that go up, and why they may.
const HOST_EXEMPTIONS: &[Exemption] = &[
    Exemption {
        from: "live/api/engine.rs",
        to: "live/api/builder.rs",
        why: "users begin with `Engine::builder()`, and `Builder::start()` gives them an engine",
    },
    Exemption {
        from: "live/values/workflow.rs",
        to: "live/values/workflow_builder.rs",
        why: "users begin with `Workflow::builder()`, and `WorkflowBuilder::build()` gives them a workflow",
    },
];

#[test]
fn the_guest_stands_in_layers() -> Result<()> {
    stands_in_layers("guest/src", &[])
}

#[test]
fn the_host_stands_in_layers() -> Result<()> {
    stands_in_layers("host/src", HOST_EXEMPTIONS)
}

#[test]
fn pictures_stand_in_layers() -> Result<()> {
    stands_in_layers("host/picture/src", &[])
}

fn stands_in_layers(folder: &str, exemptions: &[Exemption]) -> Result<()> {
    let findings = check(&workspace().join(folder))?;
    let wrong = judge(&findings, exemptions);
    ensure!(
        wrong.is_empty(),
        "these use what stands above them in the order of {folder}/lib.rs; move what they share down:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// A crate of `low` below `high`, which has a child.
const LIB: &str = "pub mod low;\npub mod high;\n";
const LOW: &str = "pub struct Low;\nimpl Low { pub fn new() -> Self { Self } }\n";
const HIGH: &str = "mod child;\npub use child::Child;\nuse crate::low::Low;\npub struct High(pub Low);\npub fn high() -> Child { Child(crate::low::Low::new()) }\n#[macro_export]\nmacro_rules! of_all { () => {} }\n";
const CHILD: &str = "use crate::low::Low;\npub struct Child(pub Low);\n";

/// What is found where these lines are added to files of that crate.
fn found(additions: &[(&str, &str)]) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("high"))?;
    for (file, text) in [
        ("lib.rs", LIB),
        ("low.rs", LOW),
        ("high/mod.rs", HIGH),
        ("high/child.rs", CHILD),
    ] {
        let added = additions.iter().filter(|(to, _)| *to == file);
        let texts: Vec<&str> = added.map(|(_, text)| *text).collect();
        fs::write(
            folder.path().join(file),
            format!("{text}{}\n", texts.join("\n")),
        )?;
    }
    let findings = check(folder.path())?;
    Ok(findings.iter().map(ToString::to_string).collect())
}

#[test]
fn what_stands_too_low_for_what_it_uses_is_found() -> Result<()> {
    ensure!(found(&[])?.is_empty(), "{:?}", found(&[])?);
    for (file, text, expected) in [
        (
            "low.rs",
            "use crate::high::high;",
            "uses `crate::high::high`, which is of high/mod.rs",
        ),
        ("low.rs", "use crate::high::*;", "uses `crate::high`"),
        (
            "low.rs",
            "use crate::{high as other};",
            "uses `crate::high`",
        ),
        // Re-exported above, declared in a child.
        (
            "low.rs",
            "use crate::high::Child;",
            "which is of high/child.rs",
        ),
        (
            "low.rs",
            "pub fn up() { crate::high::high(); }",
            "uses `crate::high::high`",
        ),
        (
            "low.rs",
            "pub fn up() { super::high::high(); }",
            "uses `super::high::high`",
        ),
        // In the arguments of a macro, and in the text of an attribute.
        (
            "low.rs",
            "pub fn up() { drop(vec![crate::high::high()]); }",
            "uses `crate::high::high`",
        ),
        (
            "low.rs",
            "#[cfg_attr(any(), serde(with = \"crate::high::form\"))]\npub struct Form;",
            "uses `crate::high::form`",
        ),
        // A child uses what its parent declares.
        (
            "high/child.rs",
            "use super::High;",
            "uses `super::High`, which is of high/mod.rs",
        ),
        (
            "high/child.rs",
            "use super::*;\npub fn up() { super::high(); }",
            "uses `super::high`",
        ),
        // A macro for all is named from the top, and stands where it is declared.
        (
            "low.rs",
            "pub fn up() { crate::of_all!(); }\n",
            "uses `crate::of_all`, which is of high/mod.rs",
        ),
        // Methods, and implementations, of a type that stands below.
        (
            "high/mod.rs",
            "impl Low { pub fn more(&self) {} }",
            "methods of `Low` stand here, and the type in low.rs",
        ),
        (
            "high/mod.rs",
            "impl Child { pub fn more(&self) {} }",
            "methods of `Child` stand here, and the type in high/child.rs",
        ),
        (
            "high/mod.rs",
            "impl<'a> crate::low::Low { pub fn more(&'a self) {} }",
            "methods of `crate::low::Low`",
        ),
        (
            "high/mod.rs",
            "impl Default for Low { fn default() -> Self { Low::new() } }",
            "with neither the trait nor the type (low.rs)",
        ),
    ] {
        let found = found(&[(file, text)])?;
        let first = found
            .first()
            .with_context(|| format!("{text}: nothing is found"))?;
        ensure!(
            first.starts_with(file) && found.iter().any(|it| it.contains(expected)),
            "{text}: {found:?}"
        );
    }
    Ok(())
}

#[test]
fn an_exemption_covers_its_arrow_for_as_long_as_that_is_there() {
    let arrow = |file: &str, other: &str| Finding {
        file: file.into(),
        line: 1,
        other: other.into(),
        message: "it goes up".to_owned(),
    };
    let exempt = |from, to| Exemption {
        from,
        to,
        why: "it is known",
    };
    let arrows = [
        arrow("low.rs", "high/mod.rs"),
        arrow("mid/a.rs", "mid/b.rs"),
    ];
    let of_all = [exempt("low.rs", "high"), exempt("mid", "mid")];
    assert!(judge(&arrows, &of_all).is_empty());
    assert_eq!(judge(&arrows, &of_all[..1]), ["mid/a.rs:1: it goes up"]);
    let wrong = judge(&arrows[..1], &of_all);
    assert!(
        wrong.len() == 1 && wrong[0].starts_with("mid: "),
        "{wrong:?}"
    );
    let elsewhere = judge(&arrows[..1], &[exempt("low.rs", "high/child.rs")]);
    assert_eq!(elsewhere.len(), 2, "{elsewhere:?}");
}

#[test]
fn what_stands_high_enough_is_not() -> Result<()> {
    for (file, text) in [
        (
            "high/mod.rs",
            "impl High { pub fn more(&self) -> Low { Low::new() } }",
        ),
        (
            "high/mod.rs",
            "pub trait Up { fn up(&self); }\nimpl Up for Low { fn up(&self) {} }",
        ),
        (
            "high/child.rs",
            "impl Default for Child { fn default() -> Self { Self(Low::new()) } }",
        ),
        // A conversion, with the higher of its two types; and a macro for all.
        (
            "high/mod.rs",
            "impl From<High> for Low { fn from(_: High) -> Self { Low::new() } }",
        ),
        (
            "low.rs",
            "#[macro_export]\nmacro_rules! of_all { () => { $crate::of_all!(1) }; (1) => {} }",
        ),
        // A name of another crate, or of nothing in particular.
        (
            "low.rs",
            "pub fn other() -> core::fmt::Result { ::core::result::Result::Ok(()) }",
        ),
        ("low.rs", "pub(in crate::low) fn near() {}"),
        // Comments for readers, and tests.
        ("low.rs", "/// See [`crate::high::high`].\npub struct Told;"),
        (
            "low.rs",
            "#[cfg(test)]\nmod tests { use crate::high::high; }",
        ),
    ] {
        let found = found(&[(file, text)])?;
        ensure!(found.is_empty(), "{text}: {found:?}");
    }
    Ok(())
}
