//! Maps and their instances (rule R21).

use anyhow::Result;
use refrain::{Execution, WorkError};
use serde_json::json;

use super::Cast;

pub(super) fn expanded(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        list -> m -> after
        policy soon {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1}
        list: command
        m: map {"over":"state.items","max_concurrent":2,"tolerate":{"percent":30},"output_key":"found"} retry=soon timeout=5
        after: command
        "#,
    )?;
    stage.claim("command")?;
    stage.complete("list", json!({ "items": [{ "n": 1 }, "two", 3.0, null] }))?;
    stage.claim("tool")?;
    stage.complete("m[1]", json!(["two", 2]))?;
    stage.fail("m[0]", WorkError::retryable("not yet"))?;
    stage.claim("tool")?;
    stage.fail("m[2]", WorkError::permanent("no such thing"))?;
    stage.person(async |it: Execution| it.skip("m[3]", Some("nothing in it")).await)?;
    stage.wait(1);
    stage.claim("tool")?;
    stage.complete("m[0]", json!({ "n": 1 }))?;
    stage.claim("command")?;
    stage.complete("after", json!({}))?;
    stage.export()
}

pub(super) fn map_retried(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> m, s -> open
        m: map {"over":"[10, 20, 30, 40]","max_concurrent":2} retry=no_retry
        open: human_approval
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.claim("tool")?;
    stage.complete("m[0]", json!(11))?;
    stage.fail("m[1]", WorkError::retryable("boom"))?;
    stage.person(async |it: Execution| it.retry("m", Some("mended")).await)?;
    stage.claim("tool")?;
    stage.complete("m[1]", json!(21))?;
    stage.complete("m[2]", json!(31))?;
    stage.claim("tool")?;
    stage.complete("m[3]", json!(41))?;
    stage.person(async |it: Execution| it.skip("open", None).await)?;
    stage.export()
}

pub(super) fn enough(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> m, s -> n, s -> none
        m: map {"over":"[1, 2, 3]","complete_after":1,"cancel_rest":true}
        n: map {"over":"[1, 2]","complete_after":1}
        none: map {"over":"input.nothing"}
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.claim("tool")?;
    stage.complete("m[1]", json!({ "first": true }))?;
    stage.complete("n[0]", json!("a"))?;
    stage.complete("n[1]", json!("too late to count"))?;
    stage.export()
}
