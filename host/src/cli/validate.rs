//! `refrain validate`: everything that is wrong with a workflow, at once.

use std::path::PathBuf;

use refrain::contract::{Fault, WorkflowSummary};
use serde_json::{Value, json};

use super::output;
use super::{Answer, files, guests};

/// Check a workflow, and name every fault with its place and remedy
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The workflow
    #[arg(value_name = "WORKFLOW.json")]
    workflow: PathBuf,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let text = files::workflow(&arguments.workflow)?;
    let answer = guests::validate(&text, None)?;
    if arguments.json {
        output::document(&document(&answer))?;
    } else {
        let place = arguments.workflow.display().to_string();
        output::data(&match &answer {
            Ok(summary) => good(summary),
            Err(faults) => bad(&place, faults),
        })?;
    }
    Ok(Answer::good_if(answer.is_ok()))
}

fn document(answer: &Result<WorkflowSummary, Vec<Fault>>) -> Value {
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
            "faults": [],
        }),
        Err(faults) => json!({ "valid": false, "faults": faults }),
    }
}

fn good(summary: &WorkflowSummary) -> String {
    let WorkflowSummary {
        workflow_id,
        version,
        nodes,
        edges,
        queues,
        ignored,
        unreachable,
    } = summary;
    let queues = if queues.is_empty() {
        "no work".to_owned()
    } else {
        format!("work for {}", queues.join(", "))
    };
    let mut text = format!(
        "{workflow_id} {version} is valid: {}, {}, {queues}\n",
        count(*nodes, "node"),
        count(*edges, "edge"),
    );
    for line in notes(ignored, unreachable) {
        text.push_str(&format!("  note: {line}\n"));
    }
    text
}

/// What is accepted and comes to nothing, a sentence each.
pub(super) fn notes(ignored: &[String], unreachable: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    if !ignored.is_empty() {
        notes.push(format!(
            "these fields change nothing here: {}",
            ignored.join(", ")
        ));
    }
    if !unreachable.is_empty() {
        let nodes = unreachable.join(", ");
        notes.push(format!(
            "nothing leads to these nodes, which are skipped: {nodes}"
        ));
    }
    notes
}

/// So many things, in words.
fn count(many: u32, thing: &str) -> String {
    match many {
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

/// All faults, each with its place and remedy.
pub(super) fn bad(place: &str, faults: &[Fault]) -> String {
    let many = if faults.len() == 1 {
        "1 fault".to_owned()
    } else {
        format!("{} faults", faults.len())
    };
    let mut text = format!("{place} is not valid: {many}\n");
    for Fault {
        pointer,
        message,
        remedy,
    } in faults
    {
        let pointer = if pointer.is_empty() {
            "(the whole text)"
        } else {
            pointer
        };
        text.push_str(&format!(
            "  {pointer}\n    {message}\n    remedy: {remedy}\n"
        ));
    }
    text
}
