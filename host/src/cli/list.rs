//! `refrain list`: which executions there are.

use refrain::log::digest::hex;
use refrain::model::Status;
use refrain::names;
use refrain::store::{
    ExecutionRecord, ListFilter, Many, Reader, SqliteStore, StoreError, Timestamp, ended,
};
use refrain::time::rfc3339;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Answer;
use super::damage::{self, DamagedDocument, TamperedDocument};
use super::database::Database;
use super::erased;
use super::failure;
use super::output::{self, Form};
use super::table::{Table, plain};
use super::text::text;
use super::time::{self, span, stamp};

/// Executions read from the store at once.
const PAGE: usize = 1000;

/// List executions, the oldest first
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only those of this status
    #[arg(long, value_parser = status, value_name = "STATUS")]
    status: Option<Status>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut stores = arguments.database.open()?;
    let stored = of_both(&mut stores, arguments.status)?;
    if arguments.form.json {
        let documents = stored.found.iter();
        let executions: Vec<_> = documents
            .map(|listed| RecordDocument::of(&listed.record, listed.simulated))
            .collect();
        let damaged: Vec<_> = stored.damaged.iter().map(DamagedDocument::of).collect();
        output::document(&json!({ "executions": executions, "damaged": damaged }))?;
        return Ok(Answer::good_if(damaged.is_empty()));
    }
    let (records, mut whole) = damage::named(stored);
    if !records.is_empty() {
        let now = match now(&mut stores) {
            // Which executions there are shows all the same.
            Err(error @ StoreError::Malformed { .. }) => {
                output::say(&failure::text(&error.into()));
                whole = false;
                records
                    .iter()
                    .map(|it| it.record.last_at)
                    .max()
                    .unwrap_or(0)
            }
            now => now?,
        };
        output::data(&table(&records, now).text(0, output::colours(&std::io::stdout())));
    } else if whole {
        output::say(&text!("no executions"));
    }
    Ok(Answer::good_if(whole))
}

/// An execution of either file.
struct Listed {
    record: ExecutionRecord,
    simulated: bool,
}

/// The executions of all these stores, in the order in which they started, and what of
/// them cannot be read.
fn of_both(stores: &mut [SqliteStore], status: Option<Status>) -> anyhow::Result<Many<Listed>> {
    let mut both = Many::whole(Vec::new());
    for store in stores {
        let simulated = store.is_simulated();
        let Many { found, damaged } = all(store, status)?;
        let listed = |record| Listed { record, simulated };
        both.found.extend(found.into_iter().map(listed));
        both.damaged.extend(damaged);
    }
    let start = |listed: &Listed| (listed.record.started_at, listed.record.id);
    both.found.sort_by_key(start);
    Ok(both)
}

/// What time it is, by the logs of real time if there are any.
fn now(stores: &mut [SqliteStore]) -> Result<Timestamp, StoreError> {
    stores.first_mut().map_or(Ok(0), |store| time::now(store))
}

/// All executions of a status, in the order in which they started, and what of
/// them cannot be read.
pub(super) fn all(
    store: &mut dyn Reader,
    status: Option<Status>,
) -> anyhow::Result<Many<ExecutionRecord>> {
    let mut all: Many<ExecutionRecord> = Many::whole(Vec::new());
    loop {
        let last = all.found.last();
        let after = last.map(|record| (record.started_at, record.id));
        let page = store.list(&ListFilter {
            status,
            after,
            max: PAGE,
        })?;
        let is_last = page.found.len() < PAGE;
        all.found.extend(page.found);
        // What is damaged beneath all of them is met with each page.
        for damaged in page.damaged {
            if !all.damaged.contains(&damaged) {
                all.damaged.push(damaged);
            }
        }
        if is_last {
            return Ok(all);
        }
    }
}

/// A record, as every JSON document has it.
#[derive(Serialize)]
pub(super) struct RecordDocument<'a> {
    execution_id: String,
    workflow_id: &'a str,
    workflow_version: &'a str,
    status: &'static str,
    events: u64,
    head: String,
    started_at: Option<String>,
    last_at: Option<String>,
    next_wake: Option<String>,
    tenant: &'a str,
    key: Option<&'a str>,
    simulated: bool,
    guest: &'a str,
    tampered: Option<TamperedDocument<'a>>,
    erased: Option<Box<RawValue>>,
}

impl<'a> RecordDocument<'a> {
    pub(super) fn of(record: &'a ExecutionRecord, simulated: bool) -> Self {
        Self {
            execution_id: record.id.to_string(),
            workflow_id: &record.workflow_id,
            workflow_version: &record.workflow_version,
            status: names::status(record.status),
            events: record.head.sequence,
            head: hex(&record.head.hash),
            started_at: rfc3339(record.started_at),
            last_at: rfc3339(record.last_at),
            next_wake: record.next_wake.and_then(rfc3339),
            tenant: &record.tenant,
            key: record.key.as_deref(),
            simulated,
            guest: &record.guest_digest,
            tampered: record.tampering.as_ref().map(TamperedDocument::of),
            erased: erased::document(record.erased.as_deref()),
        }
    }
}

fn table(listed: &[Listed], now: Timestamp) -> Table {
    let mut table = Table::new([
        "EXECUTION",
        "WORKFLOW",
        "STATUS",
        "EVENTS",
        "STARTED",
        "TOOK",
    ]);
    for Listed { record, simulated } in listed {
        let (standing, paint) = damage::standing(record);
        table.row([
            plain(record.id),
            plain(text!("{} {}", record.workflow_id, record.workflow_version)),
            (text!("{}{}", standing, mark(*simulated)), paint),
            plain(record.head.sequence),
            plain(stamp(record.started_at)),
            plain(took(record, *simulated, now)),
        ]);
    }
    table
}

/// What is said of simulated executions.
pub(super) fn mark(simulated: bool) -> &'static str {
    if simulated { ", simulated" } else { "" }
}

/// How long an execution took, or how long it has been at it.
pub(super) fn took(record: &ExecutionRecord, simulated: bool, now: u64) -> String {
    if ended(record.status) || simulated {
        span(record.last_at.saturating_sub(record.started_at))
    } else {
        format!("{} so far", span(now.saturating_sub(record.started_at)))
    }
}

fn status(text: &str) -> Result<Status, String> {
    names::parse_status(text).ok_or_else(|| {
        "it should be running, paused, stalled, completed, failed or cancelled".to_owned()
    })
}
