//! What a parent's log says of its children: an own fold, in plain code.

use std::collections::BTreeMap;

use refrain::id::ExecutionId;
use refrain::model::{ChildEnded, ChildStarted, Event, EventKind, Status};

use super::deadlines::Deadlines;
use super::{Account, Law, Violation};

/// A child that an execution has asked for, and how far that has come.
#[derive(Clone, Debug)]
pub(super) struct Tie {
    /// Its id, which follows from the rest.
    pub(super) child: ExecutionId,
    pub(super) node_id: String,
    pub(super) attempt: u32,
    pub(super) iteration: u32,
    /// The event that asks for it.
    pub(super) sequence: u64,
    /// Whether nobody waits for its end.
    pub(super) is_detached: bool,
    /// What was said when it was started.
    pub(super) started: Option<ChildStarted>,
    /// What was said of its end.
    pub(super) ended: Option<ChildEnded>,
    /// It cannot be started.
    pub(super) is_refused: bool,
    /// Its node was stopped while it waited.
    pub(super) is_stopped: bool,
}

impl Tie {
    fn is_open(&self) -> bool {
        let is_left = self.is_detached && self.started.is_some();
        !(self.is_refused || self.is_stopped || self.ended.is_some() || is_left)
    }
}

/// The children that an execution has asked for itself, and not its origin, in the order in
/// which it has.
///
/// # Errors
/// An event that is about no such child, or about one of which that was said before; a
/// child that is not the next of its node.
pub(super) fn ties(account: &Account) -> Result<Vec<Tie>, Violation> {
    let text = account.workflow.as_ref().map_or("", |it| &it.text);
    let mut reading = Reading {
        account,
        deadlines: Deadlines::of_workflow(text),
        ties: Vec::new(),
        last: BTreeMap::new(),
    };
    for event in account.log() {
        reading.take(event)?;
    }
    let common = account.common();
    reading.ties.retain(|tie| tie.sequence > common);
    Ok(reading.ties)
}

struct Reading<'a> {
    account: &'a Account,
    deadlines: Deadlines,
    ties: Vec<Tie>,
    /// The last child of each node, by its place.
    last: BTreeMap<String, usize>,
}

impl Reading<'_> {
    fn take(&mut self, event: &Event) -> Result<(), Violation> {
        match &event.kind {
            EventKind::ChildRequested(it) => {
                let place = (&*it.node_id, it.attempt, it.iteration);
                if !self.is_next(place) {
                    return self.broken(event, "it is not the next child of its node");
                }
                let is_detached = self.deadlines.is_detached(&it.node_id);
                self.last.insert(it.node_id.clone(), self.ties.len());
                self.ties.push(Tie {
                    child: ExecutionId::of_child(
                        self.account.record.id,
                        &it.node_id,
                        it.attempt,
                        it.iteration,
                    ),
                    node_id: it.node_id.clone(),
                    attempt: it.attempt,
                    iteration: it.iteration,
                    sequence: event.sequence,
                    is_detached,
                    started: None,
                    ended: None,
                    is_refused: false,
                    is_stopped: false,
                });
            }
            EventKind::ChildStarted(it) => {
                let place = (&*it.node_id, it.attempt, it.iteration);
                match self.open(place).filter(|tie| tie.started.is_none()) {
                    Some(tie) => tie.started = Some(it.clone()),
                    None => return self.broken(event, "no child waits to be started there"),
                }
            }
            EventKind::ChildRefused(it) => {
                let place = (&*it.node_id, it.attempt, it.iteration);
                match self.open(place).filter(|tie| tie.started.is_none()) {
                    Some(tie) => tie.is_refused = true,
                    None => return self.broken(event, "no child waits to be started there"),
                }
            }
            EventKind::ChildEnded(it) => {
                let place = (&*it.node_id, it.attempt, it.iteration);
                match self.open(place).filter(|tie| tie.started.is_some()) {
                    Some(tie) => tie.ended = Some(it.clone()),
                    None => return self.broken(event, "nobody waits for the end of that child"),
                }
            }
            EventKind::NodeTimedOut(it) => self.stop(&it.node_id),
            EventKind::NodeCancelled(it) => self.stop(&it.node_id),
            // What its origin waits for, a fork asks for anew.
            EventKind::ExecutionForked(_) => {
                for tie in &mut self.ties {
                    tie.is_stopped |= tie.is_open();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether this may be the next child of its node: the first; one more attempt, after one
    /// that came to nothing; one more iteration, after one that ended well.
    fn is_next(&self, (node_id, attempt, iteration): (&str, u32, u32)) -> bool {
        let Some(last) = self.last.get(node_id).map(|place| &self.ties[*place]) else {
            return (attempt, iteration) == (1, 0);
        };
        if last.is_open() {
            return false;
        }
        let is_fork = last.sequence <= self.account.common();
        let ended_well = last.ended.as_ref().map(|it| it.status) == Some(Status::Completed);
        match ended_well {
            true => {
                (attempt, iteration) == (1, last.iteration + 1)
                    || (attempt, iteration) == (last.attempt + 1, last.iteration)
            }
            false => {
                iteration == last.iteration
                    && (attempt == last.attempt + 1 || is_fork && attempt == last.attempt)
            }
        }
    }

    fn open(&mut self, (node_id, attempt, iteration): (&str, u32, u32)) -> Option<&mut Tie> {
        let tie = &mut self.ties[*self.last.get(node_id)?];
        let is_it = (tie.attempt, tie.iteration) == (attempt, iteration);
        (is_it && tie.is_open()).then_some(tie)
    }

    fn stop(&mut self, node_id: &str) {
        if let Some(place) = self.last.get(node_id) {
            let tie = &mut self.ties[*place];
            tie.is_stopped |= tie.is_open();
        }
    }

    fn broken(&self, event: &Event, message: &str) -> Result<(), Violation> {
        Err(Violation::at(
            Law::Linked,
            self.account.record.id,
            event.sequence,
            message,
        ))
    }
}
