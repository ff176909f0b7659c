//! Places at which a condition of the workflow language holds, as the guest that the log
//! names judges it.

use crate::guest::{ConditionError, condition_holds};
use crate::model::EventKind;
use crate::replay::travel::cursor::Travel;
use crate::replay::travel::error::TravelError;
use crate::replay::travel::seek::{may_change_state, may_set};

/// Looks for places at which conditions hold (rule R8). A condition may read the state and
/// the input. Whatever is asked, the cursor is at its place afterwards, or at what was
/// found.
#[derive(Debug)]
pub struct Conditions<'t> {
    travel: &'t mut Travel,
}

impl<'t> Conditions<'t> {
    /// Those of the log of this cursor.
    pub fn of(travel: &'t mut Travel) -> Self {
        Self { travel }
    }

    /// Whether a condition holds at the cursor.
    ///
    /// # Errors
    /// [`TravelError`]: the guest refuses the condition, or there is nothing at the cursor.
    pub fn holds(&mut self, condition: &str) -> Result<bool, TravelError> {
        let state = self.travel.state()?;
        self.judge(condition, state.as_str())
    }

    /// Goes on, behind the next event by which a condition comes to hold: its sequence.
    /// `None`, and it stays, if there is none.
    ///
    /// # Errors
    /// As [`Conditions::holds`].
    pub fn next(&mut self, condition: &str) -> Result<Option<u64>, TravelError> {
        let from = self.travel.sequence();
        let held = from > 0 && self.holds(condition)?;
        let places = self.places(condition, from + 1, self.travel.last());
        let mut held = held;
        self.walk(from, |conditions| {
            for place in places {
                let holds = conditions.holds_at(condition, place)?;
                if holds && !held {
                    return Ok(Some(place));
                }
                held = holds;
            }
            Ok(None)
        })
    }

    /// Goes back, behind the last event before the cursor's by which a condition came to
    /// hold: its sequence. `None`, and it stays, if there is none.
    ///
    /// # Errors
    /// As [`Conditions::holds`].
    pub fn previous(&mut self, condition: &str) -> Result<Option<u64>, TravelError> {
        let from = self.travel.sequence();
        let places = self.places(condition, 1, from.saturating_sub(1));
        self.walk(from, |conditions| {
            // It is judged at each place once; whether it came to hold there shows at the one
            // before.
            let mut holding = None;
            for place in places.into_iter().rev() {
                let holds = conditions.holds_at(condition, place)?;
                match (holds, holding) {
                    (false, Some(place)) => return Ok(Some(place)),
                    (false, None) => {}
                    (true, _) => holding = Some(place),
                }
            }
            Ok(holding)
        })
    }

    /// Runs a search, and leaves the cursor at what it finds, or where it was.
    fn walk(
        &mut self,
        from: u64,
        search: impl FnOnce(&mut Self) -> Result<Option<u64>, TravelError>,
    ) -> Result<Option<u64>, TravelError> {
        let found = search(self);
        let place = match found {
            Ok(Some(place)) => place,
            Ok(None) | Err(_) => from,
        };
        self.travel.go(place)?;
        found
    }

    fn holds_at(&mut self, condition: &str, place: u64) -> Result<bool, TravelError> {
        self.travel.go(place)?;
        self.holds(condition)
    }

    /// The events of this part of the log behind which the condition may come to something
    /// else than before: the first, and those that set a key that it may read.
    fn places(&self, condition: &str, first: u64, last: u64) -> Vec<u64> {
        let keys = words(condition);
        // A key that is computed may be any.
        let reads_all = condition.contains('[');
        let place = |sequence: u64| usize::try_from(sequence).unwrap_or(usize::MAX);
        let within = self.travel.log().events(place(first) - 1..place(last));
        let workflow = self.travel.workflow();
        let may_change = |kind: &EventKind| {
            matches!(kind, EventKind::WorkflowStarted(_))
                || keys.iter().any(|key| may_set(kind, key, workflow))
                || reads_all && may_change_state(kind)
        };
        let changing = within.filter(|it| may_change(&it.kind));
        changing.map(|it| it.sequence).collect()
    }

    /// Asks the guest whether a condition holds on this state, a JSON object.
    fn judge(&mut self, condition: &str, state: &str) -> Result<bool, TravelError> {
        let (sequence, now) = (self.travel.sequence(), self.travel.at());
        let guest = self.travel.other_guest()?;
        let input = match self.travel.first() {
            Some(EventKind::WorkflowStarted(first)) => Some(first.initial_input),
            _ => None,
        };
        let asked = (state, input.as_deref());
        condition_holds(guest, condition, asked, now).map_err(|error| match error {
            ConditionError::Refused(why) => TravelError::Condition {
                condition: condition.to_owned(),
                why,
            },
            ConditionError::Call(error) => TravelError::Call { sequence, error },
        })
    }
}

/// The words of a condition, and what stands in its texts: the keys that it reads are among
/// them.
fn words(condition: &str) -> Vec<&str> {
    let is_between = |c: char| !(c == '_' || c == '-' || c.is_alphanumeric());
    let words = condition.split(is_between);
    words.filter(|word| !word.is_empty()).collect()
}
