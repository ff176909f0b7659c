//! A child and its parent, one of which says something else than the other.

use anyhow::{Context, Result};
use refrain::conformance::Edit;
use serde_json::json;

use super::super::super::draft::{Drafts, set, unset};
use super::shelf::{Shelf, other_salt, rechained};

/// Event 1 of a child says something else; and its parent was told of that child, or not.
pub(super) fn children(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    let (parent, child) = (shelf.log("family_parent")?, shelf.log("family_child")?);
    let ended = parent.line_of("child_ended").context("it was told")?;
    let first = child.event(2)["at"].clone();
    let last = child.last_line();
    for (what, edits) in [
        ("workflow_id", vec![set(2, "workflow_id", "other")]),
        (
            "workflow_version",
            vec![set(2, "workflow_version", "9.9.9")],
        ),
        ("priority", vec![set(2, "priority", 9)]),
        ("tenant", vec![set(2, "tenant", "other")]),
        ("simulated", vec![set(2, "simulated", true)]),
        ("key", vec![set(2, "key", "k")]),
        ("by", vec![set(2, "by", "eve")]),
        ("input", vec![set(2, "initial_input", json!({ "of": 7 }))]),
        ("limits", vec![set(2, "limits/max_concurrent_nodes", 3)]),
        (
            "label",
            vec![set(2, "labels", json!([{ "name": "a", "value": "b" }]))],
        ),
        ("sequence", vec![set(2, "parent/sequence", 4)]),
        ("a_far_sequence", vec![set(2, "parent/sequence", 999)]),
        (
            "root",
            vec![set(2, "parent/root", child.header["execution_id"].clone())],
        ),
        ("no_parent", vec![unset(2, "parent")]),
        (
            "an_early_start",
            vec![set(2, "at", "2020-01-01T00:00:00.000Z")],
        ),
        (
            "a_late_end",
            vec![set(last, "at", "2031-01-01T00:00:00.000Z")],
        ),
        (
            "a_fork_as_well",
            vec![set(
                2,
                "forked_from",
                json!({
                    "execution_id": shelf.log("origin")?.header["execution_id"],
                    "sequence": 1,
                    "head": shelf.log("origin")?.event(2)["hash"],
                }),
            )],
        ),
        ("another_salt", vec![set(2, "salt", other_salt())]),
        ("the_same_time", vec![set(2, "at", first)]),
    ] {
        let edits = rechained(edits);
        let (events, head) = shelf.head_after(child, &edits)?;
        let of_that = vec![
            set(ended, "child_sequence", events),
            set(ended, "head", head),
            Edit::Rechain {},
        ];
        let origin = shelf.log("origin")?;
        let logs = |of_parent| {
            vec![
                (parent, of_parent),
                (child, edits.clone()),
                (origin, Vec::new()),
            ]
        };
        drafts.together(format!("together.child.{what}"), logs(Vec::new()));
        drafts.together(format!("together.child_told.{what}"), logs(of_that));
    }
    Ok(())
}

/// A parent says something else of its child than that itself.
pub(super) fn told(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    let (parent, child) = (shelf.log("family_parent")?, shelf.log("family_child")?);
    let requested = parent.line_of("child_requested").context("it asked")?;
    let started = parent.line_of("child_started").context("it was told")?;
    let ended = parent.line_of("child_ended").context("it was told")?;
    let scheduled = parent.line_of("node_scheduled").context("it scheduled")?;
    for (what, edits) in [
        (
            "another_output",
            vec![set(ended, "output", json!({ "eve": 1 }))],
        ),
        ("another_status", vec![set(ended, "status", "cancelled")]),
        ("another_head", vec![set(ended, "head", "0".repeat(64))]),
        ("an_earlier_end", vec![set(ended, "child_sequence", 3)]),
        ("a_later_end", vec![set(ended, "child_sequence", 999)]),
        (
            "another_workflow_text",
            vec![set(started, "workflow_digest", "0".repeat(64))],
        ),
        (
            "another_request",
            vec![set(requested, "salt", other_salt())],
        ),
        ("another_queue", vec![set(scheduled, "queue_type", "other")]),
        ("another_priority", vec![set(2, "priority", 9)]),
        ("another_tenant", vec![set(2, "tenant", "other")]),
        (
            "other_limits",
            vec![set(2, "limits/max_concurrent_nodes", 3)],
        ),
    ] {
        let edits = rechained(edits);
        let logs = vec![(parent, edits), (child, Vec::new())];
        drafts.together(format!("together.told.{what}"), logs);
    }
    Ok(())
}

/// A child in the place of another one.
pub(super) fn twins(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    let (parent, one, other) = (
        shelf.log("twins_parent")?,
        shelf.log("twin_s")?,
        shelf.log("twin_t")?,
    );
    let id = &one.header["execution_id"];
    let renamed = || [1, 2].map(|line| set(line, "execution_id", id.clone()));
    let origin = || set(2, "parent", one.event(2)["parent"].clone());
    for (what, edits) in [
        ("under_its_id", renamed().to_vec()),
        (
            "under_its_name",
            renamed().into_iter().chain([origin()]).collect(),
        ),
        ("with_its_origin", vec![origin()]),
    ] {
        let edits = rechained(edits);
        let logs = vec![(parent, Vec::new()), (other, edits), (other, Vec::new())];
        drafts.together(format!("together.swapped.{what}"), logs);
    }
    Ok(())
}
