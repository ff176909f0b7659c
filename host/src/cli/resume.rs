//! `refrain resume`: go on with executions that have not ended.

use refrain::Engine;
use refrain::contract::{EventKind, Status};
use refrain::id::ExecutionId;
use refrain::store::{ExecutionRecord, SqliteStore, ended};
use serde_json::json;

use super::database::{self, Database};
use super::output::{self, painted_status};
use super::text::{Text, text};
use super::work::{Report, Session, Stopped, Until};
use super::{Answer, act, list, log};

/// Go on with executions, with workers for `command` and `http` nodes
///
/// Without EXECUTION: with all that have not ended, until each has ended or
/// waits for somebody else. With one: until it has ended; a stall that the
/// host has put on it is lifted.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The executions; all that have not ended, if none is named
    #[arg(value_name = "EXECUTION")]
    executions: Vec<ExecutionId>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let mut store = arguments.database.open_to_go_on()?;
    let named = !arguments.executions.is_empty();
    let records = if named {
        arguments
            .executions
            .iter()
            .map(|id| database::record(&mut store, *id))
            .collect::<anyhow::Result<_>>()?
    } else {
        list::all(&mut store, None)?
            .into_iter()
            .filter(|record| !ended(record.status))
            .collect::<Vec<_>>()
    };
    if records.is_empty() {
        output::say(&text!("nothing to resume: all executions have ended"));
    }
    let stalled = if named {
        stalled_by_host(&mut store, &records)?
    } else {
        Vec::new()
    };
    drop(store);
    act::finish(work(
        &arguments,
        &records,
        &stalled,
        if named { Until::Ended } else { Until::Idle },
    ))?
}

async fn work(
    arguments: &Arguments,
    records: &[ExecutionRecord],
    stalled: &[ExecutionId],
    until: Until,
) -> anyhow::Result<Answer> {
    let mut stopped = Stopped::Done;
    let ids: Vec<ExecutionId> = records.iter().map(|record| record.id).collect();
    let mut session = Session::new(&arguments.database, &ids)?;
    // Simulated and real time never share an engine.
    for simulated in [false, true] {
        if stopped == Stopped::Interrupted
            || !records.iter().any(|record| record.simulated == simulated)
        {
            continue;
        }
        let store = arguments.database.open_or_create()?;
        let engine = Engine::builder()
            .store(store)
            .simulated(simulated)
            .start()
            .await?;
        for record in records
            .iter()
            .filter(|record| record.simulated == simulated && stalled.contains(&record.id))
        {
            engine
                .execution(record.id)
                .lift_stall(Some("resumed"))
                .await?;
        }
        act::serve_built_in(&engine);
        stopped = session.work(engine, simulated, until).await?;
    }
    answer(arguments, &session, stopped)
}

fn answer(
    arguments: &Arguments,
    session: &Session<'_>,
    stopped: Stopped,
) -> anyhow::Result<Answer> {
    let bad = |status| matches!(status, Status::Failed | Status::Cancelled | Status::Stalled);
    let good = !session.seen().any(|seen| bad(seen.record.status));
    if arguments.json {
        let executions = session
            .seen()
            .map(Report::of)
            .collect::<anyhow::Result<Vec<_>>>()?;
        output::document(&json!({ "executions": executions }))?;
    } else {
        let colours = output::colours(&std::io::stdout());
        for seen in session.seen() {
            let error = seen.ending.error.as_ref().map_or(Text::new(), |error| {
                let sentences = seen.sentences(&arguments.database);
                text!("  {}", sentences.text(error.trim_end()))
            });
            output::data(&text!(
                "{}  {}{}\n",
                seen.record.id,
                painted_status(seen.record.status, colours),
                error
            ));
        }
    }
    let undone = stopped == Stopped::Interrupted && session.seen().any(|seen| !seen.ended());
    Ok(if undone {
        Answer::Undone
    } else {
        Answer::good_if(good)
    })
}

/// Those that stand because the host saw their guest fail.
fn stalled_by_host(
    store: &mut SqliteStore,
    records: &[ExecutionRecord],
) -> anyhow::Result<Vec<ExecutionId>> {
    let mut stalled = Vec::new();
    for record in records
        .iter()
        .filter(|record| record.status == Status::Stalled)
    {
        let events = log::events(store, record.id)?;
        let last = events
            .iter()
            .rev()
            .find_map(|stored| match &stored.event.kind {
                EventKind::Stalled(stall) => Some(stall.node_id.is_none()),
                EventKind::StallLifted(_) => Some(false),
                _ => None,
            });
        if last == Some(true) {
            stalled.push(record.id);
        }
    }
    Ok(stalled)
}
