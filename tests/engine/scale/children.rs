//! Many children: what one of them costs does not grow with how many there are, or with how
//! deep it is, and no log is longer than its own part needs.

use anyhow::{Context, Result, ensure};
use refrain::limits::TurnLimits;
use serde_json::{Value, json};

use super::world::{Work, World};

/// Each workflow names the next one, down to a tool.
#[test]
fn nested_children_cost_the_same_at_each_depth() -> Result<()> {
    let nested = |depth: u32| -> Result<(Work, Vec<u64>)> {
        let mut world = World::new(16, |builder| builder)?;
        for level in (0..=depth).rev() {
            let next = json!({
                "type": "subgraph", "workflow_id": format!("level-{}", level + 1), "version": "1.0.0",
            });
            let tool = json!({ "type": "tool", "tool_ref": "nothing" });
            let kind = if level < depth { next } else { tool };
            world.register(&workflow(&format!("level-{level}"), &kind))?;
        }
        world.start("level-0", json!({}))?;
        let work = world.until_all_have_ended()?;
        Ok((work, world.log_lengths()?))
    };
    let ((few, _), (many, logs)) = (nested(10)?, nested(30)?);
    grows_no_faster(&few, &many, 3, 10)?;
    // The child, its start, its end and what they are in.
    ensure!(logs == [5; 31], "{logs:?}");
    Ok(())
}

/// Turns are so short that the loop takes many of them.
#[test]
fn each_iteration_of_a_repeat_costs_the_same_and_has_a_log_of_its_own() -> Result<()> {
    let repeat = |iterations: u32| -> Result<(Work, Vec<u64>)> {
        let limits = TurnLimits {
            fuel: 10_000_000,
            ..TurnLimits::default()
        };
        let mut world = World::new(16, |builder| builder.turn_limits(limits))?;
        let kind = json!({
            "type": "subgraph", "body": body(),
            "repeat": { "while": "true", "max": iterations, "on_max": "complete" },
        });
        world.register(&workflow("loop", &kind))?;
        world.start("loop", json!({}))?;
        let work = world.until_all_have_ended()?;
        Ok((work, world.log_lengths()?))
    };
    let ((few, _), (many, logs)) = (repeat(1_000)?, repeat(4_000)?);
    grows_no_faster(&few, &many, 4, 200)?;
    // Each iteration is asked for, begins and ends.
    are_short(&logs, 3 * 4_000 + 2)
}

/// A map starts them, and has an input as long as they are many.
#[test]
fn each_of_many_detached_children_costs_the_same() -> Result<()> {
    let detached = |children: u32| -> Result<(Work, Vec<u64>)> {
        let mut world = World::new(children, |builder| builder)?;
        let child = json!({ "type": "subgraph", "body": body(), "detached": true });
        let kind = json!({ "type": "map", "over": "input.items", "body": child });
        world.register(&workflow("many", &kind))?;
        let items: Vec<u32> = (0..children).collect();
        world.start("many", json!({ "items": items }))?;
        let work = world.until_all_have_ended()?;
        Ok((work, world.log_lengths()?))
    };
    let ((few, _), (many, logs)) = (detached(2_500)?, detached(10_000)?);
    // The few begin in one turn, which knows all that it has written without asking.
    grows_no_faster(&few, &many, 4, 4 * 2_500)?;
    // Each child is asked for and begins; the map is expanded and settled.
    are_short(&logs, 2 * 10_000 + 4)
}

fn workflow(id: &str, kind: &Value) -> Value {
    json!({
        "workflow_id": id, "version": "1.0.0", "start_node": "s",
        "nodes": { "s": { "kind": kind } },
    })
}

/// A child that ends at once.
fn body() -> Value {
    json!({
        "start_node": "t",
        "nodes": { "t": { "kind": { "type": "terminate", "status": "completed" } } },
    })
}

/// The parent's log has so many events, and each child's the three of its own.
fn are_short(logs: &[u64], parent: u64) -> Result<()> {
    let (last, children) = logs.split_last().context("there are none")?;
    ensure!(*last == parent, "the parent has {last} events");
    ensure!(children.iter().all(|length| *length == 3));
    Ok(())
}

/// Of the larger, `times` as large, nothing takes more than as many times as much. What the
/// first turn knows without asking, and what a turn asks at any rate, is left aside: so many
/// questions and rows.
fn grows_no_faster(few: &Work, many: &Work, times: u32, aside: u32) -> Result<()> {
    for (few, many, what) in [
        (few.rows + aside, many.rows, "rows"),
        (few.questions + aside, many.questions, "questions"),
        (few.calls, many.calls, "calls"),
    ] {
        ensure!(many <= few * times, "{few} {what} became {many}");
    }
    Ok(())
}
