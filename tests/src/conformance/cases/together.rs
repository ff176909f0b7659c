//! Logs that are given together (law 11): parents and children, forks and origins, whole and
//! changed, cut, erased, and in several copies.

mod shelf;
mod children;
mod forks;
mod copies;

use anyhow::Result;
use refrain::conformance::{Edit, Kit};

use super::super::draft::Drafts;
use super::super::source::Source;
use shelf::{Shelf, rechained};

pub(super) fn all(
    drafts: &mut Drafts,
    sources: &[Source],
    relatives: &[Source],
    kit: &Kit,
) -> Result<()> {
    let shelf = Shelf {
        sources,
        relatives,
        kit,
    };
    whole(drafts, &shelf)?;
    cut(drafts, &shelf)?;
    children::children(drafts, &shelf)?;
    children::told(drafts, &shelf)?;
    children::twins(drafts, &shelf)?;
    forks::forks(drafts, &shelf)?;
    copies::copies(drafts, &shelf)?;
    copies::erased(drafts, &shelf)
}

/// Nothing is done to them.
fn whole(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    for (what, names) in [
        (
            "three_generations",
            &["family_parent", "family_child", "family_grandchild"][..],
        ),
        ("parent_and_child", &["family_parent", "family_child"]),
        ("child_and_parent", &["family_child", "family_parent"]),
        (
            "child_and_grandchild",
            &["family_child", "family_grandchild"],
        ),
        (
            "grandchild_and_root",
            &["family_grandchild", "family_parent"],
        ),
        (
            "twins",
            &["twins_parent", "twin_s", "twin_t", "twins_detached"],
        ),
        ("strangers", &["twins_parent", "family_child"]),
        ("fork_and_origin", &["fork", "origin"]),
        ("late_fork_and_origin", &["late_fork", "origin"]),
        ("two_forks_and_origin", &["fork", "late_fork", "origin"]),
        ("two_forks", &["fork", "late_fork"]),
        (
            "fork_of_a_parent",
            &["twins_fork", "twins_parent", "twin_s"],
        ),
        ("fork_of_a_parent_and_a_child", &["twins_fork", "twin_s"]),
    ] {
        let logs = names.iter().map(|name| Ok((shelf.log(name)?, Vec::new())));
        let logs = logs.collect::<Result<_>>()?;
        drafts.together(format!("together.whole.{what}"), logs);
    }
    Ok(())
}

/// One of two ends earlier: as if it had been exported before, and as a file that was torn.
fn cut(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    for (of, with) in [
        ("family_child", "family_parent"),
        ("family_parent", "family_child"),
        ("twins_detached", "twins_parent"),
        ("twin_s", "twins_parent"),
        ("origin", "fork"),
        ("fork", "origin"),
    ] {
        let (of, with) = (shelf.log(of)?, shelf.log(with)?);
        for line in 3..=of.last_line() {
            let torn = vec![Edit::Cut { line, bytes: 0 }];
            let early = rechained(torn.clone());
            let name = |what: &str| format!("together.{what}.{}.before_{line}", of.name);
            let logs = |edits| vec![(of, edits), (with, Vec::new())];
            drafts.together(name("early"), logs(early));
            if line % 4 == 0 {
                drafts.together(name("torn"), logs(torn));
            }
        }
    }
    Ok(())
}
