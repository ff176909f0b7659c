//! `refrain validate`: everything that is wrong with a workflow, at once.

use std::path::{Path, PathBuf};

use refrain::model::{Fault, WorkflowSummary};
use serde_json::{Value, json};

use super::files::WorkflowText;
use super::output::{self, Form};
use super::text::{Text, is_steering, text};
use super::{Answer, files, guests};

/// Check a workflow, and name every fault with its place and remedy
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The workflow, in JSON or YAML
    #[arg(value_name = "WORKFLOW.json")]
    workflow: PathBuf,
    #[command(flatten)]
    form: Form,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let text = files::workflow(&arguments.workflow)?;
    let answer = guests::check(&text, None)?;
    if arguments.form.json {
        output::document(&document(&answer, &text.json))?;
    } else {
        output::data(&match &answer {
            Ok(summary) => good(summary, &text.json),
            Err(faults) => bad(&arguments.workflow, &text, faults),
        });
    }
    Ok(Answer::good_if(answer.is_ok()))
}

fn document(answer: &Result<WorkflowSummary, Vec<Fault>>, text: &str) -> Value {
    match answer {
        Ok(summary) => json!({
            "valid": true,
            "workflow_id": summary.workflow_id,
            "version": summary.version,
            "nodes": summary.nodes,
            "edges": summary.edges,
            "queues": summary.queues,
            "ignored": summary.ignored,
            "unreachable": summary.unreachable,
            "in_scripts": in_scripts(text),
            "in_kinds": in_kinds(text),
            "faults": [],
        }),
        Err(faults) => invalid(faults),
    }
}

/// What programs are told of a workflow that is not valid.
pub(super) fn invalid(faults: &[Fault]) -> Value {
    json!({ "valid": false, "faults": faults })
}

fn good(summary: &WorkflowSummary, workflow: &str) -> Text {
    let WorkflowSummary {
        workflow_id,
        version,
        nodes,
        edges,
        queues,
        ignored,
        unreachable,
        ..
    } = summary;
    let queues = if queues.is_empty() {
        text!("no work")
    } else {
        let queues = queues.iter().map(|queue| Text::word(queue));
        text!("work for {}", Text::joined(queues, ", "))
    };
    let mut text = text!(
        "{} {} is valid: {}, {}, {}\n",
        workflow_id,
        version,
        count(*nodes, "node"),
        count(*edges, "edge"),
        queues
    );
    for line in notes(ignored, unreachable) {
        text.push(&text!("  note: {}\n", line));
    }
    for pointer in in_kinds(workflow) {
        text.push(&text!(
            "  note: {} is for the worker alone; what the scheduler goes by belongs to the node itself, beside its `kind`\n",
            pointer
        ));
    }
    for pointer in in_scripts(workflow) {
        text.push(&text!(
            "  warning: {} is a script, and a value in it can become a command of it: pass it by `env`, and write \"$NAME\" in the script\n",
            pointer
        ));
    }
    text
}

/// Where a script that a shell is given as an argument holds expressions, as JSON
/// pointers.
fn in_scripts(workflow: &str) -> Vec<String> {
    const SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "ksh", "ash", "fish"];
    let workflow: Value = serde_json::from_str(workflow).unwrap_or_default();
    let nodes = workflow["nodes"].as_object().into_iter().flatten();
    let kinds =
        nodes.flat_map(|(id, node)| ["kind", "compensate"].map(|field| (id, field, &node[field])));
    let script = |(id, field, kind): (&String, &str, &Value)| {
        let argv: Vec<&str> = kind["argv"]
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let (program, arguments) = argv.split_first()?;
        let program = Path::new(program).file_name()?.to_str()?;
        if kind["type"] != "command" || !SHELLS.contains(&program) {
            return None;
        }
        let is_of_script =
            |it: &&str| it.starts_with('-') && !it.starts_with("--") && it.contains('c');
        let option = arguments.iter().position(is_of_script)?;
        let script = arguments.get(option + 1)?;
        let id = id.replace('~', "~0").replace('/', "~1");
        let has_expressions = script.replace("$${", "").contains("${");
        has_expressions.then(|| format!("/nodes/{id}/{field}/argv/{}", option + 2))
    };
    kinds.filter_map(script).collect()
}

/// Where a kind that somebody's own worker reads has a field that belongs to the node itself,
/// next to its `kind`, as JSON pointers: the worker gets it, and the scheduler does not go by
/// it. Of a valid workflow; the kinds that this project alone reads refuse such fields.
fn in_kinds(workflow: &str) -> Vec<String> {
    let workflow: Value = serde_json::from_str(workflow).unwrap_or_default();
    let mut found = Vec::new();
    let mut left = vec![(String::new(), &workflow)];
    while let Some((place, workflow)) = left.pop() {
        for (id, node) in workflow["nodes"].as_object().into_iter().flatten() {
            let id = id.replace('~', "~0").replace('/', "~1");
            let place = format!("{place}/nodes/{id}");
            for at in ["/kind", "/kind/body", "/kind/body/body", "/compensate"] {
                let Some(kind) = node.pointer(at) else {
                    continue;
                };
                if kind.get("nodes").is_some() {
                    left.push((format!("{place}{at}"), kind));
                }
                let of_node = OF_NODES
                    .into_iter()
                    .filter(|field| has_of_node(kind, field));
                found.extend(of_node.map(|field| format!("{place}{at}/{field}")));
            }
        }
    }
    found.sort();
    found
}

/// Fields of nodes that somebody may have written into a kind.
const OF_NODES: [&str; 7] = [
    "retry_policy",
    "node_timeout_secs",
    "queue",
    "priority",
    "lease_secs",
    "run_on",
    "compensate",
];

/// Whether a kind has this field, and it is none of the kind's own.
fn has_of_node(kind: &Value, field: &str) -> bool {
    let is_own = match kind["type"].as_str() {
        None => true,
        Some("task") => field == "queue",
        Some("finalizer") => field == "run_on",
        Some(_) => false,
    };
    !is_own && kind.get(field).is_some()
}

/// So many fields, or nodes, are named in one note.
const NAMED_MAX: usize = 20;

/// What is accepted and comes to nothing, a sentence each.
pub(super) fn notes(ignored: &[String], unreachable: &[String]) -> Vec<Text> {
    let joined = |names: &[String]| {
        let named = names.iter().take(NAMED_MAX).map(|name| Text::word(name));
        let more = names.len().saturating_sub(NAMED_MAX);
        let more = (more > 0).then(|| text!("and {} more", more));
        Text::joined(named.chain(more), ", ")
    };
    let mut notes = Vec::new();
    if !ignored.is_empty() {
        notes.push(text!(
            "these fields change nothing here: {}",
            joined(ignored)
        ));
    }
    if !unreachable.is_empty() {
        notes.push(text!(
            "nothing leads to these nodes, which are skipped: {}",
            joined(unreachable)
        ));
    }
    notes
}

/// So many things, in words.
fn count(many: u32, thing: &str) -> Text {
    match many {
        1 => text!("1 {}", thing),
        many => text!("{} {}s", many, thing),
    }
}

/// All faults of a workflow's text, each with its place and remedy.
pub(super) fn bad(place: &Path, workflow: &WorkflowText, faults: &[Fault]) -> Text {
    let many = if faults.len() == 1 {
        text!("1 fault")
    } else {
        text!("{} faults", faults.len())
    };
    let mut text = text!("{} is not valid: {}\n", place, many);
    for fault in faults {
        let Fault {
            pointer,
            message,
            remedy,
        } = fault;
        let pointer = if pointer.is_empty() {
            "(the whole text)"
        } else {
            pointer
        };
        let line = match &workflow.yaml {
            None => Text::new(),
            Some(yaml) => {
                let (line, column) = yaml.place_of(fault);
                text!(" (line {}, column {})", line, column)
            }
        };
        text.push(&text!(
            "  {}{}\n    {}\n    remedy: {}\n",
            pointer,
            line,
            with_line(message, &workflow.json),
            remedy
        ));
    }
    let is_json = workflow.yaml.is_none() && workflow.broken.is_none();
    if is_json && !workflow.json.trim_start().starts_with('{') {
        text.push(&text!(
            "  this was read as JSON; YAML is read out of files whose names end in .yaml or .yml\n"
        ));
    }
    text
}

/// What is wrong with a text, with line and column where it names a byte: editors show
/// those.
fn with_line(message: &str, workflow: &str) -> Text {
    const PLACE: &str = " at byte ";
    let named = message.rsplit_once(PLACE);
    let byte = named.and_then(|(said, byte)| Some((said, byte.parse::<usize>().ok()?)));
    let before = byte.and_then(|(said, byte)| Some((said, byte, workflow.get(..byte)?)));
    let Some((said, byte, before)) = before else {
        return Text::word(message);
    };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    text!(
        "{} at line {}, column {} (byte {}){}",
        said,
        line,
        column,
        byte,
        shown_line(workflow, line, column)
    )
}

/// The line itself, with a mark below the column, each on a line of its own. Nothing of a
/// line that is too long to be read.
fn shown_line(workflow: &str, line: usize, column: usize) -> Text {
    const COLUMNS_MAX: usize = 160;
    let number = line.to_string();
    match workflow.lines().nth(line - 1) {
        Some(it) if (1..=COLUMNS_MAX).contains(&it.chars().count()) => {
            // What steers a terminal is no part of what is shown.
            let plain = |c: char| if is_steering(c) { ' ' } else { c };
            let it: String = it.chars().map(plain).collect();
            let (mark, margin) = (" ".repeat(column - 1), " ".repeat(number.len()));
            text!("\n    {} | {}\n    {} | {}^", number, it, margin, mark)
        }
        _ => Text::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{in_kinds, in_scripts, with_line};

    #[test]
    fn r1_expressions_in_scripts_are_found() {
        let found = |argv: &str| {
            in_scripts(&format!(
                r#"{{"nodes":{{"a/b":{{"kind":{{"type":"command","argv":{argv}}}}}}}}}"#
            ))
        };
        for argv in [
            r#"["sh", "-c", "rm ${state.file}"]"#,
            r#"["/bin/bash", "-euc", "rm $${x} ${state.file}", "x"]"#,
        ] {
            assert_eq!(found(argv), ["/nodes/a~1b/kind/argv/2"], "{argv}");
        }
        for argv in [
            r#"["sh", "-c", "rm \"$FILE\""]"#,
            r#"["sh", "-c", "rm $${FILE}"]"#,
            r#"["sh", "-c", "rm \"$1\"", "sh", "${state.file}"]"#,
            r#"["sh", "--check", "${state.file}"]"#,
            r#"["rm", "-c", "${state.file}"]"#,
            r#"["sh", "-c"]"#,
        ] {
            assert!(found(argv).is_empty(), "{argv}");
        }
        let undo = r#"{"nodes":{"a":{"kind":{"type":"tool"},"compensate":{"type":"command","argv":["sh","-c","rm ${output.f}"]}}}}"#;
        assert_eq!(in_scripts(undo), ["/nodes/a/compensate/argv/2"]);
    }

    #[test]
    fn r6_fields_of_nodes_in_the_kinds_of_workers_are_found() {
        let found = |node: &str| in_kinds(&format!(r#"{{"nodes":{{"a/b":{node}}}}}"#)).join(" ");
        for (node, expected) in [
            (
                r#"{"kind":{"type":"task","queue":"q","priority":9,"compensate":{"type":"task","queue":"q"}}}"#,
                "/nodes/a~1b/kind/compensate /nodes/a~1b/kind/priority",
            ),
            (
                r#"{"kind":{"type":"tool","tool_ref":"t","queue":"q"},"priority":9}"#,
                "/nodes/a~1b/kind/queue",
            ),
            (
                r#"{"kind":{"type":"map","body":{"type":"task","queue":"q","retry_policy":"p"}}}"#,
                "/nodes/a~1b/kind/body/retry_policy",
            ),
            (
                r#"{"kind":{"type":"tool"},"compensate":{"type":"tool","lease_secs":1}}"#,
                "/nodes/a~1b/compensate/lease_secs",
            ),
            (
                r#"{"kind":{"type":"map","body":{"type":"subgraph","body":{"nodes":{"c":{"kind":{"type":"agent","run_on":"x"}}}}}}}"#,
                "/nodes/a~1b/kind/body/body/nodes/c/kind/run_on",
            ),
            (
                r#"{"kind":{"type":"finalizer","run_on":"always","tool_ref":"t"},"queue":"q"}"#,
                "",
            ),
        ] {
            assert_eq!(found(node), expected, "{node}");
        }
    }

    #[test]
    fn a_byte_is_a_line_and_a_column() {
        for (message, text, expected) in [
            (
                "a comma at byte 0",
                "x",
                "a comma at line 1, column 1 (byte 0)\n    1 | x\n      | ^",
            ),
            (
                "a comma at byte 6",
                "é\n\nxx",
                "a comma at line 3, column 3 (byte 6)\n    3 | xx\n      |   ^",
            ),
            ("a comma at byte 1", "é", "a comma at byte 1"),
            ("a comma at byte 9", "x", "a comma at byte 9"),
            ("an edge at byte x", "x", "an edge at byte x"),
            ("an edge", "x", "an edge"),
        ] {
            assert_eq!(with_line(message, text).as_str(), expected);
        }
    }
}
