//! What the guest has said at the place, and at those before it.

use std::collections::VecDeque;

use refrain::model::Explanation;
use refrain::replay::{Travel, may_change_state, node_of};

use super::seen::{self, KeyValue};

/// Events between two places, up to which it is looked whether one changes the state.
const NEAR: u64 = 1000;

/// Places that are asked on one way through the log, when somebody goes back: a guest is not led
/// back, but begins at a snapshot before the place each time.
const PLACES_BACK: u64 = 32;

/// How far back such a step leads at most: a key that is held down passes places by.
const STEP_BACK: u64 = 8;

/// Bytes of the states that are kept of these places.
const STATES_BYTES_MAX: usize = 4 << 20;

type State = Result<Vec<KeyValue>, String>;

/// What the guest has said of one log.
#[derive(Default)]
pub(super) struct Answers {
    state: Option<(u64, State)>,
    explanation: Option<(u64, String, Result<Explanation, String>)>,
    /// At places before the one that was asked for last, in their order.
    before: VecDeque<Answer>,
}

/// What the guest says at one place.
struct Answer {
    sequence: u64,
    state: State,
    explanation: Option<(String, Result<Explanation, String>)>,
}

impl Answers {
    /// The state as it was last asked for, and whether that was at this place.
    pub(super) fn state(&self, place: u64) -> (Option<&State>, bool) {
        match &self.state {
            Some((of, state)) => (Some(state), *of == place),
            None => (None, false),
        }
    }

    /// Why this node is where it is at this place; `None` if that is not known yet.
    pub(super) fn explanation(
        &self,
        place: u64,
        node: Option<&str>,
    ) -> Option<&Result<Explanation, String>> {
        let (of, explained, explanation) = self.explanation.as_ref()?;
        (*of == place && Some(explained.as_str()) == node).then_some(explanation)
    }

    /// Asks the guest for what is not known of the place of the cursor, and of this node there.
    /// Whether there was anything to ask.
    pub(super) fn ask(&mut self, travel: &mut Travel, node: Option<&str>) -> bool {
        let place = travel.sequence();
        let asked_at = self.state.as_ref().map(|(of, _)| *of);
        if asked_at.is_some_and(|of| of > place && of - place <= STEP_BACK) {
            self.take(travel, node);
        }
        let mut has_asked = asked_at != Some(place);
        if self.state.as_ref().is_none_or(|(of, _)| *of != place) {
            self.ask_state(travel);
        }
        if self.explanation(place, node).is_none()
            && let Some(node) = node
            && let Some(explanation) = seen::explanation(travel, node)
        {
            self.explanation = Some((place, node.to_owned(), explanation));
            has_asked = true;
        }
        has_asked
    }

    fn ask_state(&mut self, travel: &mut Travel) {
        let place = travel.sequence();
        let known = self.state.take();
        let state = match known {
            Some((of, Ok(state))) if has_same_state(travel, of) => Ok(seen::unchanged(state)),
            Some((of, Ok(state))) if of + 1 == place => seen::state(travel, Some(state)),
            known => {
                drop(known);
                seen::state(travel, None)
            }
        };
        self.state = Some((place, state));
    }

    /// Takes what is known of the place of the cursor from what was asked on the way to it, or
    /// goes that way now.
    fn take(&mut self, travel: &mut Travel, node: Option<&str>) {
        let place = travel.sequence();
        let is_known = |it: &Answer| {
            let explained = it.explanation.as_ref().map(|(node, _)| node.as_str());
            it.sequence == place && explained == node
        };
        self.before.retain(|it| it.sequence <= place);
        if !self.before.back().is_some_and(is_known) {
            self.state = None;
            self.before = before(travel, node);
        }
        if let Some(answer) = self.before.pop_back()
            && answer.sequence == place
        {
            self.state = Some((place, answer.state));
            self.explanation = answer
                .explanation
                .map(|(node, explanation)| (place, node, explanation));
        }
    }
}

/// What the guest says at the place of the cursor, and at those before it, as far as states are
/// small and it says anything. The cursor stays there.
fn before(travel: &mut Travel, node: Option<&str>) -> VecDeque<Answer> {
    let last = travel.sequence();
    let mut answers: VecDeque<Answer> = VecDeque::new();
    let mut bytes = 0;
    for (sequence, node) in nodes_before(travel, node) {
        // The log has it.
        let _ = travel.go(sequence);
        let known = answers.back().and_then(|it| it.state.clone().ok());
        let state = seen::state(travel, known);
        bytes += state.as_ref().map_or(0, |it| seen::bytes(it));
        let explanation = node.and_then(|node| {
            let explanation = seen::explanation(travel, &node)?;
            Some((node, explanation))
        });
        let is_failed = state.is_err() || matches!(explanation, Some((_, Err(_))));
        answers.push_back(Answer {
            sequence,
            state,
            explanation,
        });
        if is_failed {
            break;
        }
        while bytes > STATES_BYTES_MAX && answers.len() > 1 {
            let gone = answers.pop_front().and_then(|it| it.state.ok());
            bytes -= gone.map_or(0, |it| seen::bytes(&it));
        }
    }
    let _ = travel.go(last);
    answers
}

/// The places up to that of the cursor, each with the node that is chosen there by who goes
/// back: that of its event, if the one that is chosen now is, and else the one that is.
fn nodes_before(travel: &Travel, node: Option<&str>) -> Vec<(u64, Option<String>)> {
    let last = travel.sequence();
    let node_at = |sequence| {
        let event = travel.log().outline(sequence)?;
        node_of(&event.kind).map(str::to_owned)
    };
    let follows = node_at(last).is_none_or(|it| Some(it.as_str()) == node);
    let mut node = node.map(str::to_owned);
    let first = last.saturating_sub(PLACES_BACK - 1).max(1);
    let mut places: Vec<_> = (first..=last)
        .rev()
        .map(|sequence| {
            if follows && let Some(of_event) = node_at(sequence) {
                node = Some(of_event);
            }
            (sequence, node.clone())
        })
        .collect();
    places.reverse();
    places
}

/// Whether the state at the place of the cursor is that of another place, and was so before the
/// event that the place is behind.
fn has_same_state(travel: &Travel, of: u64) -> bool {
    let sequence = travel.sequence();
    let between = match of < sequence {
        true => of + 1..=sequence,
        false => sequence..=of,
    };
    let is_near = of.abs_diff(sequence) <= NEAR;
    let is_same = |it: u64| {
        let event = travel.log().outline(it);
        event.is_some_and(|it| it.sequence > 1 && !may_change_state(&it.kind))
    };
    of > 0 && is_near && between.into_iter().all(is_same)
}
