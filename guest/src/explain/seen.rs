//! What expressions saw when they were judged.
//!
//! An execution does not keep that: the log is read once more for it, up to where
//! each was judged.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::condition::{Expression, Scope};
use crate::contract::{Event, EventKind, NodeState, Seen as SeenAt, SeenValue, Status};
use crate::limits::{SEEN_BYTES_MAX, SEEN_PATHS_MAX};
use crate::machine::Machine;
use crate::state::EdgeFate;
use crate::workflow::plan::{EdgeIx, NodeIx};

/// Why an expression is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Whether an edge is live, as its source is settled (rules R7 and R26).
    Edge(EdgeIx),
    /// Whether a node's child is repeated, as one has ended well (rule R23).
    Repeat(NodeIx),
    /// What a map is over, as it begins (rule R21).
    Over(NodeIx),
}

/// An expression, and what it is judged for.
#[derive(Clone, Debug)]
pub struct Watched {
    of: Use,
    expression: Expression,
    /// Whether its edge's source has failed for good, as far as the log was read.
    has_failed: bool,
    is_judged: bool,
}

impl Watched {
    pub(super) fn new(of: Use, expression: &Expression) -> Self {
        Self {
            of,
            expression: expression.clone(),
            has_failed: false,
            is_judged: false,
        }
    }

    /// Whether nothing further in the log judges it.
    pub(crate) fn is_judged(&self) -> bool {
        self.is_judged
    }
}

/// What some expressions saw.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<Use, Vec<SeenValue>>);

impl Seen {
    pub(super) fn at(&self, of: Use) -> Vec<SeenValue> {
        self.0.get(&of).cloned().unwrap_or_default()
    }

    /// Whether an expression was judged, and not found true.
    pub(super) fn knows(&self, of: Use) -> bool {
        self.0.contains_key(&of)
    }

    /// Note what this one sees before an event is applied that has it judged.
    pub(crate) fn note_before(&mut self, machine: &Machine, event: &Event, it: &Watched) {
        match (it.of, &event.kind) {
            (Use::Repeat(ix), EventKind::ChildEnded(ended))
                if ended.node_id == machine.node(ix).id && ended.status == Status::Completed =>
            {
                let last = ended.output.as_deref().unwrap_or("null");
                let iteration = ended.iteration.to_string();
                let scope = machine.scope_in(ix).in_iteration(last, &iteration);
                match it.expression.is_true(&scope) {
                    true => drop(self.0.remove(&it.of)),
                    false => self.note(it, &scope),
                }
            }
            (Use::Over(ix), EventKind::NodeExhausted(exhausted))
                if exhausted.node_id == machine.node(ix).id =>
            {
                self.note(it, &machine.scope());
            }
            _ => {}
        }
    }

    /// Note what this one sees behind an event that has it judged: the state is then as it
    /// was for the condition of an edge.
    pub(crate) fn note_after(&mut self, machine: &Machine, it: &mut Watched) {
        let Use::Edge(edge) = it.of else {
            return;
        };
        let source = machine.plan.edges[edge.0 as usize].from;
        let had_failed = it.has_failed;
        it.has_failed = machine.record(source).state == NodeState::Failed;
        it.is_judged = machine.state.edges[edge.0 as usize] != EdgeFate::Unsettled;
        // A failure that no edge handles leaves its edges as they are, to be judged anew.
        if !it.is_judged && (had_failed || !it.has_failed) {
            return;
        }
        let error = machine.error(source);
        let scope = match &error {
            Some(error) => machine.scope().with_error(error),
            None => machine.scope(),
        };
        self.note(it, &scope);
    }

    fn note(&mut self, it: &Watched, scope: &Scope<'_>) {
        let values = it.expression.seen(scope).into_iter();
        let value = |(path, value): (String, Option<String>)| SeenValue {
            path,
            value: match value {
                None => SeenAt::Missing,
                Some(json) if json.len() > SEEN_BYTES_MAX => SeenAt::TooLong(json.len() as u64),
                Some(json) => SeenAt::Value(json),
            },
        };
        let values = values.take(SEEN_PATHS_MAX).map(value).collect();
        self.0.insert(it.of, values);
    }
}
