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
use super::guest_of_place::GuestOfPlace;
use super::seek::Seek;
use crate::guest::{Instance, Library, Ports};
use crate::json::Json;
use crate::model::{
    Digest, Event, EventKind, Explanation, Inspection, Outcome, Snapshot, WorkItem,
};
use crate::replay::packed_log::PackedLog;
use crate::replay::source::Recording;
use crate::store::Timestamp;

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
    guests: GuestOfPlace,
    workflow: Arc<Value>,
    /// So many events are behind the cursor.
    place: usize,
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
            .field("execution", &self.log().execution_id())
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
        Ok(Self {
            workflow: Arc::new(serde_json::from_str(&recording.workflow).unwrap_or_default()),
            place: recording.events.len(),
            guests: GuestOfPlace::new(recording, library)?,
        })
    }

    /// Another cursor over the same log, at the same place. Both share the log and what was
    /// kept on the ways through it; each has a guest of its own, so that one of them can be
    /// asked on another thread.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            guests: self.guests.another(),
            workflow: Arc::clone(&self.workflow),
            place: self.place,
        }
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &PackedLog {
        self.guests.log()
    }

    /// The event that the cursor stands behind; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.place as u64
    }

    /// The log's last event.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.log().len() as u64
    }

    /// The event that the cursor stands behind. `None` before the first.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        self.log().event(self.sequence())
    }

    /// The events up to the cursor.
    pub(super) fn behind(&self) -> impl DoubleEndedIterator<Item = Event> {
        self.log().events(0..self.place)
    }

    /// How many these are.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// What time it is there: that of the event that the cursor stands behind.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.log().at(self.sequence()).unwrap_or(0)
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
        self.seek(seek, self.place + 1..=self.log().len())
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
            let event = match seek {
                // What it sets, only the whole event says.
                Seek::Key(_) => self.log().event(place as u64),
                _ => self.log().outline(place as u64),
            };
            let is_found = event.is_some_and(|it| seek.finds(&it, &self.workflow))
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
        Ok(self.inspect()?.into_merged_state())
    }

    /// All that the guest holds of the execution.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn inspect(&mut self) -> Result<Inspection, TravelError> {
        let at = self.at();
        let (inspection, _) = self.guests.ask((self.place, at), |guest, ports, id| {
            guest.inspect(ports, id)
        })?;
        Ok(inspection)
    }

    /// Why this node was where it was.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn explain(&mut self, node_id: &str) -> Result<Explanation, TravelError> {
        let at = self.at();
        let (explanation, _) = self.guests.ask((self.place, at), |guest, ports, id| {
            guest.explain(ports, id, node_id)
        })?;
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
        let stepped = self.guests.ask((self.place, now), |guest, mut ports, id| {
            ports.offered = offered;
            guest.step(ports, id, last, facts)
        });
        // It takes what it decided for appended.
        self.guests.forget();
        let (outcome, ports) = stepped?;
        Ok(NextStep {
            decisions: ports.decided,
            items: ports.ordered,
            outcome,
        })
    }

    /// The log, to be kept.
    pub(super) fn shared_log(&self) -> Arc<PackedLog> {
        Arc::clone(self.guests.log())
    }

    /// All that the guest holds of the execution there, to begin with. `None` if it gives
    /// nothing of the kind: it can do without.
    pub(super) fn snapshot(&mut self) -> Option<Snapshot> {
        let at = self.at();
        let given = self.guests.ask((self.place, at), |guest, ports, id| {
            guest.snapshot(ports, id)
        });
        given.ok().map(|(snapshot, _)| snapshot)
    }

    /// The workflow's text, read.
    pub(super) fn workflow(&self) -> &Value {
        &self.workflow
    }

    /// The first event.
    pub(super) fn first(&self) -> Option<EventKind> {
        self.log().event(1).map(|event| event.kind)
    }

    /// An instance of the guest that the log names at the cursor, for something else, and its
    /// digest.
    pub(super) fn other_guest<P: Ports>(&mut self) -> Result<(Instance<P>, Digest), TravelError> {
        self.guests.other(self.place)
    }
}
