//! The executions of a case: the one that is started, its children, and theirs.

use std::collections::HashMap;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::live::{ClaimId, Execution};
use crate::model::{Event, EventKind, node_of_run};
use crate::testing::graph::{Graph, Workflows};
use crate::world::{Workers, World};

/// Events that are read at once.
const PAGE: u32 = 1024;

/// An execution, as far as it has come.
pub(super) struct Run<'a> {
    pub(super) execution: Execution,
    /// What stands before the names of its nodes: nothing, or the node that started it and
    /// a slash.
    pub(super) way: String,
    /// The graph of its workflow. `None` if something stands in for that.
    pub(super) graph: Option<&'a Graph>,
    pub(super) events: Vec<Event>,
}

impl Run<'_> {
    pub(super) fn has_ended(&self) -> bool {
        let last = self.events.last();
        last.is_some_and(|event| event.kind.is_terminal())
    }
}

/// All executions of a case, the one that is started first.
pub(super) struct Runs<'a> {
    workflows: &'a Workflows,
    pub(super) all: Vec<Run<'a>>,
    places: HashMap<ExecutionId, usize>,
    /// All their events, in the order in which they came: the run, and the place among its
    /// events.
    pub(super) order: Vec<(usize, usize)>,
}

impl<'a> Runs<'a> {
    /// The execution that is started, before anything is read of it.
    pub(super) fn of(execution: Execution, workflows: &'a Workflows) -> Self {
        let mut runs = Self {
            workflows,
            all: Vec::new(),
            places: HashMap::new(),
            order: Vec::new(),
        };
        runs.add(execution, String::new(), Some(&workflows.subject.graph));
        runs
    }

    fn add(&mut self, execution: Execution, way: String, graph: Option<&'a Graph>) {
        self.places.insert(execution.id(), self.all.len());
        self.all.push(Run {
            execution,
            way,
            graph,
            events: Vec::new(),
        });
    }

    /// The whole name of the node that was claimed. What stands in for a child answers for
    /// the node that started it.
    pub(super) fn name_of(&self, claim: &ClaimId) -> String {
        let run = self.places.get(&claim.execution);
        match run.map(|place| &self.all[*place]) {
            Some(run) if run.graph.is_none() => run.way.trim_end_matches('/').to_owned(),
            Some(run) => format!("{}{}", run.way, claim.node_id),
            None => claim.node_id.clone(),
        }
    }

    /// The latest child of the node at this way.
    pub(super) fn child_of(&self, node: &str) -> Option<&Run<'a>> {
        let is_of = |run: &&Run<'_>| run.way.strip_suffix('/') == Some(node);
        self.all.iter().rfind(is_of)
    }

    pub(super) fn have_ended(&self) -> bool {
        self.all.iter().all(Run::has_ended)
    }

    /// Reads what has come to the logs.
    pub(super) fn follow(
        &mut self,
        world: &mut World,
        workers: &mut Workers,
    ) -> Result<(), EngineError> {
        let mut place = 0;
        while place < self.all.len() {
            if !self.all[place].has_ended() {
                self.follow_one(place, world, workers)?;
            }
            place += 1;
        }
        Ok(())
    }

    /// The same of one log. A child's comes before its end is told.
    fn follow_one(
        &mut self,
        place: usize,
        world: &mut World,
        workers: &mut Workers,
    ) -> Result<(), EngineError> {
        loop {
            let run = &self.all[place];
            let first = run.events.last().map_or(1, |event| event.sequence + 1);
            let execution = run.execution.clone();
            let page = world.until(execution.events(first, PAGE))?;
            if page.is_empty() {
                return Ok(());
            }
            for stored in page {
                match &stored.event.kind {
                    EventKind::ChildStarted(it) => {
                        let id = id_of(&it.child_id)?;
                        let child = world.engine.execution(id);
                        let parent = &self.all[place];
                        let way = format!("{}{}/", parent.way, it.node_id);
                        let of_node = parent
                            .graph
                            .and_then(|graph| graph.child(node_of_run(&it.node_id)));
                        let graph = of_node.and_then(|child| self.workflows.graph_of(child));
                        self.add(child, way, graph);
                    }
                    EventKind::ChildEnded(it) => {
                        let child = self.places.get(&id_of(&it.child_id)?).copied();
                        if let Some(child) = child.filter(|child| !self.all[*child].has_ended()) {
                            self.follow_one(child, world, workers)?;
                        }
                    }
                    _ => {}
                }
                workers.follow(execution.id(), &stored.event);
                let run = &mut self.all[place];
                self.order.push((place, run.events.len()));
                run.events.push(stored.event);
            }
        }
    }
}

fn id_of(child_id: &str) -> Result<ExecutionId, EngineError> {
    let id = child_id.parse();
    id.map_err(|_| EngineError::Died(format!("{child_id:?} is no execution's id")))
}
