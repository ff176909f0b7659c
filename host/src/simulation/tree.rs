//! The logs of an execution and of all that it started, and the workflows that they name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::error::SimulationError;
use super::recorded::{Recorded, name};
use crate::graph::{ChildWorkflow, Graph};
use crate::id::ExecutionId;
use crate::model::{ChildName, Digest, EventKind};
use crate::replay::{Recording, from_store};
use crate::store::Reader;

/// The text of a workflow. `None` if it is not known.
type Text = Option<Arc<str>>;

/// Where an execution stands below the one that is simulated: the way from there, by the
/// nodes that started it and those before it.
pub(super) type Place = Vec<ChildName>;

/// The recorded logs of an execution and of its children, theirs too, and the texts of the
/// workflows that they may start.
///
/// A child that is started by name, and whose log is not among them, is simulated by what its
/// parent's log says of its end, and so are all children of its workflow then. Of a child
/// that is written in place, and whose log is not among them, nothing is known.
pub struct Recordings {
    pub(super) execution_id: ExecutionId,
    pub(super) logs: HashMap<Place, Recorded>,
    /// The workflows that are started by name, by id and version. `None` where the text of
    /// one is not known.
    pub(super) named: BTreeMap<(String, String), Text>,
}

impl std::fmt::Debug for Recordings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recordings")
            .field("execution_id", &self.execution_id)
            .field("logs", &self.logs.len())
            .finish_non_exhaustive()
    }
}

impl Recordings {
    /// Those of an execution of a store. `None` if there is no such execution.
    ///
    /// # Errors
    /// [`SimulationError`] if a log cannot be read, or is not sound or whole.
    pub fn read(store: &mut dyn Reader, id: ExecutionId) -> Result<Option<Self>, SimulationError> {
        let Some(root) = from_store(store, id)? else {
            return Ok(None);
        };
        let mut all = Self::of_root(root?)?;
        all.find(&mut |child| Ok(from_store(store, child)?.transpose()?))?;
        all.stand_in();
        let tenant = all.root().started.tenant.clone();
        all.name_workflows(&mut |id, version| {
            let found = store.workflow(&tenant, id, version)?;
            Ok(found.map(|it| it.text.into()))
        })?;
        Ok(Some(all))
    }

    /// Those of a log, and of its children as far as they are among `others`.
    ///
    /// # Errors
    /// [`SimulationError`] if a log is not sound or whole.
    pub fn of(root: Recording, others: &[Recording]) -> Result<Self, SimulationError> {
        let mut all = Self::of_root(root)?;
        all.find(&mut |child| {
            let found = others.iter().find(|it| it.execution_id == child);
            Ok(found.cloned())
        })?;
        all.stand_in();
        all.name_workflows(&mut |_, _| Ok(None))?;
        Ok(all)
    }

    /// The digest of the guest that the execution's log names first.
    #[must_use]
    pub fn guest_digest(&self) -> String {
        self.root().started.guest_digest.to_string()
    }

    fn of_root(root: Recording) -> Result<Self, SimulationError> {
        let execution_id = root.execution_id;
        let root = recorded(root)?;
        let root = root.ok_or(SimulationError::Erased(execution_id))?;
        Ok(Self {
            execution_id,
            logs: HashMap::from([(Vec::new(), root)]),
            named: BTreeMap::new(),
        })
    }

    /// The log of the execution itself.
    pub(super) fn root(&self) -> &Recorded {
        &self.logs[&Vec::new()]
    }

    /// Adds the logs of all children, and of theirs.
    fn find(
        &mut self,
        log: &mut dyn FnMut(ExecutionId) -> Result<Option<Recording>, SimulationError>,
    ) -> Result<(), SimulationError> {
        let mut open: Vec<Place> = vec![Vec::new()];
        while let Some(place) = open.pop() {
            for (child, id) in started_by(&self.logs[&place]) {
                let Some(recording) = log(id)? else {
                    continue;
                };
                if let Some(child_log) = recorded(recording)? {
                    let mut below = place.clone();
                    below.push(child);
                    self.logs.insert(below.clone(), child_log);
                    open.push(below);
                }
            }
        }
        Ok(())
    }

    /// Where the log of a child is not at hand, only its end is known: something stands in for
    /// its workflow, and for that of all its other children.
    fn stand_in(&mut self) {
        loop {
            let named = self.logs.iter().find_map(|(place, log)| {
                log.unlogged(|child| {
                    let mut below = place.clone();
                    below.push(child.clone());
                    self.logs.contains_key(&below) || self.named.contains_key(&log.requested[child])
                })
            });
            let Some(named) = named else {
                return;
            };
            let of_it: Vec<Place> = self
                .logs
                .iter()
                .filter(|(place, log)| !place.is_empty() && log.name() == named)
                .map(|(place, _)| place.clone())
                .collect();
            self.logs
                .retain(|place, _| !of_it.iter().any(|above| place.starts_with(above)));
            self.named.insert(named, None);
        }
    }

    /// Finds the texts of all workflows that may be started by name.
    fn name_workflows(
        &mut self,
        text: &mut dyn FnMut(&str, &str) -> Result<Text, SimulationError>,
    ) -> Result<(), SimulationError> {
        let root = &self.root().started;
        let is_root = (root.workflow_id.clone(), root.workflow_version.clone());
        let logged: BTreeMap<_, Arc<str>> = self
            .logs
            .values()
            .map(|log| {
                let started = &log.started;
                let name = (
                    started.workflow_id.clone(),
                    started.workflow_version.clone(),
                );
                (name, Arc::clone(&log.workflow))
            })
            .collect();
        let mut open = names(&self.root().workflow);
        while let Some(name) = open.pop_first() {
            if name == is_root || self.named.contains_key(&name) {
                continue;
            }
            let found = match logged.get(&name) {
                Some(found) => Some(Arc::clone(found)),
                None => text(&name.0, &name.1)?,
            };
            if let Some(found) = &found {
                open.extend(names(found));
            }
            self.named.insert(name, found);
        }
        Ok(())
    }
}

/// The children that a log says were started.
fn started_by(log: &Recorded) -> Vec<(ChildName, ExecutionId)> {
    let started = log.events.iter().filter_map(|event| match &event.kind {
        EventKind::ChildStarted(it) => {
            let id = it.child_id.parse().ok()?;
            Some((name(&it.node_id, it.attempt, it.iteration), id))
        }
        _ => None,
    });
    started.collect()
}

/// The reading of a log. `None` if it is erased.
fn recorded(log: Recording) -> Result<Option<Recorded>, SimulationError> {
    let id = log.execution_id;
    if log.is_erased() {
        return Ok(None);
    }
    if let Some(broken_off) = log.broken_off {
        return Err(broken_off.into());
    }
    let is_whole = log.broken_link.is_none() && log.events.len() as u64 == log.head.sequence;
    let events = log.events.into_iter().map(|it| it.event).collect();
    let text = Digest::of(log.workflow.as_bytes());
    let recorded = Recorded::of(events, log.workflow);
    match recorded.filter(|it| is_whole && it.started.workflow_digest == text) {
        Some(recorded) => Ok(Some(recorded)),
        None => Err(SimulationError::Unsound(id)),
    }
}

/// The workflows that this one may start by name, those within it too.
fn names(workflow: &str) -> BTreeSet<(String, String)> {
    let mut names = BTreeSet::new();
    if let Some(graph) = Graph::read(workflow) {
        names_in(&graph, &mut names);
    }
    names
}

fn names_in(graph: &Graph, names: &mut BTreeSet<(String, String)>) {
    for (_, child) in graph.children() {
        match &child.workflow {
            ChildWorkflow::InPlace(graph) => names_in(graph, names),
            ChildWorkflow::Named { id, version } => {
                names.insert((id.clone(), version.clone()));
            }
        }
    }
}
