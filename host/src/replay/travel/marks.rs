//! Snapshots on the way through a log, so that going back is not going from the beginning.

use crate::model::Snapshot;

/// Bytes that all of them may take.
const BYTES_MAX: usize = 16 << 20;

/// Events from one snapshot to the next, at least: few enough that reading them takes a moment.
const EVENTS_BETWEEN: usize = 4096;

/// Bytes of a snapshot that take as long to write and to read as one event takes to be read. A
/// snapshot that is further from the one before than that pays.
const BYTES_PER_EVENT: usize = 512;

/// Snapshots of one log, of each guest in the order of their events.
#[derive(Debug, Default)]
pub(super) struct Marks {
    marks: Vec<Snapshot>,
    /// No further ones are taken: a guest gives none.
    is_closed: bool,
}

impl Marks {
    /// Takes a snapshot, unless there has come another one near it meanwhile: several cursors
    /// may be on their ways. Where those that are kept are too many bytes, every other one goes.
    pub(super) fn push(&mut self, snapshot: Snapshot) {
        let next = self.next(&snapshot.guest_digest);
        if next.is_none_or(|next| snapshot.sequence < next as u64) {
            return;
        }
        self.marks.push(snapshot);
        while self.bytes() > BYTES_MAX && self.marks.len() > 1 {
            let mut place = self.marks.len();
            self.marks.retain(|_| {
                place += 1;
                place.is_multiple_of(2)
            });
        }
    }

    /// Takes no further ones.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// The place of the next one of this guest, behind so many events. `None` if no further
    /// ones are taken.
    pub(super) fn next(&self, guest_digest: &str) -> Option<usize> {
        if self.is_closed {
            return None;
        }
        let last = self.before(usize::MAX, guest_digest);
        let (from, bytes) = last.map_or((0, 0), |last| (last.sequence, last.state.len()));
        let from = usize::try_from(from).ok()?;
        Some(from + EVENTS_BETWEEN.max(bytes / BYTES_PER_EVENT))
    }

    /// The last one of this guest that holds no more than so many events.
    pub(super) fn before(&self, events: usize, guest_digest: &str) -> Option<&Snapshot> {
        let holds =
            |mark: &&Snapshot| mark.sequence <= events as u64 && mark.guest_digest == guest_digest;
        let held = self.marks.iter().filter(holds);
        held.max_by_key(|mark| mark.sequence)
    }

    /// Whether to begin with this one is less than to go on from so many events.
    pub(super) fn is_nearer(mark: &Snapshot, than_events: usize) -> bool {
        let further = mark.sequence.saturating_sub(than_events as u64);
        further > (mark.state.len() / BYTES_PER_EVENT) as u64
    }

    fn bytes(&self) -> usize {
        self.marks.iter().map(|mark| mark.state.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(sequence: usize, bytes: usize) -> Snapshot {
        Snapshot {
            guest_digest: "a".to_owned(),
            sequence: sequence as u64,
            head: String::new(),
            state: vec![0; bytes],
        }
    }

    /// All that there are of a log, each of so many bytes.
    fn marks(events: usize, bytes: impl Fn(usize) -> usize) -> Marks {
        let mut marks = Marks::default();
        while let Some(place) = marks.next("a").filter(|place| *place <= events) {
            marks.push(snapshot(place, bytes(place)));
            assert!(marks.bytes() <= BYTES_MAX || marks.marks.len() == 1);
        }
        marks
    }

    #[test]
    fn the_nearest_is_found_and_is_near_where_they_are_small() {
        let marks = marks(100_000, |_| 100_000);
        let found = |events, guest| marks.before(events, guest).map(|mark| mark.sequence);
        assert_eq!(found(EVENTS_BETWEEN - 1, "a"), None);
        for events in (EVENTS_BETWEEN..100_000).step_by(999) {
            let found = found(events, "a").expect("there is one");
            assert!(
                events - found as usize <= EVENTS_BETWEEN,
                "{found} is far from {events}"
            );
        }
        assert_eq!(found(100_000, "b"), None, "no other guest reads it");
    }

    #[test]
    fn large_ones_are_few_and_the_last_stays() {
        let marks = marks(100_000, |place| place * 160);
        let kept: Vec<u64> = marks.marks.iter().map(|mark| mark.sequence).collect();
        assert!(kept.len() < 5, "{kept:?}");
        assert!(kept.last().is_some_and(|last| *last > 50_000), "{kept:?}");
    }

    #[test]
    fn a_large_one_is_not_read_to_spare_a_few_events() {
        let large = snapshot(10_000, 1 << 20);
        for (seen, is_nearer) in [(0, true), (7_000, true), (9_999, false), (20_000, false)] {
            assert_eq!(Marks::is_nearer(&large, seen), is_nearer, "{seen}");
        }
        assert!(Marks::is_nearer(&snapshot(10, 100), 9));
    }

    #[test]
    fn one_that_another_cursor_has_taken_meanwhile_is_not_kept_twice() {
        let mut marks = marks(10_000, |_| 100);
        let kept = marks.marks.clone();
        for mark in &kept {
            marks.push(mark.clone());
            marks.push(snapshot(mark.sequence as usize + 1, 100));
        }
        assert_eq!(marks.marks, kept);
    }

    #[test]
    fn none_is_taken_where_there_is_none() {
        let mut marks = Marks::default();
        marks.close();
        assert_eq!(marks.next("a"), None);
    }
}
