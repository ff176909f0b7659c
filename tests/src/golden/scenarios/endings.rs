//! How executions end, when not well.

use anyhow::Result;
use refrain::{Execution, WorkError};
use serde_json::json;

use super::Cast;

pub(super) fn cancel(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> a, s -> b, s -> w
        w: wait timer {"timeout_secs":60}
        f: finalizer always
        g: finalizer success
        h: finalizer failure
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.claim("general")?;
    stage.person(async |it: Execution| it.cancel(Some("the customer left")).await)?;
    stage.claim("tool")?;
    stage.complete("f", json!({"cleaned": "up"}))?;
    stage.export()
}

pub(super) fn workflow_timeout(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        a -> b
        timeout 30
        f: finalizer failure
        g: finalizer success
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("a", json!({"a": 1}))?;
    stage.wait(30);
    stage.claim("tool")?;
    stage.complete("f", json!({}))?;
    stage.export()
}

pub(super) fn finalizers(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        "
        a -> end
        a: tool retry=no_retry
        f: finalizer failure
        g: finalizer always retry=no_retry
        h: finalizer success
        f -> g
        ",
    )?;
    stage.claim("tool")?;
    stage.fail("a", WorkError::retryable("boom"))?;
    stage.claim("tool")?;
    stage.complete("f", json!({}))?;
    stage.claim("tool")?;
    stage.fail("g", WorkError::retryable("and the broom is broken"))?;
    stage.export()
}

pub(super) fn limit_exceeded(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage("a -> l\nl: limit_exceeded {\"description\":\"three rounds\"}")?;
    stage.claim("general")?;
    stage.complete("a", json!({}))?;
    stage.export()
}
