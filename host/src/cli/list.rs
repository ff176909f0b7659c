//! `refrain list`: which executions there are.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use refrain::log::digest::hex;
use refrain::model::{Label, Status};
use refrain::names;
use refrain::store::{
    ChildRecord, ExecutionRecord, LabelFilter, ListFilter, Many, Reader, SqliteStore, StoreError,
    Timestamp, ended,
};
use refrain::time::rfc3339;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Answer;
use super::damage::{self, DamagedDocument, TamperedDocument};
use super::database::Database;
use super::labels::LabelsDocument;
use super::leaf::Leaf;
use super::list_children::{Children, ParentDocument, child_mark};
use super::output::{self, Form};
use super::progress::one_line;
use super::table::{Table, plain};
use super::text::text;
use super::time::{self, span, stamp};
use super::{ending, erased, failure, labels, leaf, typed};

/// Executions read from the store at once.
const PAGE: usize = 1000;

/// List executions, the newest first
///
/// A fork stands where its origin began: it has that beginning in common with it.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only those of this status
    #[arg(long, value_parser = status, value_name = "STATUS")]
    status: Option<Status>,
    /// Only those of this workflow, of all its versions
    #[arg(long, value_name = "WORKFLOW")]
    workflow: Option<String>,
    /// Only those with this label, or one of this name; may be given more than once, and
    /// all must hold
    #[arg(long = "label", value_name = "NAME[=VALUE]", value_parser = labels::filter)]
    labels: Vec<LabelFilter>,
    /// Only those that started at this time or later: a time, or how long ago
    #[arg(long, value_name = "TIME|SPAN", value_parser = Since::parse)]
    since: Option<Since>,
    /// Only those that were started or forked, and no children of others
    #[arg(long)]
    roots: bool,
    /// At most so many; 100, unless this is for programs
    #[arg(long, value_name = "N", value_parser = typed::from_one)]
    limit: Option<NonZeroUsize>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut stores = arguments.database.open()?;
    let filter = ListFilter {
        status: arguments.status,
        workflow_id: arguments.workflow.clone(),
        since: match arguments.since {
            Some(since) => Some(since.time(&mut stores)?),
            None => None,
        },
        labels: arguments.labels.clone(),
        roots: arguments.roots,
        newest_first: true,
        ..ListFilter::default()
    };
    let limit = arguments
        .limit
        .map(NonZeroUsize::get)
        .or((!arguments.form.json).then_some(SHOWN_MAX));
    let mut children = Children::default();
    let (stored, is_all) = of_both(
        &mut stores,
        &filter,
        limit,
        !arguments.form.json,
        &mut children,
    )?;
    // Which executions there are shows all the same.
    if let Some(error) = children.unread.take() {
        output::tell(&failure::text(&error.into()));
        children.is_whole = false;
    }
    if arguments.form.json {
        let documents = stored.found.iter();
        let executions: Vec<_> = documents
            .map(|listed| ListedDocument {
                record: RecordDocument::of(&listed.record, listed.simulated),
                error: listed.error.as_deref(),
                labels: LabelsDocument::of(&listed.labels),
                child_of: listed.child.as_ref().map(ParentDocument::of),
            })
            .collect();
        let damaged: Vec<_> = stored.damaged.iter().map(DamagedDocument::of).collect();
        output::document(&json!({ "executions": executions, "damaged": damaged }))?;
        return Ok(Answer::good_if(damaged.is_empty() && children.is_whole));
    }
    let (records, mut whole) = damage::named(stored);
    whole &= children.is_whole;
    if !records.is_empty() {
        let now = match now(&mut stores) {
            // Which executions there are shows all the same.
            Err(error @ StoreError::Malformed { .. }) => {
                output::tell(&failure::text(&error.into()));
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
    if !is_all {
        let roots = match arguments.roots {
            true => "",
            false => ", `--roots` leaves out children",
        };
        output::say(&text!(
            "there are older ones; `--limit N` shows more of them{}",
            roots
        ));
    }
    Ok(Answer::good_if(whole))
}

/// How many are shown to a person who asks for no number.
pub(super) const SHOWN_MAX: usize = 100;

/// From when on executions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    At(Timestamp),
    Ago(Duration),
}

impl Since {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(ago) = humantime::parse_duration(text) {
            return Ok(Self::Ago(ago));
        }
        // A day begins at its midnight, UTC as everywhere.
        let day = humantime::parse_rfc3339_weak(&format!("{text}T00:00:00Z"));
        let at = humantime::parse_rfc3339_weak(text).or(day).ok();
        let at = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        at.and_then(|at| u64::try_from(at.as_millis()).ok())
            .map(Self::At)
            .ok_or_else(|| {
                "it should be a span, as in 90m or 2days, or a time, as in 2026-01-31 or 2026-01-31T13:45:00Z"
                    .to_owned()
            })
    }

    pub(super) fn time(self, stores: &mut [SqliteStore]) -> Result<Timestamp, StoreError> {
        Ok(match self {
            Self::At(at) => at,
            Self::Ago(ago) => {
                let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
                now(stores)?.saturating_sub(ago)
            }
        })
    }
}

/// An execution of either file.
struct Listed {
    record: ExecutionRecord,
    simulated: bool,
    /// Why it failed, was cancelled or is stalled.
    error: Option<String>,
    /// For what its first failed node failed, if it failed for one.
    leaf: Option<Leaf>,
    labels: Vec<Label>,
    /// What it is a child of, if it is one.
    child: Option<ChildRecord>,
}

#[derive(Serialize)]
struct ListedDocument<'a> {
    #[serde(flatten)]
    record: RecordDocument<'a>,
    error: Option<&'a str>,
    labels: LabelsDocument<'a>,
    child_of: Option<ParentDocument<'a>>,
}

/// The executions of all these stores, the newest first, at most `limit` of them; what of
/// them cannot be read; and whether these are all. `with_leaves`: with that for which those
/// failed that failed for a node.
fn of_both(
    stores: &mut [SqliteStore],
    filter: &ListFilter,
    limit: Option<usize>,
    with_leaves: bool,
    children: &mut Children,
) -> anyhow::Result<(Many<Listed>, bool)> {
    let mut both = Many::whole(Vec::new());
    let limit = limit.unwrap_or(usize::MAX);
    for store in stores.iter_mut() {
        // One more shows whether there are more.
        let Many { found, damaged } = paged(store, filter, limit.saturating_add(1))?;
        let simulated = store.is_simulated();
        for record in found {
            let (error, failed) = ending::why(store, &record)?;
            both.found.push(Listed {
                error,
                leaf: match failed.first() {
                    Some(node) if with_leaves => {
                        leaf::of(store, record.id, node).or_else(unless_damaged)?
                    }
                    _ => None,
                },
                labels: store.labels(record.id)?,
                child: children.of(store, record.id)?,
                record,
                simulated,
            });
        }
        both.damaged.extend(damaged);
    }
    let start = |listed: &Listed| Reverse((listed.record.started_at, listed.record.id));
    both.found.sort_by_key(start);
    let is_all = both.found.len() <= limit;
    both.found.truncate(limit);
    Ok((both, is_all))
}

/// What is damaged of one is told by those who read its log.
fn unless_damaged(error: StoreError) -> Result<Option<Leaf>, StoreError> {
    match error.is_of_one() {
        true => Ok(None),
        false => Err(error),
    }
}

/// What time it is, by the logs of real time if there are any.
fn now(stores: &mut [SqliteStore]) -> Result<Timestamp, StoreError> {
    stores.first_mut().map_or(Ok(0), |store| time::now(store))
}

/// All executions, in the order in which they started, and what of them cannot be read.
pub(super) fn all(store: &mut dyn Reader) -> anyhow::Result<Many<ExecutionRecord>> {
    paged(store, &ListFilter::default(), usize::MAX)
}

/// Up to `max` executions, page by page, and what of them cannot be read.
fn paged(
    store: &mut dyn Reader,
    filter: &ListFilter,
    max: usize,
) -> anyhow::Result<Many<ExecutionRecord>> {
    let mut all: Many<ExecutionRecord> = Many::whole(Vec::new());
    loop {
        let last = all.found.last();
        let page_max = PAGE.min(max - all.found.len());
        let page = store.list(&ListFilter {
            after: last.map(|record| (record.started_at, record.id)),
            max: page_max,
            ..filter.clone()
        })?;
        let is_last = page.found.len() < page_max;
        all.found.extend(page.found);
        // What is damaged beneath all of them is met with each page.
        for damaged in page.damaged {
            if !all.damaged.contains(&damaged) {
                all.damaged.push(damaged);
            }
        }
        if is_last || all.found.len() >= max {
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
        "ERROR",
    ]);
    for Listed {
        record,
        simulated,
        error,
        leaf,
        labels: _,
        child,
    } in listed
    {
        let (standing, paint) = damage::standing(record);
        table.row([
            plain(record.id),
            plain(text!("{} {}", record.workflow_id, record.workflow_version)),
            (
                text!(
                    "{}{}{}",
                    standing,
                    child_mark(child.as_ref()),
                    mark(*simulated)
                ),
                paint,
            ),
            plain(record.head.sequence),
            plain(stamp(record.started_at)),
            plain(took(record, *simulated, now)),
            plain(one_line(&match (error, leaf) {
                (Some(error), Some(leaf)) => leaf.behind(error),
                (error, _) => error.clone().unwrap_or_default(),
            })),
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
