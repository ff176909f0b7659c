//! `refrain resume`: go on with executions that have not ended.

use std::time::Duration;

use refrain::id::ExecutionId;
use refrain::model::Status;
use refrain::store::{ExecutionRecord, Reader, SqliteStore, StoreError, ended, is_stalled_by_host};
use refrain::{Engine, EngineError};
use serde_json::json;

use super::by::By;
use super::database::{self, Database};
use super::ending::is_stalled_on_budget;
use super::judgement::Until;
use super::named::Named;
use super::output::{self, Form};
use super::secrets::{GivenSecrets, SecretsSource};
use super::session::{Session, Stopped};
use super::text::text;
use super::workers::{Served, Workers};
use super::{Answer, act, damage, erased, failure, list, typed, worked_on, workers};

/// Go on with executions until each has ended or has to wait
///
/// Without EXECUTION: with all that have not ended. With some: with these alone, and a
/// stall that the host has put on one is lifted, or one on a budget that is spent. It leaves when each has ended, waits for
/// somebody else, or has nothing to do for longer than SPAN. Programs are run in the
/// folder that this is typed in, with its environment.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The executions; all that have not ended, if none is named
    #[arg(value_name = "EXECUTION")]
    executions: Vec<Named>,
    /// Go on with all simulated executions, and with no others
    #[arg(long, conflicts_with = "executions")]
    simulate: bool,
    /// Wait for what is due within this time: timers, timeouts, retries
    #[arg(long, value_name = "SPAN", default_value = "1m", value_parser = typed::span, allow_hyphen_values = true)]
    wait: Duration,
    #[command(flatten)]
    workers: Workers,
    #[command(flatten)]
    secrets: SecretsSource,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    database: Database,
}

/// Executions to go on with, and their store.
struct Part {
    store: SqliteStore,
    records: Vec<ExecutionRecord>,
    /// Those that stand still because the host saw their guest fail.
    stalled: Vec<ExecutionId>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let named = !arguments.executions.is_empty();
    let served = arguments.workers.served(&[])?;
    let secrets = arguments.secrets.read()?;
    let (parts, whole) = match named {
        true => named_ones(&arguments)?,
        false => all(&arguments)?,
    };
    let nothing = parts.iter().all(|part| part.records.is_empty());
    if nothing && whole {
        output::say(&text!("nothing to resume: all executions have ended"));
    }
    say_what_is_worked_on(&parts, named);
    let answer = act::finish(work(&arguments, parts, &served, &secrets))??;
    // The others have gone on; that they are not all is bad all the same.
    Ok(match answer {
        Answer::Good => Answer::good_if(whole),
        answer => answer,
    })
}

/// All of real, or of simulated, time that have not ended, and whether all can be read.
fn all(arguments: &Arguments) -> anyhow::Result<(Vec<Part>, bool)> {
    let mut store = arguments.database.open_to_go_on(arguments.simulate)?;
    let (mut records, whole) = damage::named(list::all(&mut store)?);
    records.retain(|record| !ended(record.status));
    let part = Part {
        store,
        records,
        stalled: Vec::new(),
    };
    Ok((vec![part], whole))
}

/// Those that were named, and whether all can be read.
fn named_ones(arguments: &Arguments) -> anyhow::Result<(Vec<Part>, bool)> {
    let (mut parts, mut whole) = (Vec::new(), true);
    let named = Named::find_all(&arguments.executions, &arguments.database)?;
    for (store, ids) in arguments.database.parts(&named)? {
        let mut store = database::to_write(store)?;
        let (records, all_read) = records(&mut store, &ids)?;
        whole &= all_read;
        for record in &records {
            erased::refuse(record)?;
        }
        let stalled = to_lift(&mut store, &records)?;
        parts.push(Part {
            store,
            records,
            stalled,
        });
    }
    Ok((parts, whole))
}

/// Where work is done that others may have started elsewhere: said before it
/// begins, unless it is the one that was named.
fn say_what_is_worked_on(parts: &[Part], named: bool) {
    let real = parts.iter().filter(|part| !part.store.is_simulated());
    let number: usize = real.map(|part| part.records.len()).sum();
    let all_named = named && number == 1;
    if all_named || number == 0 {
        return;
    }
    let executions = match number {
        1 => text!("1 execution"),
        number => text!("{} executions", number),
    };
    let others = match named {
        true => "",
        false => ", and on what is started here meanwhile",
    };
    output::say(&text!(
        "working on {}{}; {}",
        executions,
        others,
        workers::where_programs_run()
    ));
}

/// The records of these executions, and whether all of them can be read.
fn records(
    store: &mut SqliteStore,
    ids: &[ExecutionId],
) -> anyhow::Result<(Vec<ExecutionRecord>, bool)> {
    let mut records = Vec::new();
    let mut whole = true;
    for id in ids {
        match database::record(store, *id) {
            Ok(record) => records.push(record),
            Err(error) if failure::is_damage(&error) => {
                output::tell(&failure::text(&error));
                whole = false;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((records, whole))
}

/// One that is damaged is named by the engine, and does not stop the others.
fn unless_damaged(done: Result<(), EngineError>) -> anyhow::Result<()> {
    match done {
        Err(error) if error.is_of_one() => Ok(()),
        done => Ok(done?),
    }
}

/// Those that are set aside are checked anew, and go on if their logs hold. So are those
/// that have ended: nothing else reads their logs, and who names one wants to know how
/// it ended.
async fn check_anew(engine: &Engine, record: &ExecutionRecord) -> anyhow::Result<()> {
    unless_damaged(engine.execution(record.id).check_anew().await)
}

async fn work(
    arguments: &Arguments,
    parts: Vec<Part>,
    served: &Served,
    secrets: &GivenSecrets,
) -> anyhow::Result<Answer> {
    let until = Until::Idle(arguments.wait);
    let mut stopped = Stopped::Done;
    let mut sessions = Vec::new();
    // Simulated and real time never share an engine.
    for part in parts {
        let Part {
            store,
            records,
            stalled,
        } = part;
        let watched = SqliteStore::open(store.path())?;
        sessions.push(Session::new(
            &arguments.database,
            watched,
            records.clone(),
            served.clone(),
            until,
        )?);
        let Some(session) = sessions.last_mut() else {
            continue;
        };
        if stopped == Stopped::Interrupted || records.is_empty() {
            continue;
        }
        let mut builder = secrets.to(database::engine(store));
        let named = !arguments.executions.is_empty();
        if named {
            builder = builder.only(records.iter().map(|record| record.id));
        }
        let engine = builder.start().await?;
        let prepare = async |engine: &Engine| {
            for record in &records {
                if named && (record.tampering.is_some() || ended(record.status)) {
                    check_anew(engine, record).await?;
                }
                if stalled.contains(&record.id) {
                    let execution = engine.execution(record.id).by(&arguments.by.who());
                    unless_damaged(execution.lift_stall(Some("resumed")).await)?;
                }
            }
            arguments.workers.serve(engine, served);
            Ok(None)
        };
        stopped = session.prepare_and_work(engine, prepare).await?;
    }
    answer(arguments, &sessions, stopped)
}

fn answer(
    arguments: &Arguments,
    sessions: &[Session<'_>],
    stopped: Stopped,
) -> anyhow::Result<Answer> {
    let all_seen = || sessions.iter().flat_map(Session::seen);
    let bad = |status| matches!(status, Status::Failed | Status::Cancelled | Status::Stalled);
    let mut of_sessions = sessions
        .iter()
        .flat_map(|session| session.seen().map(move |seen| (session, seen)));
    let good = !of_sessions.any(|(session, seen)| {
        seen.is_damaged() || bad(seen.record.status) || session.has_stalled_child(seen)
    });
    if arguments.form.json {
        let mut executions = Vec::new();
        for session in sessions {
            executions.extend(session.reports()?);
        }
        output::document(&json!({ "executions": executions }))?;
    } else {
        let colours = output::colours(&std::io::stdout());
        for seen in all_seen() {
            output::data(&worked_on::row(seen, &arguments.database, colours));
        }
        sessions.iter().for_each(Session::say_what_was_unset);
    }
    if stopped == Stopped::Done {
        sessions.iter().for_each(Session::say_until_when_they_wait);
    }
    let undone = stopped == Stopped::Interrupted && all_seen().any(|seen| !seen.ended());
    Ok(if undone {
        Answer::Undone
    } else {
        Answer::good_if(good)
    })
}

/// Those that stand still because the host saw their guest fail, or on a budget.
fn to_lift(
    store: &mut SqliteStore,
    records: &[ExecutionRecord],
) -> Result<Vec<ExecutionId>, StoreError> {
    let mut stalled = Vec::new();
    for record in records
        .iter()
        .filter(|record| record.status == Status::Stalled && record.tampering.is_none())
    {
        let of_host = is_stalled_by_host(store, record.id, record.head);
        let is_lifted = match of_host {
            Ok(false) => is_stalled_on_budget(store, record),
            of_host => of_host,
        };
        match is_lifted {
            Ok(true) => stalled.push(record.id),
            Ok(false) => {}
            // It is named when it is worked on; the others go on.
            Err(error) if error.is_of_one() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(stalled)
}
