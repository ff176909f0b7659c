//! What the log of a parent says of its children, and what its guest ordered for them.
//!
//! It is made once of each parent, and holds no outputs: the log of every child is compared
//! with it.

use std::collections::{BTreeMap, HashMap};

use super::child_log::without_input;
use super::missing;
use super::source::Recording;
use crate::id::ExecutionId;
use crate::log::Head;
use crate::model::{
    ChildEnded, Digest, Event, EventKind, Status, Timestamp, WorkflowName, WorkflowStarted,
};
use crate::order_rules::{OrderRules, SaidOfChild};

/// The digests of the inputs that a guest ordered for children, by the events in which it
/// asked for them.
pub(super) type Inputs = HashMap<u64, Digest>;

/// What a parent's guest says of its log.
#[derive(Debug)]
pub(super) enum Asked {
    /// It decides the same, and ordered these inputs.
    Agrees(Inputs),
    /// It does not decide the same.
    Diverges,
    /// It cannot be asked: the log is erased, or the guest is not at hand.
    Unknown,
}

/// A parent and its children, as its log has them.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) parent: ExecutionId,
    /// Its event 1, without the input.
    pub(super) started: WorkflowStarted,
    pub(super) is_erased: bool,
    /// Whether it stands in a store.
    pub(super) is_stored: bool,
    /// Its last event, unless it has ended there.
    pub(super) open_at: Option<u64>,
    pub(super) asked: Asked,
    pub(super) children: BTreeMap<ExecutionId, Told>,
}

/// What a log says of one child.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) node_id: String,
    pub(super) attempt: u32,
    pub(super) iteration: u32,
    /// The event that asks for it, and its time.
    pub(super) requested: (u64, Timestamp),
    /// Its workflow. `None` if the node has it written in place.
    pub(super) workflow: Option<WorkflowName>,
    /// The digest of the input that was ordered. `None` if the guest was not asked.
    pub(super) input: Option<Digest>,
    pub(super) started: Option<StartTold>,
    /// The event that says that it cannot be started.
    pub(super) refused: Option<u64>,
    pub(super) ended: Option<EndTold>,
    pub(super) wait: Wait,
}

/// That a child was started.
#[derive(Debug)]
pub(super) struct StartTold {
    pub(super) sequence: u64,
    pub(super) at: Timestamp,
    pub(super) workflow_digest: Digest,
    /// The guest that had the parent then.
    pub(super) guest_digest: Digest,
}

/// That a child has ended.
#[derive(Debug)]
pub(super) struct EndTold {
    pub(super) sequence: u64,
    pub(super) at: Timestamp,
    pub(super) status: Status,
    /// The child's last event.
    pub(super) head: Head,
    /// The digests of what it came to.
    pub(super) output: Option<Digest>,
    pub(super) error: Option<Digest>,
}

/// What the parent's node waits for of a child, at the end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// That it is started.
    Start,
    /// That it ends.
    End,
    /// For nothing more: it was told of the end, or left the child alone.
    Over,
    /// The node was stopped before the child was started.
    StoppedBefore,
    /// The node was stopped while the child ran.
    Stopped,
}

impl Family {
    /// `None` if the log does not begin with a start: it is refused for that.
    pub(super) fn of(recording: &Recording, asked: Asked) -> Option<Self> {
        let first = recording.plain().next().map(|(event, _)| &event.kind);
        let Some(EventKind::WorkflowStarted(started)) = first else {
            return None;
        };
        let mut reading = FamilyReading {
            parent: recording.execution_id,
            rules: None,
            text: &recording.workflow,
            guest_digest: started.guest_digest,
            inputs: match &asked {
                Asked::Agrees(inputs) => Some(inputs),
                Asked::Diverges | Asked::Unknown => None,
            },
            children: BTreeMap::new(),
            current: HashMap::new(),
        };
        // What stands before that in a fork's log is of its origin's children.
        let common = started.forked_from.as_ref().map_or(0, |it| it.sequence);
        for (event, _) in recording.plain() {
            if let EventKind::GuestChanged(it) = &event.kind {
                reading.guest_digest = it.guest_digest;
            }
            if event.sequence > common {
                reading.take(event);
            }
        }
        let children = reading.children;
        Some(Self {
            parent: recording.execution_id,
            started: without_input(started),
            is_erased: recording.is_erased(),
            is_stored: missing::is_stored(recording),
            open_at: missing::open_at(recording),
            asked: match asked {
                // They stand with the children.
                Asked::Agrees(_) => Asked::Agrees(Inputs::new()),
                asked => asked,
            },
            children,
        })
    }
}

/// A log that is read for what it says of children.
struct FamilyReading<'a> {
    parent: ExecutionId,
    /// Prepared at the first child.
    rules: Option<OrderRules>,
    text: &'a str,
    guest_digest: Digest,
    inputs: Option<&'a Inputs>,
    children: BTreeMap<ExecutionId, Told>,
    /// The last child of each node.
    current: HashMap<&'a str, ExecutionId>,
}

impl<'a> FamilyReading<'a> {
    fn take(&mut self, event: &'a Event) {
        match &event.kind {
            EventKind::ChildRequested(it) => {
                let child = self.id(&it.node_id, it.attempt, it.iteration);
                self.rules.get_or_insert_with(|| OrderRules::of(self.text));
                let input = self.inputs.and_then(|all| all.get(&event.sequence));
                self.children.insert(
                    child,
                    Told {
                        node_id: it.node_id.clone(),
                        attempt: it.attempt,
                        iteration: it.iteration,
                        requested: (event.sequence, event.at),
                        workflow: it.workflow.clone(),
                        input: input.copied(),
                        started: None,
                        refused: None,
                        ended: None,
                        wait: Wait::Start,
                    },
                );
                self.current.insert(&it.node_id, child);
            }
            EventKind::ChildStarted(it) => {
                let child = self.id(&it.node_id, it.attempt, it.iteration);
                let guest_digest = self.guest_digest;
                if let Some(told) = self.children.get_mut(&child) {
                    told.started = Some(StartTold {
                        sequence: event.sequence,
                        at: event.at,
                        workflow_digest: it.workflow_digest,
                        guest_digest,
                    });
                    told.wait = Wait::End;
                }
            }
            EventKind::ChildRefused(it) => {
                let child = self.id(&it.node_id, it.attempt, it.iteration);
                if let Some(told) = self.children.get_mut(&child) {
                    told.refused = Some(event.sequence);
                }
            }
            EventKind::ChildEnded(it) => {
                let child = self.id(&it.node_id, it.attempt, it.iteration);
                if let Some(told) = self.children.get_mut(&child) {
                    told.ended = Some(EndTold::of(event, it));
                }
            }
            _ => {}
        }
        self.follow(&event.kind);
    }

    /// Whether a node waits on.
    fn follow(&mut self, kind: &'a EventKind) {
        let Some(rules) = &self.rules else {
            return; // No child was asked for.
        };
        let Some(SaidOfChild::WaitsNoMore(node_id)) = SaidOfChild::by(kind, rules) else {
            return;
        };
        let told = self.current.remove(node_id);
        let Some(told) = told.and_then(|child| self.children.get_mut(&child)) else {
            return;
        };
        let is_told = matches!(
            kind,
            EventKind::ChildStarted(_) | EventKind::ChildEnded(_) | EventKind::ChildRefused(_)
        );
        told.wait = match (is_told, told.wait) {
            (true, _) => Wait::Over,
            (false, Wait::Start) => Wait::StoppedBefore,
            (false, _) => Wait::Stopped,
        };
    }

    fn id(&self, node_id: &str, attempt: u32, iteration: u32) -> ExecutionId {
        ExecutionId::of_child(self.parent, node_id, attempt, iteration)
    }
}

impl EndTold {
    fn of(event: &Event, told: &ChildEnded) -> Self {
        let digest = |text: &String| Digest::of(text.as_bytes());
        Self {
            sequence: event.sequence,
            at: event.at,
            status: told.status,
            head: Head {
                sequence: told.sequence,
                hash: told.head.0,
            },
            output: told.output.as_ref().map(digest),
            error: told.error.as_ref().map(digest),
        }
    }
}
