//! The guest that a log names at a place, with all that it has seen of the log up to there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::TravelError;
use super::marks::Marks;
use super::ports::TravelPorts;
use crate::guest::{CallError, Instance, Library, Ports};
use crate::id::ExecutionId;
use crate::model::{Digest, EventKind};
use crate::replay::packed_log::PackedLog;
use crate::replay::source::Recording;
use crate::store::Timestamp;

/// Memory of a guest that is kept for the next question. One that has grown further, as some do
/// for an answer about a large state, is made anew from a snapshot when it is needed.
const MEMORY_BYTES_KEPT: usize = 64 << 20;

/// The guests that a log names. The one of a place is taken there from where it is, or, if it
/// is further on, from a snapshot that was taken on the way.
pub(super) struct GuestOfPlace {
    log: Arc<PackedLog>,
    library: Library,
    /// Each with the number of events before it is asked.
    named: Vec<(usize, String)>,
    asked: Option<Asked>,
    /// Shared by all cursors over this log.
    marks: Arc<Mutex<Marks>>,
}

/// A guest that has seen something of the log.
struct Asked {
    guest: Instance<TravelPorts>,
    digest: String,
    /// So many events.
    seen: usize,
}

impl GuestOfPlace {
    /// Those that this log names; the library has them.
    pub(super) fn new(recording: Arc<Recording>, library: Library) -> Result<Self, TravelError> {
        let id = recording.execution_id;
        if recording.is_erased() {
            return Err(TravelError::Erased(id));
        }
        let log = PackedLog::of(recording);
        let outlines = (1..=log.len() as u64).filter_map(|it| log.outline(it));
        let events = outlines.enumerate();
        let named: Vec<(usize, String)> = events
            .filter_map(|(place, event)| match &event.kind {
                EventKind::WorkflowStarted(it) => Some((place, it.guest_digest.to_string())),
                EventKind::GuestChanged(it) => Some((place, it.guest_digest.to_string())),
                _ => None,
            })
            .collect();
        if named.first().is_none_or(|(place, _)| *place > 0) {
            return Err(TravelError::NoBeginning(id));
        }
        Ok(Self {
            log: Arc::new(log),
            library,
            named,
            asked: None,
            marks: Arc::default(),
        })
    }

    /// The guests of the same log for another cursor: it shares the log and the snapshots, and
    /// has an instance of its own.
    pub(super) fn another(&self) -> Self {
        Self {
            log: Arc::clone(&self.log),
            library: self.library.clone(),
            named: self.named.clone(),
            asked: None,
            marks: Arc::clone(&self.marks),
        }
    }

    pub(super) fn log(&self) -> &Arc<PackedLog> {
        &self.log
    }

    /// Asks the guest at a place, behind so many events, with a clock that shows this.
    pub(super) fn ask<T>(
        &mut self,
        (place, now): (usize, Timestamp),
        call: impl FnOnce(
            &mut Instance<TravelPorts>,
            TravelPorts,
            ExecutionId,
        ) -> (TravelPorts, Result<T, CallError>),
    ) -> Result<(T, TravelPorts), TravelError> {
        let (first, digest) = self.named_at(place)?;
        let digest = digest.to_owned();
        let goes_on = |asked: &Asked| {
            let is_behind = asked.seen > 0 && asked.seen <= place;
            let marks = self.marks();
            let mark = marks.before(place, &digest);
            is_behind && !mark.is_some_and(|mark| Marks::is_nearer(mark, asked.seen))
        };
        match &self.asked {
            Some(asked) if asked.digest != digest => self.asked = None,
            Some(asked) if !goes_on(asked) => self.forget(),
            _ => {}
        }
        let mut asked = match self.asked.take() {
            Some(asked) => asked,
            None => self.fresh(digest)?,
        };
        self.mark_on_the_way(&mut asked, first..place)?;
        let ports = self.ports(&asked, place, now);
        let (ports, answer) = call(&mut asked.guest, ports, self.log.execution_id());
        let answer = answer.map_err(|error| TravelError::Call {
            sequence: place as u64,
            error,
        })?;
        asked.seen = place;
        // It gives nothing of that back as long as it is there.
        if asked.guest.memory_bytes() <= MEMORY_BYTES_KEPT {
            self.asked = Some(asked);
        }
        Ok((answer, ports))
    }

    /// What a guest holds of the log is gone.
    pub(super) fn forget(&mut self) {
        let id = self.log.execution_id();
        self.asked = self.asked.take().and_then(|mut asked| {
            asked.seen = 0;
            asked.guest.forget(id).is_ok().then_some(asked)
        });
    }

    /// An instance of the guest of a place, for something else, and its digest.
    pub(super) fn other<P: Ports>(
        &mut self,
        place: usize,
    ) -> Result<(Instance<P>, Digest), TravelError> {
        let named = self.named_at(place)?.1.to_owned();
        let digest = named.parse().expect("it is the text of a digest");
        Ok((self.library.instance(&named)?, digest))
    }

    /// The guest that the log names at a place, and the first place at which it does.
    fn named_at(&self, place: usize) -> Result<(usize, &str), TravelError> {
        let named = self.named.iter().rfind(|(before, _)| *before < place);
        let named = named.map(|(before, digest)| (before + 1, digest.as_str()));
        named.ok_or(TravelError::Nothing)
    }

    fn fresh(&mut self, digest: String) -> Result<Asked, TravelError> {
        Ok(Asked {
            guest: self.library.instance(&digest)?,
            digest,
            seen: 0,
        })
    }

    /// Takes a guest on by those of these places at which snapshots are to be taken.
    fn mark_on_the_way(
        &mut self,
        asked: &mut Asked,
        places: std::ops::Range<usize>,
    ) -> Result<(), TravelError> {
        while let Some(next) = self.next_mark(asked)
            && let next = next.max(places.start)
            && (asked.seen + 1..places.end).contains(&next)
        {
            let now = self.log.at(next as u64).unwrap_or(0);
            let ports = self.ports(asked, next, now);
            let (_, snapshot) = asked.guest.snapshot(ports, self.log.execution_id());
            match snapshot {
                Ok(snapshot) => {
                    asked.seen = next;
                    self.marks().push(snapshot);
                }
                // What is wrong there is told where it is asked for.
                Err(_) => {
                    self.marks().close();
                    *asked = self.fresh(asked.digest.clone())?;
                }
            }
        }
        Ok(())
    }

    fn next_mark(&self, asked: &Asked) -> Option<usize> {
        self.marks().next(&asked.digest)
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log's first events, for a call of this guest. One that has seen nothing begins with
    /// the nearest snapshot.
    fn ports(&self, asked: &Asked, shown: usize, now: Timestamp) -> TravelPorts {
        let mark = match asked.seen {
            0 => self.marks().before(shown, &asked.digest).cloned(),
            _ => None,
        };
        TravelPorts {
            log: Arc::clone(&self.log),
            shown,
            snapshot: mark,
            offered: 0,
            now,
            decided: Vec::new(),
            ordered: Vec::new(),
        }
    }
}
