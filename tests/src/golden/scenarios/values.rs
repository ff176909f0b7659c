//! What goes through: payloads, ids, conditions, and the shape of the graph.

use anyhow::Result;
use refrain::model::GenAi;
use refrain::{Answer, Execution, Start};
use serde_json::json;

use super::super::stage::json as text;
use super::Cast;

pub(super) fn completed(cast: &Cast<'_>) -> Result<String> {
    let start = Start::new("w", "1.0.0", text(r#"{"claim": 17}"#)?).key("order-17");
    let workflow = super::workflow(
        r#"
        fetch -> rate -> end
        fetch: tool {"input_mapping":{"claim":"input.claim"}}
        rate: model
        "#,
    )?;
    let mut stage = cast.stage_for("acme", &workflow, start)?;
    stage.claim("tool")?;
    stage.complete("fetch", json!({"pages": 3}))?;
    stage.claim("model")?;
    let mut call = GenAi::default();
    call.system = Some("anthropic".to_owned());
    call.model = Some("m-1".to_owned());
    call.input_tokens = Some(1200);
    call.output_tokens = Some(u64::MAX);
    call.finish_reason = Some("stop".to_owned());
    let measured = text(r#"{"cost_usd": 0.0100, "verified": true}"#)?;
    let answer = Answer::output(json!("good"))
        .gen_ai(call)
        .telemetry(measured);
    stage.complete("rate", answer)?;
    stage.export()
}

pub(super) fn verbatim(cast: &Cast<'_>) -> Result<String> {
    let workflow = r#"{ "workflow_id": "Wörter", "version": "1.0.0", "start_node": "größe 一",
        "nodes": { "größe 一": { "kind": { "type": "tool", "tool_ref": "t \u00fc" } },
                   "a \"quoted\" \\ node": { "kind": { "type": "tool", "tool_ref": "🙂", "input_mapping": { "ü": "state.n" } } } },
        "edges": [ { "from": "größe 一", "to": "a \"quoted\" \\ node", "condition": "state.n > 1e3 && input.zero == -0.0" } ] }
"#;
    let input = text("{\"zero\": -0.0, \"ü\\u00fc\": \"\\ud83d\\ude00 \\\"\",\n\t\"e\": 1E+2 }")?;
    let mut stage = cast.stage_of(workflow, Start::new("Wörter", "1.0.0", input))?;
    stage.claim_as("tool", "Zoë's laptop / 7")?;
    let output = text(r#"{"n":123456789012345678901234567890.50,"a":[1e3, null,  0.10]}"#)?;
    stage.complete("größe 一", Answer::output(output))?;
    stage.claim("tool")?;
    let pretty = text("[\n  \"line\\nbreaks\",\r\n  {}\n]")?;
    let answer = Answer::output(pretty).patch(text(r#" { "" : "an empty key" } "#)?);
    stage.complete("a \"quoted\" \\ node", answer)?;
    stage.export()
}

pub(super) fn nested_to_the_limit(cast: &Cast<'_>) -> Result<String> {
    let long = "n".repeat(256);
    let mut stage = cast.stage(&format!("{long} -> b"))?;
    stage.claim("general")?;
    // The patch is an object around it, and the state another.
    let depth = 98;
    let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    stage.complete(&long, text(&format!(r#"{{"deep":{deep}}}"#))?)?;
    stage.claim("general")?;
    stage.complete("b", json!(null))?;
    stage.export()
}

pub(super) fn branches(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> c, s -> never if state.x > 1, never -> after
        c: condition {"branches":[{"condition":"state.x == 2","target":"two"},{"condition":"state.x == 1","target":"one"},{"target":"other"}]}
        one: policy {"on_violation":{"branch":{"target":"violated"}}}
        one -> kept
        violated: tool
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("s", json!({"x": 1}))?;
    stage.claim("general")?;
    stage.complete("one", Answer::output(json!({})).chosen_target("violated"))?;
    stage.claim("tool")?;
    stage.complete("violated", json!({"y": []}))?;
    stage.export()
}

pub(super) fn expressions(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        s -> c, s -> w
        c -> h -> lost
        c: command {"argv":["run","${state.n}","${state.list + [node_id]}"],"env":{"WHO":"${state.who} of ${state.n}","ESCAPED":"$${HOME}","KEY":"${secret.KEY}$${HOME}"}}
        w: wait external_event {"correlation_key":"order-${state.n}"}
        h: http {"url":"http://h/${state.who}","headers":{"X-Node":"${node_id}","X-Of":"${execution_id} of ${state.who}"},"body":["${state.n < 2 ? 'few' : 'many'}"]}
        lost: command {"argv":["run","a ${state.nowhere}"]}
        "#,
    )?;
    stage.claim("general")?;
    stage.complete("s", text(r#"{"n": 1.50, "list": [ 1 ], "who": "Zoë/x"}"#)?)?;
    stage.person(async |it: Execution| it.signal("order-1.50", json!({"paid": true})).await)?;
    stage.claim("command")?;
    stage.complete("c", json!({"n": 2}))?;
    stage.claim("http")?;
    stage.complete("h", json!({}))?;
    stage.export()
}

pub(super) fn joins(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        r#"
        p: parallel {"branches":["a","b","c"]}
        all: join collect {"wait_for":["a","b"]}
        any: join first {"wait_for":["b","c"]}
        all -> last, any -> first
        "#,
    )?;
    stage.claim("general")?;
    for node in ["c", "a", "b"] {
        stage.complete(node, json!({ node: 1 }))?;
    }
    stage.claim("general")?;
    stage.complete("last", json!({}))?;
    stage.complete("first", json!({}))?;
    stage.export()
}

pub(super) fn wide(cast: &Cast<'_>) -> Result<String> {
    let mut stage = cast.stage(
        "
        s -> a, s -> b, s -> c, s -> d, s -> e, s -> f, s -> g
        own_limits 4 2
        ",
    )?;
    stage.claim("general")?;
    stage.complete("s", json!({}))?;
    stage.claim("general")?;
    for node in ["c", "a", "b", "d"] {
        stage.complete(node, json!({ node: true }))?;
    }
    stage.claim("general")?;
    for node in ["e", "f", "g"] {
        stage.complete(node, json!({ node: false }))?;
    }
    stage.export()
}
