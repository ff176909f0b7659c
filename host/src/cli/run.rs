//! `refrain run`: register a workflow, start it, and work until it has ended.

use refrain::Breakpoints;
use refrain::model::Status;
use refrain::store::SqliteStore;
use serde::Serialize;
use serde_json::Value;

use super::database::{self, Database};
use super::judgement::Until;
use super::output::{self, Form};
use super::paused::Pause;
use super::secrets::{GivenSecrets, SecretsSource};
use super::seen::Seen;
use super::session::{Session, Stopped};
use super::starting::{Startable, ToStart};
use super::text::text;
use super::worked_on::Report;
use super::workers::{Served, Workers};
use super::{Answer, act, damage, json_text};

/// Run a workflow to its end
///
/// Prints the final state. Works on this execution alone. Ctrl-C stops cleanly;
/// `refrain resume` goes on.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    to_start: ToStart,
    /// Answer all work at once with `{}`, on a simulated clock, in a database next to
    /// the named one: PATH.sim
    #[arg(long, conflicts_with = "programs")]
    simulate: bool,
    /// Pause before this node, and leave; may be given several times
    ///
    /// `resize[3]` is an instance of a map, and `bill/send` a node of a child.
    #[arg(long = "break", value_name = "NODE")]
    before: Vec<String>,
    /// Pause when this condition comes to hold on the state, and leave; may be given several
    /// times
    #[arg(long = "break-when", value_name = "EXPR")]
    when: Vec<String>,
    #[command(flatten)]
    workers: Workers,
    #[command(flatten)]
    secrets: SecretsSource,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let served = arguments.workers.served(&[])?;
    let secrets = arguments.secrets.read()?;
    match arguments.to_start.read(arguments.form)? {
        Some(startable) => {
            let startable = startable.breakpoints(arguments.breakpoints())?;
            act::finish(work(&arguments, startable, served, &secrets))?
        }
        None => Ok(Answer::Bad),
    }
}

impl Arguments {
    fn breakpoints(&self) -> Breakpoints {
        let before = self.before.iter();
        let before = before.fold(Breakpoints::none(), |all, node| all.before(node));
        self.when
            .iter()
            .fold(before, |all, condition| all.when(condition))
    }

    fn until(&self) -> Until {
        match self.before.is_empty() && self.when.is_empty() {
            true => Until::Ended,
            false => Until::Paused,
        }
    }
}

async fn work(
    arguments: &Arguments,
    mut startable: Startable,
    served: Served,
    secrets: &GivenSecrets,
) -> anyhow::Result<Answer> {
    let Arguments {
        to_start,
        simulate,
        workers,
        database,
        ..
    } = arguments;
    let store = database.open_or_create(*simulate)?;
    let watched = SqliteStore::open(store.path())?;
    let mut builder = secrets.to(database::engine(store)).only([]);
    if let Some(component) = startable.guest.take() {
        builder = builder.guest(component);
    }
    let engine = builder.start().await?;
    // Simulated workers serve every queue.
    let of_this = (!simulate).then_some(&served);
    let (execution, _) = to_start.start(&engine, startable, of_this).await?;
    let record = execution.record().await?;
    output::say(&text!(
        "{}  {} {}",
        record.id,
        record.workflow_id,
        record.workflow_version
    ));
    // By its key, it may have been started long ago.
    let is_new = record.last_at == record.started_at;
    let records = vec![record];
    let until = arguments.until();
    let mut session = Session::new(database, watched, records, served.clone(), until)?;
    if is_new {
        session.are_new();
    }
    workers.serve(&engine, &served);
    let stopped = session.work(engine).await?;
    match session.seen().next() {
        Some(seen) => tell(arguments, &session, seen, stopped),
        None => Ok(Answer::Good),
    }
}

/// What there is to tell programs.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: Report<'a>,
    /// Those of it and its children that are paused, where it has breakpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<Vec<Value>>,
}

/// Tells what has become of the execution.
fn tell(
    arguments: &Arguments,
    session: &Session<'_>,
    seen: &Seen,
    stopped: Stopped,
) -> anyhow::Result<Answer> {
    let database = &arguments.database;
    let breaks = arguments.until() == Until::Paused;
    let paused = match breaks {
        true => paused(session, seen, database)?,
        false => Vec::new(),
    };
    if arguments.form.json {
        output::document(&Document {
            report: session.report(seen)?,
            paused: breaks.then(|| paused.iter().map(Pause::document).collect()),
        })?;
    } else if let Some(state) = &seen.ending.final_state {
        output::data(&text!("{}\n", json_text::pretty(state)));
    }
    session.say_what_was_unset();
    if session.has_stalled_child(seen) && seen.record.status == Status::Running {
        output::tell(&text!(
            "{} is running, and does not go on before its child does; then: {}",
            seen.record.id,
            database.command("resume", &[seen.record.id.to_string()])
        ));
    }
    if breaks && paused.is_empty() && seen.ended() {
        output::say(&text!("no breakpoint was met"));
    }
    if stopped == Stopped::Done {
        paused.iter().for_each(|it| output::say(&it.text(database)));
    }
    let answer = say_how_it_ended(seen, stopped, database);
    Ok(match stopped {
        Stopped::Done if !paused.is_empty() => Answer::Good,
        _ => answer,
    })
}

/// The pauses of an execution and its children.
fn paused(session: &Session<'_>, seen: &Seen, database: &Database) -> anyhow::Result<Vec<Pause>> {
    let mut pauses = Vec::new();
    for (id, way) in session.paused(seen) {
        let (mut store, _) = database.holding(id)?;
        pauses.extend(Pause::of(&mut store, id, way)?);
    }
    Ok(pauses)
}

/// Says what has become of the execution, and answers whether that is good.
fn say_how_it_ended(seen: &Seen, stopped: Stopped, database: &Database) -> Answer {
    let (status, paint) = damage::standing(&seen.record);
    let status = status.painted(paint, output::colours(&std::io::stderr()));
    if let Some(why) = seen.why_damaged(database) {
        output::tell(&text!("{}: {}", status, why));
        return Answer::Bad;
    }
    match seen.ending.text(seen.record.id, &seen.nodes, database) {
        Some(error) => output::tell(&text!("{}: {}", status, error)),
        None if seen.record.status == Status::Cancelled => output::tell(&status),
        None => {}
    }
    match stopped {
        Stopped::Interrupted if !seen.ended() => Answer::Undone,
        _ => Answer::good_if(seen.record.status == Status::Completed),
    }
}
