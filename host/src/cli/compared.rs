//! What `refrain diff` says to programs.

use refrain::log::json::write_event;
use refrain::model::Event;
use refrain::names;
use refrain::replay::Difference;
use refrain::replay::comparison::{Attempt, Pair};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::diff::Sides;
use super::log_source::{OpenLog, Place};

#[derive(Serialize)]
pub(super) struct Document<'a> {
    a: SideDocument<'a>,
    b: SideDocument<'a>,
    /// How many events both have in common at their beginning.
    alike: u64,
    /// The first event in which they part.
    parting: Option<PartingDocument>,
    attempts: Vec<PairDocument<'a>>,
    /// The places in which their states differ; `null` where a state cannot be told.
    state: Option<Vec<PlaceDocument<'a>>>,
    /// Why not, then.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_error: Option<&'a str>,
}

#[derive(Serialize)]
struct SideDocument<'a> {
    execution_id: String,
    status: &'static str,
    workflow_id: &'a str,
    workflow_version: &'a str,
    guest: &'a str,
    events: u64,
    /// Behind which event it is compared, where that is not as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<Place>,
    took_ms: u64,
}

#[derive(Serialize)]
struct PartingDocument {
    sequence: u64,
    a: Option<Box<RawValue>>,
    b: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct PairDocument<'a> {
    node_id: &'a str,
    attempt: u32,
    alike: bool,
    a: Option<AttemptDocument<'a>>,
    b: Option<AttemptDocument<'a>>,
}

#[derive(Serialize)]
struct AttemptDocument<'a> {
    state: &'static str,
    took_ms: u64,
    worked_ms: u64,
    output: Option<&'a RawValue>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct PlaceDocument<'a> {
    pointer: &'a str,
    a: &'a Option<Value>,
    b: &'a Option<Value>,
}

/// What there is to say of two logs, for programs.
pub(super) fn document(sides: &Sides) -> Document<'_> {
    let Sides {
        open: [a, b],
        comparison,
        states,
    } = sides;
    Document {
        a: SideDocument::of(a),
        b: SideDocument::of(b),
        alike: comparison.alike,
        parting: comparison.parting.as_ref().map(|[a, b]| PartingDocument {
            sequence: comparison.alike + 1,
            a: a.as_ref().and_then(event_document),
            b: b.as_ref().and_then(event_document),
        }),
        attempts: comparison.attempts.iter().map(PairDocument::of).collect(),
        state: states.as_ref().ok().map(|places| {
            let places = places.iter();
            places.map(PlaceDocument::of).collect()
        }),
        state_error: states.as_ref().err().map(String::as_str),
    }
}

fn event_document(event: &Event) -> Option<Box<RawValue>> {
    // What the library writes is JSON.
    RawValue::from_string(write_event(event)).ok()
}

impl<'a> SideDocument<'a> {
    fn of(open: &'a OpenLog) -> Self {
        let record = &open.record;
        Self {
            execution_id: record.id.to_string(),
            status: names::status(record.status),
            workflow_id: &record.workflow_id,
            workflow_version: &record.workflow_version,
            guest: &record.guest_digest,
            events: record.head.sequence,
            behind: open.place,
            took_ms: record.last_at.saturating_sub(record.started_at),
        }
    }
}

impl<'a> PairDocument<'a> {
    fn of(pair: &'a Pair) -> Self {
        let [a, b] = pair.both.each_ref().map(Option::as_ref);
        Self {
            node_id: &pair.node_id,
            attempt: pair.attempt,
            alike: pair.is_alike(),
            a: a.map(AttemptDocument::of),
            b: b.map(AttemptDocument::of),
        }
    }
}

impl<'a> AttemptDocument<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        let output = attempt.output.as_deref();
        Self {
            state: names::node_state(attempt.state),
            took_ms: attempt.took_ms(),
            worked_ms: attempt.worked_ms,
            output: output.and_then(|json| serde_json::from_str(json).ok()),
            error: attempt.error.as_deref(),
        }
    }
}

impl<'a> PlaceDocument<'a> {
    fn of(difference: &'a Difference) -> Self {
        Self {
            pointer: &difference.pointer,
            a: &difference.expected,
            b: &difference.found,
        }
    }
}
