//! What people decide and ask for.

use anyhow::Result;
use refrain::{Approval, Execution, WorkError};
use serde_json::json;

use super::super::stage::{Stage, json as text};
use super::Cast;

const REVIEW: &str = r#"
    draft -> review -> publish
    review: human_approval {"description":"Shall it be published?","timeout_secs":3600,"fallback_node":"shelve"}
"#;

fn drafted(cast: &Cast<'_>) -> Result<Stage> {
    let mut stage = cast.stage(REVIEW)?;
    stage.claim("general")?;
    stage.complete("draft", text(r#"{"title": "Größe", "words": 1.0e2}"#)?)?;
    Ok(stage)
}

pub(super) fn approved(cast: &Cast<'_>) -> Result<String> {
    let mut stage = drafted(cast)?;
    let approval = Approval::approved("ada")
        .comment("but \"shorter\"")
        .state_patch(text(r#"{"words":5e1}"#)?);
    stage.person(async |it: Execution| it.approve("review", approval).await)?;
    stage.claim("general")?;
    stage.complete("publish", json!({}))?;
    stage.export()
}

pub(super) fn rejected(cast: &Cast<'_>) -> Result<String> {
    let mut stage = drafted(cast)?;
    let rejection = Approval::rejected("bob");
    stage.person(async |it: Execution| it.approve("review", rejection).await)?;
    stage.export()
}

pub(super) fn fallback(cast: &Cast<'_>) -> Result<String> {
    let mut stage = drafted(cast)?;
    stage.wait(3600);
    stage.claim("general")?;
    stage.complete("shelve", json!({}))?;
    stage.export()
}

pub(super) fn paused(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage("s -> a -> b, s -> c")?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.claim("general")?;
    stage.person(async |it: Execution| it.pause(Some("an audit")).await)?;
    stage.complete("a", json!({"a": "while paused"}))?;
    stage.fail("c", WorkError::retryable("while paused"))?;
    stage.wait(60);
    stage.person(async |it: Execution| it.unpause(None).await)?;
    stage.wait(2);
    stage.claim("general")?;
    stage.complete("b", json!({}))?;
    stage.complete("c", json!({}))?;
    stage.export()
}

pub(super) fn operators(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> failed, s -> again, s -> busy, s -> waits, waits -> later -> last
        failed: tool retry=no_retry
        again: tool retry=no_retry
        waits: wait timer {"timeout_secs":600}
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.claim("tool")?;
    stage.fail("failed", WorkError::retryable("boom"))?;
    stage.fail("again", WorkError::retryable("boom"))?;
    stage.person(async |it: Execution| it.skip("failed", Some("not needed")).await)?;
    stage.person(async |it: Execution| it.retry("again", None).await)?;
    stage.claim("general")?;
    stage.person(async |it: Execution| it.skip("busy", None).await)?;
    stage.person(async |it: Execution| it.skip("last", Some("nor this")).await)?;
    stage.person(async |it: Execution| it.skip("waits", None).await)?;
    stage.claim("tool")?;
    stage.complete("again", json!({}))?;
    stage.claim("general")?;
    stage.complete("later", json!({}))?;
    stage.export()
}
