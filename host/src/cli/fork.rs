//! `refrain fork`: another execution goes on from a place in the log of one.

use std::path::PathBuf;

use anyhow::Context;
use refrain::id::ExecutionId;
use refrain::json::Json;
use refrain::model::{EventKind, ParentOrigin, Status, node_of_run};
use refrain::store::{Reader, SqliteStore, ended};
use refrain::time::exact_span;
use refrain::{Fork, Workflow, names, render};
use serde::Serialize;
use serde_json::Value;

use super::by::By;
use super::coded::refuse;
use super::database::{self, Database};
use super::named::Named;
use super::output::{self, Form};
use super::text::{Text, text};
use super::{Answer, act, erased, files, guests, validate};

/// Fork an execution: another one goes on from a place in its log
///
/// The new execution has the events up to that place in common with the one that it was
/// forked from, which is left as it is. What was in flight there waits again, and open
/// approvals are asked for anew. `refrain resume` goes on with it.
///
/// Unless you say from where: one that failed is forked from the first node that failed
/// (of a map: from the first of its instances that failed), one that was cancelled from
/// before that, any other from its end.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("place").args(["at", "from", "result", "input"]))]
pub(super) struct Arguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    execution: Named,
    /// Have the events up to this one in common
    #[arg(long, value_name = "N")]
    at: Option<u64>,
    /// Go on from before this node began
    #[arg(long, value_name = "NODE")]
    from: Option<String>,
    /// Go on with this result of a node in the place of what its worker answered. Give it
    /// again for each further node that was at work at the same time
    #[arg(long, value_name = "NODE=JSON|@FILE")]
    result: Vec<String>,
    /// Begin anew, with this input
    #[arg(long, value_name = "JSON|@FILE")]
    input: Option<String>,
    /// Go on with this workflow. It must have led to the same until then
    #[arg(long, value_name = "WORKFLOW.json")]
    workflow: Option<PathBuf>,
    /// Let this scheduler component decide. It must have decided the same until then
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

#[derive(Serialize)]
struct Document {
    execution_id: String,
    forked_from: Origin,
    workflow_id: String,
    workflow_version: String,
    guest_digest: String,
}

/// Where the fork has gone its own way.
#[derive(Serialize)]
struct Origin {
    execution_id: String,
    /// The last event that both have in common.
    sequence: u64,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let origin = arguments.execution.find(&arguments.database)?;
    let (mut store, record) = arguments.database.holding(origin)?;
    erased::refuse(&record)?;
    let parent = parent(&mut store, origin)?;
    let fork = fork(&arguments, origin)?;
    let workflow = match &arguments.workflow {
        None => None,
        Some(path) => {
            let text = files::workflow(path)?;
            if let Err(faults) = guests::check(&text, None)? {
                output::tell(&validate::bad(path, &text, &faults).trimmed());
                return Ok(Answer::Bad);
            }
            Some(Workflow::from_json(text.json)?)
        }
    };
    let forked = act::finish(forked(&arguments, origin, store, fork, workflow))??;
    let Forked {
        document,
        status,
        error,
        allowed,
        moved,
    } = forked;
    if let Some(asked) = moved {
        output::say(&text!(
            "what was decided together stays together, and an end is not forked: it is forked at event {}, and not at {}",
            document.forked_from.sequence,
            asked
        ));
    }
    say_how_to_go_on(&arguments, &document, status);
    if ended(status) {
        let why = error.map_or(Text::new(), |error| text!(" ({})", Text::lines(&error)));
        let leads_to = match (&arguments.result[..], &arguments.input) {
            ([_], _) => "this result leads to that end",
            ([_, _, ..], _) => "these results lead to that end",
            ([], Some(_)) => "this input leads to that end",
            ([], None) => "what both have in common leads to that end",
        };
        let remedy = match arguments.result.is_empty() && arguments.input.is_none() {
            true => {
                ": fork it from before that, with --from NODE or --at N, or with another --result or --input"
            }
            false => "",
        };
        output::say(&text!("{}{}{}", leads_to, why, remedy));
    } else if let Some(allowed) = allowed {
        output::say(&text!(
            "its workflow may take {}, which counts from now: go on before that is over",
            exact_span(allowed)
        ));
    }
    if let Some(parent) = parent {
        say_of_parent(&arguments.database, &parent);
    }
    if arguments.form.json {
        output::document(&document)?;
    } else {
        output::data(&text!("{}\n", document.execution_id));
    }
    Ok(Answer::Good)
}

/// The fork that is asked for, but for its workflow and its guest.
fn fork(arguments: &Arguments, origin: ExecutionId) -> anyhow::Result<Fork> {
    let json = |argument: &str, what: &'static str| -> anyhow::Result<Json> {
        Json::from_text(files::json(argument, what)?)
            .with_context(|| format!("the {what} is not accepted"))
    };
    let mut fork = Fork::of(origin).by(arguments.by.who());
    if let Some(sequence) = arguments.at {
        fork = fork.at(sequence);
    }
    if let Some(node_id) = &arguments.from {
        fork = fork.from_node(node_id);
    }
    for result in &arguments.result {
        let Some((node_id, result)) = result.split_once('=') else {
            refuse!(
                "usage",
                "--result wants a node and its result: NODE=JSON, or NODE=@FILE"
            );
        };
        fork = fork.result(node_id, json(result, "result")?);
    }
    if let Some(input) = &arguments.input {
        fork = fork.input(json(input, "input")?);
    }
    Ok(fork)
}

/// The parent that the execution has, if it is a child.
fn parent(store: &mut SqliteStore, id: ExecutionId) -> anyhow::Result<Option<ParentOrigin>> {
    let first = store.events(id, 1, 1)?.into_iter().next();
    Ok(match first.map(|stored| stored.event.kind) {
        Some(EventKind::WorkflowStarted(started)) => started.parent,
        _ => None,
    })
}

/// A fork of a child has no parent (law 11): nobody waits for what it comes to.
fn say_of_parent(database: &Database, parent: &ParentOrigin) {
    let helps = parent.execution_id.parse().map(|id| {
        let node = node_of_run(&parent.node_id);
        text!(
            "; for the parent to go on with another child, fork the parent: {}",
            database.command_to_fork_from(id, node)
        )
    });
    output::say(&text!(
        "it is the fork of a child, and has no parent: {} hears nothing of it{}",
        parent.execution_id,
        helps.unwrap_or_default()
    ));
}

/// How long an execution of this workflow may take, in milliseconds, if it says so.
fn allowed(workflow: &str) -> Option<u64> {
    let workflow: Value = serde_json::from_str(workflow).ok()?;
    let allowed = workflow.pointer("/timeouts/workflow_timeout")?;
    let seconds = allowed.as_u64().or_else(|| allowed["secs"].as_u64())?;
    let nanos = allowed["nanos"].as_u64().unwrap_or(0);
    Some(
        seconds
            .saturating_mul(1000)
            .saturating_add(nanos.div_ceil(1_000_000)),
    )
}

/// A fork that was made.
struct Forked {
    document: Document,
    status: Status,
    /// Why it has ended, if it has at once.
    error: Option<String>,
    /// How long its workflow may take, in milliseconds, if it is bounded.
    allowed: Option<u64>,
    /// Which event was asked for, if it is another one.
    moved: Option<u64>,
}

async fn forked(
    arguments: &Arguments,
    origin: ExecutionId,
    store: SqliteStore,
    mut fork: Fork,
    workflow: Option<Workflow>,
) -> anyhow::Result<Forked> {
    let mut library = guests::library()?;
    if let Some(path) = &arguments.guest {
        fork = fork.guest(guests::add(&mut library, path)?);
    }
    let engine = database::engine(database::to_write(store)?)
        .library(library)
        .only([])
        .start()
        .await?;
    let made = async {
        if let Some(workflow) = workflow {
            let registered = engine.register(workflow).await?;
            fork = fork.workflow(registered.workflow_id, registered.version);
        }
        let made = engine.fork(fork).await?;
        let record = made.execution.record().await?;
        let last = made.execution.events(record.head.sequence, 1).await?;
        let workflow = engine
            .workflow(&record.workflow_id, &record.workflow_version)
            .await?;
        Ok::<_, refrain::EngineError>((record, made.common, last, workflow))
    };
    let made = made.await;
    engine.shutdown().await;
    let (record, sequence, last, workflow) = made?;
    let error = last
        .first()
        .and_then(|stored| render::error(&stored.event.kind));
    let error = error.map(|error| error.into_owned());
    let document = Document {
        execution_id: record.id.to_string(),
        forked_from: Origin {
            execution_id: origin.to_string(),
            sequence,
        },
        workflow_id: record.workflow_id,
        workflow_version: record.workflow_version,
        guest_digest: record.guest_digest.to_string(),
    };
    let moved = arguments.at.filter(|asked| *asked != sequence);
    Ok(Forked {
        document,
        status: record.status,
        error,
        allowed: allowed(&workflow.text),
        moved,
    })
}

fn say_how_to_go_on(arguments: &Arguments, document: &Document, status: Status) {
    let Document {
        execution_id,
        forked_from: Origin {
            execution_id: origin,
            sequence,
        },
        ..
    } = document;
    let events = match sequence {
        1 => text!("event 1 is"),
        _ => text!("events 1 to {} are", sequence),
    };
    let command = |verb| {
        arguments
            .database
            .command(verb, std::slice::from_ref(execution_id))
    };
    // What nothing was missing of but its end has come to it at once.
    let next: Text = match status {
        _ if ended(status) => text!("it is {}, see {}", names::status(status), command("show")),
        // A pause stays in a fork, and nothing else lifts it.
        Status::Paused => text!(
            "it is paused, too; to go on, type: {}, then {}",
            command("unpause"),
            command("resume")
        ),
        _ => text!("to go on, type: {}", command("resume")),
    };
    output::say(&text!("forked {}: {} in common; {}", origin, events, next));
}
