//! What the guest has said at places in a row, as much of it as is near the cursor.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::seen::{self, Answer, State};

/// Places that are kept.
pub(super) const PLACES_MAX: usize = 512;

/// Bytes of what is kept of all places but that of the cursor, about.
pub(super) const BYTES_MAX: usize = 8 << 20;

/// A side of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Back,
    On,
}

pub(super) const SIDES: [Side; 2] = [Side::Back, Side::On];

/// What was said, in the order of the places, of which none between two others is left out.
#[derive(Default)]
pub(super) struct AnswerCache {
    answers: VecDeque<Answer>,
}

impl AnswerCache {
    pub(super) fn at(&self, place: u64) -> Option<&Answer> {
        self.answers.get(self.index(place)?)
    }

    pub(super) fn at_mut(&mut self, place: u64) -> Option<&mut Answer> {
        let index = self.index(place)?;
        self.answers.get_mut(index)
    }

    /// What was said nearest to a place.
    pub(super) fn nearest(&self, place: u64) -> Option<&Answer> {
        let first = self.answers.front()?.sequence;
        let last = self.answers.back()?.sequence;
        self.at(place.clamp(first, last))
    }

    /// What was said at the outermost place on a side.
    pub(super) fn outermost(&self, side: Side) -> Option<&Answer> {
        match side {
            Side::Back => self.answers.front(),
            Side::On => self.answers.back(),
        }
    }

    /// How many places on a side of this one are known, and their bytes, about.
    pub(super) fn on(&self, side: Side, place: u64) -> (usize, usize) {
        let is_there = |it: &&Answer| match side {
            Side::Back => it.sequence < place,
            Side::On => it.sequence > place,
        };
        let (mut count, mut bytes) = (0, 0);
        let mut before: Option<&Arc<State>> = None;
        for it in self.answers.iter().filter(is_there) {
            let is_shared = before.is_some_and(|before| Arc::ptr_eq(before, &it.state));
            if !is_shared {
                bytes += seen::state_bytes(&it.state);
            }
            bytes += it.bytes();
            count += 1;
            before = Some(&it.state);
        }
        (count, bytes)
    }

    /// Keeps what was said at the place of the cursor. What is known elsewhere goes, unless
    /// that place lies next to it.
    pub(super) fn put(&mut self, answer: Answer) {
        let place = answer.sequence;
        if let Err(answers) = self.join(vec![answer]) {
            self.answers = answers.into();
        }
        self.drop_far_from(place);
    }

    /// Keeps what was said at places in a row, as far as it is new, for a cursor that stands
    /// here; if they lie next to what is known.
    pub(super) fn put_near(&mut self, here: u64, answers: Vec<Answer>) {
        if self.join(answers).is_ok() {
            self.drop_far_from(here);
        }
    }

    /// Whether these places lie next to those that are known, or among them.
    pub(super) fn touches(&self, places: &RangeInclusive<u64>) -> bool {
        let known = (self.answers.front(), self.answers.back());
        let (Some(first), Some(last)) = known else {
            return false;
        };
        *places.start() <= last.sequence + 1 && first.sequence <= places.end() + 1
    }

    /// Adds what is new of these answers, or gives them back if they do not lie next to what
    /// is known.
    fn join(&mut self, answers: Vec<Answer>) -> Result<(), Vec<Answer>> {
        let (Some(first), Some(last)) = (answers.first(), answers.last()) else {
            return Ok(());
        };
        if !self.touches(&(first.sequence..=last.sequence)) {
            return Err(answers);
        }
        let mut before = Vec::new();
        for answer in answers {
            let place = answer.sequence;
            if self.answers.back().is_some_and(|it| it.sequence < place) {
                self.answers.push_back(answer);
            } else if self.index(place).is_none() {
                before.push(answer);
            }
        }
        for answer in before.into_iter().rev() {
            self.answers.push_front(answer);
        }
        Ok(())
    }

    /// Forgets all on a side of this place.
    pub(super) fn forget(&mut self, side: Side, place: u64) {
        match side {
            Side::Back => self.answers.retain(|it| it.sequence >= place),
            Side::On => self.answers.retain(|it| it.sequence <= place),
        }
    }

    /// Drops what is furthest from a place, until the rest is not too much.
    fn drop_far_from(&mut self, place: u64) {
        while self.answers.len() > PLACES_MAX || self.bytes_about(place) > BYTES_MAX {
            let far = |side| {
                let outermost = self.outermost(side);
                outermost.map_or(0, |it| it.sequence.abs_diff(place))
            };
            if far(Side::Back) > far(Side::On) {
                self.answers.pop_front();
            } else {
                self.answers.pop_back();
            }
        }
    }

    fn bytes_about(&self, place: u64) -> usize {
        SIDES.iter().map(|side| self.on(*side, place).1).sum()
    }

    fn index(&self, place: u64) -> Option<usize> {
        let first = self.answers.front()?.sequence;
        let index = usize::try_from(place.checked_sub(first)?).ok()?;
        (index < self.answers.len()).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers at these places, each with a state of its own of about so many bytes.
    fn answers(places: RangeInclusive<u64>, bytes: usize) -> Vec<Answer> {
        places.map(|place| Answer::sized(place, bytes)).collect()
    }

    fn places(known: &AnswerCache) -> Option<(u64, u64)> {
        let (first, last) = (known.answers.front()?, known.answers.back()?);
        assert_eq!(
            last.sequence - first.sequence + 1,
            known.answers.len() as u64
        );
        Some((first.sequence, last.sequence))
    }

    #[test]
    fn places_are_in_a_row() {
        for (added, expected) in [
            (20..=30, (10, 30)),
            (15..=22, (10, 22)),
            (5..=9, (5, 19)),
            (5..=12, (5, 19)),
            (5..=25, (5, 25)),
            (12..=15, (10, 19)),
            (21..=30, (10, 19)),
            (5..=8, (10, 19)),
        ] {
            let mut known = AnswerCache::default();
            known.put_near(10, answers(10..=19, 1));
            assert_eq!(
                places(&known),
                None,
                "nothing is known that they lie next to"
            );
            for answer in answers(10..=19, 1) {
                known.put(answer);
            }
            let touches = expected != (10, 19) || added == (12..=15);
            assert_eq!(known.touches(&added), touches, "{added:?}");
            known.put_near(10, answers(added.clone(), 1));
            assert_eq!(places(&known), Some(expected), "{added:?}");
            known.put(Answer::sized(50, 1));
            assert_eq!(
                places(&known),
                Some((50, 50)),
                "who goes far away begins anew"
            );
        }
    }

    #[test]
    fn what_is_near_the_cursor_stays() {
        let half = BYTES_MAX / 2 - 1000;
        for (here, bytes, expected) in [
            (100, 1, (1, 512)),
            (500, 1, (244, 755)),
            (1000, 1, (489, 1000)),
            (500, half, (499, 501)),
            (500, BYTES_MAX * 2, (500, 500)),
            (500, BYTES_MAX / 10, (495, 504)),
        ] {
            let mut known = AnswerCache::default();
            known.put(Answer::sized(here, bytes));
            known.put_near(here, answers(here + 1..=1000, bytes));
            known.put_near(here, answers(1..=here - 1, bytes));
            assert_eq!(places(&known), Some(expected), "{here}, {bytes}");
            assert!(known.bytes_about(here) <= BYTES_MAX);
        }
    }

    #[test]
    fn a_shared_state_counts_once() {
        let mut known = AnswerCache::default();
        let one = Answer::sized(1, 1000);
        known.put(one.clone());
        for sequence in 2..=10 {
            let mut further = one.clone();
            further.sequence = sequence;
            known.put(further);
        }
        let (count, bytes) = known.on(Side::Back, 10);
        assert_eq!(count, 9);
        assert!((1000..3000).contains(&bytes), "{bytes}");
        known.forget(Side::On, 4);
        assert_eq!(places(&known), Some((1, 4)));
        known.forget(Side::Back, 3);
        assert_eq!(places(&known), Some((3, 4)));
    }
}
