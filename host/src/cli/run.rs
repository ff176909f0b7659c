//! `refrain run`: register a workflow, start it, and work until it has ended.

use std::path::PathBuf;

use anyhow::Context;
use refrain::json::Json;
use refrain::model::Status;
use refrain::store::SqliteStore;
use refrain::{Start, Workflow};

use super::by::By;
use super::database::{self, Database};
use super::judgement::Until;
use super::output::{self, Form};
use super::text::text;
use super::watch::Seen;
use super::work::{Report, Session, Stopped};
use super::{Answer, act, damage, files, guests, json_text, validate};

/// Run a workflow to its end, with workers for `command` and `http` nodes
///
/// Prints the final state. Ctrl-C stops cleanly; `refrain resume` goes on.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The workflow
    #[arg(value_name = "WORKFLOW.json")]
    workflow: PathBuf,
    /// The input
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    input: String,
    /// Start once: with the same key again, the execution that it started is
    /// worked on
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// Let this scheduler component decide, for the whole life of the execution
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    /// Answer all work at once with `{}`, on a simulated clock, in a database next to
    /// the named one: PATH.sim
    #[arg(long)]
    simulate: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let text = files::workflow(&arguments.workflow)?;
    let input = Json::from_text(files::json(&arguments.input, "input")?)
        .context("the input is not accepted")?;
    // Before a database is made: what cannot run must not leave one behind.
    let guest = arguments
        .guest
        .as_deref()
        .map(guests::component)
        .transpose()?;
    if let Err(faults) = guests::validate(&text, guest.as_deref())? {
        if arguments.form.json {
            output::document(&validate::invalid(&faults))?;
        }
        output::say(&validate::bad(&arguments.workflow, &text, &faults).trimmed());
        return Ok(Answer::Bad);
    }
    let workflow = Workflow::from_json(text)?;
    act::finish(work(&arguments, guest, workflow, input))?
}

async fn work(
    arguments: &Arguments,
    guest: Option<Vec<u8>>,
    workflow: Workflow,
    input: Json,
) -> anyhow::Result<Answer> {
    let Arguments {
        by,
        database,
        key,
        simulate,
        form,
        ..
    } = arguments;
    let store = database.open_or_create(*simulate)?;
    let watched = SqliteStore::open(store.path())?;
    let mut builder = database::engine(store).only([]);
    if let Some(component) = guest {
        builder = builder.guest(component);
    }
    let engine = builder.start().await?;
    let registered = engine.register(workflow).await?;
    let mut start = Start::new(
        registered.workflow_id.clone(),
        registered.version.clone(),
        input,
    )
    .by(by.who());
    if let Some(key) = key {
        start = start.key(key);
    }
    let execution = engine.start_with(start).await?;
    let record = execution.record().await?;
    output::say(&text!(
        "{}  {} {}",
        record.id,
        record.workflow_id,
        record.workflow_version
    ));
    for note in validate::notes(&registered.ignored, &registered.unreachable) {
        output::say(&text!("note: {}", note));
    }
    // By its key, it may have been started long ago.
    let is_new = record.last_at == record.started_at;
    let mut session = Session::new(database, watched, vec![record], Until::Ended)?;
    if is_new {
        session.are_new();
    }
    act::serve_built_in(&engine);
    let stopped = session.work(engine).await?;
    let Some(seen) = session.seen().next() else {
        return Ok(Answer::Good);
    };
    if form.json {
        output::document(&Report::of(seen)?)?;
    } else if let Some(state) = &seen.ending.final_state {
        output::data(&text!("{}\n", json_text::pretty(state)));
    }
    Ok(say_how_it_ended(seen, stopped, database))
}

/// Says what has become of the execution, and answers whether that is good.
fn say_how_it_ended(seen: &Seen, stopped: Stopped, database: &Database) -> Answer {
    let (status, paint) = damage::standing(&seen.record);
    let status = status.painted(paint, output::colours(&std::io::stderr()));
    if let Some(why) = seen.why_damaged(database) {
        output::say(&text!("{}: {}", status, why));
        return Answer::Bad;
    }
    match seen.ending.text(seen.record.id, database) {
        Some(error) => output::say(&text!("{}: {}", status, error)),
        None if seen.record.status == Status::Cancelled => output::say(&status),
        None => {}
    }
    match stopped {
        Stopped::Interrupted if !seen.ended() => Answer::Undone,
        _ => Answer::good_if(seen.record.status == Status::Completed),
    }
}
