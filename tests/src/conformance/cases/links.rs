//! What a log says of its parent, its children and its origin, as far as one log alone shows
//! it (law 11).

use anyhow::{Context, Result};
use refrain::ExecutionId;
use refrain::conformance::Edit;
use serde_json::{Value, json};

use super::super::draft::{Drafts, set, unset};
use super::super::source::{Source, named};

const OTHER: &str = "exec_0123456789abcdef0123456789abcdef";

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) -> Result<()> {
    for name in ["family_child", "family_grandchild"] {
        of_child(drafts, named(sources, name)?);
    }
    for name in ["family_parent", "child", "repeated", "children_told"] {
        of_parent(drafts, named(sources, name)?)?;
    }
    for name in ["forked", "forked_with_edits"] {
        of_fork(drafts, named(sources, name)?);
    }
    Ok(())
}

fn link(drafts: &mut Drafts, source: &Source, what: &str, mut edits: Vec<Edit>) {
    edits.push(Edit::Rechain {});
    drafts.add("links", source, what, edits);
}

/// Event 1 of a child.
fn of_child(drafts: &mut Drafts, source: &Source) {
    let own = source.header["execution_id"].clone();
    let parent = source.event(2)["parent"]["execution_id"].clone();
    for (what, field, to) in [
        ("of_another_parent", "execution_id", json!(OTHER)),
        ("of_a_parent_that_is_none", "execution_id", json!("exec_")),
        ("of_another_node", "node_id", json!("other")),
        ("of_another_attempt", "attempt", json!(2)),
        ("of_another_iteration", "iteration", json!(1)),
        ("asked_by_another_event", "sequence", json!(99)),
        ("of_another_root", "root", json!(OTHER)),
        ("of_a_root_that_is_none", "root", json!("root")),
        ("its_own_root", "root", own),
        ("its_parent_the_root", "root", parent),
        ("at_no_depth", "depth", json!(0)),
        ("at_depth_1", "depth", json!(1)),
        ("at_depth_2", "depth", json!(2)),
        ("at_the_greatest_depth", "depth", json!(32)),
        ("too_deep", "depth", json!(33)),
    ] {
        let edit = set(2, &format!("parent/{field}"), to);
        link(drafts, source, what, vec![edit]);
    }
    link(drafts, source, "no_child_at_all", vec![unset(2, "parent")]);
    let origin = json!({ "execution_id": OTHER, "sequence": 1, "head": "0".repeat(64) });
    let both = vec![set(2, "forked_from", origin)];
    link(drafts, source, "also_a_fork", both);
}

/// What a parent says of its children.
fn of_parent(drafts: &mut Drafts, source: &Source) -> Result<()> {
    let parent: ExecutionId = source.header["execution_id"]
        .as_str()
        .context("an id")?
        .parse()?;
    let lines = source.lines_where(|event| {
        let kind = event["type"].as_str().unwrap_or_default();
        kind.starts_with("child_")
    });
    for line in lines {
        let event = source.event(line);
        let kind = event["type"].as_str().unwrap_or_default();
        let node = event["node_id"].as_str().unwrap_or_default();
        let fresh = |attempt, iteration| {
            ExecutionId::of_child(parent, node, attempt, iteration).to_string()
        };
        let named = |what: &str| format!("{kind}_{line}_{what}");
        let numbers = [
            ("of_the_next_attempt", "attempt", "iteration"),
            ("of_the_next_iteration", "iteration", "attempt"),
        ];
        for (what, field, other) in numbers {
            let next = event[field].as_u64().unwrap_or(0) + 1;
            let kept = event[other].as_u64().unwrap_or(0);
            let mut edits = vec![set(line, field, next)];
            link(drafts, source, &named(what), edits.clone());
            if event["child_id"].is_string() {
                let (next, kept) = (u32::try_from(next)?, u32::try_from(kept)?);
                let id = match field {
                    "attempt" => fresh(next, kept),
                    _ => fresh(kept, next),
                };
                edits.push(set(line, "child_id", id));
                link(
                    drafts,
                    source,
                    &named(&format!("{what}_with_its_id")),
                    edits,
                );
            }
        }
        link(
            drafts,
            source,
            &named("of_another_node"),
            vec![set(line, "node_id", "nobody")],
        );
        if event["child_id"].is_string() {
            link(
                drafts,
                source,
                &named("of_another_child"),
                vec![set(line, "child_id", OTHER)],
            );
        }
        if event["workflow_digest"].is_string() {
            let edit = set(line, "workflow_digest", "0".repeat(64));
            link(drafts, source, &named("of_another_text"), vec![edit]);
        }
        if kind == "child_ended" {
            for status in ["completed", "failed", "cancelled", "running", "stalled"] {
                let edit = set(line, "status", status);
                link(drafts, source, &named(&format!("as_{status}")), vec![edit]);
            }
            let output = set(line, "output", json!({ "eve": 1 }));
            link(drafts, source, &named("with_another_output"), vec![output]);
            link(
                drafts,
                source,
                &named("with_an_error"),
                vec![set(line, "error", "eve")],
            );
        }
        if event["workflow"].is_object() {
            let edit = set(line, "workflow/workflow_id", "eve");
            link(drafts, source, &named("of_another_workflow"), vec![edit]);
            link(
                drafts,
                source,
                &named("of_no_workflow"),
                vec![unset(line, "workflow")],
            );
        }
    }
    Ok(())
}

/// Event 1 of a fork, and where it goes its own way.
fn of_fork(drafts: &mut Drafts, source: &Source) {
    for (what, field, to) in [
        ("of_no_event", "sequence", json!(0)),
        ("of_more_events", "sequence", json!(999)),
        ("of_one_event", "sequence", json!(1)),
        ("of_another_head", "head", Value::from("0".repeat(64))),
        ("of_an_origin_that_is_none", "execution_id", json!("origin")),
        (
            "of_itself",
            "execution_id",
            source.header["execution_id"].clone(),
        ),
    ] {
        let edit = set(2, &format!("forked_from/{field}"), to);
        link(drafts, source, what, vec![edit]);
    }
    link(
        drafts,
        source,
        "no_fork_at_all",
        vec![unset(2, "forked_from")],
    );
    if let Some(line) = source.line_of("execution_forked") {
        let removed = vec![Edit::Remove { line }, Edit::Renumber {}];
        link(drafts, source, "never_said_so", removed);
        let again = vec![Edit::Copy { line, before: line }, Edit::Renumber {}];
        link(drafts, source, "said_twice", again);
    }
}
