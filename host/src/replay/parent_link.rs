//! Law 11: a child begins as its parent ordered it, and its parent was told how it ended.
//! That can be checked with both logs at hand, from either side.

use serde_json::{Value, json};

use super::child_log::ChildLog;
use super::divergence::Divergence;
use super::family::{EndTold, Family, Told};
use super::missing::Missing;
use super::source::Recording;
use crate::log::digest::hex;
use crate::model::{Digest, EventKind, ParentOrigin, Status, WorkflowStarted, node_of_run};
use crate::names;

/// The parent that the log names. `None` if it is of no child.
pub(super) fn named(recording: &Recording) -> Option<&ParentOrigin> {
    match recording.plain().next().map(|(event, _)| &event.kind) {
        Some(EventKind::WorkflowStarted(started)) => started.parent.as_ref(),
        _ => None,
    }
}

/// The first place in which two logs do not agree.
#[derive(Debug)]
pub(super) struct Contradiction {
    in_child: u64,
    in_parent: u64,
    message: String,
    /// What follows from the parent's log, and what the child's has.
    values: Option<Box<[Value; 2]>>,
    /// Whether it is about what a guest was asked for.
    pub(super) is_of_guest: bool,
}

impl Contradiction {
    /// As what is wrong with the child's log.
    pub(super) fn of_child(self) -> Divergence {
        let sequence = self.in_child;
        self.at(sequence)
    }

    /// As what is wrong with the parent's log.
    pub(super) fn of_parent(self) -> Divergence {
        let sequence = self.in_parent;
        self.at(sequence)
    }

    fn at(self, sequence: u64) -> Divergence {
        match self.values {
            None => Divergence::plain(sequence, self.message),
            Some(values) => {
                let [expected, found] = *values;
                Divergence::between(sequence, self.message, Some(expected), Some(found))
            }
        }
    }
}

/// Compares a child's log with what its parent's says. Both are whole in themselves. Answers
/// what one of them names of the other and is not there, where that may be so.
pub(super) fn compare(family: &Family, child: &ChildLog) -> Result<Option<Missing>, Contradiction> {
    let Some(named) = &child.started.parent else {
        let asked = family
            .children
            .get(&child.id)
            .map_or(1, |it| it.requested.0);
        return Err(Contradiction {
            in_parent: asked,
            ..plain(1, format!("{} does not say that it is a child", child.id))
        });
    };
    if let Some(missing) = of_parent(family, child, named) {
        return Ok(Some(missing));
    }
    let told = asked_for(family, child, named)?;
    begins_as_ordered(family, child, told)?;
    is_told(family, child, told)
}

/// What is missing of the parent's log, if that ends before it asks for this child.
fn of_parent(family: &Family, child: &ChildLog, named: &ParentOrigin) -> Option<Missing> {
    let parent = family.parent.to_string();
    let is_asked_for = family.children.contains_key(&child.id);
    let is_lost = family.is_stored && child.is_stored;
    if named.execution_id != parent || is_asked_for || is_lost {
        return None;
    }
    let ends = family.open_at?;
    (ends < named.sequence).then(|| Missing::new(parent, ends, named.sequence))
}

/// What is missing of the child's log, if that ends before the end that its parent was told of.
fn of_child(family: &Family, child: &ChildLog, ended: &EndTold) -> Option<Missing> {
    let is_lost = family.is_stored && child.is_stored;
    let (ends, to) = (child.head.sequence, ended.head.sequence);
    let is_missing = child.end.is_none() && ends < to && !is_lost;
    is_missing.then(|| Missing::new(child.id.to_string(), ends, to))
}

fn plain(in_child: u64, message: String) -> Contradiction {
    Contradiction {
        in_child,
        in_parent: 1,
        message,
        values: None,
        is_of_guest: false,
    }
}

/// What the parent says of this child.
fn asked_for<'a>(
    family: &'a Family,
    child: &ChildLog,
    named: &ParentOrigin,
) -> Result<&'a Told, Contradiction> {
    let place = (
        &*named.node_id,
        named.attempt,
        named.iteration,
        named.sequence,
    );
    let told = family.children.get(&child.id).filter(|told| {
        let asked = (
            &*told.node_id,
            told.attempt,
            told.iteration,
            told.requested.0,
        );
        named.execution_id == family.parent.to_string() && asked == place
    });
    told.ok_or_else(|| {
        let message = format!(
            "event {} of {} does not ask for {}",
            named.sequence, family.parent, child.id
        );
        plain(1, message)
    })
}

/// Checks event 1 of a child.
fn begins_as_ordered(family: &Family, child: &ChildLog, told: &Told) -> Result<(), Contradiction> {
    let asked = told.requested.0;
    let differs = |what: &str, values: [Value; 2]| Contradiction {
        in_parent: asked,
        values: Some(values.into()),
        ..plain(
            1,
            format!(
                "{} does not begin as event {asked} of {} asks for it: {what}",
                child.id, family.parent
            ),
        )
    };
    let (expected, found) = (expected_start(family, child, told), &child.started);
    if expected != *found {
        let values = [start_json(&expected), start_json(found)];
        return Err(differs("its event 1 has other values", values));
    }
    if child.first_at < told.requested.1 {
        let values = [
            json!({ "at": told.requested.1 }),
            json!({ "at": child.first_at }),
        ];
        return Err(differs("it begins before it is asked for", values));
    }
    match (told.input, child.input) {
        (Some(ordered), Some(found)) if ordered != found => Err(Contradiction {
            is_of_guest: true,
            ..differs(
                "the guest of its parent orders another input",
                [ordered, found].map(|digest| json!({ "input_digest": digest })),
            )
        }),
        _ => Ok(()),
    }
}

/// Event 1 of a child as it follows from its parent's log, without the input. What does not
/// follow from that is as the child has it.
fn expected_start(family: &Family, child: &ChildLog, told: &Told) -> WorkflowStarted {
    let (found, parent) = (&child.started, &family.started);
    let above = parent.parent.as_ref();
    let own_id = || family.parent.to_string();
    let (workflow_id, workflow_version) = match &told.workflow {
        Some(name) => (name.workflow_id.clone(), name.version.clone()),
        None => (
            format!("{}/{}", parent.workflow_id, node_of_run(&told.node_id)),
            parent.workflow_version.clone(),
        ),
    };
    let started = told.started.as_ref();
    WorkflowStarted {
        workflow_id,
        workflow_version,
        workflow_digest: started.map_or(found.workflow_digest, |it| it.workflow_digest),
        guest_digest: started.map_or(found.guest_digest, |it| it.guest_digest),
        limits: parent.limits,
        tenant: parent.tenant.clone(),
        simulated: parent.simulated,
        key: None,
        forked_from: None,
        parent: Some(ParentOrigin {
            execution_id: own_id(),
            node_id: told.node_id.clone(),
            attempt: told.attempt,
            iteration: told.iteration,
            sequence: told.requested.0,
            root: above.map_or_else(own_id, |it| it.root.clone()),
            depth: above.map_or(0, |it| it.depth) + 1,
        }),
        labels: Vec::new(),
        priority: parent.priority,
        by: None,
        ..found.clone()
    }
}

fn start_json(started: &WorkflowStarted) -> Value {
    let parent = started.parent.as_ref();
    json!({
        "workflow_id": started.workflow_id,
        "workflow_version": started.workflow_version,
        "workflow_digest": started.workflow_digest,
        "guest_digest": started.guest_digest,
        "limits": started.limits,
        "tenant": started.tenant,
        "simulated": started.simulated,
        "key": started.key,
        "forked_from": started.forked_from.as_ref().map(|it| &it.execution_id),
        "labels": started.labels.len(),
        "priority": started.priority,
        "by": started.by,
        "root": parent.map(|it| &it.root),
        "depth": parent.map(|it| it.depth),
    })
}

/// Checks what the parent was told of a child.
fn is_told(
    family: &Family,
    child: &ChildLog,
    told: &Told,
) -> Result<Option<Missing>, Contradiction> {
    let parent = family.parent;
    let refuted = |in_parent: u64, in_child: u64, what: &str| Contradiction {
        in_parent,
        ..plain(
            in_child,
            format!("event {in_parent} of {parent} {what} {}", child.id),
        )
    };
    if let Some(refused) = told.refused {
        return Err(refuted(refused, 1, "says that there is no"));
    }
    if let Some(started) = told.started.as_ref().filter(|it| it.at < child.first_at) {
        return Err(refuted(
            started.sequence,
            1,
            "was told before it was so of the start of",
        ));
    }
    let Some(ended) = &told.ended else {
        return Ok(None);
    };
    if let Some(missing) = of_child(family, child, ended) {
        return Ok(Some(missing));
    }
    let last = child.head.sequence;
    if ended.head != child.head {
        let values = [ended.head, child.head]
            .map(|head| json!({ "sequence": head.sequence, "head": hex(&head.hash) }));
        return Err(Contradiction {
            values: Some(values.into()),
            ..refuted(
                ended.sequence,
                ended.head.sequence,
                "names another last event of",
            )
        });
    }
    if ended.at < child.last_at {
        return Err(refuted(
            ended.sequence,
            last,
            "was told before it was so of the end of",
        ));
    }
    let is_readable = !family.is_erased && !child.is_erased;
    let told = end_json(ended.status, ended.output, ended.error, is_readable);
    let own = child.end.as_ref().map(|end| {
        let [output, error] = [&end.output, &end.error].map(digest_of);
        end_json(end.status, output, error, is_readable)
    });
    match own {
        Some(own) if own == told => Ok(None),
        own => Err(Contradiction {
            values: Some([own.unwrap_or_default(), told].into()),
            ..refuted(ended.sequence, last, "tells another end of")
        }),
    }
}

fn end_json(
    status: Status,
    output: Option<Digest>,
    error: Option<Digest>,
    is_readable: bool,
) -> Value {
    let [output, error] = [output, error].map(|digest| digest.filter(|_| is_readable));
    json!({ "status": names::status(status), "output_digest": output, "error_digest": error })
}

fn digest_of(text: &Option<String>) -> Option<Digest> {
    text.as_ref().map(|text| Digest::of(text.as_bytes()))
}
