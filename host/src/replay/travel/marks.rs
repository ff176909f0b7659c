//! Snapshots on the way through a log, so that going back is not going from the beginning.

use crate::model::Snapshot;

/// Bytes that all of them may take.
const BYTES_MAX: usize = 32 << 20;

/// Snapshots of one log, in the order of their events, and about as far from each other.
#[derive(Debug)]
pub(super) struct Marks {
    marks: Vec<Snapshot>,
    bytes: usize,
    /// One of so many that come is kept.
    every: usize,
    come: usize,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            marks: Vec::new(),
            bytes: 0,
            every: 1,
            come: 0,
        }
    }
}

impl Marks {
    /// Takes a snapshot that is further on than all others. Where those that are kept are
    /// too many bytes, every other one goes, now and from now on.
    pub(super) fn push(&mut self, snapshot: Snapshot) {
        self.come += 1;
        if !self.come.is_multiple_of(self.every) {
            return;
        }
        self.bytes += snapshot.state.len();
        self.marks.push(snapshot);
        while self.bytes > BYTES_MAX && self.marks.len() > 1 {
            self.every *= 2;
            let mut place = 0;
            self.marks.retain(|_| {
                place += 1;
                place % 2 == 0
            });
            self.bytes = self.marks.iter().map(|mark| mark.state.len()).sum();
        }
    }

    /// The last one of this guest that holds no more than so many events.
    pub(super) fn before(&self, events: usize, guest_digest: &str) -> Option<&Snapshot> {
        let holds =
            |mark: &&Snapshot| mark.sequence <= events as u64 && mark.guest_digest == guest_digest;
        self.marks.iter().rfind(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(sequence: u64, bytes: usize) -> Snapshot {
        Snapshot {
            guest_digest: "a".to_owned(),
            sequence,
            head: String::new(),
            state: vec![0; bytes],
        }
    }

    #[test]
    fn they_are_thinned_and_the_nearest_is_found() {
        let mut marks = Marks::default();
        for place in 1..=100 {
            marks.push(snapshot(place * 10, BYTES_MAX / 20));
            assert!(marks.bytes <= BYTES_MAX);
        }
        assert!(marks.marks.len() > 5, "{}", marks.marks.len());
        let found = |events| marks.before(events, "a").map(|mark| mark.sequence);
        assert_eq!(found(9), None);
        assert_eq!(found(1000), found(usize::MAX));
        for events in (100..=1000).step_by(100) {
            let found = found(events).expect("there is one");
            assert!(
                events - found as usize <= 100,
                "{found} is far from {events}"
            );
        }
        assert!(marks.before(1000, "b").is_none(), "no other guest reads it");
    }
}
