//! `refrain dead`: the dead letters of all executions.

use std::num::NonZeroUsize;

use refrain::store::{ExecutionRecord, ItemRecord, ItemState, Reader, Timestamp};
use refrain::time::rfc3339;
use serde::Serialize;
use serde_json::json;

use super::database::{self, Database};
use super::list::{SHOWN_MAX, Since};
use super::output::{self, Form};
use super::progress::one_line;
use super::table::{Table, plain};
use super::text::text;
use super::time::{self, span};
use super::{Answer, damage, failure, typed};

/// List dead letters: the work items that no further attempt is made of, the oldest first
///
/// `refrain retry EXECUTION NODE` gives one a fresh budget, while its execution lives;
/// `refrain fork EXECUTION --from NODE` goes on from before one of an execution that has
/// ended.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only those that are dead since this time or later: a time, or how long ago
    #[arg(long, value_name = "TIME|SPAN", value_parser = Since::parse)]
    since: Option<Since>,
    /// At most so many; 100, unless this is for programs
    #[arg(long, value_name = "N", value_parser = typed::from_one)]
    limit: Option<NonZeroUsize>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

/// A dead letter, and whose it is.
struct Letter {
    record: ExecutionRecord,
    item: ItemRecord,
    error: String,
    since: Timestamp,
    age_ms: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    execution_id: String,
    status: &'static str,
    node_id: &'a str,
    queue: &'a str,
    attempts: u32,
    error: &'a str,
    since: Option<String>,
    age_ms: u64,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let (mut letters, mut whole) = (Vec::new(), true);
    let limit = arguments
        .limit
        .map(NonZeroUsize::get)
        .or((!arguments.form.json).then_some(SHOWN_MAX));
    let limit = limit.unwrap_or(usize::MAX);
    let mut stores = arguments.database.open()?;
    let since = match arguments.since {
        Some(since) => since.time(&mut stores)?,
        None => 0,
    };
    for store in &mut stores {
        let now = time::now(store)?;
        // One more shows whether there are more.
        let dead = store.dead_letters(since, limit.saturating_add(1))?;
        let (items, all_read) = damage::named(dead);
        whole &= all_read;
        for item in items {
            match record_of(store, &item) {
                Ok(record) => letters.extend(Letter::of(record, item, now)),
                Err(error) if failure::is_damage(&error) => {
                    output::tell(&failure::text(&error));
                    whole = false;
                }
                Err(error) => return Err(error),
            }
        }
    }
    letters.sort_by_key(|letter| letter.since);
    let is_all = letters.len() <= limit;
    letters.truncate(limit);
    if arguments.form.json {
        let documents: Vec<Document<'_>> = letters.iter().map(Document::of).collect();
        output::document(&json!({ "dead": documents }))?;
    } else if letters.is_empty() {
        output::say(&text!("no dead letters"));
    } else {
        output::data(&table(&letters).text(0, output::colours(&std::io::stdout())));
    }
    if !is_all {
        output::say(&text!(
            "there are younger ones; `--limit N` shows more of them"
        ));
    }
    Ok(Answer::good_if(whole))
}

/// The record of the execution that an item is of.
fn record_of(store: &mut dyn Reader, item: &ItemRecord) -> anyhow::Result<ExecutionRecord> {
    database::record(store, item.item.execution_id.parse()?)
}

impl Letter {
    fn of(record: ExecutionRecord, item: ItemRecord, now: Timestamp) -> Option<Self> {
        let ItemState::Dead { error, since } = &item.state else {
            return None;
        };
        let (error, since) = (error.clone(), *since);
        Some(Self {
            record,
            item,
            error,
            since,
            age_ms: now.saturating_sub(since),
        })
    }
}

impl<'a> Document<'a> {
    fn of(letter: &'a Letter) -> Self {
        let item = &letter.item.item;
        Self {
            execution_id: letter.record.id.to_string(),
            status: refrain::names::status(letter.record.status),
            node_id: &item.node_id,
            queue: &item.queue,
            attempts: item.attempt,
            error: &letter.error,
            since: rfc3339(letter.since),
            age_ms: letter.age_ms,
        }
    }
}

fn table(letters: &[Letter]) -> Table {
    let mut table = Table::new(["EXECUTION", "STATUS", "NODE", "ATTEMPTS", "AGE", "ERROR"]);
    for letter in letters {
        let (standing, paint) = damage::standing(&letter.record);
        table.row([
            plain(letter.record.id),
            (standing, paint),
            plain(&letter.item.item.node_id),
            plain(letter.item.item.attempt),
            plain(span(letter.age_ms)),
            plain(one_line(&letter.error)),
        ]);
    }
    table
}
