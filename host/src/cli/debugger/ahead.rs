//! Places about the cursor that are asked for before somebody goes there: on another thread, by
//! another cursor. Both end with the last answer.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::panic;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use refrain::replay::{PackedLog, Travel, may_change_state, node_of};

use super::answer_cache::Side;
use super::seen::{self, Answer, State};

/// Places that are asked for at once. The way to them through the log is long, and they are near
/// each other.
pub(super) const PLACES: u64 = 128;

/// Bytes that the answers of one way take, about; one answer may take more.
pub(super) const BYTES: usize = 2 << 20;

/// The node that is chosen, and whether it stays so while the place moves. If it does not, the
/// node of each event is chosen there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) node: Option<String>,
    pub(super) is_kept: bool,
}

impl Choice {
    /// The node that is chosen at this place after a step from one of its neighbours.
    pub(super) fn at(&self, log: &PackedLog, place: u64) -> Option<String> {
        let of_event = (!self.is_kept).then(|| node_at(log, place)).flatten();
        of_event.or_else(|| self.node.clone())
    }

    /// The nodes that may be chosen at each of these places. Where the event is about no node,
    /// the one that was chosen before stays: which one that is depends on whether the cursor
    /// goes on or back.
    pub(super) fn all_at(
        &self,
        log: &PackedLog,
        places: &RangeInclusive<u64>,
    ) -> Vec<(u64, Vec<String>)> {
        let (first, last) = (*places.start(), *places.end());
        let end = (last + PLACES).min(log.len() as u64);
        let stay = |way: &mut dyn Iterator<Item = u64>| {
            let mut stays = None;
            let mut each = Vec::new();
            for place in way {
                stays = node_at(log, place).or(stays);
                if places.contains(&place) {
                    each.push(stays.clone());
                }
            }
            each
        };
        let on = stay(&mut (first.saturating_sub(PLACES)..=last));
        let back = stay(&mut (first..=end).rev());
        let both = on.into_iter().zip(back.into_iter().rev());
        let chosen = both.zip(first..).map(|((on, back), place)| {
            let nodes = match (self.is_kept, node_at(log, place)) {
                (false, Some(node)) => vec![node],
                (false, None) => [on, back, self.node.clone()]
                    .into_iter()
                    .flatten()
                    .collect(),
                (true, _) => self.node.iter().cloned().collect(),
            };
            (place, nodes)
        });
        chosen.collect()
    }

    /// Whether both choose the same nodes at all places whose events are about a node.
    pub(super) fn leads_as(&self, other: &Self) -> bool {
        self.is_kept == other.is_kept && (!self.is_kept || self.node == other.node)
    }
}

fn node_at(log: &PackedLog, place: u64) -> Option<String> {
    let event = log.outline(place)?;
    node_of(&event.kind).map(str::to_owned)
}

/// What is being asked.
pub(super) struct Ahead {
    places: RangeInclusive<u64>,
    /// `None` if it was stopped: its thread sees that this was dropped.
    wanted: Option<Arc<()>>,
    answers: JoinHandle<VecDeque<Answer>>,
}

impl Ahead {
    /// Asks for the next places on one side of this one, and about the nodes that this choice
    /// leads to there. `None` where there are none, or their states are too large.
    pub(super) fn begin(
        travel: &Travel,
        choice: &Choice,
        edge: &Answer,
        side: Side,
    ) -> Option<Self> {
        let log = travel.log();
        let places = places(log, edge, side)?;
        let first = *places.start();
        let known = match side {
            Side::Back => has_same_state(log, first, edge.sequence),
            Side::On => true,
        };
        let known = known.then(|| Arc::clone(&edge.state));
        let asked = choice.all_at(log, &places);
        let travel = travel.another();
        let wanted = Arc::new(());
        let is_wanted = Arc::downgrade(&wanted);
        let begun = thread::Builder::new()
            .name("ahead".to_owned())
            .spawn(move || answers(travel, (side, known), asked, &is_wanted));
        // Without it, places are asked for when they are reached.
        let answers = begun.ok()?;
        Some(Self {
            places,
            wanted: Some(wanted),
            answers,
        })
    }

    pub(super) fn places(&self) -> &RangeInclusive<u64> {
        &self.places
    }

    /// Its answers are of no use any more; it ends soon.
    pub(super) fn stop(&mut self) {
        self.wanted = None;
    }

    /// Whether its thread has ended, so that another one can begin.
    pub(super) fn is_over(&self) -> bool {
        self.answers.is_finished()
    }

    /// Waits for its thread. The answers, in the order of the places; none if it was stopped.
    /// Where the guest fails, it has no further ones.
    pub(super) fn answers(self) -> Vec<Answer> {
        let answers = self.answers.join();
        let answers = answers.unwrap_or_else(|panic| panic::resume_unwind(panic));
        if self.wanted.is_some() {
            answers.into()
        } else {
            Vec::new()
        }
    }
}

/// What the guest says at these places, which begin or end next to a known one on the other
/// side. `before` is the state there, if it follows.
fn answers(
    mut travel: Travel,
    (side, mut before): (Side, Option<Arc<State>>),
    asked: Vec<(u64, Vec<String>)>,
    is_wanted: &Weak<()>,
) -> VecDeque<Answer> {
    let mut answers = Bounded::default();
    for (place, nodes) in asked {
        // The log has it.
        let _ = travel.go(place);
        let answer = Answer::at(&mut travel, before.as_ref(), &nodes);
        before = Some(Arc::clone(&answer.state));
        let has_failed = answer.has_failed;
        answers.push(answer);
        if has_failed || is_wanted.strong_count() == 0 {
            break;
        }
        match side {
            Side::On if answers.bytes > BYTES => break,
            Side::On => {}
            // The last of them lies next to what is known.
            Side::Back => answers.drop_first(BYTES),
        }
    }
    answers.row
}

/// Answers at places in a row, and the bytes that they take, about.
#[derive(Default)]
struct Bounded {
    row: VecDeque<Answer>,
    bytes: usize,
}

impl Bounded {
    fn push(&mut self, answer: Answer) {
        self.bytes += own_bytes(&answer, self.row.back());
        self.row.push_back(answer);
    }

    /// Drops the first ones, until the rest takes no more, or there is but one.
    fn drop_first(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max
            && self.row.len() > 1
            && let Some(first) = self.row.pop_front()
        {
            self.bytes -= own_bytes(&first, self.row.front());
        }
    }
}

/// What an answer takes that its neighbour, which may share its state, does not.
fn own_bytes(answer: &Answer, neighbour: Option<&Answer>) -> usize {
    let is_shared = neighbour.is_some_and(|it| Arc::ptr_eq(&it.state, &answer.state));
    let state = if is_shared {
        0
    } else {
        seen::state_bytes(&answer.state)
    };
    state + answer.bytes()
}

/// The next places on this side of a known one, as many as there is room for if their states
/// are as large as the one there.
fn places(log: &PackedLog, edge: &Answer, side: Side) -> Option<RangeInclusive<u64>> {
    if edge.state.is_err() {
        return None;
    }
    let states_max = BYTES / seen::state_bytes(&edge.state).max(1);
    let mut states = 0;
    let mut has_room = |changing: u64| {
        states += usize::from(may_change(log, changing));
        states <= states_max
    };
    let known = edge.sequence;
    let count = match side {
        Side::Back => {
            let places = known.saturating_sub(PLACES)..known;
            places.rev().take_while(|place| has_room(place + 1)).count()
        }
        Side::On => {
            let places = known + 1..=(known + PLACES).min(log.len() as u64);
            places.take_while(|place| has_room(*place)).count()
        }
    } as u64;
    match side {
        _ if count == 0 => None,
        Side::Back => Some(known - count..=known - 1),
        Side::On => Some(known + 1..=known + count),
    }
}

/// Whether the state at a place is that of one where it is known, and was so before the event
/// that the place is behind.
pub(super) fn has_same_state(log: &PackedLog, place: u64, known: u64) -> bool {
    let mut between = match known < place {
        true => known + 1..=place,
        false => place..=known,
    };
    between.all(|it| !may_change(log, it))
}

fn may_change(log: &PackedLog, sequence: u64) -> bool {
    let event = log.outline(sequence);
    event.is_none_or(|it| it.sequence == 1 || may_change_state(&it.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two places share each state.
    fn answers(states: impl Iterator<Item = usize>) -> Vec<Answer> {
        let pairs = states.zip(0..).flat_map(|(bytes, pair)| {
            let first = Answer::sized(2 * pair, bytes);
            let mut second = first.clone();
            second.sequence += 1;
            [first, second]
        });
        pairs.collect()
    }

    #[test]
    fn bytes_are_bounded_and_the_last_stay() {
        for (bytes_max, expected) in [
            (usize::MAX, 0..=19),
            (35_000, 14..=19),
            (25_000, 16..=19),
            (1, 19..=19),
        ] {
            let mut bounded = Bounded::default();
            for answer in answers(std::iter::repeat_n(10_000, 10)) {
                bounded.push(answer);
                bounded.drop_first(bytes_max);
                let alone = bounded.row.len() == 1;
                assert!(alone || bounded.bytes <= bytes_max, "{}", bounded.bytes);
            }
            let first = bounded.row.front().map(|it| it.sequence);
            let last = bounded.row.back().map(|it| it.sequence);
            assert_eq!(
                (first, last),
                (Some(*expected.start()), Some(*expected.end()))
            );
        }
    }

    #[test]
    fn what_is_dropped_is_counted_as_it_was() {
        let mut bounded = Bounded::default();
        for answer in answers((1..100).map(|it| it * 37 % 1000)) {
            bounded.push(answer);
        }
        bounded.drop_first(0);
        let [last] = bounded.row.make_contiguous() else {
            panic!("{} are left", bounded.row.len());
        };
        assert_eq!(bounded.bytes, own_bytes(last, None));
    }
}
