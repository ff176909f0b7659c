//! Logs in several copies, and erased ones.

use anyhow::{Context, Result};
use refrain::conformance::Edit;
use refrain::log::{Attestation, AttestedVerdict, Head};
use refrain::model::Digest;
use serde_json::{Value, json};

use super::super::super::draft::{Drafts, set};
use super::super::super::source::Source;
use super::shelf::{Shelf, other_salt};

/// A parent in several copies, sound and not; the last one counts.
pub(super) fn copies(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    let (parent, child) = (shelf.log("family_parent")?, shelf.log("family_child")?);
    let ended = parent.line_of("child_ended").context("it was told")?;
    let output = set(ended, "output", json!({ "eve": 1 }));
    let twice = [parent, parent, child].map(|log| (log, Vec::new()));
    drafts.together("together.copies.whole".to_owned(), twice.into());
    for (what, edits) in [
        ("changed", vec![set(3, "salt", other_salt())]),
        ("with_another_end", vec![output.clone()]),
        ("forged", vec![output, Edit::Rechain {}]),
        ("unreadable", vec![set(1, "format", "none")]),
        ("half_readable", vec![set(4, "type", "no kind")]),
        ("newer", vec![set(4, "type", "node_of_tomorrow")]),
        ("of_another_head", vec![set(1, "head", "0".repeat(64))]),
        ("torn", vec![Edit::Cut { line: 4, bytes: 9 }]),
    ] {
        let copy = || (parent, edits.clone());
        let [whole, child] = [parent, child].map(|log| move || (log, Vec::new()));
        let name = |of: &str| format!("together.copies.{of}");
        drafts.together(name(what), vec![copy(), child()]);
        let last = name(&format!("whole_then_{what}"));
        drafts.together(last, vec![whole(), copy(), child()]);
        let first = name(&format!("{what}_then_whole"));
        drafts.together(first, vec![copy(), whole(), child()]);
    }
    Ok(())
}

/// One of two is erased, or both.
pub(super) fn erased(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    for (one, other) in [
        ("family_parent", "family_child"),
        ("twins_parent", "twin_s"),
        ("fork", "origin"),
    ] {
        let (one, other) = (shelf.log(one)?, shelf.log(other)?);
        for (what, of_one, of_other) in [
            (one.name.as_str(), true, false),
            (other.name.as_str(), false, true),
            ("both", true, true),
        ] {
            let edits = |source, is_erased| match is_erased {
                true => erasing(source),
                false => Ok(Vec::new()),
            };
            let logs = vec![(one, edits(one, of_one)?), (other, edits(other, of_other)?)];
            let name = format!("together.erased.{}_and_{}.{what}", one.name, other.name);
            drafts.together(name, logs);
        }
    }
    let (parent, child) = (shelf.log("family_parent")?, shelf.log("family_child")?);
    let forged = [
        vec![set(2, "priority", 9), Edit::Rechain {}],
        vec![Edit::Erase { line: None }],
    ]
    .concat();
    let (events, head) = shelf.head_after(child, &forged)?;
    let attested = attested(child, events, &head)?;
    let logs = vec![(parent, Vec::new()), (child, [forged, attested].concat())];
    drafts.together("together.erased.a_forged_child".to_owned(), logs);
    Ok(())
}

fn erasing(source: &Source) -> Result<Vec<Edit>> {
    let head = source.header["head"].as_str().context("a head")?;
    let events = source.header["events"].as_u64().context("a number")?;
    let erase = vec![Edit::Erase { line: None }];
    Ok([erase, attested(source, events, head)?].concat())
}

/// The header says that the log was erased.
fn attested(source: &Source, sequence: u64, head: &str) -> Result<Vec<Edit>> {
    let guest = source.header["guest_digest"].as_str().context("a guest")?;
    let attestation = Attestation {
        at: 1_767_225_600_000,
        verdict: AttestedVerdict::Clean,
        guest_digest: guest.parse()?,
        head: Head {
            sequence,
            hash: head.parse::<Digest>()?.0,
        },
        by: "ada".to_owned(),
        signature: None,
    };
    let json: Value = serde_json::from_str(&attestation.to_json())?;
    Ok(vec![set(1, "erased", json)])
}
