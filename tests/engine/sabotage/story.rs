//! What happens in the world: a workflow that has something of everything, and
//! one that stalls.

use refrain::WorkError;
use serde_json::{Value, json};

use crate::sabotage::world::{Halt, World};

/// From its start to its end: a failure and its retry, two branches at once, a
/// lease that expires and its late answer, a pause, a restart, an external
/// event, an approval, a finalizer.
pub(crate) fn everything(world: &mut World) -> Result<(), Halt> {
    let mut execution = world.start("claims", Some("order-17"))?;
    world.start("claims", Some("order-17"))?;

    // The engine has seen a whole lease of fair time: leases that are over may end.
    world.later(12)?;
    let a = world.claim("w1")?;
    world.claim_any("w2")?;
    world.later(1)?;
    world.fail(&a, WorkError::retryable("the disk is slow"))?;
    world.later(3)?;
    let a = world.claim("w1")?;
    world.complete(&a, json!({ "a": 1 }))?;

    let b = world.claim("w1")?;
    let c = world.claim("w2")?;
    world.later(1)?;
    world.later(1)?;
    world.complete(&b, json!({ "b": 2 }))?;
    world.complete(&b, json!({ "b": 2 }))?;
    world.later(11)?;
    // Its lease is over; another look, a moment later, ends it.
    world.later(1)?;
    world.complete(&c, json!({ "c": 3 }))?;

    world.pause(&execution)?;
    world.later(3)?;
    world.unpause(&execution)?;
    world.restart(&mut execution)?;
    let c = world.claim("w3")?;
    world.complete(&c, json!({ "c": 4 }))?;
    let d = world.claim("w3")?;
    world.complete(&d, json!({ "d": 5 }))?;
    world.signal(&execution, "payment")?;
    world.approve(&execution, "person")?;
    let e = world.claim("w1")?;
    world.complete(&e, json!({ "e": 6 }))?;
    let last = world.claim("w1")?;
    world.complete(&last, json!(7))?;
    stall(world)
}

/// Its policy stalls it, and an operator lets it go on.
pub(crate) fn stall(world: &mut World) -> Result<(), Halt> {
    let mut execution = world.start("held", None)?;
    let only = world.claim("w1")?;
    world.fail(&only, WorkError::permanent("nobody knows how"))?;
    world.restart(&mut execution)?;
    world.retry(&execution, "only")?;
    world.later(3)?;
    let only = world.claim("w1")?;
    world.complete(&only, json!({ "done": true }))?;
    Ok(())
}

/// A worker gives its work back, twice, and another one does it.
pub(crate) fn give_back(world: &mut World) -> Result<(), Halt> {
    world.start("held", None)?;
    for _ in 0..2 {
        let only = world.claim("w1")?;
        world.release(&only)?;
        world.release(&only)?;
        world.later(1)?;
    }
    let only = world.claim("w2")?;
    world.complete(&only, json!({ "done": true }))?;
    Ok(())
}

/// Two nodes at once, in the turn of the start.
pub(crate) fn fork(world: &mut World) -> Result<(), Halt> {
    world.start("fork", None)?;
    for _ in 0..2 {
        let item = world.claim("w1")?;
        world.complete(&item, json!({}))?;
    }
    Ok(())
}

/// A node is done, and the rest is forked.
pub(crate) fn forked_off(world: &mut World) -> Result<(), Halt> {
    let execution = world.start("fork", None)?;
    let item = world.claim("w1")?;
    world.complete(&item, json!({}))?;
    world.fork(&execution)?;
    for _ in 0..2 {
        let item = world.claim("w1")?;
        world.complete(&item, json!({}))?;
    }
    Ok(())
}

/// Two nodes and one slot: when the first has timed out, the second begins.
pub(crate) fn one_slot(world: &mut World) -> Result<(), Halt> {
    world.work();
    world.start("short", None)?;
    world.later(0)?;
    world.later(1)?;
    world.later(1)
}

/// Two executions wait for one worker: the first comes first.
pub(crate) fn one_after_another(world: &mut World) -> Result<(), Halt> {
    world.start("held", None)?;
    world.later(1)?;
    world.start("held", None)?;
    for _ in 0..2 {
        let item = world.claim("w1")?;
        world.complete(&item, json!({}))?;
    }
    Ok(())
}

/// A start, and an external event.
pub(crate) fn start(world: &mut World) -> Result<(), Halt> {
    let execution = world.start("fork", None)?;
    world.signal(&execution, "anything")
}

/// All workflows of the stories.
pub(crate) fn workflows() -> [Value; 4] {
    [claims(), held(), forked(), short()]
}

fn tool() -> Value {
    json!({ "kind": { "type": "tool", "tool_ref": "t" } })
}

fn claims() -> Value {
    json!({
        "workflow_id": "claims", "version": "1.0.0", "start_node": "a",
        "nodes": {
            "a": tool(), "b": tool(), "c": tool(), "d": tool(), "e": tool(),
            "wait": { "kind": { "type": "wait", "condition": "external_event", "correlation_key": "payment", "timeout_secs": 600 } },
            "person": { "kind": { "type": "human_approval", "description": "may it?", "timeout_secs": 600 } },
            "tidy": { "kind": { "type": "finalizer", "tool_ref": "t", "run_on": "always" } },
        },
        "edges": [
            { "from": "a", "to": "b" }, { "from": "a", "to": "c" },
            { "from": "b", "to": "d" }, { "from": "c", "to": "d" },
            { "from": "d", "to": "wait" }, { "from": "wait", "to": "person" },
            { "from": "person", "to": "e" }, { "from": "e", "to": "end" },
        ],
        "timeouts": { "node_timeout": 30, "workflow_timeout": 3600 },
    })
}

fn held() -> Value {
    json!({
        "workflow_id": "held", "version": "1.0.0", "start_node": "only",
        "nodes": { "only": { "kind": { "type": "tool", "tool_ref": "t" }, "retry_policy": "ask" } },
        "edges": [],
        "retry_policies": {
            "ask": { "max_attempts": 1, "backoff": "fixed", "initial_delay": 1, "max_delay": 1, "jitter": false, "retryable_on": [], "on_exhausted": "pause" },
        },
    })
}

fn short() -> Value {
    let quick =
        json!({ "kind": tool()["kind"], "node_timeout_secs": 1, "retry_policy": "no_retry" });
    json!({
        "workflow_id": "short", "version": "1.0.0", "start_node": "start",
        "nodes": {
            "start": { "kind": { "type": "parallel", "branches": ["left", "right"] } },
            "left": quick, "right": quick,
        },
        "edges": [],
    })
}

fn forked() -> Value {
    json!({
        "workflow_id": "fork", "version": "1.0.0", "start_node": "start",
        "nodes": {
            "start": { "kind": { "type": "parallel", "branches": ["left", "right"] } },
            "left": tool(), "right": tool(),
        },
        "edges": [],
    })
}
