//! What JamJet's compilers write is accepted as it is: it runs, it audits
//! clean, and whatever of it changes nothing here is named.

use serde_json::{Value, json};

use crate::command_line::desk::Desk;

/// The form of what JamJet's strategy compiler writes: unrolled rounds, guards
/// with an expression besides their branches, a node for limits, metadata.
fn strategy(guarded: bool) -> Value {
    let model = |prompt: &str| {
        json!({
            "kind": {"type": "model", "model_ref": "m", "prompt_ref": prompt, "output_schema": "", "system_prompt": null},
            "retry_policy": "llm_default", "node_timeout_secs": null, "description": prompt, "labels": {"jamjet.strategy.node": "draft"},
        })
    };
    let mut nodes = json!({
        "__draft__": model("Draft it."),
        "__judge__": model("Judge it."),
        "__limit_exceeded__": {
            "kind": {"type": "limit_exceeded", "description": "Strategy limit reached"},
            "retry_policy": null, "node_timeout_secs": null, "description": "Strategy limit exceeded",
            "labels": {"jamjet.strategy.limit": "true"},
        },
    });
    let mut edges = vec![
        json!({"from": "__judge__", "to": "end", "condition": null}),
        json!({"from": "__limit_exceeded__", "to": "end", "condition": null}),
    ];
    if guarded {
        nodes["__guard__"] = json!({
            "kind": {"type": "condition", "expression": "state.__cost_exceeded__ == true", "branches": [
                {"condition": "state.__cost_exceeded__", "target": "__limit_exceeded__"},
                {"condition": null, "target": "__judge__"},
            ]},
            "retry_policy": null, "node_timeout_secs": null, "description": "guard", "labels": {},
        });
        edges.extend([
            json!({"from": "__draft__", "to": "__guard__", "condition": null}),
            json!({"from": "__guard__", "to": "__limit_exceeded__", "condition": "state.__cost_exceeded__ == true"}),
            json!({"from": "__guard__", "to": "__judge__", "condition": null}),
        ]);
    } else {
        edges.push(json!({"from": "__draft__", "to": "__judge__", "condition": null}));
    }
    json!({
        "workflow_id": "strategy", "version": "0.1.0", "name": "strategy", "description": "a goal", "state_schema": "",
        "start_node": "__draft__", "nodes": nodes, "edges": edges, "retry_policies": {},
        "timeouts": {"workflow_timeout": 60, "heartbeat_interval": 30},
        "models": {}, "tools": {}, "mcp_servers": {}, "remote_agents": {}, "labels": {"jamjet.strategy": "critic"},
        "strategy_metadata": {"strategy_name": "critic", "limits": {"max_iterations": 1}},
    })
}

#[test]
fn r01_a_compiled_strategy_runs_and_audits_clean() {
    let metadata = ["/strategy_metadata", "/timeouts/heartbeat_interval"];
    for (guarded, ignored, unreachable) in [
        (false, &metadata[..], json!(["__limit_exceeded__"])),
        (
            true,
            &[&["/nodes/*/kind/expression"], &metadata[..]].concat(),
            json!([]),
        ),
    ] {
        let desk = Desk::new();
        desk.file("s.json", strategy(guarded).to_string());
        let said = desk.document(&["validate", "s.json", "--json"], 0);
        assert_eq!(said["ignored"], json!(ignored), "{said}");
        assert_eq!(said["unreachable"], unreachable, "{said}");

        let ran = desk.types(&["run", "--simulate", "s.json"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(
            ran.err.contains("these fields change nothing here: ")
                && ran.err.contains("/strategy_metadata"),
            "{ran:?}"
        );
        assert_eq!(
            ran.err.contains("nothing leads to these nodes"),
            !guarded,
            "{ran:?}"
        );
        let audited = desk.types(&["audit", "--all"]);
        assert_eq!(audited.code, Some(0), "{audited:?}");
        assert!(audited.out.contains("clean"), "{audited:?}");
        if !guarded {
            let id = desk.execution();
            let why = desk.types(&["explain", &id, "__limit_exceeded__"]);
            assert!(
                why.out
                    .contains("nothing leads to node `__limit_exceeded__`"),
                "{why:?}"
            );
        }
    }
}

/// A condition that nobody would judge must not let both arms run.
#[test]
fn r01_a_field_that_would_be_ignored_stops_a_run_before_it_starts() {
    let desk = Desk::new();
    let touch = |name: &str| json!({"kind": {"type": "command", "argv": ["touch", name]}});
    let workflow = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "a",
        "nodes": {"a": touch("ran-a"), "b": touch("ran-b"), "c": touch("ran-c")},
        "edges": [{"from": "a", "to": "b", "when": "state.x == 1"}, {"from": "a", "to": "c", "when": "state.x != 1"}],
    });
    desk.file("w.json", workflow.to_string());
    for words in [["validate", "w.json"], ["run", "w.json"]] {
        let said = desk.types(&words);
        assert_eq!(said.code, Some(1), "{said:?}");
        let all = format!("{}{}", said.out, said.err);
        assert!(
            all.contains("/edges/0/when") && all.contains("did you mean `condition`?"),
            "{said:?}"
        );
    }
    assert_eq!(desk.files(), ["w.json"], "nothing ran");
}
