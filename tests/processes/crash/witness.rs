//! What was acknowledged before a kill, and the look whether it is still
//! there after it (law 8).
//!
//! A thing is acknowledged when the program said so to a person (an execution
//! begun, a node completed, an event recorded), or when a reader of the
//! database saw it. What was not acknowledged may be there or not; but nothing
//! may be there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use refrain::id::ExecutionId;
use refrain::log::chain;
use refrain::model::EventKind;
use refrain::store::{Hash, Head, StoredEvent};
use refrain::store::{ListFilter, Reader, SqliteStore, StoreError};
use rusqlite::{Connection, OpenFlags};

/// What was acknowledged so far.
pub(crate) struct Witness {
    database: PathBuf,
    /// The chain hashes of each execution's events, as far as they were seen.
    seen: BTreeMap<ExecutionId, Vec<Hash>>,
    /// Executions that the program said had begun.
    begun: BTreeSet<String>,
    /// Nodes that it said had completed, by the execution's first letters.
    completed: BTreeSet<(String, String)>,
    /// External events that it said were recorded.
    recorded: BTreeSet<String>,
}

impl Witness {
    pub(crate) fn new(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
            seen: BTreeMap::new(),
            begun: BTreeSet::new(),
            completed: BTreeSet::new(),
            recorded: BTreeSet::new(),
        }
    }

    /// What `refrain run` or `refrain resume` said on stderr before it died.
    pub(crate) fn hear(&mut self, said: &str) {
        let mut execution = None;
        for line in said.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let named = words.first().filter(|word| word.starts_with("exec_"));
            match (&words[..], named) {
                // `exec_…  steps 1.0.0`, the first line of a run. A torn last
                // line has fewer words.
                ([id, _, "1.0.0"], Some(_)) => {
                    self.begun.insert((*id).to_owned());
                    execution = Some((*id).to_owned());
                }
                _ => {
                    let done = words.iter().position(|word| *word == "completed");
                    let node = done.and_then(|at| words.get(at.checked_sub(1)?));
                    let of = named.map(|id| (*id).to_owned()).or(execution.clone());
                    // A line of a child's end names what the child is of before that word.
                    let node = node.filter(|word| **word != "child");
                    if let (Some(node), Some(of)) = (node, of) {
                        self.completed.insert((of, (*node).to_owned()));
                    }
                }
            }
        }
    }

    /// `refrain signal` said that it recorded the event.
    pub(crate) fn recorded(&mut self, correlation_key: &str) {
        self.recorded.insert(correlation_key.to_owned());
    }

    /// How much was acknowledged by what the program said.
    pub(crate) fn heard(&self) -> usize {
        self.begun.len() + self.completed.len() + self.recorded.len()
    }

    /// The executions that were seen.
    pub(crate) fn executions(&self) -> impl Iterator<Item = ExecutionId> {
        self.seen.keys().copied()
    }

    /// Look at the database: all that was acknowledged is there, nothing is
    /// there twice, and the file is whole. What is there is acknowledged from
    /// here on.
    pub(crate) fn look(&mut self) -> Result<()> {
        if !self.is_there()? {
            ensure!(
                self.heard() == 0 && self.seen.is_empty(),
                "the database is gone"
            );
            return Ok(());
        }
        let mut store = SqliteStore::open_read_only(&self.database)?;
        let all = ListFilter {
            max: 1000,
            ..ListFilter::default()
        };
        let mut facts = Facts::default();
        for record in store.list(&all)?.all()? {
            let id = record.id;
            let log = store.events(id, 0, 10_000)?;
            self.is_kept(id, &log)
                .with_context(|| format!("the log of {id}"))?;
            // The record may be older than the log that was read after it.
            let head = record.head.sequence;
            ensure!(
                head <= log.len() as u64,
                "{id} lost its tail: its head is event {head}, of {}",
                log.len()
            );
            facts.take_in(id, &log)?;
        }
        drop(store);
        let missing = self
            .seen
            .keys()
            .find(|id| !facts.begun.contains(&id.to_string()));
        ensure!(missing.is_none(), "execution {missing:?} is gone");
        self.was_told(&facts)?;
        self.file_is_whole()
    }

    /// A kill may come before anything is in the file.
    fn is_there(&self) -> Result<bool> {
        if !self.database.exists() {
            return Ok(false);
        }
        match SqliteStore::open_read_only(&self.database) {
            Ok(_) => Ok(true),
            Err(StoreError::Empty { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The log chains, and begins with what was seen of it before.
    fn is_kept(&mut self, id: ExecutionId, log: &[StoredEvent]) -> Result<()> {
        let mut head = Head::default();
        for stored in log {
            ensure!(
                stored.event.sequence == head.sequence + 1,
                "event {} follows on event {}",
                stored.event.sequence,
                head.sequence
            );
            ensure!(
                chain::follow(&head, stored.event.clone(), stored.salt) == *stored,
                "event {} does not chain",
                stored.event.sequence
            );
            head = stored.head();
        }
        let hashes: Vec<Hash> = log.iter().map(|stored| stored.hash).collect();
        let before = self.seen.entry(id).or_default();
        ensure!(
            hashes.starts_with(before),
            "{} events were seen of it, and {} are left or are others",
            before.len(),
            hashes.len()
        );
        *before = hashes;
        Ok(())
    }

    fn was_told(&self, facts: &Facts) -> Result<()> {
        for id in &self.begun {
            ensure!(
                facts.begun.contains(id),
                "{id} was said to have begun, and is not there"
            );
        }
        for (execution, node) in &self.completed {
            // A node of a child is told with the way to it, by its parent's name.
            let (is_of_child, name) = match node.rsplit_once('/') {
                Some((_, name)) => (true, name),
                None => (false, &**node),
            };
            let there = facts
                .completed
                .iter()
                .any(|(id, done)| (is_of_child || id.starts_with(execution)) && done == name);
            ensure!(
                there,
                "{node} of {execution} was said to be completed, and is not"
            );
        }
        for key in &self.recorded {
            ensure!(
                facts.received.contains(key),
                "the event {key} was said to be recorded, and is not there"
            );
        }
        Ok(())
    }

    fn file_is_whole(&self) -> Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(&self.database, flags)?;
        let answer: String = connection.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
        ensure!(answer == "ok", "the file is damaged: {answer}");
        Ok(())
    }
}

/// What the logs of a database hold that must be there once.
#[derive(Default)]
struct Facts {
    begun: BTreeSet<String>,
    keys: BTreeSet<String>,
    completed: BTreeSet<(String, String)>,
    expanded: BTreeSet<(String, String)>,
    /// Children that were started, and those whose end was told.
    children: BTreeSet<(String, bool)>,
    received: BTreeSet<String>,
}

impl Facts {
    fn take_in(&mut self, id: ExecutionId, log: &[StoredEvent]) -> Result<()> {
        let id = id.to_string();
        for stored in log {
            let (new, what) = match &stored.event.kind {
                EventKind::WorkflowStarted(it) => {
                    self.begun.insert(id.clone());
                    match &it.key {
                        Some(key) => (self.keys.insert(key.clone()), format!("the start {key}")),
                        // A child has none: its id says whose it is.
                        None => (it.parent.is_some(), "a start without key".to_owned()),
                    }
                }
                EventKind::NodeCompleted(it) => (
                    self.completed.insert((id.clone(), it.node_id.clone())),
                    format!("the completion of {}", it.node_id),
                ),
                EventKind::NodeSettled(it) => (
                    self.completed.insert((id.clone(), it.node_id.clone())),
                    format!("the end of {}", it.node_id),
                ),
                EventKind::MapExpanded(it) => (
                    self.expanded.insert((id.clone(), it.node_id.clone())),
                    format!("the expansion of {}", it.node_id),
                ),
                EventKind::ChildStarted(it) => (
                    self.children.insert((it.child_id.clone(), false)),
                    format!("the start of the child {}", it.child_id),
                ),
                EventKind::ChildEnded(it) => {
                    // A node whose child has ended may be said to be completed.
                    self.completed.insert((id.clone(), it.node_id.clone()));
                    let told = (it.child_id.clone(), true);
                    (
                        self.children.insert(told),
                        format!("the end of the child {}", it.child_id),
                    )
                }
                EventKind::ExternalEventReceived(it) => (
                    self.received.insert(it.correlation_key.clone()),
                    format!("the event {}", it.correlation_key),
                ),
                _ => continue,
            };
            ensure!(new, "{what} counts twice, in {id}");
        }
        Ok(())
    }
}
