//! `refrain start`: register a workflow, start it, and leave.

use refrain::model::WorkflowSummary;
use refrain::names;
use refrain::queues;
use serde_json::json;

use super::database::{self, Database};
use super::output::{self, Form};
use super::starting::{Startable, ToStart};
use super::text::{Text, text};
use super::{Answer, act};

/// Start a workflow and leave, for workers elsewhere
///
/// Prints the id of the execution. `refrain work` works on it, and on all others.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    to_start: ToStart,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    match arguments.to_start.read(arguments.form)? {
        Some(startable) => act::finish(start(&arguments, startable))?,
        None => Ok(Answer::Bad),
    }
}

async fn start(arguments: &Arguments, mut startable: Startable) -> anyhow::Result<Answer> {
    let store = arguments.database.open_or_create(false)?;
    let mut builder = database::engine(store).only([]);
    if let Some(component) = startable.guest.take() {
        builder = builder.guest(component);
    }
    let engine = builder.start().await?;
    let started = arguments.to_start.start(&engine, startable, None).await;
    let found = match started {
        Ok((execution, registered)) => Ok((execution.record().await, registered)),
        Err(error) => Err(error),
    };
    engine.shutdown().await;
    let (record, registered) = found?;
    let record = record?;
    if arguments.form.json {
        output::document(&json!({
            "execution_id": record.id.to_string(),
            "status": names::status(record.status),
        }))?;
    } else {
        output::data(&text!("{}\n", record.id));
    }
    output::say(&text!(
        "{} {} is {}; where no worker works on it, type: {}",
        record.workflow_id,
        record.workflow_version,
        names::status(record.status),
        to_work(&registered, &arguments.database)
    ));
    Ok(Answer::Good)
}

/// What a person types to have all queues of a workflow worked on.
fn to_work(registered: &WorkflowSummary, database: &Database) -> Text {
    let foreign = |queue: &&String| !queues::BUILT_IN.contains(&queue.as_str());
    match registered.queues.iter().find(foreign) {
        Some(queue) => database.command_to_serve(queue),
        None => database.command("work", &[""; 0]),
    }
}
