//! Exported logs that are audited together: what each of them may need of the others.
//!
//! Of many logs most need nothing of each other. So all are read once to see who names whom,
//! and only those stay in memory that another one names: as its origin, its parent or its
//! child.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use super::child_log::ChildLog;
use super::source::Recording;
use super::threads::in_threads;
use super::{child_links, integrity, link, parent_link};
use crate::id::ExecutionId;
use crate::log::export::Component;

/// What exported logs that are audited together may need of each other.
#[derive(Clone, Debug, Default)]
pub struct Together {
    /// The logs that others name.
    pub(super) logs: HashMap<ExecutionId, Arc<Recording>>,
    /// The scheduler components that any of them brings, by their digests.
    pub(super) components: BTreeMap<String, Arc<Component>>,
    events: u64,
}

impl Together {
    /// Reads these logs on so many threads. `read` reads one; `None` if it cannot be read, so
    /// that the others can have nothing of it. Of several logs of one execution, the last
    /// counts.
    ///
    /// # Panics
    /// When `read` does.
    pub fn read<L: Sync>(
        threads: usize,
        logs: &[L],
        read: impl Fn(&L) -> Option<Recording> + Sync,
    ) -> Self {
        let components = Mutex::new(BTreeMap::new());
        let seen = in_threads(vec![(); threads], logs, |(), take_next| {
            while take_next(&mut |log| {
                let mut recording = read(log)?;
                let brought = mem::take(&mut recording.components);
                let mut all = components.lock().unwrap_or_else(PoisonError::into_inner);
                for component in brought {
                    all.entry(component.digest.clone())
                        .or_insert_with(|| Arc::new(component));
                }
                Some(Seen::of(&recording))
            }) {}
        });
        let named: HashSet<ExecutionId> = seen.iter().flatten().flat_map(Seen::others).collect();
        let places = seen.iter().zip(logs);
        let needed: HashMap<ExecutionId, &L> = places
            .filter_map(|(seen, log)| Some((seen.as_ref()?.id, log)))
            .filter(|(id, _)| named.contains(id))
            .collect();
        let needed: Vec<&L> = needed.into_values().collect();
        let held = in_threads(vec![(); threads], &needed, |(), take_next| {
            while take_next(&mut |log| read(log)) {}
        });
        Self {
            logs: held
                .into_iter()
                .flatten()
                .map(|log| (log.execution_id, Arc::new(log)))
                .collect(),
            components: components
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            events: seen.iter().flatten().map(|seen| seen.events).sum(),
        }
    }

    /// Of the children that a log asks for, the logs that are here and whole in themselves:
    /// what is wrong with another, its own audit says.
    pub(super) fn children_of(&self, recording: &Recording) -> BTreeMap<ExecutionId, ChildLog> {
        if self.logs.is_empty() {
            return BTreeMap::new();
        }
        let children = child_links::asked_for(recording);
        let logs = children.filter_map(|child| self.logs.get(&child));
        let logs = logs.filter(|log| integrity::check(log).is_ok());
        let logs = logs.filter_map(|log| ChildLog::of(log));
        logs.map(|log| (log.id, log)).collect()
    }

    /// The events of all these logs.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }
}

/// What one log is to the others, and they to it.
struct Seen {
    id: ExecutionId,
    /// Those that it names.
    named: Vec<ExecutionId>,
    events: u64,
}

impl Seen {
    fn of(recording: &Recording) -> Self {
        let parent = parent_link::named(recording).map(|it| &it.execution_id);
        let origin = link::named(recording).map(|it| &it.execution_id);
        let named = parent.into_iter().chain(origin);
        let named = named.filter_map(|id| id.parse().ok());
        Self {
            id: recording.execution_id,
            named: named.chain(child_links::asked_for(recording)).collect(),
            events: recording.plain().count() as u64,
        }
    }

    /// Those that it names; a log that names itself has all of itself already.
    fn others(&self) -> impl Iterator<Item = ExecutionId> {
        self.named.iter().copied().filter(|id| *id != self.id)
    }
}
