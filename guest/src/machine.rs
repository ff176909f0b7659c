//! The machine: what an execution is, with the index of what is to be done next.
//!
//! It holds, and it is looked at. Nothing here knows an event: what may change
//! it is the business of [`crate::apply`] alone, what follows from it that of
//! [`crate::decide`], and what both of them ask of it stands in
//! [`crate::guards`]. The contract of use is in `lib.rs`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use crate::agenda::{Agenda, Filing};
use crate::condition::Scope;
use crate::contract::NodeState;
use crate::json::push_quoted;
use crate::state::{NodeRecord, State};
use crate::workflow::Plan;
use crate::workflow::plan::{Node, NodeIx};

/// One execution, and all that is needed to say how it goes on.
#[derive(Debug)]
pub struct Machine {
    pub(crate) plan: Arc<Plan>,
    pub(crate) state: State,
    pub(crate) agenda: Agenda,
}

impl Machine {
    /// A machine in this state: the agenda follows from it.
    pub(crate) fn in_state(plan: Arc<Plan>, state: State) -> Self {
        let mut agenda = Agenda::default();
        for ((index, record), node) in (0..).zip(&state.nodes).zip(&plan.nodes) {
            agenda.refile(NodeIx(index), None, Filing::of(record, &node.kind));
        }
        Self {
            plan,
            state,
            agenda,
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

    pub(crate) fn node(&self, ix: NodeIx) -> &Node {
        &self.plan.nodes[ix.0 as usize]
    }

    pub(crate) fn node_id(&self, ix: NodeIx) -> String {
        self.node(ix).id.to_string()
    }

    pub(crate) fn record(&self, ix: NodeIx) -> &NodeRecord {
        &self.state.nodes[ix.0 as usize]
    }

    /// The node of an id.
    pub(crate) fn find(&self, node_id: &str) -> Result<NodeIx, String> {
        self.plan.find(node_id).ok_or_else(|| {
            format!(
                "the workflow {} has no node `{node_id}`; name one of its nodes",
                self.plan.workflow_id
            )
        })
    }

    /// What conditions see.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new(&self.state.started.initial_input, &self.state.data)
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

    /// Change a node's record and file the node anew. The only way to change one.
    pub(crate) fn change(&mut self, ix: NodeIx, change: impl FnOnce(&mut NodeRecord)) {
        let kind = &self.plan.nodes[ix.0 as usize].kind;
        let record = &mut self.state.nodes[ix.0 as usize];
        let before = Filing::of(record, kind);
        change(record);
        self.agenda
            .refile(ix, Some(before), Filing::of(record, kind));
    }
}
