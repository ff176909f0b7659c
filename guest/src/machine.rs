//! The machine: what an execution is, with the index of what is to be done next.
//!
//! It holds, and it is looked at. Nothing here knows an event: what may change
//! it is the business of [`crate::apply`] alone, what follows from it that of
//! [`crate::decide`], and what both of them ask of it stands in
//! [`crate::guards`]. The contract of use is in `lib.rs`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::agenda::{Agenda, Filing, InstanceFiling, MapAgenda, MapFiling, UndoFiling};
use crate::condition::{Reads, Scope};
use crate::contract::NodeState;
use crate::instance::{self, RunIx};
use crate::json::push_quoted;
use crate::node::is_active;
use crate::state::{Instances, NodeRecord, State, UndoRecord};
use crate::time::Millis;
use crate::verdict::{Verdict, stops_rest, verdict};
use crate::workflow::Plan;
use crate::workflow::plan::{Body, Kind, Map, Node, NodeIx, Subgraph, Work};

/// One execution, and all that is needed to say how it goes on.
#[derive(Debug)]
pub struct Machine {
    pub(crate) plan: Arc<Plan>,
    pub(crate) state: State,
    pub(crate) agenda: Agenda,
    /// What expressions may still read.
    pub(crate) reads: Reads,
}

impl Machine {
    /// A machine in this state: the agenda follows from it.
    pub(crate) fn in_state(plan: Arc<Plan>, state: State) -> Self {
        let mut agenda = Agenda::default();
        for (node, instances) in &state.instances {
            file_instances(&mut agenda, *node, instances);
        }
        for (undone, undo) in &state.undos {
            let filing = UndoFiling::of(&undo.record);
            agenda.refile_undo(*undone, undo.completed, None, &filing);
        }
        for ((index, record), node) in (0..).map(NodeIx).zip(&state.nodes).zip(&plan.nodes) {
            match &node.kind {
                Kind::Map(map) => file_map(&mut agenda, &state, map, index),
                kind => agenda.refile(index, None, Filing::of(record, kind)),
            }
        }
        Self {
            plan,
            state,
            agenda,
            reads: Reads::default(),
        }
    }

    /// The last event that was applied.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.state.sequence
    }

    /// The workflow.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The state between the last event and the next.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn node(&self, run: impl Into<RunIx>) -> &Node {
        &self.plan.nodes[run.into().node.0 as usize]
    }

    /// The id of a run: a node, an instance, or what undoes either.
    pub(crate) fn node_id(&self, run: impl Into<RunIx>) -> String {
        let run = run.into();
        instance::run_id(&self.node(run).id, run)
    }

    pub(crate) fn record(&self, run: impl Into<RunIx>) -> &NodeRecord {
        let run = run.into();
        if let Some(undone) = run.undoes() {
            return &self.undo(undone).record;
        }
        match run.instance() {
            None => &self.state.nodes[run.node.0 as usize],
            Some(index) => self.instances(run.node).record(index),
        }
    }

    /// What undoes a run that was completed, of a node that has a compensation.
    pub(crate) fn undo(&self, undone: RunIx) -> &UndoRecord {
        let undo = self.state.undos.get(&undone);
        undo.expect("only what was completed is undone")
    }

    /// What a run does for a worker. `None` if it is settled by the guest itself.
    pub(crate) fn work(&self, run: impl Into<RunIx>) -> Option<&Work> {
        let run = run.into();
        if run.is_undo() {
            let compensation = self.node(run).compensation.as_ref();
            return compensation.map(|it| &it.work);
        }
        match &self.node(run).kind {
            Kind::Work(work) => Some(work),
            Kind::Map(map) if !run.is_own() => match &map.body {
                Body::Work(work) => Some(work),
                Body::Child(_) => None,
            },
            _ => None,
        }
    }

    /// How long one attempt of a run may take.
    pub(crate) fn timeout(&self, run: RunIx) -> Option<Millis> {
        let node = self.node(run);
        match &node.compensation {
            Some(compensation) if run.is_undo() => compensation.timeout,
            _ => node.timeout,
        }
    }

    /// The child that a run starts. `None` if it starts none.
    pub(crate) fn subgraph(&self, run: impl Into<RunIx>) -> Option<&Subgraph> {
        let run = run.into();
        match &self.node(run).kind {
            _ if run.is_undo() => None,
            Kind::Subgraph(subgraph) => Some(subgraph),
            Kind::Map(map) if !run.is_own() => match &map.body {
                Body::Work(_) => None,
                Body::Child(subgraph) => Some(subgraph),
            },
            _ => None,
        }
    }

    /// Which iteration of its child a run is in, from 0 (rule R23).
    pub(crate) fn iteration(&self, run: RunIx) -> u32 {
        let child = self.state.children.get(&run);
        child.map_or(0, |child| child.iteration)
    }

    /// The instances of a map that was expanded.
    pub(crate) fn instances(&self, ix: NodeIx) -> &Instances {
        let instances = self.state.instances.get(&ix);
        instances.expect("only an expanded node has instances")
    }

    /// The map that a run is an instance of, and what of it is to be done. `None` if it is no instance.
    pub(crate) fn map_of(&self, run: RunIx) -> Option<(&Map, &MapAgenda)> {
        match &self.node(run).kind {
            Kind::Map(map) if run.instance().is_some() => Some((map, &self.agenda.maps[&run.node])),
            _ => None,
        }
    }

    /// What has to become of a map now. `None` if that is open, or it is no map that
    /// waits for its instances.
    pub(crate) fn verdict(&self, ix: NodeIx) -> Option<Verdict> {
        match &self.node(ix).kind {
            Kind::Map(map) => map_verdict(&self.agenda, &self.state, map, ix),
            _ => None,
        }
    }

    /// The run of an id: a node, one of the instances that there are, or what undoes one
    /// of those that were completed.
    pub(crate) fn find(&self, node_id: &str) -> Result<RunIx, String> {
        if let Some(id) = instance::undone(node_id) {
            return self.find_undo(node_id, id);
        }
        if let Some(ix) = self.plan.find(node_id) {
            return Ok(ix.into());
        }
        let of_instance = instance::parse(node_id)
            .and_then(|(node, index)| Some((node, self.plan.find(node)?, index)));
        let Some((node, ix, index)) = of_instance else {
            return Err(format!(
                "the workflow {} has no node `{node_id}`; name one of its nodes",
                self.plan.workflow_id
            ));
        };
        match self.state.instances.get(&ix).map(Instances::count) {
            Some(count) if index < count => Ok(RunIx::of_instance(ix, index)),
            Some(count) => Err(format!(
                "there is no `{node_id}`: node `{node}` has {count} instances, from 0"
            )),
            None => Err(format!(
                "there is no `{node_id}`: node `{node}` has no instances now"
            )),
        }
    }

    fn find_undo(&self, node_id: &str, undone: &str) -> Result<RunIx, String> {
        let none = || format!("there is no `{node_id}`: `{undone}` has no compensation");
        if instance::undone(undone).is_some() {
            return Err(none());
        }
        let run = self.find(undone)?;
        if self.node(run).compensation.is_none() {
            return Err(none());
        }
        if !self.state.undos.contains_key(&run) {
            return Err(format!(
                "there is no `{node_id}`: no worker and no child has completed `{undone}`"
            ));
        }
        Ok(run.undo())
    }

    /// What conditions see, and expressions.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new(&self.state.started.initial_input, &self.state.data)
            .with_errors(&self.state.errors)
    }

    /// How a node failed for good, as conditions see it (rule R26): an object of
    /// `class`, `message` and `attempts`, as JSON text. `None` if it has not failed.
    pub(crate) fn error(&self, ix: NodeIx) -> Option<String> {
        let record = self.record(ix);
        let is_failed = record.state == NodeState::Failed;
        let failure = record.failure.as_deref().filter(|_| is_failed)?;
        let mut json = String::new();
        for (name, value) in [
            ("{\"class\":", failure.class_seen()),
            (",\"message\":", failure.message()),
        ] {
            json.push_str(name);
            match value {
                Some(text) => push_quoted(&mut json, text),
                None => json.push_str("null"),
            }
        }
        json.push_str(&format!(",\"attempts\":{}}}", record.attempt));
        Some(json)
    }

    /// What the expressions in a node's kind see.
    pub(crate) fn scope_in(&self, ix: NodeIx) -> Scope<'_> {
        self.scope().in_node(&self.node(ix).id)
    }

    /// Change a record and file what it is of anew. The only way to change one.
    pub(crate) fn change(&mut self, run: impl Into<RunIx>, change: impl FnOnce(&mut NodeRecord)) {
        let run = run.into();
        if let Some(undone) = run.undoes() {
            return self.change_undo(undone, change);
        }
        let ix = run.node;
        let kind = &self.plan.nodes[ix.0 as usize].kind;
        if let Some(index) = run.instance() {
            self.change_instance(ix, index, change);
        } else {
            let record = &mut self.state.nodes[ix.0 as usize];
            if !matches!(kind, Kind::Map(_)) {
                let before = Filing::of(record, kind);
                change(record);
                let after = Filing::of(record, kind);
                self.agenda.refile(ix, Some(before), after);
                return;
            }
            change(record);
        }
        self.refile_map(ix);
    }

    fn change_instance(&mut self, ix: NodeIx, index: u32, change: impl FnOnce(&mut NodeRecord)) {
        let instances = self.state.instances.get_mut(&ix);
        let instances = instances.expect("only an expanded node has instances");
        let before = instances.touched(index);
        let before = before.map(|run| InstanceFiling::of(&run.record));
        let record = &mut instances.touch(index).record;
        change(record);
        let after = InstanceFiling::of(record);
        self.agenda.refile_instance(ix, index, before, after);
        if let Some(map) = self.agenda.maps.get_mut(&ix) {
            advance(map, instances);
        }
    }

    /// What undoes a run is there from now on.
    pub(crate) fn add_undo(&mut self, undone: RunIx, undo: UndoRecord) {
        let filing = UndoFiling::of(&undo.record);
        self.agenda
            .refile_undo(undone, undo.completed, None, &filing);
        self.state.undos.insert(undone, undo);
    }

    fn change_undo(&mut self, undone: RunIx, change: impl FnOnce(&mut NodeRecord)) {
        let undo = self.state.undos.get_mut(&undone);
        let undo = undo.expect("only what was completed is undone");
        let before = UndoFiling::of(&undo.record);
        change(&mut undo.record);
        let after = UndoFiling::of(&undo.record);
        self.agenda
            .refile_undo(undone, undo.completed, Some(&before), &after);
    }

    /// File a map anew, after something of it has changed that is no record.
    pub(crate) fn refile_map(&mut self, ix: NodeIx) {
        if let Kind::Map(map) = &self.plan.nodes[ix.0 as usize].kind {
            file_map(&mut self.agenda, &self.state, map, ix);
        }
    }
}

fn file_instances(agenda: &mut Agenda, node: NodeIx, instances: &Instances) {
    agenda.maps.entry(node).or_default();
    for (index, run) in (0..).zip(&instances.runs) {
        if let Some(run) = run {
            let filing = InstanceFiling::of(&run.record);
            agenda.refile_instance(node, index, None, filing);
        }
    }
    if let Some(map) = agenda.maps.get_mut(&node) {
        advance(map, instances);
    }
}

/// Pass over the instances to which something has happened.
fn advance(map: &mut MapAgenda, instances: &Instances) {
    while instances.touched(map.next_fresh).is_some() {
        map.next_fresh += 1;
    }
}

fn file_map(agenda: &mut Agenda, state: &State, map: &Map, ix: NodeIx) {
    let record = &state.nodes[ix.0 as usize];
    let verdict = map_verdict(agenda, state, map, ix);
    let of_map = agenda.maps.get(&ix);
    let under_way = of_map.map_or(0, |it| it.active.len());
    let has_room = map
        .max_concurrent
        .is_none_or(|max| under_way < max as usize);
    let has_ready = || {
        let instances = state.instances.get(&ix);
        let both = of_map.zip(instances);
        both.is_some_and(|(it, instances)| it.first_ready(instances.count()).is_some())
    };
    let is_open = record.state == NodeState::Waiting;
    let goes_on = is_open && verdict.is_none() && has_room && has_ready();
    let filing = MapFiling {
        settle: match record.state {
            NodeState::Pending => record.unsettled == 0,
            NodeState::Ready => true,
            _ => verdict.is_some(),
        },
        dispatch: goes_on && matches!(map.body, Body::Work(_)),
        requests: goes_on && matches!(map.body, Body::Child(_)),
        failed: record.state == NodeState::Failed && !record.is_handled(),
        is_active: is_active(record.state) || under_way > 0,
        stops: under_way > 0 && stops_rest(map, record),
    };
    agenda.refile_map(ix, filing);
}

/// What has to become of a map that waits for its instances.
fn map_verdict(agenda: &Agenda, state: &State, map: &Map, ix: NodeIx) -> Option<Verdict> {
    let is_open = state.nodes[ix.0 as usize].state == NodeState::Waiting;
    let instances = state.instances.get(&ix).filter(|_| is_open)?;
    verdict(map, instances, agenda.maps.get(&ix)?)
}
