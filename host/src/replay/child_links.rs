//! Law 11 as far as one log alone shows it: a child's id follows from what its event 1 says
//! of its parent, and the ids and workflows of the children that a log names follow from it.

use std::collections::HashMap;

use super::divergence::Divergence;
use super::integrity::Finding;
use super::parent_link;
use super::source::Recording;
use super::verdict::Verdict;
use crate::id::ExecutionId;
use crate::limits::CHILD_DEPTH_MAX;
use crate::model::{ChildStarted, Digest, Event, EventKind, ForkOrigin, ParentOrigin, node_of_run};
use crate::order_rules::{ChildRules, OrderRules};

/// Finds what no log of this execution can say of its parent and its children.
pub(super) fn check(recording: &Recording) -> Result<(), Finding> {
    let illegal = |found: Box<Divergence>| (Verdict::Illegal, found);
    if let Some(named) = parent_link::named(recording)
        && let Some(message) = origin_fault(recording, named)
    {
        return Err(illegal(Divergence::plain(1, message).into()));
    }
    check_children(recording).map_err(illegal)
}

/// What is wrong with the origin of a child, if anything is.
fn origin_fault(recording: &Recording, named: &ParentOrigin) -> Option<String> {
    if forked_from(recording).is_some() {
        return Some(
            "event 1 names a parent, and the origin of a fork: a fork is nobody's child".to_owned(),
        );
    }
    let ParentOrigin {
        execution_id,
        node_id,
        attempt,
        iteration,
        root,
        depth,
        ..
    } = named;
    let ids: [Result<ExecutionId, _>; 2] = [execution_id.parse(), root.parse()];
    let [Ok(parent), Ok(root)] = ids else {
        return Some("event 1 names a parent or a root that is no execution's id".to_owned());
    };
    let id = recording.execution_id;
    let derived = ExecutionId::of_child(parent, node_id, *attempt, *iteration);
    if derived != id {
        return Some(format!(
            "event 1 names attempt {attempt} and iteration {iteration} of node {node_id:?} of {parent}, and the child of that is {derived}"
        ));
    }
    if !(1..=CHILD_DEPTH_MAX).contains(depth) {
        return Some(format!(
            "event 1 says that the child is {depth} levels below its root, and there are 1 to {CHILD_DEPTH_MAX}"
        ));
    }
    let is_placed = root != id && (*depth == 1) == (root == parent);
    (!is_placed).then(|| {
        format!(
            "event 1 says that the child is {depth} levels below {root}, and that its parent is {parent}: who is one level below its root is its child"
        )
    })
}

fn forked_from(recording: &Recording) -> Option<&ForkOrigin> {
    match recording.plain().next().map(|(event, _)| &event.kind) {
        Some(EventKind::WorkflowStarted(started)) => started.forked_from.as_ref(),
        _ => None,
    }
}

/// The events of its own; what stands before them in a fork's log is of its origin's children.
fn own(recording: &Recording) -> impl Iterator<Item = &Event> {
    let common = forked_from(recording).map_or(0, |origin| origin.sequence);
    let events = recording.plain().map(|(event, _)| event);
    events.filter(move |event| event.sequence > common)
}

/// The children that a log asks for, as it asks for them.
pub(super) fn asked_for(recording: &Recording) -> impl Iterator<Item = ExecutionId> {
    own(recording).filter_map(|event| match &event.kind {
        EventKind::ChildRequested(it) => Some(ExecutionId::of_child(
            recording.execution_id,
            &it.node_id,
            it.attempt,
            it.iteration,
        )),
        _ => None,
    })
}

/// Finds the first child whose id does not follow from this execution and from what it was
/// started for, or whose workflow is not the one that the node has written in place.
fn check_children(recording: &Recording) -> Result<(), Box<Divergence>> {
    let mut in_place = InPlace {
        text: &recording.workflow,
        rules: None,
        digests: HashMap::new(),
    };
    for event in own(recording) {
        let (node_id, attempt, iteration, child_id) = match &event.kind {
            EventKind::ChildStarted(it) => (&it.node_id, it.attempt, it.iteration, &it.child_id),
            EventKind::ChildEnded(it) => (&it.node_id, it.attempt, it.iteration, &it.child_id),
            _ => continue,
        };
        let child = ExecutionId::of_child(recording.execution_id, node_id, attempt, iteration);
        if child.to_string() != *child_id {
            let message = format!(
                "event {} names {child_id} as the child of node {node_id:?}, and that is another one's id: the child is {child}",
                event.sequence
            );
            return Err(Divergence::plain(event.sequence, message).into());
        }
        if let EventKind::ChildStarted(started) = &event.kind {
            in_place.check(event.sequence, started)?;
        }
    }
    Ok(())
}

/// The workflows that nodes have written in place.
struct InPlace<'a> {
    text: &'a str,
    /// Prepared at the first child.
    rules: Option<OrderRules>,
    /// The digests of their texts, by node. `None` if a node names its workflow.
    digests: HashMap<&'a str, Option<Digest>>,
}

impl<'a> InPlace<'a> {
    fn check(&mut self, sequence: u64, started: &'a ChildStarted) -> Result<(), Box<Divergence>> {
        let rules = self.rules.get_or_insert_with(|| OrderRules::of(self.text));
        let of_node = || {
            let text = rules.child(&started.node_id).and_then(ChildRules::in_place);
            text.map(|text| Digest::of(text.as_bytes()))
        };
        let node = node_of_run(&started.node_id);
        let digest = *self.digests.entry(node).or_insert_with(of_node);
        let Some(expected) = digest.filter(|it| *it != started.workflow_digest) else {
            return Ok(());
        };
        let message = format!(
            "event {sequence} says that the child of node {:?} is of another workflow text than the one that is written there",
            started.node_id
        );
        let values = [expected, started.workflow_digest].map(|it| Some(it.to_string().into()));
        let [expected, found] = values;
        Err(Divergence::between(sequence, message, expected, found).into())
    }
}
