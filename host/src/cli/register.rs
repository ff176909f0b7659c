//! `refrain register`: workflows for other workflows to start by name.

use std::path::PathBuf;

use refrain::Workflow;
use serde_json::{Value, json};

use super::database::{self, Database};
use super::output::{self, Form};
use super::text::text;
use super::{Answer, act, files, guests, validate};

/// Register workflows, and start nothing
///
/// So that other workflows can start them as children, by id and version. `refrain run`
/// and `start` register what they start.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The workflows, in JSON or YAML
    #[arg(value_name = "WORKFLOW.json", required = true)]
    workflows: Vec<PathBuf>,
    /// For simulations: in the database next to the named one, PATH.sim
    #[arg(long)]
    simulate: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut valid = Vec::new();
    let mut invalid: Vec<Value> = Vec::new();
    for path in &arguments.workflows {
        let text = files::workflow(path)?;
        match guests::check(&text, None)? {
            Ok(_) => valid.push(Workflow::from_json(text.json)?),
            Err(faults) => {
                output::tell(&validate::bad(path, &text, &faults).trimmed());
                invalid.push(validate::invalid(&faults));
            }
        }
    }
    // All or none: what is registered is there for good.
    if !invalid.is_empty() {
        if arguments.form.json {
            output::document(&json!({ "workflows": [], "invalid": invalid }))?;
        }
        return Ok(Answer::Bad);
    }
    act::finish(register(arguments, valid))?
}

async fn register(arguments: &Arguments, workflows: Vec<Workflow>) -> anyhow::Result<Answer> {
    let store = arguments.database.open_or_create(arguments.simulate)?;
    let engine = database::engine(store).only([]).start().await?;
    let mut registered = Vec::new();
    let mut failed = None;
    for workflow in workflows {
        match engine.register(workflow).await {
            Ok(summary) => registered.push(summary),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    engine.shutdown().await;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if arguments.form.json {
        let workflows = registered.iter().map(|it| {
            json!({ "workflow_id": it.workflow_id, "workflow_version": it.version, "queues": it.queues })
        });
        let workflows: Vec<Value> = workflows.collect();
        output::document(&json!({ "workflows": workflows }))?;
        return Ok(Answer::Good);
    }
    for summary in &registered {
        output::data(&text!("{} {}\n", summary.workflow_id, summary.version));
    }
    Ok(Answer::Good)
}
