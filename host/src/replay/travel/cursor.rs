//! A cursor over a log.
//!
//! Only the log is read. The guest is shown the events up to the cursor, and asked. On the
//! way back it begins at a snapshot that was taken on the way, so that each step costs about
//! the same wherever it leads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::error::TravelError;
use super::marks::Marks;
use super::ports::TravelPorts;
use super::seek::Seek;
use crate::guest::{CallError, Instance, Library, Ports};
use crate::id::ExecutionId;
use crate::json::Json;
use crate::model::{
    Digest, Event, EventKind, Explanation, Inspection, Outcome, Snapshot, WorkItem,
};
use crate::replay::source::Recording;
use crate::store::{StoredEvent, Timestamp};

/// Events from one snapshot to the next: few enough that reading them takes a moment.
const EVENTS_BETWEEN_MARKS: usize = 4096;

/// A cursor over a log. It stands behind one of the events, at first the last.
///
/// ```no_run
/// use std::fs::File;
/// use std::io::BufReader;
/// use std::sync::Arc;
///
/// use refrain::guest::{CallLimits, Library, Sandbox};
/// use refrain::replay::{Seek, Travel, from_export};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let export = BufReader::new(File::open("log.ndjson")?);
/// let recording = from_export(export, "log.ndjson")?.map_err(|it| it.message)?;
/// let library = Library::new(Sandbox::new(CallLimits::default())?);
/// let mut travel = Travel::open(Arc::new(recording), library)?;
/// if travel.previous(Seek::Failure)?.is_some() {
///     let state = travel.state()?;
///     println!("{:?} in {state}", travel.event());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Travel {
    recording: Arc<Recording>,
    workflow: Value,
    library: Library,
    /// The guests that the log names, each with the number of events before it is asked.
    guests: Vec<(usize, String)>,
    asked: Option<Asked>,
    marks: Marks,
    /// So many events are behind the cursor.
    place: usize,
}

/// A guest that has seen something of the log.
struct Asked {
    guest: Instance<TravelPorts>,
    digest: String,
    /// So many events.
    seen: usize,
}

/// What would happen next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NextStep {
    /// The decisions, as they would be appended; none if the execution waits.
    pub decisions: Vec<Event>,
    /// The work items that they order, with their payloads.
    pub items: Vec<WorkItem>,
    /// What the guest says of the execution then.
    pub outcome: Outcome,
}

impl fmt::Debug for Travel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Travel")
            .field("execution", &self.recording.execution_id)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Travel {
    /// A cursor behind the last event. The library needs the guests that the log names, see
    /// [`fetch_guest`](crate::replay::fetch_guest); [`Recording::guests`] names them.
    ///
    /// # Errors
    /// [`TravelError`] if the log is erased, or does not begin. A guest that fails on the way
    /// is no error before it is asked.
    pub fn open(recording: Arc<Recording>, library: Library) -> Result<Self, TravelError> {
        let id = recording.execution_id;
        if recording.is_erased() {
            return Err(TravelError::Erased(id));
        }
        let named = recording.events.iter().enumerate();
        let guests: Vec<(usize, String)> = named
            .filter_map(|(place, stored)| match &stored.event.kind {
                EventKind::WorkflowStarted(it) => Some((place, it.guest_digest.to_string())),
                EventKind::GuestChanged(it) => Some((place, it.guest_digest.to_string())),
                _ => None,
            })
            .collect();
        if guests.first().is_none_or(|(place, _)| *place > 0) {
            return Err(TravelError::NoBeginning(id));
        }
        let last = recording.events.len();
        let mut travel = Self {
            workflow: serde_json::from_str(&recording.workflow).unwrap_or_default(),
            recording,
            library,
            guests,
            asked: None,
            marks: Marks::default(),
            place: 0,
        };
        for place in (EVENTS_BETWEEN_MARKS..last).step_by(EVENTS_BETWEEN_MARKS) {
            travel.place = place;
            let Ok(snapshot) = travel.snapshot() else {
                // Behind that there are no marks; a question there is answered with the reason.
                break;
            };
            travel.marks.push(snapshot);
        }
        travel.place = last;
        Ok(travel)
    }

    /// The log.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The event that the cursor stands behind; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.place as u64
    }

    /// The log's last event.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.recording.events.len() as u64
    }

    /// The event that the cursor stands behind. `None` before the first.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        let before = self.place.checked_sub(1)?;
        Some(&self.recording.events[before].event)
    }

    /// The events up to the cursor.
    pub(super) fn behind(&self) -> &[StoredEvent] {
        &self.recording.events[..self.place]
    }

    /// What time it is there: that of the event that the cursor stands behind.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.event().map_or(0, |event| event.at)
    }

    /// Goes behind this event; 0 is before the first.
    ///
    /// # Errors
    /// [`TravelError::NoEvent`] if the log does not go so far.
    pub fn go(&mut self, sequence: u64) -> Result<(), TravelError> {
        let last = self.last();
        if sequence > last {
            return Err(TravelError::NoEvent { sequence, last });
        }
        self.place = usize::try_from(sequence).unwrap_or(self.place);
        Ok(())
    }

    /// Goes behind the next event. `None`, and it stays, if there is none.
    pub fn step(&mut self) -> Option<u64> {
        (self.sequence() < self.last()).then(|| {
            self.place += 1;
            self.sequence()
        })
    }

    /// Goes back before the event that it stands behind. `None`, and it stays, at the
    /// beginning.
    pub fn back(&mut self) -> Option<u64> {
        self.place = self.place.checked_sub(1)?;
        Some(self.sequence())
    }

    /// Goes on, behind the next event of this kind: its sequence. `None`, and it stays, if
    /// there is none.
    ///
    /// # Errors
    /// [`TravelError`], of the guest: changes of the state are its to say.
    pub fn next(&mut self, seek: Seek<'_>) -> Result<Option<u64>, TravelError> {
        self.seek(seek, self.place + 1..=self.recording.events.len())
    }

    /// Goes back, behind the last event of this kind before the one that it stands behind.
    /// `None`, and it stays, if there is none.
    ///
    /// # Errors
    /// As [`Travel::next`].
    pub fn previous(&mut self, seek: Seek<'_>) -> Result<Option<u64>, TravelError> {
        self.seek(seek, (1..self.place).rev())
    }

    /// Goes back, behind the last event of this kind up to the one that it stands behind.
    /// `None`, and it stays, if there is none.
    pub(super) fn latest(&mut self, seek: Seek<'_>) -> Result<Option<u64>, TravelError> {
        self.seek(seek, (1..=self.place).rev())
    }

    fn seek(
        &mut self,
        seek: Seek<'_>,
        places: impl Iterator<Item = usize>,
    ) -> Result<Option<u64>, TravelError> {
        let from = self.place;
        let found = self.found(seek, places);
        self.place = match found {
            Ok(Some(place)) => place,
            Ok(None) | Err(_) => from,
        };
        Ok(found?.map(|place| place as u64))
    }

    /// The first of these places that is looked for.
    fn found(
        &mut self,
        seek: Seek<'_>,
        places: impl Iterator<Item = usize>,
    ) -> Result<Option<usize>, TravelError> {
        for place in places {
            let event = &self.recording.events[place - 1].event;
            let is_found = seek.finds(event, &self.workflow)
                && match seek {
                    Seek::Key(key) => self.changes(key, place)?,
                    _ => true,
                };
            if is_found {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Whether this event gives a key of the state another value. The cursor stands
    /// somewhere about it then.
    fn changes(&mut self, key: &str, place: usize) -> Result<bool, TravelError> {
        self.place = place - 1;
        let before = self.value(key)?;
        self.place = place;
        Ok(before != self.value(key)?)
    }

    /// The value of a key of the state, as JSON text. `None` if there is no such key.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn value(&mut self, key: &str) -> Result<Option<Json>, TravelError> {
        let state = self.state()?;
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(state.as_str()).unwrap_or_default();
        let value = members.get(key);
        Ok(value.map(|value| Json::trusted(value.get().to_owned())))
    }

    /// The state of the execution, a JSON object.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn state(&mut self) -> Result<Json, TravelError> {
        Ok(self.inspect()?.merged_state())
    }

    /// All that the guest holds of the execution.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn inspect(&mut self) -> Result<Inspection, TravelError> {
        let at = self.at();
        let (inspection, _) = self.ask(at, |guest, ports, id| guest.inspect(ports, id))?;
        Ok(inspection)
    }

    /// Why this node was where it was.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn explain(&mut self, node_id: &str) -> Result<Explanation, TravelError> {
        let at = self.at();
        let (explanation, _) =
            self.ask(at, |guest, ports, id| guest.explain(ports, id, node_id))?;
        Ok(explanation)
    }

    /// What the guest would decide there, if nothing happened, and the clock showed this.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn next_step(&mut self, now: Timestamp) -> Result<NextStep, TravelError> {
        self.next_step_after(&[], now)
    }

    /// What the guest would decide there, if these facts came next, and the clock showed
    /// this. Which of them may not stand there, the outcome says.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn next_step_after(
        &mut self,
        facts: &[EventKind],
        now: Timestamp,
    ) -> Result<NextStep, TravelError> {
        let (last, offered) = (self.sequence(), facts.len());
        let stepped = self.ask(now, |guest, mut ports, id| {
            ports.offered = offered;
            guest.step(ports, id, last, facts)
        });
        // It takes what it decided for appended.
        self.forget();
        let (outcome, ports) = stepped?;
        Ok(NextStep {
            decisions: ports.decided,
            items: ports.ordered,
            outcome,
        })
    }

    /// The log, to be kept.
    pub(super) fn log(&self) -> Arc<Recording> {
        Arc::clone(&self.recording)
    }

    /// The workflow's text, read.
    pub(super) fn workflow(&self) -> &Value {
        &self.workflow
    }

    /// The first event.
    pub(super) fn first(&self) -> Option<&EventKind> {
        let first = self.recording.events.first()?;
        Some(&first.event.kind)
    }

    /// An instance of the guest that the log names at the cursor, for something else, and its
    /// digest.
    pub(super) fn other_guest<P: Ports>(&mut self) -> Result<(Instance<P>, Digest), TravelError> {
        let named = self.guest().ok_or(TravelError::Nothing)?.to_owned();
        let digest = named.parse().expect("it is the text of a digest");
        Ok((self.library.instance(&named)?, digest))
    }

    fn snapshot(&mut self) -> Result<Snapshot, TravelError> {
        let at = self.at();
        let (snapshot, _) = self.ask(at, |guest, ports, id| guest.snapshot(ports, id))?;
        Ok(snapshot)
    }

    /// The guest that the log names at the cursor. `None` before the first event.
    fn guest(&self) -> Option<&str> {
        let named = self.guests.iter().rfind(|(place, _)| *place < self.place);
        named.map(|(_, digest)| digest.as_str())
    }

    /// What a guest holds of the log is gone.
    fn forget(&mut self) {
        let id = self.recording.execution_id;
        self.asked = self.asked.take().and_then(|mut asked| {
            asked.seen = 0;
            asked.guest.forget(id).is_ok().then_some(asked)
        });
    }

    /// Asks the guest at the cursor, with a clock that shows this.
    fn ask<T>(
        &mut self,
        now: Timestamp,
        call: impl FnOnce(
            &mut Instance<TravelPorts>,
            TravelPorts,
            ExecutionId,
        ) -> (TravelPorts, Result<T, CallError>),
    ) -> Result<(T, TravelPorts), TravelError> {
        let digest = self.guest().ok_or(TravelError::Nothing)?.to_owned();
        let place = self.place;
        let mark = self.marks.before(place, &digest);
        let marked = mark.map_or(0, |mark| usize::try_from(mark.sequence).unwrap_or(0));
        let mark = mark.cloned();
        let knows = |asked: &Asked| (marked..=place).contains(&asked.seen) && asked.seen > 0;
        match &self.asked {
            Some(asked) if asked.digest != digest => self.asked = None,
            Some(asked) if !knows(asked) => self.forget(),
            _ => {}
        }
        let mut asked = match self.asked.take() {
            Some(asked) => asked,
            None => Asked {
                guest: self.library.instance(&digest)?,
                digest,
                seen: 0,
            },
        };
        let ports = TravelPorts {
            recording: Arc::clone(&self.recording),
            shown: place,
            snapshot: mark.filter(|_| asked.seen == 0),
            offered: 0,
            now,
            decided: Vec::new(),
            ordered: Vec::new(),
        };
        let (ports, answer) = call(&mut asked.guest, ports, self.recording.execution_id);
        let answer = answer.map_err(|error| TravelError::Call {
            sequence: place as u64,
            error,
        })?;
        asked.seen = place;
        self.asked = Some(asked);
        Ok((answer, ports))
    }
}
