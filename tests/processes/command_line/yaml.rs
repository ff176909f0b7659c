//! Workflows in YAML, which become JSON once; and what nodes say of their work, as it is
//! typed.

use serde_json::{Value, json};

use crate::command_line::desk::Desk;

const WORKFLOW: &str = "
# Everybody's own work, and what follows it.
workflow_id: pictures
start_node: render
nodes:
  render:
    kind: {type: task, queue: gpu, scale: 1.50, title: \"yes\"}
    priority: 9
  tidy:
    kind: {type: command, argv: [\"true\"]}
    run_on: always
edges:
  - {from: render, to: end}
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("pictures.yaml", WORKFLOW);
    desk.file("pictures.YML", WORKFLOW);
    desk
}

#[test]
fn a_workflow_in_yaml_runs_and_its_text_is_json() {
    let desk = desk();
    let valid = desk.document(&["validate", "pictures.YML", "--json"], 0);
    assert_eq!(valid["queues"], json!(["command", "gpu"]));
    let version = valid["version"].as_str().expect("a version");
    assert!(version.starts_with("0.0.0+"), "{version}");
    let worker = "gpu=sh -c 'cat > got.json; echo {}'";
    let said = desk.types(&["run", "pictures.yaml", "--worker", worker]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let got = std::fs::read_to_string(desk.path().join("got.json")).expect("the worker ran");
    let kind = r#""kind":{"type":"task","queue":"gpu","scale":1.50,"title":"yes"}"#;
    assert!(got.contains(kind), "{got}");
    let audit = desk.types(&["audit", "@last"]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    // The same text is the same version; `start` and a priority, too.
    let said = desk.types(&["start", "pictures.yaml", "--priority", "7"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let shown = desk.document(&["show", "@last", "--json"], 0);
    assert_eq!(shown["workflow_version"], *version, "{shown}");
    let said = desk.types(&["start", "pictures.yaml", "--priority", "10"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("0..=9"), "{said:?}");
}

#[test]
fn r5_a_queue_that_nobody_serves_is_told() {
    let desk = desk();
    let mut running = desk.begins(&["run", "pictures.yaml"]);
    running.says("no worker of the queue \"gpu\"");
    running.says("--worker gpu=PROGRAM");
    running.interrupt();
    running.ends();
}

#[test]
fn what_is_wrong_in_yaml_is_told_with_line_and_column() {
    let desk = desk();
    let rows = [
        (
            "anchor",
            "nodes: &all {}\n",
            "anchors are not read here at line 1, column 13 (byte 12)\n    1 | nodes: &all {}\n",
        ),
        (
            "alias",
            "nodes: *all\n",
            "aliases are not read here at line 1, column 8",
        ),
        (
            "twice",
            "a: 1\nb: 2\na: 3\n",
            "the key `a` stands twice; first in line 1 at line 3, column 1 (byte 10)",
        ),
        (
            "word",
            "a: yes\n",
            "`yes` is a text to some readers of YAML",
        ),
        (
            "tag",
            "a: !t x\n",
            "tags are not read here at line 1, column 7",
        ),
        ("grammar", "a: [1\n", "this cannot be read"),
        (
            "bare",
            "argv: [echo, ${input.x}]\n",
            "remedy: put the text with `${` in double quotes",
        ),
        (
            "quoted",
            "argv: [echo, '${input.x}', \"${input.y}\"\n",
            "remedy: correct it there",
        ),
    ];
    for (name, text, told) in rows {
        let file = format!("{name}.yml");
        desk.file(&file, text);
        for command in ["validate", "run", "start"] {
            let said = desk.types(&[command, &file]);
            assert_eq!(said.code, Some(1), "{command} {said:?}");
            let all = format!("{}{}", said.out, said.err);
            assert!(all.contains(told), "{command} {said:?}");
            assert!(!all.contains("this was read as JSON"), "{command} {said:?}");
        }
        let document = desk.document(&["validate", &file, "--json"], 1);
        let faults = document["faults"].as_array().expect("a list");
        assert_eq!((&document["valid"], faults.len()), (&json!(false), 1));
    }
    desk.file(
        "wrong.yaml",
        WORKFLOW.replace("priority: 9", "priority: 99"),
    );
    let said = desk.types(&["validate", "wrong.yaml"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let place = "/nodes/render/priority (line 8, column 5)";
    assert!(said.out.contains(place), "{said:?}");
}

#[test]
fn stdin_is_json() {
    let desk = Desk::new();
    let said = desk.pipes(&["validate", "-"], WORKFLOW);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("no JSON that can be read"), "{said:?}");
}

#[test]
fn the_schema_is_printed() {
    let desk = Desk::new();
    let said = desk.types(&["schema"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let schema: Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(schema["$defs"]["kind_task"].is_object());
}

/// Nothing says that what stands on stdin is YAML.
#[test]
fn yaml_on_stdin_is_told_that_it_was_read_as_json() {
    let desk = Desk::new();
    let said = desk.pipes(&["validate", "-"], "workflow_id: w\nstart_node: a\n");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("this was read as JSON"), "{said:?}");
    let said = desk.pipes(&["validate", "-"], "{}");
    assert!(!said.out.contains("this was read as JSON"), "{said:?}");
}
