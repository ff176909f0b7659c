//! `refrain run`: register a workflow, start it, and work until it has ended.

use refrain::model::Status;
use refrain::store::SqliteStore;

use super::database::{self, Database};
use super::judgement::Until;
use super::output::{self, Form};
use super::secrets::{GivenSecrets, SecretsSource};
use super::seen::Seen;
use super::session::{Session, Stopped};
use super::starting::{Startable, ToStart};
use super::text::text;
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
        Some(startable) => act::finish(work(&arguments, startable, served, &secrets))?,
        None => Ok(Answer::Bad),
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
        form,
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
    let mut session = Session::new(database, watched, records, served.clone(), Until::Ended)?;
    if is_new {
        session.are_new();
    }
    workers.serve(&engine, &served);
    let stopped = session.work(engine).await?;
    let Some(seen) = session.seen().next() else {
        return Ok(Answer::Good);
    };
    if form.json {
        output::document(&session.report(seen)?)?;
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
    Ok(say_how_it_ended(seen, stopped, database))
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
