//! What is run in a soak: honest workflows, and hostile guests.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use refrain_tests::component::workspace;
use refrain_tests::wat_guest::assembled;
use serde_json::{Value, json};

/// Honest workflows, and how each of them ends whatever befalls the machine.
pub(crate) const HONEST: [(&str, &str); 4] = [
    ("steps", "completed"),
    ("flaky", "completed"),
    ("waits", "completed"),
    ("late", "failed"),
];

/// Guests that stall, at once or after they have held the write lock for a
/// while; and the last, which is always due and never decides anything.
pub(crate) const HOSTILE: [&str; 8] = [
    "another_program",
    "boundless_decisions",
    "infinite_loop",
    "more_and_more",
    "one_long_decision",
    "ten_million_decisions",
    "trap",
    FOR_EVER_DUE,
];

/// The one that no host stalls.
const FOR_EVER_DUE: &str = "for_ever_due";

/// Write all of it into this folder.
pub(crate) fn write(folder: &Path) -> Result<()> {
    for (name, _) in HONEST {
        let workflow = match name {
            "steps" => steps(),
            "flaky" => flaky(),
            "waits" => waits(),
            _ => late(),
        };
        fs::write(folder.join(format!("{name}.json")), workflow.to_string())?;
    }
    // For a hostile guest any workflow is this one.
    let tool = json!({ "kind": { "type": "tool", "tool_ref": "t" } });
    fs::write(
        folder.join("hostile.json"),
        workflow("w", "a", json!({ "a": tool }), json!([])).to_string(),
    )?;
    let guests = workspace().join("tests/guests/hostile");
    for name in HOSTILE {
        let path = match name {
            FOR_EVER_DUE => for_ever_due(folder, &guests)?,
            _ => guests.join(format!("{name}.wat")),
        };
        fs::write(folder.join(format!("{name}.wasm")), assembled(&path)?)?;
    }
    Ok(())
}

/// The guest that wants to be woken at a time that never comes, changed to want
/// one that has long passed.
fn for_ever_due(folder: &Path, guests: &Path) -> Result<std::path::PathBuf> {
    let never = "(i64.add (call $now) (i64.const 6307200000000))";
    let text = fs::read_to_string(guests.join("end_of_time.wat"))?;
    ensure!(text.contains(never), "end_of_time.wat says it otherwise");
    let path = folder.join(format!("{FOR_EVER_DUE}.wat"));
    fs::write(&path, text.replace(never, "(i64.const 1)"))?;
    Ok(path)
}

fn workflow(id: &str, start: &str, nodes: Value, edges: Value) -> Value {
    json!({
        "workflow_id": id, "version": "1.0.0", "start_node": start, "nodes": nodes, "edges": edges,
        // Each process that dies takes an attempt with it.
        "retry_policies": {
            "patient": { "max_attempts": 100, "backoff": "fixed", "initial_delay": 1, "max_delay": 1 },
            "twice": { "max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "max_delay": 1 },
        },
    })
}

fn command(script: &str, policy: &str) -> Value {
    json!({ "kind": { "type": "command", "argv": ["sh", "-c", script] }, "retry_policy": policy })
}

/// A diamond of commands.
fn steps() -> Value {
    let step = || command("sleep 0.05; echo '{}'", "patient");
    workflow(
        "steps",
        "a",
        json!({ "a": step(), "b": step(), "c": step(), "d": step() }),
        json!([
            { "from": "a", "to": "b" }, { "from": "a", "to": "c" },
            { "from": "b", "to": "d" }, { "from": "c", "to": "d" },
        ]),
    )
}

/// Commands that fail at first, side by side.
fn flaky() -> Value {
    let flaky = || command("[ $REFRAIN_ATTEMPT -ge 3 ] && echo '{}'", "patient");
    let branches = ["a", "b", "c"];
    let mut nodes = json!({ "all": { "kind": { "type": "parallel", "branches": branches } } });
    for branch in branches {
        nodes[branch] = flaky();
    }
    workflow("flaky", "all", nodes, json!([]))
}

/// Time, a person and an event, each of which is waited for.
fn waits() -> Value {
    let wait = |kind: Value| json!({ "kind": kind });
    workflow(
        "waits",
        "pause",
        json!({
            "pause": wait(json!({ "type": "wait", "condition": "timer", "timeout_secs": 2 })),
            "gate": wait(json!({ "type": "human_approval", "description": "Go on?" })),
            "go": wait(json!({ "type": "wait", "condition": "external_event", "correlation_key": "go" })),
            "done": command("echo '{}'", "patient"),
        }),
        json!([
            { "from": "pause", "to": "gate" }, { "from": "gate", "to": "go" },
            { "from": "go", "to": "done" },
        ]),
    )
}

/// A command that is never done in time. All processes together may be stopped
/// for longer than its timeout, the one that holds the write lock for up to
/// `LONG_STOPPED_MS`: what comes to its end meanwhile is recorded as done, since
/// nobody was there to record the timeout. So it takes longer than that by far.
fn late() -> Value {
    let mut slow = command("exec sleep 60", "twice");
    slow["node_timeout_secs"] = json!(1);
    workflow("late", "slow", json!({ "slow": slow }), json!([]))
}
