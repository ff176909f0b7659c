//! Compensations (rule R27).

use anyhow::Result;
use refrain::{Execution, WorkError};
use serde_json::json;

use super::Cast;

pub(super) fn compensated(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        a -> m -> c -> h on failure, h -> d
        policy soon {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1,"on_exhausted":"pause"}
        a: command retry=soon timeout=5 undo={"type":"command","argv":["undo","${output.id}"]}
        m: map {"over":"[10, 20]"} undo={"type":"task","queue":"undo","n":"${item}","at":"${index}"} priority=7
        c: tool retry=no_retry
        h: tool {"input_mapping":{"why":"errors.c.class"}} undo={"type":"http","url":"http://h/${state.never}"}
        d: tool retry=no_retry
        f: finalizer failure
        "#,
    )?;
    stage.claim("command")?;
    stage.complete("a", json!({ "id": "x-1" }))?;
    stage.claim("tool")?;
    stage.complete("m[1]", json!(21))?;
    stage.complete("m[0]", json!(11))?;
    stage.claim("tool")?;
    stage.fail(
        "c",
        WorkError::permanent("no such thing").class("not_found"),
    )?;
    stage.claim("tool")?;
    stage.complete("h", json!({}))?;
    stage.claim("tool")?;
    stage.fail("d", WorkError::permanent("no stock"))?;
    stage.claim("undo")?;
    stage.complete("m[0]!undo", json!({ "ignored": 1 }))?;
    stage.person(async |it: Execution| it.skip("m[1]!undo", Some("by hand")).await)?;
    stage.claim("command")?;
    stage.fail("a!undo", WorkError::retryable("not yet"))?;
    stage.wait(1);
    stage.claim("command")?;
    stage.person(async |it: Execution| it.cancel(Some("enough")).await)?;
    stage.wait(5);
    stage.export()
}
