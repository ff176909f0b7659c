//! What is known of the place of the cursor, and who asks the guest for it: this thread where
//! nobody has, and another one ahead.

use std::sync::Arc;

use refrain::model::Explanation;
use refrain::replay::Travel;

use super::ahead::{self, Ahead, Choice};
use super::answer_cache::{self, AnswerCache, SIDES, Side};
use super::seen::{Answer, State};

/// Events between two places, up to which it is looked whether one changes the state.
const NEAR: u64 = 1000;

/// Known places on a side of the cursor, below which further ones are asked for: so many that
/// they are known before a key that is held down leads to them.
const PLACES_MIN: usize = 64;

const _: () = assert!(
    answer_cache::PLACES_MAX > 2 * (PLACES_MIN + ahead::PLACES as usize)
        && answer_cache::BYTES_MAX >= 4 * ahead::BYTES,
    "what is asked for on one side drives nothing out that is near on the other"
);

/// What the guest has said of one log.
#[derive(Default)]
pub(super) struct Answers {
    known: AnswerCache,
    ahead: Option<Ahead>,
    /// The place and the choice at the last look whether to ask ahead.
    looked_from: Option<(u64, Choice)>,
    /// The sides that were looked at since.
    looked: Vec<Side>,
}

impl Answers {
    /// The state, and whether it is that of this place: else it is the nearest that is known.
    pub(super) fn state(&self, place: u64) -> (Option<&State>, bool) {
        let near = self.known.nearest(place);
        let is_there = near.is_some_and(|it| it.sequence == place);
        (near.map(|it| &*it.state), is_there)
    }

    /// Why this node is where it is at this place; `None` if that is not known yet.
    pub(super) fn explanation(
        &self,
        place: u64,
        node: Option<&str>,
    ) -> Option<&Result<Explanation, String>> {
        self.known.at(place)?.explanation(node?)
    }

    /// Asks the guest for what is not known of the place of the cursor, and of the chosen node
    /// there. Whether more is known of it now. Places about it are asked for ahead.
    pub(super) fn ask(&mut self, travel: &mut Travel, choice: &Choice) -> bool {
        let place = travel.sequence();
        let node = choice.node.as_deref();
        let known_here = |it: &Self| (it.state(place).1, it.explanation(place, node).is_some());
        let before = known_here(self);
        if self.ahead.as_ref().is_some_and(Ahead::is_over) {
            self.take_ahead(place);
        }
        self.ask_here(travel, choice);
        self.look_ahead(travel, choice);
        known_here(self) != before
    }

    /// Whether what was asked ahead is answered, and not taken yet.
    #[cfg(test)]
    pub(super) fn is_answered_ahead(&self) -> bool {
        self.ahead.as_ref().is_some_and(Ahead::is_over)
    }

    /// Waits until nothing is asked ahead. Whether something was.
    #[cfg(test)]
    pub(super) fn wait(&mut self, place: u64) -> bool {
        let is_asking = self.ahead.is_some();
        self.take_ahead(place);
        is_asking
    }

    fn ask_here(&mut self, travel: &mut Travel, choice: &Choice) {
        let place = travel.sequence();
        if let Some(known) = self.known.at_mut(place) {
            if let Some(node) = &choice.node {
                known.explain(travel, node);
            }
            return;
        }
        let mut nodes: Vec<String> = choice.node.iter().cloned().collect();
        // The way back to this place may lead to another.
        let ways = choice.all_at(travel.log(), &(place..=place));
        nodes.extend(ways.into_iter().flat_map(|(_, nodes)| nodes));
        let before = self.state_before(travel);
        if before.is_none() && !self.known.touches(&(place..=place)) {
            // It would go then; two states may be too large to be held at once.
            self.known = AnswerCache::default();
        }
        let answer = Answer::at(travel, before.as_ref(), &nodes);
        self.known.put(answer);
    }

    /// The state before the event at the cursor, if it follows from what is known.
    fn state_before(&self, travel: &Travel) -> Option<Arc<State>> {
        let place = travel.sequence();
        let near = self.known.nearest(place)?;
        let is_same = || {
            near.sequence.abs_diff(place) <= NEAR
                && ahead::has_same_state(travel.log(), place, near.sequence)
        };
        (near.sequence + 1 == place || is_same()).then(|| Arc::clone(&near.state))
    }

    /// Asks ahead where few places about the cursor are known; once for each place and choice.
    fn look_ahead(&mut self, travel: &Travel, choice: &Choice) {
        let place = travel.sequence();
        let here = (place, choice.clone());
        if self.looked_from.as_ref() != Some(&here) {
            let leads_as_before = |(_, before): &(u64, Choice)| choice.leads_as(before);
            if !self.looked_from.as_ref().is_none_or(leads_as_before) {
                SIDES
                    .into_iter()
                    .for_each(|side| self.known.forget(side, place));
                self.stop_ahead();
            }
            self.looked_from = Some(here);
            self.looked.clear();
        }
        for side in SIDES {
            if self.is_of_other_choice(travel, choice, side) {
                self.known.forget(side, place);
                self.looked.retain(|it| *it != side);
            }
        }
        let is_unconnected = |ahead: &Ahead| !self.known.touches(ahead.places());
        if self.ahead.as_ref().is_some_and(is_unconnected) {
            self.stop_ahead();
        }
        for side in SIDES {
            if self.ahead.is_none() && !self.looked.contains(&side) {
                self.looked.push(side);
                self.ahead = self.begin(travel, choice, side);
            }
        }
    }

    fn stop_ahead(&mut self) {
        if let Some(ahead) = &mut self.ahead {
            ahead.stop();
        }
    }

    fn begin(&self, travel: &Travel, choice: &Choice, side: Side) -> Option<Ahead> {
        let (count, bytes) = self.known.on(side, travel.sequence());
        let has_few = count < PLACES_MIN && bytes < ahead::BYTES;
        let outermost = self.known.outermost(side).filter(|_| has_few)?;
        Ahead::begin(travel, choice, outermost, side)
    }

    /// Whether the next place on a side was asked about another node than the one that this
    /// choice leads to.
    fn is_of_other_choice(&self, travel: &Travel, choice: &Choice, side: Side) -> bool {
        let place = travel.sequence();
        let next = match side {
            Side::Back => place.saturating_sub(1),
            Side::On => place + 1,
        };
        let known = self.known.at(next).filter(|_| next > 0);
        known.is_some_and(|known| {
            let node = choice.at(travel.log(), next);
            node.is_some_and(|node| known.explanation(&node).is_none())
        })
    }

    /// Takes what was asked ahead, if it still lies next to what is known.
    fn take_ahead(&mut self, place: u64) {
        if let Some(ahead) = self.ahead.take() {
            self.known.put_near(place, ahead.answers());
        }
    }
}
