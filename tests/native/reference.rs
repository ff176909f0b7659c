//! The reference of the workflow format and its schema are those of the parser's tables;
//! and a validator that is not ours takes what the parser takes, and refuses what it
//! refuses.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;
use refrain_guest::shell::Scheduler;
use refrain_guest::strategies::workflows;
use refrain_guest::workflow::reference;
use refrain_tests::component::workspace;
use refrain_tests::runner;
use serde_json::{Value, json};

/// The files, and what is in them. The program has the schema built in.
fn made_now() -> Result<[(PathBuf, String); 3]> {
    let root = workspace();
    let mut schema = serde_json::to_string_pretty(&reference::schema())?;
    schema.push('\n');
    Ok([
        (root.join("docs/workflow-format.md"), reference::page()),
        (root.join("docs/workflow.schema.json"), schema.clone()),
        (root.join("host/src/cli/workflow.schema.json"), schema),
    ])
}

#[test]
fn the_reference_says_what_the_parser_reads() -> Result<()> {
    for (path, made) in made_now()? {
        let kept = fs::read_to_string(&path).unwrap_or_default();
        ensure!(
            kept == made,
            "{} is not what the tables of the parser say now; type `cargo renew-reference`",
            path.display()
        );
    }
    Ok(())
}

#[test]
#[ignore = "it writes the pages: `cargo renew-reference`"]
fn renew_the_reference_of_workflows() -> Result<()> {
    for (path, made) in made_now()? {
        fs::write(&path, made).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn validator() -> Result<Validator> {
    let schema = reference::schema();
    jsonschema::draft202012::meta::validate(&schema).map_err(|error| anyhow::anyhow!("{error}"))?;
    jsonschema::draft202012::new(&schema).map_err(|error| anyhow::anyhow!("{error}"))
}

/// What the validator finds wrong, in words.
fn faults(validator: &Validator, workflow: &Value) -> Vec<String> {
    let errors = validator.iter_errors(workflow);
    let told = errors.map(|error| format!("{}: {error}", error.instance_path()));
    told.collect()
}

/// The workflows of the examples, of the documents and of a new folder, with where each
/// stands.
fn written() -> Result<Vec<(String, Value)>> {
    let root = workspace();
    let mut found = Vec::new();
    for folder in ["host/examples", "host/src/cli/init", "docs", "."] {
        for entry in fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            let name = path.display().to_string();
            let of = path.extension().and_then(|it| it.to_str());
            let texts: Vec<String> = match of {
                Some("json") => vec![fs::read_to_string(&path)?],
                Some("md") => blocks(&fs::read_to_string(&path)?),
                _ => continue,
            };
            let workflows = texts.iter().filter_map(|text| {
                let json: Value = serde_json::from_str(text).ok()?;
                let is_valid = Scheduler::validate(text).is_ok();
                (json["workflow_id"].is_string() && is_valid).then_some(json)
            });
            found.extend(workflows.map(|workflow| (name.clone(), workflow)));
        }
    }
    Ok(found)
}

/// The blocks of code of a page.
fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("\n```").skip(1).step_by(2);
    let code = parts.filter_map(|part| part.split_once('\n'));
    code.map(|(_, code)| code.to_owned()).collect()
}

#[test]
fn the_schema_takes_every_workflow_that_is_written() -> Result<()> {
    let validator = validator()?;
    let written = written()?;
    ensure!(written.len() > 10, "only {} are found", written.len());
    for (place, workflow) in written {
        let faults = faults(&validator, &workflow);
        ensure!(faults.is_empty(), "{place}: {faults:?}");
    }
    Ok(())
}

#[test]
fn the_schema_takes_every_workflow_that_is_generated() {
    let validator = validator().expect("the schema is one");
    let mut runner = runner(100);
    let checked = runner.run(&workflows(), |workflow| {
        let json: Value = serde_json::from_str(workflow.text()).expect("JSON");
        let faults = faults(&validator, &json);
        proptest::prop_assert!(faults.is_empty(), "{:?}", faults);
        Ok(())
    });
    if let Err(failure) = checked {
        panic!("{failure}");
    }
}

/// A workflow with this in the place of one thing of it, named by a JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut workflow = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "a",
        "nodes": { "a": { "kind": { "type": "command", "argv": ["true"] } },
                   "b": { "kind": { "type": "tool", "tool_ref": "t" } } },
        "edges": [{ "from": "a", "to": "b" }],
        "retry_policies": { "p": { "max_attempts": 2 } },
        "timeouts": {}, "limits": {},
    });
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = workflow.pointer_mut(parent).expect("it is there");
    match key.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[key] = value,
    }
    workflow
}

#[test]
fn r1_the_schema_refuses_what_the_parser_refuses() -> Result<()> {
    let validator = validator()?;
    let kind = |kind: Value| ("/nodes/b/kind", kind);
    let node = |field: &str, value: Value| {
        let mut node = json!({ "kind": { "type": "parallel", "branches": [] } });
        node[field] = value;
        ("/nodes/b", node)
    };
    let policy = |policy: Value| ("/retry_policies/p", policy);
    #[rustfmt::skip]
    let wrong = [
        ("/workflow_id", json!(7)), ("/workflow_id", json!("")), ("/workflow_id", json!("x".repeat(257))),
        ("/workflow_id", json!("a\u{7}")), ("/version", json!("1.0")), ("/version", json!(1)), ("/start_node", Value::Null),
        ("/nodes", json!([])), ("/nodes/end", json!({ "kind": { "type": "limit_exceeded" } })), ("/edges", json!({})),
        ("/name", json!(5)), ("/$schema", json!(5)), ("/labels", json!([])), ("/retryPolicies", json!({})),
        ("/edges/0", json!({ "from": "a" })), ("/edges/0", json!({ "from": "a", "to": "b", "when": "state.x" })),
        ("/edges/0/condition", json!(true)), ("/nodes/a/shell", json!(true)), ("/nodes/a/kind/shell", json!(true)),
        ("/nodes/a/kind/argv", json!([])), ("/nodes/a/kind/argv", json!("ls")), ("/nodes/a/kind/argv", json!([1])),
        ("/nodes/a/kind/env", json!({ "A": 1 })), ("/nodes/a/kind/cwd", json!("")), ("/nodes/a/kind/input_mapping", json!({ "x": 1 })),
        ("/nodes/a/node_timeout_secs", json!(0)), ("/nodes/a/node_timeout_secs", json!(1.5)), ("/nodes/a/priority", json!(10)),
        ("/nodes/a/priority", json!(-1)), ("/nodes/a/queue", json!("")), ("/nodes/a/lease_secs", json!(0)),
        ("/nodes/a/run_on", json!("never")), ("/timeouts/node_timeout", json!("5s")), ("/timeouts/workflow", json!(5)),
        ("/limits/max_concurrent_nodes", json!(0)), ("/limits/max_dispatch_per_tick", json!(4_294_967_296_u64)),
        kind(json!({})), kind(json!({ "type": "comand", "argv": ["true"] })), kind(json!({ "type": "map" })),
        kind(json!({ "type": "subgraph" })), kind(json!({ "type": "task" })), kind(json!({ "type": "task", "queue": 7 })),
        kind(json!({ "type": "http" })), kind(json!({ "type": "http", "url": "http://h", "method": "FETCH" })),
        kind(json!({ "type": "http", "url": "http://h", "timeout": 1 })), kind(json!({ "type": "tool", "tool_ref": 1 })),
        kind(json!({ "type": "wait", "condition": "timer" })), kind(json!({ "type": "wait", "condition": "timer", "timeout_secs": null })),
        kind(json!({ "type": "wait", "condition": "either", "timeout_secs": 1 })), kind(json!({ "type": "wait", "condition": "never" })),
        kind(json!({ "type": "human_approval" })), kind(json!({ "type": "human_approval", "description": "?", "timeout_secs": 0 })),
        kind(json!({ "type": "join", "wait_for": [], "merge_strategy": "last" })), kind(json!({ "type": "join", "min": 2 })),
        kind(json!({ "type": "condition", "branches": [{ "target": "end" }], "default": "end" })),
        kind(json!({ "type": "condition", "branches": [{ "condition": "state.x" }] })),
        kind(json!({ "type": "parallel", "branches": [], "input_mapping": {} })),
        kind(json!({ "type": "policy", "policy_ref": "p", "on_violation": { "branch": "b" } })),
        kind(json!({ "type": "finalizer", "tool_ref": "t", "run_on": "never" })),
        node("queue", json!("gpu")), node("priority", json!(1)), node("lease_secs", json!(1)), node("run_on", json!("always")),
        ("/nodes/b", json!({ "kind": { "type": "task", "queue": "gpu" }, "queue": "mail" })),
        ("/nodes/b", json!({ "kind": { "type": "condition", "branches": [{ "target": "end" }] }, "priority": 1 })),
        ("/nodes/b", json!({ "kind": { "type": "join" }, "lease_secs": 1 })),
        kind(json!({ "type": "terminate", "status": "failed", "reason": "no ${input.x}" })),
        kind(json!({ "type": "limit_exceeded", "description": "at ${state.x}" })),
        kind(json!({ "type": "subgraph", "workflow_id": "${input.w}", "version": "1.0.0" })),
        kind(json!({ "type": "subgraph", "workflow_id": "w", "version": "latest" })),
        kind(json!({ "type": "subgraph", "workflow_id": "w", "version": "0.0.0+abc" })),
        kind(json!({ "type": "subgraph", "workflow_id": "w", "version": "1.0.0", "output_key": "${node_id}" })),
        kind(json!({ "type": "map", "over": "[1]", "output_key": "${node_id}", "body": { "type": "tool", "tool_ref": "t" } })),
        kind(json!({ "type": "task", "queue": "gpu-${input.x}" })), ("/nodes/a/queue", json!("gpu-${input.x}")),
        policy(json!({})), policy(json!({ "max_attempts": 0 })), policy(json!({ "max_attempts": 1001 })),
        policy(json!({ "max_attempts": 2, "backoff": "often", "initial_delay": 1 })), policy(json!({ "max_attempts": 2, "max_delay": 9 })),
        policy(json!({ "max_attempts": 2, "backoff": "linear", "initial_delay": 1 })), policy(json!({ "max_attempts": 2, "on_exhausted": "wait" })),
        policy(json!({ "max_attempts": 2, "retryable_on": ["Some error"] })), policy(json!({ "max_attempts": 2, "retryable_on": [{ "custom": 1 }] })),
    ];
    for (pointer, value) in wrong {
        let workflow = with(pointer, value);
        let text = workflow.to_string();
        ensure!(
            Scheduler::validate(&text).is_err(),
            "the parser takes {text}"
        );
        ensure!(
            !faults(&validator, &workflow).is_empty(),
            "the schema takes {text}"
        );
    }
    let right = with("/name", json!("all is well"));
    ensure!(Scheduler::validate(&right.to_string()).is_ok());
    let faults = faults(&validator, &right);
    ensure!(faults.is_empty(), "{faults:?}");
    Ok(())
}

/// A node of each kind, as short as it can be, and those whose fields change what else the
/// node may say.
fn nodes_of_each_kind() -> Vec<Value> {
    let tool = json!({ "type": "tool", "tool_ref": "t" });
    let child = json!({ "type": "subgraph", "workflow_id": "w", "version": "1.0.0" });
    let by_text =
        json!({ "type": "subgraph", "workflow_id": "w", "version": "0.0.0+0123456789ab" });
    let detached =
        json!({ "type": "subgraph", "workflow_id": "w", "version": "1.0.0", "detached": true });
    vec![
        json!({ "type": "command", "argv": ["true"] }),
        json!({ "type": "http", "url": "http://h" }),
        tool.clone(),
        json!({ "type": "condition" }),
        json!({ "type": "condition", "branches": [{ "target": "end" }] }),
        json!({ "type": "parallel", "branches": [] }),
        json!({ "type": "join" }),
        json!({ "type": "join", "merge_strategy": "first" }),
        json!({ "type": "join", "merge_strategy": { "custom": { "function_ref": "f" } } }),
        json!({ "type": "wait", "condition": "timer", "timeout_secs": 1 }),
        json!({ "type": "human_approval", "description": "?" }),
        child.clone(),
        by_text,
        detached.clone(),
        json!({ "type": "finalizer", "tool_ref": "t", "run_on": "always" }),
        json!({ "type": "map", "over": "[1]", "body": tool }),
        json!({ "type": "map", "over": "[1]", "body": child }),
        json!({ "type": "map", "over": "[1]", "body": detached }),
        json!({ "type": "limit_exceeded" }),
        json!({ "type": "task", "queue": "gpu" }),
        json!({ "type": "terminate", "status": "failed" }),
    ]
}

/// What a node says beside its kind is taken by both, or by neither.
#[test]
fn r1_the_schema_and_the_parser_agree_on_what_each_kind_of_node_may_say() -> Result<()> {
    let validator = validator()?;
    let fields = [
        ("priority", json!(3)),
        ("queue", json!("gpu")),
        ("lease_secs", json!(9)),
        ("run_on", json!("always")),
        ("compensate", json!({ "type": "tool", "tool_ref": "u" })),
        ("node_timeout_secs", json!(9)),
        ("description", json!("what it is for")),
    ];
    let mut refused = 0;
    for kind in nodes_of_each_kind() {
        for (name, value) in &fields {
            let mut node = json!({ "kind": kind });
            node[*name] = value.clone();
            let mut workflow = with("/nodes/b", node);
            // What runs at the end follows nothing.
            let is_last = *name == "run_on" || kind["type"] == "finalizer";
            if is_last {
                workflow["edges"] = json!([]);
            }
            let text = workflow.to_string();
            let by_parser = Scheduler::validate(&text).err();
            let by_schema = faults(&validator, &workflow);
            ensure!(
                by_parser.is_some() != by_schema.is_empty(),
                "{text}: the parser says {by_parser:?}, and the schema {by_schema:?}"
            );
            refused += usize::from(by_parser.is_some());
        }
    }
    ensure!(refused > 20, "only {refused} were refused");
    Ok(())
}
