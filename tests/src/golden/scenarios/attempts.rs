//! Attempts that fail, expire, time out; and an engine that dies.

use anyhow::Result;
use refrain::WorkError;
use serde_json::json;

use super::Cast;

pub(super) fn retries(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        a -> b
        policy io {"max_attempts":4,"backoff":"exponential","initial_delay":1,"max_delay":3,"jitter":true,"retryable_on":["io_error"]}
        a: tool retry=io
        b: tool retry=io
        "#,
    )?;
    for _ in 0..3 {
        stage.claim("tool")?;
        let error = WorkError::retryable("the disk is slow").class("io_error");
        stage.fail("a", error)?;
        stage.wait(3);
    }
    stage.claim("tool")?;
    stage.complete("a", json!({}))?;
    stage.claim("tool")?;
    let error = WorkError::retryable("no such page").class("server_error");
    stage.fail("b", error)?;
    stage.export()
}

pub(super) fn exhaustion(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage("s -> a -> after, s -> b\na: tool\nb: command")?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    for pause in [2, 4, 8] {
        stage.claim("tool")?;
        stage.fail("a", WorkError::retryable("boom"))?;
        stage.wait(pause);
    }
    stage.claim("command")?;
    stage.fail("b", WorkError::permanent("no such file"))?;
    stage.export()
}

pub(super) fn lease_expiry(cast: &Cast<'_>) -> Result<String> {
    let mut stage =
        cast.stage("a -> end\npolicy twice {\"max_attempts\":2}\na: tool retry=twice")?;
    stage.claim_as("tool", "worker-that-dies")?;
    // Over, looked at for the second time, and the delay of the retry.
    for seconds in [10, 1, 2] {
        stage.wait(seconds);
    }
    stage.claim_as("tool", "another-that-dies")?;
    stage.wait(11);
    stage.wait(1);
    stage.export()
}

pub(super) fn node_timeout(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage("a -> b\nnode_timeout 5\nb: tool timeout=1")?;
    stage.claim("general")?;
    stage.wait(5);
    stage.wait(2);
    stage.claim("general")?;
    stage.complete("a", json!({"second": "attempt"}))?;
    stage.claim("tool")?;
    stage.complete("b", json!({}))?;
    stage.export()
}

pub(super) fn policy_stall(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> a, s -> b
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        a: tool retry=ask
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.claim("tool")?;
    stage.claim("general")?;
    stage.fail("a", WorkError::retryable("the card was declined"))?;
    stage.complete("b", json!({"meanwhile": true}))?;
    stage.person(async |it: refrain::Execution| it.retry("a", Some("another card")).await)?;
    stage.claim("tool")?;
    stage.complete("a", json!({}))?;
    stage.export()
}

pub(super) fn release(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage("a -> b\na: tool retry=no_retry\nb: tool")?;
    stage.claim_as("tool", "worker-that-is-restarted")?;
    stage.release("a", Some("worker-that-is-restarted"))?;
    stage.claim("tool")?;
    stage.complete("a", json!({"attempt": 1}))?;
    for _ in 0..11 {
        stage.claim("tool")?;
        stage.release("b", None)?;
    }
    stage.wait(2);
    stage.claim("tool")?;
    stage.complete("b", json!({"attempt": 2}))?;
    stage.export()
}

pub(super) fn crash(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage("s -> a, s -> b, a -> z, b -> z")?;
    stage.claim("general")?;
    stage.complete("s", json!({"x": 1}))?;
    stage.claim("general")?;
    stage.complete("a", json!({"a": "before"}))?;
    stage.crash()?;
    stage.complete("b", json!({"b": "the worker outlived the engine"}))?;
    stage.claim("general")?;
    stage.crash()?;
    for seconds in [10, 1, 2] {
        stage.wait(seconds);
    }
    stage.claim("general")?;
    stage.complete("z", json!({}))?;
    stage.export()
}

pub(super) fn tasks(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> a, s -> b
        s: task gpu {"steps":3} priority=9
        a: tool queue=mail priority=0
        b: http queue=mail lease=60
        f: task gpu run_on=always
        "#,
    )?;
    stage.claim("gpu")?;
    stage.complete("s", json!({"done": 1}))?;
    stage.claim("mail")?;
    stage.complete("b", json!({}))?;
    stage.complete("a", json!({}))?;
    stage.claim("gpu")?;
    stage.complete("f", json!({}))?;
    stage.export()
}
