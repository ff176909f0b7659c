//! From a request to all that a fork begins with.

use std::sync::Arc;

use serde_json::Value;

use crate::error::EngineError;
use crate::guest::Library;
use crate::id::ExecutionId;
use crate::live::values::facts;
use crate::live::values::fork::{Cut, Fork};
use crate::live::values::random::Salts;
use crate::live::values::work::{Answer, ClaimId};
use crate::log::{ChainedEvent, StoredEvent};
use crate::model::{Digest, EventKind, ExecutionForked, WorkflowStarted, node_of_run};
use crate::replay::{
    AuditError, Claimed, Compared, Recording, Unfit, check_log, fetch_guest, from_look,
    replay_beginning,
};
use crate::store::{ExecutionRecord, ItemRecord, Reader, StoreError};

use super::beginning::{Changed, chained};
use super::cut::{claim, last_common};

/// All that a fork begins with.
pub(in crate::live) struct Plan {
    pub(in crate::live) origin: ExecutionId,
    /// The record of the fork behind the events that it has in common with its origin.
    pub(in crate::live) record: ExecutionRecord,
    pub(in crate::live) events: Vec<ChainedEvent>,
    /// The work items behind these events, as the fork has them.
    pub(in crate::live) items: Vec<ItemRecord>,
    /// The facts with which it goes its own way.
    pub(in crate::live) facts: Vec<EventKind>,
}

impl Plan {
    /// The last event that the fork has in common with its origin.
    pub(in crate::live) fn common(&self) -> u64 {
        self.record.head.sequence
    }
}

/// What is read from the store before a fork is planned.
pub(in crate::live) struct Source {
    recording: Recording,
    /// The text of the workflow that the fork goes on with, where it is another.
    workflow: Option<(String, Arc<str>)>,
    /// The guests that take part, all at hand.
    library: Library,
}

/// Reads what a fork is made of, from a store that is being looked at.
pub(in crate::live) fn read(
    store: &mut dyn Reader,
    mut library: Library,
    fork: &Fork,
) -> Result<Source, EngineError> {
    let origin = fork.origin;
    let Some(reading) = from_look(store, origin)? else {
        return Err(EngineError::UnknownExecution(origin));
    };
    let recording = reading.map_err(|unreadable| refused(origin, unreadable.message))?;
    if recording.is_erased() {
        let place = store.place();
        return Err(StoreError::Erased {
            place,
            execution: origin,
        }
        .into());
    }
    let workflow = match &fork.workflow {
        None => None,
        Some((id, version)) => {
            let tenant = started(recording.events.first()).map_or("", |it| it.tenant.as_str());
            let registered = store.workflow(tenant, id, version)?;
            let registered = registered.ok_or_else(|| EngineError::UnknownWorkflow {
                workflow_id: id.clone(),
                version: version.clone(),
            })?;
            Some((registered.digest, registered.text.into()))
        }
    };
    for digest in recording.guests().chain(fork.guest.clone()) {
        fetch_guest(&mut library, store, &digest).map_err(|error| failed(origin, error))?;
    }
    Ok(Source {
        recording,
        workflow,
        library,
    })
}

/// Plans a fork of this id.
pub(in crate::live) fn plan(
    source: Source,
    fork: &Fork,
    id: ExecutionId,
    salts: Salts,
    simulated: bool,
) -> Result<Plan, EngineError> {
    let origin = fork.origin;
    let Source {
        recording,
        workflow,
        mut library,
    } = source;
    let refused = |reason| refused(origin, reason);
    check_log(&recording).map_err(|unfit| {
        refused(format!(
            "its log is {}: {}",
            unfit.verdict.word(),
            unfit.divergence.message
        ))
    })?;
    check_workflow(fork, &recording).map_err(refused)?;
    let last = last_common(&recording.events, &fork.cut).map_err(refused)?;
    let common = usize::try_from(last).unwrap_or(usize::MAX);
    let common = &recording.events[..common.min(recording.events.len())];
    check_guest(fork, common).map_err(refused)?;
    let facts = facts(fork, common)?;
    let digest = workflow.as_ref().map(|(digest, _)| digest.as_str());
    let changed = changed(fork, id, salts, digest)?;
    let events = chained(origin, common, changed)?;
    let text = workflow.map_or(Arc::clone(&recording.workflow), |(_, text)| text);
    let record =
        record(id, &events).ok_or_else(|| refused("its first event starts nothing".to_owned()))?;
    if started(events.first().map(|it| &**it)).is_some_and(|it| it.simulated != simulated) {
        let (its, own) = match simulated {
            true => ("real", "simulated"),
            false => ("simulated", "real"),
        };
        return Err(refused(format!(
            "its time is {its}, and that of this engine is {own}"
        )));
    }
    let beginning = Recording {
        execution_id: id,
        head: record.head,
        events: events.iter().map(|it| (**it).clone()).collect(),
        erased: Vec::new(),
        broken_link: None,
        broken_off: None,
        workflow: text,
        claimed: Claimed::Header {
            guest_digest: events_guest(&events),
            owed_a_step: false,
            erased: None,
        },
        components: Vec::new(),
    };
    let items = replay_beginning(&mut library, beginning)
        .map_err(|error| failed(origin, error))?
        .map_err(|unfit| refused(differs(&unfit)))?;
    Ok(Plan {
        origin,
        record,
        events,
        items,
        facts,
    })
}

/// What event 1 of the fork says otherwise than that of its origin. `workflow` is the digest
/// of the workflow that is asked for, if one is.
fn changed(
    fork: &Fork,
    id: ExecutionId,
    salts: Salts,
    workflow: Option<&str>,
) -> Result<Changed, EngineError> {
    let origin = fork.origin;
    let workflow = match (&fork.workflow, workflow) {
        (Some((id, version)), Some(digest)) => {
            Some((id.clone(), version.clone(), digest_of(origin, digest)?))
        }
        _ => None,
    };
    let guest = match &fork.guest {
        Some(digest) => Some(digest_of(origin, digest)?),
        None => None,
    };
    Ok(Changed {
        id,
        salt: salts.draw(id, 1),
        input: match &fork.cut {
            Cut::Input(input) => Some(input.to_string()),
            _ => None,
        },
        workflow,
        guest,
    })
}

/// What is in common would not have come about so.
fn differs(unfit: &Unfit) -> String {
    let divergence = &unfit.divergence;
    let sequence = divergence.sequence;
    let differs = match (&divergence.expected, &divergence.found) {
        (Some(decided), Some(logged)) if divergence.compared == Some(Compared::GuestWithLog) => {
            let (would_be, is) = (named(decided), named(logged));
            if would_be == is {
                let places = divergence.difference.iter().map(|it| it.pointer.as_str());
                let places: Vec<&str> = places.collect();
                format!(
                    "event {sequence}, {is}, would be another in {}",
                    places.join(", ")
                )
            } else {
                format!("event {sequence} would be {would_be}, and is {is}")
            }
        }
        _ => format!("event {sequence}: {}", divergence.message),
    };
    format!(
        "what both would have in common is {} there: {differs}; fork it from before that event",
        unfit.verdict.word()
    )
}

/// What an event is, and of which node.
fn named(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or_default();
    match event["node_id"].as_str() {
        Some(node) => format!("{kind} of node {node:?}"),
        None => kind.to_owned(),
    }
}

/// A child goes on with another version of its own workflow, and with no other one: what is
/// asked for is then perhaps its parent's.
fn check_workflow(fork: &Fork, recording: &Recording) -> Result<(), String> {
    let (Some((asked, _)), Some(started)) = (&fork.workflow, started(recording.events.first()))
    else {
        return Ok(());
    };
    match &started.parent {
        Some(parent) if *asked != started.workflow_id => Err(format!(
            "it is a child of workflow {:?}, and {asked:?} is another one; fork it with another version of its own workflow, or fork its parent, {}, from node {:?}",
            started.workflow_id,
            parent.execution_id,
            node_of_run(&parent.node_id)
        )),
        _ => Ok(()),
    }
}

/// A guest that is asked for decides all of the log, or none of it.
fn check_guest(fork: &Fork, common: &[StoredEvent]) -> Result<(), String> {
    let changed = common
        .iter()
        .find(|stored| matches!(stored.event.kind, EventKind::GuestChanged(_)));
    match changed {
        Some(stored) if fork.guest.is_some() => Err(format!(
            "event {} hands it to another scheduler; fork it before that, or fork it with the schedulers that it has and upgrade the fork",
            stored.event.sequence
        )),
        _ => Ok(()),
    }
}

/// The facts with which the fork goes its own way.
fn facts(fork: &Fork, common: &[StoredEvent]) -> Result<Vec<EventKind>, EngineError> {
    let mut facts = Vec::new();
    if let Cut::Results(results) = &fork.cut {
        for (node_id, answer) in results {
            facts.push(edited(fork, common, node_id, answer)?);
        }
    }
    facts.push(EventKind::ExecutionForked(ExecutionForked {
        by: fork.by.clone(),
    }));
    Ok(facts)
}

fn edited(
    fork: &Fork,
    common: &[StoredEvent],
    node_id: &str,
    answer: &Answer,
) -> Result<EventKind, EngineError> {
    let refused = |reason: String| refused(fork.origin, reason);
    let Some((attempt, fence)) = claim(common, node_id) else {
        return Err(refused(format!(
            "no worker has claimed node {node_id:?} by event {}, behind which it would be forked; results that one fork puts in the place of others are of nodes that were at work at one time, and the others can be put there by a fork of that fork",
            common.len()
        )));
    };
    let claim = ClaimId {
        execution: fork.origin,
        node_id: node_id.to_owned(),
        attempt,
        fence,
    };
    let mut completed = facts::completed(&claim, answer, 0)?;
    let by = fork.by.clone();
    let by = by
        .ok_or_else(|| refused("a result is edited by somebody, who has to be named".to_owned()))?;
    if let EventKind::NodeCompleted(it) = &mut completed {
        it.edited_by = Some(by);
    }
    Ok(completed)
}

/// The record of a fork behind its first events.
fn record(id: ExecutionId, events: &[ChainedEvent]) -> Option<ExecutionRecord> {
    let (first, last) = (events.first()?, events.last()?);
    let started = started(Some(first))?;
    let named = events
        .iter()
        .rev()
        .find_map(|stored| match &stored.event.kind {
            EventKind::GuestChanged(it) => Some(it.guest_digest),
            _ => None,
        });
    let guest_digest = named.unwrap_or(started.guest_digest).to_string();
    Some(ExecutionRecord {
        key: None,
        head: last.head(),
        last_at: last.event.at,
        ..ExecutionRecord::before(started, id, first.event.at, guest_digest.into())
    })
}

fn events_guest(events: &[ChainedEvent]) -> String {
    started(events.first().map(|it| &**it))
        .map_or_else(String::new, |it| it.guest_digest.to_string())
}

/// What event 1 of a log says.
fn started(first: Option<&StoredEvent>) -> Option<&WorkflowStarted> {
    match first.map(|stored| &stored.event.kind) {
        Some(EventKind::WorkflowStarted(started)) => Some(started),
        _ => None,
    }
}

fn digest_of(origin: ExecutionId, digest: &str) -> Result<Digest, EngineError> {
    let digest = digest.parse::<Digest>();
    digest.map_err(|error| refused(origin, error.to_string()))
}

fn refused(execution: ExecutionId, reason: String) -> EngineError {
    EngineError::NotForked { execution, reason }
}

fn failed(execution: ExecutionId, error: AuditError) -> EngineError {
    match error {
        AuditError::Store(error) => error.into(),
        error => refused(execution, error.to_string()),
    }
}
