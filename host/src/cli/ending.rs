//! How an execution ended, or why it does not go on.

use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::{
    Event, EventKind, NodeFailure, NodeState, OperatorNote, Remedy, Status, WorkflowFailure,
};
use refrain::render;
use refrain::replay::nodes::{Node, Nodes, is_one_of_many};
use refrain::store::{ExecutionRecord, Reader, StoreError};

use super::database::Database;
use super::paused;
use super::progress::one_line;
use super::remedy;
use super::text::{Text, text};

/// So many failed nodes are told of one by one.
const FAILED_TOLD_MAX: usize = 3;

/// How many of the last events are looked through for why an execution is stalled: what
/// comes behind that are results of what was in flight, and acts of persons.
const LOOKED_THROUGH: u64 = 100;

/// Why an execution failed, was cancelled or is stalled, by the end of its log, and the nodes
/// that it failed for. `None` if it is otherwise, or its log says nothing that is to be
/// believed.
pub(super) fn why(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
) -> Result<(Option<String>, Vec<String>), StoreError> {
    let nothing = || (None, Vec::new());
    let is_told = matches!(
        record.status,
        Status::Failed | Status::Cancelled | Status::Stalled
    );
    if !is_told || record.tampering.is_some() || record.erased.is_some() {
        return Ok(nothing());
    }
    let first = match record.status {
        Status::Stalled => record.head.sequence.saturating_sub(LOOKED_THROUGH).max(1),
        _ => record.head.sequence,
    };
    let ending = match of_events(store, record, first) {
        Ok(ending) if ending.error.is_none() && first > 1 => of_events(store, record, 1),
        ending => ending,
    };
    match ending {
        Ok(ending) => Ok((ending.error, ending.failed)),
        // What is damaged of one is told by those who read its log.
        Err(error) if error.is_of_one() => Ok(nothing()),
        Err(error) => Err(error),
    }
}

/// What the events of a log say from this one on.
fn of_events(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    mut first: u64,
) -> Result<Ending, StoreError> {
    let mut ending = Ending::default();
    loop {
        let events = store.events(record.id, first, EVENTS_PAGE_MAX)?;
        let Some(last) = events.last() else {
            return Ok(ending);
        };
        first = last.event.sequence + 1;
        for stored in &events {
            ending.apply(&stored.event);
        }
    }
}

/// Whether an execution is stalled on a budget, by the end of its log.
pub(super) fn is_stalled_on_budget(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
) -> Result<bool, StoreError> {
    let first = record.head.sequence.saturating_sub(LOOKED_THROUGH).max(1);
    let ending = of_events(store, record, first)?;
    Ok(ending.remedies.contains(&Remedy::Lift))
}

/// What its log says of its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    /// The final state, verbatim.
    pub(super) final_state: Option<String>,
    /// Why it failed, was cancelled (where somebody said why) or is stalled.
    pub(super) error: Option<String>,
    /// The nodes that failed, if that is why it failed.
    failed: Vec<String>,
    /// The nodes that failed for good, in the order in which they did; no instances.
    exhausted: Vec<Exhausted>,
    /// What somebody can do about it.
    remedies: Vec<Remedy>,
    /// The last event that says so.
    said_by: u64,
    /// All that it is stalled on; the last is told of.
    stalls: Vec<Stall>,
    is_cancelling: bool,
    /// What the last pause says of itself.
    pause: Option<OperatorNote>,
}

/// A node that failed for good.
#[derive(Clone, Debug)]
struct Exhausted {
    node: String,
    /// Whether nobody's work failed, so that the same input and results lead to the same.
    fails_again: bool,
}

/// Why an execution is stalled: on a node, or as a whole.
#[derive(Clone, Debug)]
struct Stall {
    node: Option<String>,
    error: Option<String>,
    remedies: Vec<Remedy>,
    said_by: u64,
}

impl Ending {
    /// What these events say.
    pub(super) fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut ending = Self::default();
        for event in events {
            ending.apply(event);
        }
        ending
    }

    /// Take one event.
    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::WorkflowCompleted(completed) => {
                self.final_state = Some(completed.final_state.clone());
            }
            EventKind::WorkflowFailed(failed) => {
                self.final_state = Some(failed.final_state.clone());
                if let WorkflowFailure::NodesFailed(nodes) = &failed.cause {
                    self.failed.clone_from(nodes);
                }
                self.say(event, Vec::new());
            }
            EventKind::NodeExhausted(it) if !is_one_of_many(&it.node_id) => {
                self.exhausted.retain(|known| known.node != it.node_id);
                self.exhausted.push(Exhausted {
                    node: it.node_id.clone(),
                    fails_again: fails_again(&it.cause),
                });
            }
            EventKind::WorkflowCancelled(cancelled) => {
                self.final_state = Some(cancelled.final_state.clone());
                self.say(event, Vec::new());
            }
            EventKind::Stalled(stalled) => {
                let of_node = stalled.node_id().map_or(vec![Remedy::Lift], |node| {
                    vec![
                        Remedy::Retry(node.to_owned()),
                        Remedy::Skip(node.to_owned()),
                    ]
                });
                // A finalizer can stall a cancellation, and that cannot be cancelled.
                let cancel = (!self.is_cancelling).then_some(Remedy::Cancel);
                self.say(event, of_node.into_iter().chain(cancel).collect());
                self.stall(stalled.node_id());
            }
            EventKind::HostStalled(_) => {
                self.say(event, vec![Remedy::Lift]);
                self.stall(None);
            }
            EventKind::CancelRequested(_) => {
                self.is_cancelling = true;
                self.remedies.retain(|it| *it != Remedy::Cancel);
                for stall in &mut self.stalls {
                    stall.remedies.retain(|it| *it != Remedy::Cancel);
                }
            }
            EventKind::ExecutionPaused(note) => self.pause = Some(note.clone()),
            EventKind::StallLifted(_) => self.no_longer_stalled(None),
            EventKind::RetryRequested(it) => self.no_longer_stalled(Some(&it.node_id)),
            EventKind::SkipRequested(it) => self.no_longer_stalled(Some(&it.node_id)),
            _ => {}
        }
    }

    /// What to type about it, in lines of its own.
    pub(super) fn remedies(&self, execution: ExecutionId, database: &Database) -> Text {
        let each = remedy::each(&self.remedies, execution, database);
        each.map(|it| text!("  {}\n", it)).collect()
    }

    /// The nodes that it failed for, in the order in which they failed: a later one may be a
    /// finalizer, which ran because of the first.
    fn failed_in_order(&self) -> Vec<&str> {
        let mut failed: Vec<&str> = self.failed.iter().map(String::as_str).collect();
        failed.sort_by_key(|id| {
            let place = self.exhausted.iter().position(|it| it.node == *id);
            place.unwrap_or(usize::MAX)
        });
        failed
    }

    /// The node to go on from where it failed for nodes: the first of them, and of a map its
    /// instance. `None` if it did not.
    pub(super) fn failed_for<'n>(&'n self, nodes: &'n Nodes) -> Option<&'n str> {
        let first = self.failed_in_order().first().copied()?;
        Some(nodes.failed_for(first))
    }

    /// Whether it failed for this node.
    pub(super) fn is_failed_for(&self, node: &str) -> bool {
        self.failed.iter().any(|it| it == node)
    }

    fn say(&mut self, event: &Event, remedies: Vec<Remedy>) {
        self.error = render::error(&event.kind).map(|error| error.into_owned());
        self.remedies = remedies;
        self.said_by = event.sequence;
    }

    /// What was said last is why it is stalled, on this node or as a whole.
    fn stall(&mut self, node: Option<&str>) {
        self.stalls.push(Stall {
            node: node.map(str::to_owned),
            error: self.error.clone(),
            remedies: self.remedies.clone(),
            said_by: self.said_by,
        });
    }

    /// It is stalled on this node, or as a whole, no longer; on others perhaps.
    fn no_longer_stalled(&mut self, node: Option<&str>) {
        self.stalls.retain(|stall| stall.node.as_deref() != node);
        let left = self.stalls.last().cloned();
        self.error = left.as_ref().and_then(|stall| stall.error.clone());
        self.said_by = left.as_ref().map_or(self.said_by, |stall| stall.said_by);
        self.remedies = left.map_or(Vec::new(), |stall| stall.remedies);
    }

    /// That a child stands still, and what to type about it; with what makes it the same
    /// thing when it is looked at again. `way` leads to its nodes.
    pub(super) fn of_stalled_child(
        &self,
        way: &str,
        execution: ExecutionId,
        nodes: &Nodes,
        database: &Database,
    ) -> (String, Text) {
        let child = way.trim_end_matches('/');
        let why = self.text(execution, nodes, database).unwrap_or_default();
        let key = format!("{execution} stalled {}", self.said_by);
        (key, text!("the child of {} is stalled: {}", child, why))
    }

    /// Why it does not go on, or goes on only to its end, where an error does not say so.
    pub(super) fn why_held<'d>(
        &self,
        record: &ExecutionRecord,
        database: impl Into<Option<&'d Database>>,
    ) -> Option<Text> {
        let unpause = database.into().map_or(Text::new(), |database| {
            let command = database.command("unpause", &[record.id.to_string()]);
            match self.is_cancelling {
                false => text!("; to lift that: {}", command),
                true => text!(": {}", command),
            }
        });
        let note = self.pause.as_ref();
        let why = note.map(|it| paused::why(it.reason.as_deref(), it.by.as_deref()));
        let why = why.unwrap_or_default();
        match (record.status, self.is_cancelling) {
            (Status::Paused, false) => Some(text!("it is paused{}{}", why, unpause)),
            (Status::Paused, true) => Some(text!(
                "it is paused{}, and a request to cancel it is recorded: it ends when the pause is lifted{}",
                why,
                unpause
            )),
            (Status::Running | Status::Stalled, true) => Some(text!("it is being cancelled")),
            _ => None,
        }
    }

    /// Whether somebody has asked for it to be cancelled.
    pub(super) fn is_cancelling(&self) -> bool {
        self.is_cancelling
    }

    /// Why, with what to type about it; nothing of that without a database.
    pub(super) fn text<'d>(
        &self,
        execution: ExecutionId,
        nodes: &Nodes,
        database: impl Into<Option<&'d Database>>,
    ) -> Option<Text> {
        let database = database.into();
        let not_undone = not_undone(nodes);
        let is_undone = nodes.iter().any(|node| node.undoes().is_some());
        // What was undone is not there any more for a fork to go on with.
        let in_order = self.failed_in_order();
        if let (Some(first), Some(database)) = (self.failed_for(nodes), database)
            && !is_undone
        {
            let fails_again = |it: &Exhausted| it.fails_again && it.node == first;
            let from_there = database.command_to_fork_from(execution, first);
            return Some(text!(
                "{}: {}",
                Text::joined(
                    [failed(&in_order, nodes)].into_iter().chain(not_undone),
                    "; "
                ),
                match self.exhausted.iter().any(fails_again) {
                    true => text!(
                        "`{} --workflow FILE` goes on from there with another workflow, and `{}` begins anew with another input",
                        from_there,
                        database.command_to_fork_with_input(execution)
                    ),
                    false => text!("`{}` goes on from there", from_there),
                }
            ));
        }
        let error = match (&self.failed[..], &self.error) {
            ([_, ..], _) => failed(&in_order, nodes),
            (_, Some(error)) => Text::lines(error),
            (_, None) => return not_undone,
        };
        let error = [error].into_iter().chain(not_undone);
        let error = Text::joined(error, "; ");
        let remedies = database.map(|it| remedy::lines(&self.remedies, execution, it));
        Some(text!("{}{}", error, remedies.unwrap_or_default()))
    }
}

/// Whether a node that failed so would do it again with the same workflow, input and results.
fn fails_again(cause: &NodeFailure) -> bool {
    matches!(
        cause,
        NodeFailure::UnresolvedExpression(_)
            | NodeFailure::LimitExceeded(_)
            | NodeFailure::NotAList
            | NodeFailure::TooManyItems(_)
            | NodeFailure::TooLarge(_)
    )
}

/// That these nodes failed, with why.
fn failed(ids: &[&str], nodes: &Nodes) -> Text {
    some_of("node", ids.iter().copied(), nodes)
}

/// That compensations failed, with why: nobody has undone what they were to undo. `None` if
/// none has.
fn not_undone(nodes: &Nodes) -> Option<Text> {
    let has_failed = |node: &&Node| node.undoes().is_some() && node.state == NodeState::Failed;
    let failed: Vec<&str> = nodes
        .iter()
        .filter(has_failed)
        .map(|node| node.id.as_str())
        .collect();
    (!failed.is_empty()).then(|| some_of("compensation", failed.into_iter(), nodes))
}

/// That these failed, with why; of many, the first of them.
fn some_of<'a>(what: &str, ids: impl ExactSizeIterator<Item = &'a str>, nodes: &Nodes) -> Text {
    let one = |id: &str| {
        let node = nodes.named(id);
        let error = node.and_then(|node| node.error.as_deref());
        let error = error.map_or(Text::new(), |error| text!(": {}", one_line(error)));
        match node.map_or(0, |node| node.attempts) {
            0 | 1 => text!("{} {} failed{}", what, id, error),
            attempts => text!("{} {} failed at attempt {}{}", what, id, attempts, error),
        }
    };
    let more = ids.len().saturating_sub(FAILED_TOLD_MAX);
    let told = ids.take(FAILED_TOLD_MAX).map(one);
    let more = if more > 0 {
        text!("; and {} more", more)
    } else {
        Text::new()
    };
    text!("{}{}", Text::joined(told, "; "), more)
}
