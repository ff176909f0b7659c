//! Where values come from: the events that wrote them, and the work items that the workers
//! were given.

use super::cursor::Travel;
use super::error::TravelError;
use super::seek::Seek;
use crate::model::{Digest, Event, EventKind, Origin, WorkItem};
use crate::replay::divergence::node_of;
use crate::replay::ports::ordered_by;

/// Where values come from that are there at the cursor of a [`Travel`]. The cursor is moved
/// for each answer, and stands where it stood before when it is given.
#[derive(Debug)]
pub struct Origins<'t> {
    travel: &'t mut Travel,
}

/// Where a value of the state comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StateOrigin {
    /// The event that gave the key its value.
    pub sequence: u64,
    /// The node that the event is about. `None` if it is about none.
    pub node_id: Option<String>,
    /// The work item that the node's worker was given. `None` if no worker did it.
    pub item: Option<WorkItem>,
}

impl<'t> Origins<'t> {
    /// Those of what is there at the cursor.
    pub fn of(travel: &'t mut Travel) -> Self {
        Self { travel }
    }

    /// The event that gave this key of the state the value that it has at the cursor, and
    /// what led to that. `None` if the state has no such key.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn state_key(&mut self, key: &str) -> Result<Option<StateOrigin>, TravelError> {
        let from = self.travel.sequence();
        let found = self.key_before(key);
        self.travel.go(from)?;
        found
    }

    fn key_before(&mut self, key: &str) -> Result<Option<StateOrigin>, TravelError> {
        if self.travel.value(key)?.is_none() {
            return Ok(None);
        }
        let Some(sequence) = self.travel.latest(Seek::Key(key))? else {
            return Ok(None);
        };
        let Some(kind) = self.travel.event().map(|event| event.kind) else {
            return Ok(None);
        };
        let item = match &kind {
            EventKind::NodeCompleted(it) => self.item(&it.node_id, it.attempt)?,
            _ => None,
        };
        Ok(Some(StateOrigin {
            sequence,
            node_id: node_of(&kind).map(str::to_owned),
            item,
        }))
    }

    /// The work item of an attempt of a node, as it was ordered before the cursor. `None` if
    /// it was not. The log has its digest alone, so that the guest is asked for it again.
    ///
    /// # Errors
    /// [`TravelError`], of the guest.
    pub fn item(&mut self, node_id: &str, attempt: u32) -> Result<Option<WorkItem>, TravelError> {
        let from = self.travel.sequence();
        let found = self.item_before(node_id, attempt);
        self.travel.go(from)?;
        found
    }

    fn item_before(
        &mut self,
        node_id: &str,
        attempt: u32,
    ) -> Result<Option<WorkItem>, TravelError> {
        let events = self.travel.behind();
        let is_it = |(node, number, _): (&str, u32, Digest)| (node, number) == (node_id, attempt);
        let orders = |it: &Event| ordered_by(&it.kind).is_some_and(is_it);
        let mut events = events.rev();
        let Some(found) = events.find(orders) else {
            return Ok(None);
        };
        let ordered = place_before(&found);
        // The decisions of one time before it, of one batch or of several.
        let at = found.at;
        let before = |it: &Event| it.origin == Origin::Decision && it.at == at;
        let decided = events.take_while(before).count();
        let mut place = ordered - decided;
        while place <= ordered {
            self.travel.go(place as u64)?;
            let step = self.travel.next_step(at)?;
            let mut items = step.items.into_iter();
            let found = items.find(|it| it.node_id == node_id && it.attempt == attempt);
            if found.is_some() || step.decisions.is_empty() {
                return Ok(found);
            }
            place += step.decisions.len();
        }
        Ok(None)
    }
}

/// The place before an event of a log.
fn place_before(event: &Event) -> usize {
    usize::try_from(event.sequence - 1).expect("so many events are in memory")
}
