//! Law 11: a fork's event 1 names its origin, the last event that both have in common,
//! and the head up to it. Anyone who has both logs can check that.

use std::sync::Arc;

use super::divergence::Divergence;
use super::integrity::{self, Finding};
use super::missing::{Missing, is_stored, open_at};
use super::source::{Reading, Recording};
use super::verdict::{Link, LinkState, Verdict};
use crate::log::canonical;
use crate::log::digest::hex;
use crate::log::{Hash, chain};
use crate::model::{Event, EventKind, ForkOrigin, Origin, WorkflowStarted};

/// The log that another one names as its origin or as its parent.
pub(super) enum OriginLog {
    /// It is not at hand.
    Missing,
    /// It cannot be read.
    Unreadable,
    /// The log.
    Log(Arc<Recording>),
}

impl OriginLog {
    pub(super) fn of(reading: Option<Reading>) -> Self {
        match reading {
            None => Self::Missing,
            Some(Err(_)) => Self::Unreadable,
            Some(Ok(recording)) => Self::Log(Arc::new(recording)),
        }
    }
}

/// The origin that the log names. `None` if it is of no fork.
pub(super) fn named(recording: &Recording) -> Option<&ForkOrigin> {
    started(recording)?.forked_from.as_ref()
}

fn started(recording: &Recording) -> Option<&WorkflowStarted> {
    match recording.plain().next().map(|(event, _)| &event.kind) {
        Some(EventKind::WorkflowStarted(started)) => Some(started),
        _ => None,
    }
}

/// Compares a fork, which is whole in itself, with the log of its origin. Answers what is
/// missing of that.
pub(super) fn check(
    fork: &Recording,
    named: &ForkOrigin,
    origin: &OriginLog,
) -> (Link, Result<Option<Missing>, Finding>) {
    let link = |link| Link {
        execution_id: named.execution_id.clone(),
        sequence: named.sequence,
        link,
    };
    let origin = match origin {
        OriginLog::Missing => return (link(LinkState::OriginMissing), Ok(None)),
        OriginLog::Log(origin) if integrity::check(origin).is_ok() => origin,
        OriginLog::Log(_) | OriginLog::Unreadable => {
            return (link(LinkState::OriginUnsound), Ok(None));
        }
    };
    match compare(fork, named, origin) {
        Ok(None) => (link(LinkState::Linked), Ok(None)),
        Ok(missing) => (link(LinkState::Cut), Ok(missing)),
        Err(broken) => (link(LinkState::Broken), Err((Verdict::Tampered, broken))),
    }
}

fn compare(
    fork: &Recording,
    named: &ForkOrigin,
    origin: &Recording,
) -> Result<Option<Missing>, Box<Divergence>> {
    let ForkOrigin {
        execution_id,
        sequence: common,
        ..
    } = named;
    let broken = |sequence, message: String| Err(Divergence::plain(sequence, message).into());
    let missing = missing(fork, named, origin);
    if missing.is_none() {
        has_head(origin, named)?;
    }
    if fork.plain().count() as u64 <= *common {
        return broken(
            common + 1,
            format!("the log does not go its own way after event {common}"),
        );
    }
    not_within_a_batch(origin, *common)?;
    let pairs = committed(fork).into_iter().zip(committed(origin));
    for ((sequence, own), (_, others)) in pairs.take(usize::try_from(*common).unwrap_or(usize::MAX))
    {
        if sequence == 1 {
            first_events(fork, origin)?;
        } else if own != others {
            return broken(
                sequence,
                format!(
                    "event {sequence} is not the one of {execution_id}, from which it was copied"
                ),
            );
        }
    }
    Ok(missing)
}

/// What is missing of the origin's log, if that ends before the last event in common.
fn missing(fork: &Recording, named: &ForkOrigin, origin: &Recording) -> Option<Missing> {
    let is_lost = is_stored(fork) && is_stored(origin);
    let ends = open_at(origin).filter(|ends| *ends < named.sequence && !is_lost)?;
    Some(Missing::new(
        origin.execution_id.to_string(),
        ends,
        named.sequence,
    ))
}

/// Checks that the origin has the last event in common.
fn has_head(origin: &Recording, named: &ForkOrigin) -> Result<(), Box<Divergence>> {
    let ForkOrigin {
        execution_id,
        sequence: common,
        head,
    } = named;
    let mut heads = origin.plain().map(|(_, head)| head);
    let Some(there) = heads.find(|head| head.sequence == *common) else {
        let message = format!(
            "event 1 says that {common} events are those of {execution_id}, and that log has not so many"
        );
        return Err(Divergence::plain(1, message).into());
    };
    if there.hash == head.0 {
        return Ok(());
    }
    let message = format!("event 1 names another event {common} of {execution_id}");
    let (expected, found) = (hex(&there.hash).into(), head.to_string().into());
    Err(Divergence::between(1, message, Some(expected), Some(found)).into())
}

/// What was decided at one time is forked as a whole.
fn not_within_a_batch(origin: &Recording, common: u64) -> Result<(), Box<Divergence>> {
    let mut events = origin.plain().map(|(event, _)| event);
    let last = events.find(|event| event.sequence == common);
    let (Some(last), Some(next)) = (last, events.next()) else {
        return Ok(());
    };
    if !are_of_one_time(last, next) {
        return Ok(());
    }
    let message = format!("the fork cuts apart what was decided with event {common}");
    Err(Divergence::plain(common, message).into())
}

/// Whether both were decided at one time, one after the other.
pub(crate) fn are_of_one_time(event: &Event, next: &Event) -> bool {
    let decisions = event.origin == Origin::Decision && next.origin == Origin::Decision;
    decisions && event.at == next.at
}

/// Event 1 of a fork differs from its origin's only in what a fork may change. What is
/// erased in one of them is not compared.
fn first_events(fork: &Recording, origin: &Recording) -> Result<(), Box<Divergence>> {
    let (Some(own), Some(others)) = (started(fork), started(origin)) else {
        return Ok(()); // Refused by the integrity check before.
    };
    let at = |recording: &Recording| recording.plain().next().map(|(event, _)| event.at);
    let same = |what, same: bool| match same {
        true => Ok(()),
        false => Err(Divergence::plain(
            1,
            format!(
                "event 1 has another {what} than event 1 of the execution that it was forked from"
            ),
        )
        .into()),
    };
    same("time", at(fork) == at(origin))?;
    same("seed", own.seed == others.seed)?;
    same("tenant", own.tenant == others.tenant)?;
    same("kind of time", own.simulated == others.simulated)?;
    same("priority", own.priority == others.priority)?;
    same("limits", own.limits == others.limits)?;
    if fork.is_erased() || origin.is_erased() {
        return Ok(());
    }
    let only = own.forked_from.as_ref().is_some_and(|it| it.sequence == 1);
    same("input", only || own.initial_input == others.initial_input)?;
    same("set of labels", own.labels == others.labels)
}

/// The sequences of all events, each with its plain fields and the commitment to the
/// others: all that does not depend on the execution.
fn committed(recording: &Recording) -> Vec<(u64, (Vec<u8>, Hash))> {
    let whole = recording.events.iter().map(|stored| {
        let bytes = canonical::write(&stored.event);
        let commitment = chain::commitment(&stored.salt, &bytes.erasable);
        (stored.event.sequence, (bytes.plain, commitment))
    });
    let erased = recording.erased.iter().map(|stored| {
        let bytes = canonical::write(&stored.event);
        (stored.event.sequence, (bytes.plain, stored.commitment))
    });
    whole.chain(erased).collect()
}
