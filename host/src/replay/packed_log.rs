//! A log in little memory: its events stand in their canonical bytes, packed, and each is read
//! when it is asked for.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::source::Recording;
use crate::id::ExecutionId;
use crate::limits::{EVENTS_PAGE_BYTES_MAX, EVENTS_PAGE_MAX};
use crate::log::canonical::{self, Canonical};
use crate::log::packed;
use crate::model::{Event, EventKind};
use crate::store::Timestamp;

/// Bytes of events that stand in one piece: large enough for most, and little to leave empty.
const PIECE_BYTES: usize = 256 * 1024;

/// The events of an execution, to be read again and again.
pub struct PackedLog {
    execution_id: ExecutionId,
    workflow: Arc<str>,
    pieces: Vec<Vec<u8>>,
    places: Vec<Place>,
}

/// Where an event stands.
struct Place {
    piece: u32,
    start: u32,
    /// Bytes of its plain fields, and of the others, which follow.
    plain: u32,
    erasable: u32,
    /// Its state patch is left out: it is the output by the node's id.
    is_short: bool,
    at: Timestamp,
}

impl fmt::Debug for PackedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackedLog")
            .field("execution", &self.execution_id)
            .field("events", &self.len())
            .finish_non_exhaustive()
    }
}

impl PackedLog {
    /// The events of this recording. One that nobody else holds is given up on the way.
    pub(super) fn of(recording: Arc<Recording>) -> Self {
        let mut log = Self {
            execution_id: recording.execution_id,
            workflow: Arc::clone(&recording.workflow),
            pieces: Vec::new(),
            places: Vec::with_capacity(recording.events.len()),
        };
        match Arc::try_unwrap(recording) {
            Ok(recording) => {
                let events = recording.events.into_iter();
                events.for_each(|stored| log.push(stored.event));
            }
            Err(shared) => {
                let events = shared.events.iter();
                events.for_each(|stored| log.push(stored.event.clone()));
            }
        }
        log
    }

    /// The execution.
    #[must_use]
    pub fn execution_id(&self) -> ExecutionId {
        self.execution_id
    }

    /// The workflow's text.
    #[must_use]
    pub fn workflow(&self) -> &str {
        &self.workflow
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The event of this sequence. `None` if there is none.
    #[must_use]
    pub fn event(&self, sequence: u64) -> Option<Event> {
        self.place(sequence).map(|place| self.read(place))
    }

    /// The same without what could be erased (law 4): blanks stand in its place. Ids of nodes,
    /// numbers and codes are there; payloads, which may be large, are not read.
    #[must_use]
    pub fn outline(&self, sequence: u64) -> Option<Event> {
        let place = self.place(sequence)?;
        let (plain, _) = self.parts(place);
        Some(canonical::read_erased(&unpacked(plain)).expect(OWN))
    }

    /// The time of an event. `None` if there is none.
    #[must_use]
    pub fn at(&self, sequence: u64) -> Option<Timestamp> {
        self.place(sequence).map(|place| place.at)
    }

    /// How many bytes an event takes. 0 if there is none.
    #[must_use]
    pub fn event_bytes(&self, sequence: u64) -> usize {
        let place = self.place(sequence);
        place.map_or(0, |place| (place.plain + place.erasable) as usize)
    }

    /// These events, counted from 0, as far as they are there.
    pub fn events(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = Event> {
        let end = range.end.min(self.len());
        let places = &self.places[range.start.min(end)..end];
        places.iter().map(|place| self.read(place))
    }

    /// All events.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = Event> {
        self.events(0..self.len())
    }

    /// A page of the first `end` events, from this sequence on, as a guest reads it.
    pub(super) fn page(&self, first: u64, max: u32, end: usize) -> Vec<Event> {
        let start = usize::try_from(first.saturating_sub(1)).unwrap_or(end);
        let mut bytes = 0;
        let events = self.events(start.min(end)..end);
        events
            .take(max.min(EVENTS_PAGE_MAX) as usize)
            .enumerate()
            .take_while(|(i, event)| {
                bytes += canonical::length(event);
                *i == 0 || bytes <= EVENTS_PAGE_BYTES_MAX
            })
            .map(|(_, event)| event)
            .collect()
    }

    /// The bytes that its events take.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(Vec::capacity).sum();
        pieces + self.places.capacity() * size_of::<Place>()
    }

    fn push(&mut self, mut event: Event) {
        let is_short = shorten(&mut event);
        let Canonical { plain, erasable } = canonical::write(&event);
        let (plain, erasable) = (packed::pack(&plain), packed::pack(&erasable));
        let bytes = plain.len() + erasable.len();
        let has_room = |piece: &Vec<u8>| piece.capacity() - piece.len() >= bytes;
        if !self.pieces.last().is_some_and(has_room) {
            self.pieces.push(Vec::with_capacity(bytes.max(PIECE_BYTES)));
        }
        let number = |number: usize| u32::try_from(number).expect("the limits of events are less");
        let piece = number(self.pieces.len() - 1);
        let held = &mut self.pieces[piece as usize];
        self.places.push(Place {
            piece,
            start: number(held.len()),
            plain: number(plain.len()),
            erasable: number(erasable.len()),
            is_short,
            at: event.at,
        });
        held.extend(plain);
        held.extend(erasable);
    }

    fn read(&self, place: &Place) -> Event {
        let (plain, erasable) = self.parts(place);
        let event = canonical::read(&unpacked(plain), &unpacked(erasable));
        let mut event = event.expect(OWN);
        if place.is_short {
            lengthen(&mut event);
        }
        event
    }

    fn place(&self, sequence: u64) -> Option<&Place> {
        let index = usize::try_from(sequence).ok()?.checked_sub(1)?;
        self.places.get(index)
    }

    /// The plain bytes of an event, and the others.
    fn parts(&self, place: &Place) -> (&[u8], &[u8]) {
        let bytes = &self.pieces[place.piece as usize][place.start as usize..];
        let (plain, rest) = bytes.split_at(place.plain as usize);
        (plain, &rest[..place.erasable as usize])
    }
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    packed::unpack(bytes).expect(OWN)
}

const OWN: &str = "these bytes were written here";

/// Takes the state patch away, if that is the output by the node's id, as it is of most nodes.
/// Whether it was.
fn shorten(event: &mut Event) -> bool {
    let Some((node, output, patch)) = settled(event) else {
        return false;
    };
    let rest = patch.strip_prefix("{\"");
    let rest = rest.and_then(|rest| rest.strip_prefix(node));
    let rest = rest.and_then(|rest| rest.strip_prefix("\":"));
    let is_short = rest.and_then(|rest| rest.strip_suffix('}')) == Some(output);
    if is_short {
        patch.clear();
    }
    is_short
}

fn lengthen(event: &mut Event) {
    if let Some((node, output, patch)) = settled(event) {
        patch.reserve_exact(node.len() + output.len() + 5);
        patch.extend(["{\"", node, "\":", output, "}"]);
    }
}

/// The node of an event that says what it came to, its output and its state patch.
fn settled(event: &mut Event) -> Option<(&str, &str, &mut String)> {
    match &mut event.kind {
        EventKind::NodeCompleted(it) => Some((&it.node_id, &it.output, &mut it.state_patch)),
        EventKind::NodeSettled(it) => Some((&it.node_id, &it.output, &mut it.state_patch)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::samples;
    use crate::model::NodeCompleted;

    fn packed_of(events: impl IntoIterator<Item = Event>) -> PackedLog {
        let mut log = PackedLog {
            execution_id: ExecutionId::from_bytes([1; 16]),
            workflow: Arc::from("{}"),
            pieces: Vec::new(),
            places: Vec::new(),
        };
        events.into_iter().for_each(|event| log.push(event));
        log
    }

    fn completed(output: String, patch: String) -> Event {
        let mut completed = NodeCompleted::new("m[7]", 1, 5);
        (completed.output, completed.state_patch) = (output, patch);
        Event {
            sequence: 9,
            at: 10,
            origin: crate::model::Origin::Fact,
            kind: EventKind::NodeCompleted(completed),
        }
    }

    #[test]
    fn every_event_comes_back() {
        let mut events: Vec<Event> = samples::events();
        for patch in [
            "{}",
            r#"{"m[7]":{"a": 1}}"#,
            r#"{"m[7]":{"a":1}}"#,
            r#"{"m[7]": {"a": 1}}"#,
        ] {
            events.push(completed(r#"{"a": 1}"#.to_owned(), patch.to_owned()));
        }
        events.push(completed(String::new(), r#"{"m[7]":}"#.to_owned()));
        // One that is larger than a piece.
        events.push(completed(
            format!("[{}]", "0,".repeat(PIECE_BYTES)),
            "{}".to_owned(),
        ));
        let log = packed_of(events.clone());
        assert_eq!((log.len(), log.is_empty()), (events.len(), false));
        assert!(log.all().eq(events.iter().cloned()));
        assert!(log.all().rev().eq(events.iter().rev().cloned()));
        for (sequence, event) in (1..).zip(&events) {
            assert_eq!(log.event(sequence).as_ref(), Some(event));
            assert_eq!(log.at(sequence), Some(event.at));
            let outline = log.outline(sequence).expect("it is there");
            assert_eq!(
                canonical::write(&outline).plain,
                canonical::write(event).plain
            );
        }
        assert_eq!(
            (log.event(0), log.event(events.len() as u64 + 1)),
            (None, None)
        );
        assert!(log.events(3..5).eq(events[3..5].iter().cloned()));
        assert_eq!(log.events(events.len() + 5..usize::MAX).count(), 0);
        assert_eq!(log.page(2, 3, 4), events[1..4]);
        assert_eq!(log.page(2, 2, 4), events[1..3]);
        assert_eq!(log.page(9, 2, 4), []);
    }

    #[test]
    fn events_take_little_more_than_what_they_say() {
        let output = format!("{:?}", "x".repeat(900));
        let events = (0..2_000).map(|_| {
            let patch = format!("{{\"m[7]\":{output}}}");
            completed(output.clone(), patch)
        });
        let log = packed_of(events);
        let each = log.memory_bytes() / log.len();
        assert!(each < output.len() + 200, "{each} bytes each");
    }
}
