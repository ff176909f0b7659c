//! What has ended is erased, by somebody who has the store in hand and no engine.

use refrain::ExecutionId;
use refrain::erase::{EraseError, Erased, Eraser, erase};
use refrain::store::{ChildState, ended};

use super::calls::Call;
use super::world::World;

impl World {
    /// Whether it has ended, and is not erased yet.
    pub(super) fn may_be_erased(&mut self, id: ExecutionId) -> bool {
        let record = self.onlooker.execution(id);
        record.is_ok_and(|record| {
            record.is_some_and(|record| ended(record.status) && record.erased.is_none())
        })
    }

    /// Erases an execution that has ended. What it said before is kept for the laws.
    pub(super) fn erase(&mut self, id: ExecutionId) -> Result<(), String> {
        self.story.tell(|| format!("{id} is erased"));
        let before = self.log(id)?;
        let mut store = self.place.store();
        let world = Eraser {
            by: "the world",
            at: self.hosts[0].now(),
            signer: None,
        };
        let erased = erase(store.as_mut(), &mut self.library, &[id], &world);
        for (_, erased) in erased {
            match erased {
                Ok(Erased::Now(_)) => {}
                Ok(Erased::Before(_)) => return Err(format!("{id} was erased twice")),
                // Then it stays until its parent has heard of it.
                Err(EraseError::NotTold { .. }) => {
                    let row = store.child(id).map_err(|error| error.to_string())?;
                    let is_owed = row.is_some_and(|row| row.state == ChildState::Ended);
                    self.story.tell(|| "its parent was not told yet".to_owned());
                    return match is_owed {
                        true => Ok(()),
                        false => Err(format!("{id} is not erased, and nothing is owed")),
                    };
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        self.told.erased.insert(id, before);
        Ok(())
    }

    /// Whether this was asked of an erased execution: nobody is told what it said.
    pub(super) fn is_of_erased(&self, call: &Call) -> bool {
        let id = match call {
            Call::Operate(id, _) => *id,
            Call::Answer(claim, _) | Call::Renew(claim) => claim.execution,
            Call::Fork { origin, .. } => *origin,
            Call::Register(_)
            | Call::Start { .. }
            | Call::Claim { .. }
            | Call::Request { .. }
            | Call::Leave { .. } => return false,
        };
        self.told.erased.contains_key(&id)
    }
}
