//! Waits, for a time and for external events.

use anyhow::Result;
use refrain::Execution;
use serde_json::json;

use super::super::stage::json as text;
use super::Cast;

pub(super) fn timer(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage("t -> a\nt: wait timer {\"timeout_secs\":60}")?;
    stage.wait(61);
    stage.claim("general")?;
    stage.complete("a", json!({}))?;
    stage.export()
}

pub(super) fn signals(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> early, s -> one, s -> two, s -> never
        early: wait external_event {"correlation_key":"paid ✓"}
        one: wait external_event {"correlation_key":"shipped"}
        two: wait external_event {"correlation_key":"shipped"}
        never: wait external_event {"correlation_key":"returned","timeout_secs":30}
        "#,
    )?;
    let early = text(r#"{ "amount": 12.50 }"#)?;
    stage.person(async |it: Execution| it.signal("paid ✓", early).await)?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    for payload in ["[1]", "\"two\""] {
        let payload = text(payload)?;
        stage.person(async |it: Execution| it.signal("shipped", payload).await)?;
    }
    stage.wait(30);
    stage.export()
}

pub(super) fn either(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        p: parallel {"branches":["told","timed"]}
        told: wait either {"correlation_key":"k","timeout_secs":20}
        timed: wait either {"correlation_key":"l","timeout_secs":20}
        "#,
    )?;
    stage.person(async |it: Execution| it.signal("k", json!({"told": true})).await)?;
    stage.wait(20);
    stage.export()
}

/// Three quarters of a minute after the scenarios begin.
const UNTIL: &str = "2023-11-14T22:14:05Z";

pub(super) fn until(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> timed, s -> fresh, s -> late
        timed: wait timer {"until":"UNTIL"}
        fresh: wait external_event {"correlation_key":"paid","keep":false}
        late: wait external_event {"correlation_key":"shipped","keep":false,"until":"UNTIL"}
        "#
        .replace("UNTIL", UNTIL)
        .as_str(),
    )?;
    stage.person(async |it: Execution| it.signal("paid", json!({"n": 1})).await)?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.person(async |it: Execution| it.signal("paid", json!({"n": 2})).await)?;
    stage.wait(60);
    stage.export()
}
