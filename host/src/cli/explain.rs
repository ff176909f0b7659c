//! `refrain explain`: why a node is where it is.

use anyhow::bail;
use refrain::contract::{Explanation, SchedulerError};
use refrain::guest::CallError;
use refrain::id::ExecutionId;
use refrain::names;

use super::database::{self, Database};
use super::output::{self, Paint};
use super::time::readable;
use super::{Answer, guests};

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
        let mut document = names::explanation_json(&explanation);
        document["execution_id"] = execution.to_string().into();
        output::document(&document)?;
    } else {
        output::data(&text(&explanation, output::colours(&std::io::stdout())))?;
    }
    Ok(Answer::Good)
}

fn text(explanation: &Explanation, colours: bool) -> String {
    let state = Paint::of_node(explanation.state).on(names::node_state(explanation.state), colours);
    let mut text = format!("{} is {state}\n", explanation.node_id);
    for reason in &explanation.reasons {
        text.push_str(&format!("  {}\n", readable(&reason.message)));
    }
    text
}
