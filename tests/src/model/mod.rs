//! A naive reference model: the scheduling rules, written down once more.
//!
//! It reads a log as it grows, and says of each decision whether the rules
//! lead to it. It was written from the rules R1 to R29 alone, and shares no
//! thought with the guest: it scans all nodes and all edges for each decision,
//! counts nothing, keeps no order of what is due, and takes the workflow from
//! its JSON. So what both say alike, two readings of the rules agree on.
//!
//! ```text
//! Model    a log next to the rules
//! next     what must be decided next: the rules in their order
//! ready    what is ready, and what becomes of it      end  how it all ends      map  maps and their instances      child  children      undo  compensations
//! say      decisions in the contract's words          item  the work item they order
//! fill     texts with expressions, resolved
//! Past     what the log says happened: an event, a line       record  what happened to one node
//! judged   what becomes of a node's edges when it is settled      ended  what fixes an ending, and what a join does without
//! signals  external events, and which wait each serves
//! budget   what was used up of the workflow's budgets
//! attempt  what follows a failed attempt, and when
//! Graph    what the workflow's JSON says      lines  its edges      node  its nodes      times  its spans and times
//! ```
//!
//! It borrows the types of the contract, and the evaluation of a condition,
//! which has an oracle of its own. It must never borrow anything else of the
//! guest, and never become fast.

mod attempt;
mod budget;
mod child;
mod end;
mod ended;
mod fill;
mod graph;
mod item;
mod judged;
mod lines;
mod map;
mod next;
mod node;
mod past;
mod ready;
mod record;
mod say;
mod signals;
mod times;
mod undo;

use refrain_guest::contract::{Event, EventKind, Origin, Status};

use graph::Graph;
use past::Past;

/// A log next to the rules.
#[derive(Debug)]
pub struct Model {
    graph: Graph,
    past: Past,
    /// How many work items the step at hand may still order (rule R4).
    budget: u32,
}

impl Model {
    /// The model of an execution that begins with `first`, which must be a
    /// `workflow_started` of this workflow, a valid one.
    ///
    /// # Panics
    /// If they are not.
    #[must_use]
    pub fn new(workflow: &str, first: &Event) -> Self {
        let graph = Graph::read(workflow);
        let past = Past::new(&graph, first);
        let mut model = Self {
            graph,
            past,
            budget: 0,
        };
        model.budget = model.dispatch_per_tick();
        model
    }

    /// Read the next event of the log. A fact must be a legal one.
    ///
    /// # Errors
    /// It is not the decision that the rules lead to, or it stands where a
    /// decision is missing.
    pub fn read(&mut self, event: &Event) -> Result<(), String> {
        let is_later = event.at > self.past.at;
        let is_edited =
            matches!(&event.kind, EventKind::NodeCompleted(it) if it.edited_by.is_some());
        let forks = is_edited || matches!(event.kind, EventKind::ExecutionForked(_));
        if is_later && !forks {
            self.nothing_is_missing()?;
        }
        if is_later || event.origin == Origin::Fact || self.next(event.at).is_none() {
            self.budget = self.dispatch_per_tick();
        }
        if event.origin == Origin::Decision {
            let expected = self.next(event.at);
            if expected.as_ref() != Some(&event.kind) {
                return Err(format!(
                    "event {} is {:?};\nby the rules it is {expected:?}",
                    event.sequence, event.kind
                ));
            }
        }
        if let EventKind::NodeScheduled(_)
        | EventKind::RetryScheduled(_)
        | EventKind::ChildRequested(_) = event.kind
        {
            self.budget -= 1;
        }
        if let EventKind::MapExpanded(it) = &event.kind {
            map::expand(&mut self.graph, &mut self.past, it, event.sequence);
            self.past.at = event.at;
            return Ok(());
        }
        self.past.observe(&self.graph, event);
        undo::begin(&mut self.graph, &mut self.past, event);
        Ok(())
    }

    /// Whether everything was decided that is due at the log's last reading of
    /// the clock (law 2).
    ///
    /// # Errors
    /// What is missing.
    pub fn nothing_is_missing(&self) -> Result<(), String> {
        match next::next(&self.graph, &self.past, self.past.at, u32::MAX) {
            None => Ok(()),
            Some(missing) => Err(format!("by the rules, this is missing: {missing:?}")),
        }
    }

    /// Whether nothing but the dispatch limit ended the step that was read
    /// last (rule R4).
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.budget == 0 && self.nothing_is_missing().is_err()
    }

    /// What must be decided next where the clock shows this, which is no earlier than the
    /// log's last event; to be read then. `None` if nothing must.
    #[must_use]
    pub fn decision(&mut self, now: u64) -> Option<EventKind> {
        if self.next(now).is_none() {
            self.budget = self.dispatch_per_tick();
        }
        self.next(now)
    }

    /// Whether an operator has paused the execution.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.past.paused
    }

    /// Whether nobody waits for the end of the child of this node, or of this instance.
    #[must_use]
    pub fn is_detached(&self, run: &str) -> bool {
        let kind = &self.graph.json["nodes"][refrain::model::node_of_run(run)]["kind"];
        kind["detached"] == true || kind["body"]["detached"] == true
    }

    /// What the execution is.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.past.ended {
            Some(status) => status,
            None if self.past.is_stalled() => Status::Stalled,
            None if self.past.paused => Status::Paused,
            None => Status::Running,
        }
    }

    /// When time alone could change the answer; asked when nothing is left to
    /// decide.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        next::next_wake(&self.graph, &self.past)
    }

    fn next(&self, now: u64) -> Option<EventKind> {
        next::next(&self.graph, &self.past, now, self.budget)
    }

    fn dispatch_per_tick(&self) -> u32 {
        let limit = self.past.started.limits.max_dispatch_per_tick;
        let own = self.graph.limit("max_dispatch_per_tick");
        own.map_or(limit, |own| own.min(limit))
    }
}
