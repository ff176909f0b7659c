//! `refrain explain`: why a node is where it is.

use anyhow::bail;
use refrain::guest::CallError;
use refrain::id::ExecutionId;
use refrain::log::Attestation;
use refrain::log::json::explanation_json;
use refrain::model::{Explanation, Reason, SchedulerError};
use refrain::names;
use refrain::render;
use serde_json::json;

use super::database::{self, Database};
use super::output::{self, Paint};
use super::text::{Text, text};
use super::{Answer, erased, guests, remedy};

/// Say why a node runs, waits, was skipped or failed
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    execution: ExecutionId,
    /// The node
    #[arg(value_name = "NODE")]
    node: String,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        execution,
        node,
        json,
        database,
    } = arguments;
    let mut store = database.open()?;
    let record = database::record(&mut store, *execution)?;
    if let Some(attestation) = &record.erased {
        return say_erased(arguments, attestation);
    }
    let mut player = guests::player(&mut store, &record)?;
    let explanation = match player.explain(node) {
        Ok(explanation) => explanation,
        Err(CallError::Scheduler(SchedulerError::UnknownNode(node))) => {
            bail!(
                "execution {execution} has no node {node:?}; `refrain show {execution}` lists its nodes"
            )
        }
        Err(error) => return Err(error.into()),
    };
    if *json {
        let mut document = explanation_json(&explanation);
        document["execution_id"] = execution.to_string().into();
        output::document(&document)?;
    } else {
        let colours = output::colours(&std::io::stdout());
        output::data(&text(&explanation, *execution, database, colours));
    }
    Ok(Answer::Good)
}

/// Of an erased log only its plain fields are left: no scheduler can say why.
fn say_erased(arguments: &Arguments, attestation: &Attestation) -> anyhow::Result<Answer> {
    let Arguments {
        execution,
        node,
        json,
        ..
    } = arguments;
    if *json {
        output::document(&json!({
            "execution_id": execution.to_string(),
            "node_id": node,
            "erased": erased::document(Some(attestation)),
        }))?;
    } else {
        output::data(&text!(
            "why node {:?} is where it is cannot be told any more: {} was {}\n",
            node,
            execution,
            erased::sentence(attestation)
        ));
    }
    Ok(Answer::Good)
}

fn text(
    explanation: &Explanation,
    execution: ExecutionId,
    database: &Database,
    colours: bool,
) -> Text {
    let state = Paint::of_node(explanation.state).on(names::node_state(explanation.state), colours);
    let mut text = text!("{} is {}\n", explanation.node_id, state);
    for reason in reasons(explanation, execution, database) {
        text.push(&text!("  {}\n", reason));
    }
    text
}

/// The reasons in sentences, each with what to type about it.
pub(super) fn reasons(
    explanation: &Explanation,
    execution: ExecutionId,
    database: &Database,
) -> Vec<Text> {
    let reasons = explanation.reasons.iter();
    let text = |reason: &Reason| {
        let sentence = render::sentence(&explanation.node_id, &reason.cause);
        let sentence = Text::part_of_lines(&sentence);
        match remedy::text(&reason.remedies, execution, database) {
            Some(remedies) => text!("{}: {}", sentence, remedies),
            None => sentence,
        }
    };
    reasons.map(text).collect()
}
