//! `refrain list`: which executions there are.

use refrain::contract::Status;
use refrain::log::digest::hex;
use refrain::log::time::rfc3339;
use refrain::names;
use refrain::store::{ExecutionRecord, ListFilter, Store, Timestamp, ended};
use serde::Serialize;
use serde_json::json;

use super::Answer;
use super::database::Database;
use super::output::{self, Paint};
use super::table::{Table, plain};
use super::text::{Text, text};
use super::time::{self, span, stamp};

/// Executions read from the store at once.
const PAGE: usize = 1000;

/// List executions, the oldest first
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only those of this status
    #[arg(long, value_parser = status, value_name = "STATUS")]
    status: Option<Status>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut store = arguments.database.open()?;
    let records = all(&mut store, arguments.status)?;
    if arguments.json {
        let executions: Vec<RecordDocument<'_>> = records.iter().map(RecordDocument::of).collect();
        output::document(&json!({ "executions": executions }))?;
    } else if records.is_empty() {
        output::say(&text!("no executions"));
    } else {
        let now = time::now(&mut store)?;
        output::data(&table(&records, now).text(0, output::colours(&std::io::stdout())));
    }
    Ok(Answer::Good)
}

/// All executions of a status, in the order in which they started.
pub(super) fn all(
    store: &mut dyn Store,
    status: Option<Status>,
) -> anyhow::Result<Vec<ExecutionRecord>> {
    let mut all: Vec<ExecutionRecord> = Vec::new();
    loop {
        let after = all.last().map(|record| (record.started_at, record.id));
        let page = store.list(&ListFilter {
            status,
            after,
            max: PAGE,
        })?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
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
}

impl<'a> RecordDocument<'a> {
    pub(super) fn of(record: &'a ExecutionRecord) -> Self {
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
            simulated: record.simulated,
            guest: &record.guest_digest,
        }
    }
}

fn table(records: &[ExecutionRecord], now: Timestamp) -> Table {
    let mut table = Table::new([
        "EXECUTION",
        "WORKFLOW",
        "STATUS",
        "EVENTS",
        "STARTED",
        "TOOK",
    ]);
    for record in records {
        table.row([
            plain(record.id),
            plain(text!("{} {}", record.workflow_id, record.workflow_version)),
            (
                Text::word(names::status(record.status)),
                Paint::of_status(record.status),
            ),
            plain(record.head.sequence),
            plain(stamp(record.started_at)),
            plain(took(record, now)),
        ]);
    }
    table
}

/// How long an execution took, or how long it has been at it.
pub(super) fn took(record: &ExecutionRecord, now: u64) -> String {
    if ended(record.status) || record.simulated {
        span(record.last_at - record.started_at)
    } else {
        format!("{} so far", span(now.saturating_sub(record.started_at)))
    }
}

fn status(text: &str) -> Result<Status, String> {
    names::parse_status(text).ok_or_else(|| {
        "it should be running, paused, stalled, completed, failed or cancelled".to_owned()
    })
}
