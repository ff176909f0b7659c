//! Children, and loops of them (rules R22 and R23).

use anyhow::Result;
use refrain::WorkError;
use serde_json::json;

use super::Cast;

pub(super) fn child(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        a -> s, a -> none, s -> b, none -> other on failure
        policy soon {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1}
        a: command
        s: subgraph retry=soon timeout=60 {"workflow_id":null,"version":null,"output_key":"said","input_mapping":{"of":"state.of"},"body":{"start_node":"x","nodes":{"x":{"kind":{"type":"tool","tool_ref":"t"},"retry_policy":"no_retry"}}}}
        none: subgraph {"workflow_id":"nothing","version":"1.0.0"}
        b: command
        other: command
        "#,
    )?;
    stage.claim("command")?;
    stage.complete("a", json!({ "of": [1] }))?;
    stage.claim("tool")?;
    stage.fail("x", WorkError::permanent("no"))?;
    stage.claim("command")?;
    stage.complete("other", json!({}))?;
    stage.wait(1);
    stage.claim("tool")?;
    stage.complete("x", json!({ "well": true }))?;
    stage.claim("command")?;
    stage.complete("b", json!({}))?;
    stage.export()
}

pub(super) fn repeated(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        r -> m
        r: subgraph {"workflow_id":null,"version":null,"merge":true,"repeat":{"while":"last.n<2","max":5},"input_mapping":{"last":"last","i":"iteration"},"body":{"start_node":"x","nodes":{"x":{"kind":{"type":"tool","tool_ref":"t"}}}}}
        m: map {"over":"[1,2]","body":{"type":"subgraph","detached":true,"body":{"start_node":"y","nodes":{"y":{"kind":{"type":"parallel"}}}}}}
        "#,
    )?;
    stage.claim("tool")?;
    stage.complete("x", json!({ "n": 1 }))?;
    stage.claim("tool")?;
    stage.complete("x", json!({ "n": 2 }))?;
    stage.export()
}
