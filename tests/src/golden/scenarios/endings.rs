//! How executions end, when not well.

use anyhow::Result;
use refrain::model::GenAi;
use refrain::{Answer, Approval, Execution, WorkError};
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

pub(super) fn handled(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> a, s -> b, s -> c, s -> h
        a -> x on failure if error.class == "io_error" && error.attempts == 1, a -> y
        b -> end on failure if error.message == "enough"
        c -> x on failure if error.class == "io_error"
        h -> x on always if error.class == "rejected"
        s: parallel
        a: tool retry=no_retry
        b: tool retry=no_retry
        c: tool retry=no_retry
        h: human_approval
        "#,
    )?;
    for _ in 0..3 {
        stage.claim("tool")?;
    }
    stage.fail("a", WorkError::retryable("no file").class("io_error"))?;
    stage.fail("b", WorkError::permanent("enough"))?;
    stage.fail("c", WorkError::permanent("no").class("other"))?;
    stage.person(async |it: Execution| it.approve("h", Approval::rejected("bob")).await)?;
    stage.export()
}

pub(super) fn race(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> a, s -> b, s -> c, s -> d, a -> j, b -> j, c -> e, e -> j, d -> j, d -> f, j -> k
        s: parallel
        j: join count=2 cancel_rest
        "#,
    )?;
    for _ in 0..3 {
        stage.claim("general")?;
    }
    stage.complete("a", json!({"a": 1}))?;
    stage.complete("b", json!({"b": 2}))?;
    for node in ["d", "k", "f"] {
        stage.claim("general")?;
        stage.complete(node, json!({}))?;
    }
    stage.export()
}

pub(super) fn terminated(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> a, s -> b, s -> h, a -> t, b -> c
        s: parallel
        h: human_approval
        t: terminate failed {"reason":"no stock"}
        f: finalizer failure
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("a", json!({"left": 0}))?;
    stage.claim("tool")?;
    stage.complete("f", json!({}))?;
    stage.export()
}

pub(super) fn over_budget(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        a -> b -> c
        budget {"cost_budget_usd":0.30}
        "#,
    )?;
    for (node, cost) in [("a", 0.1), ("b", 0.2), ("c", 0.000_1)] {
        stage.claim("general")?;
        let answer = Answer::output(json!({})).telemetry(json!({ "cost_usd": cost }));
        stage.complete(node, answer)?;
    }
    stage.export()
}

pub(super) fn budget_lifted(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        a -> b
        budget {"token_budget":{"total_tokens":100},"on_budget_exceeded":"pause"}
        "#,
    )?;
    let tokens = |input, output| {
        let mut call = GenAi::default();
        call.input_tokens = Some(input);
        call.output_tokens = Some(output);
        Answer::output(json!({})).gen_ai(call)
    };
    stage.claim("general")?;
    stage.complete("a", tokens(90, 11))?;
    stage.person(async |it: Execution| it.lift_stall(Some("worth it")).await)?;
    stage.claim("general")?;
    stage.complete("b", tokens(1, 1))?;
    stage.export()
}
