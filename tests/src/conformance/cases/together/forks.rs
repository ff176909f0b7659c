//! A fork and its origin, one of which says something else than the other.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::super::draft::{Drafts, set};
use super::shelf::{Shelf, other_salt, rechained};

/// A fork says something else of its origin, or that is another one.
pub(super) fn forks(drafts: &mut Drafts, shelf: &Shelf<'_>) -> Result<()> {
    let (fork, origin) = (shelf.log("fork")?, shelf.log("origin")?);
    let common = fork.event(2)["forked_from"]["sequence"].as_u64();
    let common = usize::try_from(common.context("a number")?)?;
    let named = |field: &str, to: Value| vec![set(2, &format!("forked_from/{field}"), to)];
    for (what, edits) in [
        ("another_head", named("head", json!("0".repeat(64)))),
        ("an_event_less", named("sequence", json!(common - 1))),
        ("an_event_more", named("sequence", json!(common + 1))),
        ("far_more_events", named("sequence", json!(999))),
        ("no_event", named("sequence", json!(0))),
        ("another_seed", vec![set(2, "seed", 8)]),
        ("another_tenant", vec![set(2, "tenant", "other")]),
        ("another_priority", vec![set(2, "priority", 9)]),
        ("another_input", vec![set(2, "initial_input", 7)]),
        (
            "other_limits",
            vec![set(2, "limits/max_concurrent_nodes", 3)],
        ),
        ("simulated", vec![set(2, "simulated", true)]),
        (
            "a_label",
            vec![set(2, "labels", json!([{ "name": "a", "value": "b" }]))],
        ),
        (
            "another_time",
            vec![set(2, "at", "2020-01-01T00:00:00.000Z")],
        ),
        (
            "another_salt_of_event_1",
            vec![set(2, "salt", other_salt())],
        ),
        ("another_salt_in_common", vec![set(3, "salt", other_salt())]),
        (
            "another_salt_of_its_own",
            vec![set(common + 2, "salt", other_salt())],
        ),
    ] {
        let edits = rechained(edits);
        let logs = vec![(fork, edits), (origin, Vec::new())];
        drafts.together(format!("together.fork.{what}"), logs);
    }
    for (what, edits) in [
        (
            "another_salt_in_common",
            rechained(vec![set(3, "salt", other_salt())]),
        ),
        (
            "another_salt_later",
            rechained(vec![set(origin.last_line(), "salt", other_salt())]),
        ),
        ("another_seed", rechained(vec![set(2, "seed", 8)])),
        ("a_broken_chain", vec![set(3, "salt", other_salt())]),
    ] {
        let logs = vec![(fork, Vec::new()), (origin, edits)];
        drafts.together(format!("together.origin.{what}"), logs);
    }
    Ok(())
}
