//! Simulated workers: they take work at once, and answer when and as they are told to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::stepped::{WORKER, World};
use crate::clock::milliseconds;
use crate::error::{EngineError, WorkError};
use crate::id::ExecutionId;
use crate::live::{Answer, Claim, ClaimId};
use crate::model::{Event, EventKind, Timestamp};

/// Items that are claimed at once.
const CLAIMS_AT_ONCE: usize = 64;

/// How often in a lease a clock must be looked at for it to end on time, at the most once a
/// second: shorter ones end a moment later.
const LEASE_LOOKS: u32 = 4;
const LOOK_MIN: Duration = Duration::from_secs(1);

/// How an attempt ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Completes(Answer),
    Fails(WorkError),
    /// The worker is at work for ever, and its claim holds.
    NeverEnds,
    /// The worker is gone, and its claim ends.
    Dies,
}

/// The workers of a world.
#[derive(Default)]
pub(crate) struct Workers {
    /// What will be answered, in the order of the answers: by time, and of one time in
    /// the order in which the work was ordered.
    due: BTreeMap<(Timestamp, usize), Due>,
    /// When attempts may begin that were ordered for later.
    may_begin: Vec<Timestamp>,
    /// When the leases of those that died are over.
    leases_end: Vec<Timestamp>,
    /// When the latest attempt of a node was ordered, by the number of such orders before.
    ordered: HashMap<(ExecutionId, String), usize>,
    orders: usize,
    /// Answers that the scheduler did not take.
    refused: Vec<RefusedAnswer>,
}

/// What will be answered.
struct Due {
    id: ClaimId,
    /// The whole name of its node.
    node: String,
    outcome: Outcome,
}

/// An answer that the scheduler did not take.
pub(crate) struct RefusedAnswer {
    /// The whole name of the node.
    pub(crate) node: String,
    pub(crate) attempt: u32,
    pub(crate) why: String,
}

impl Workers {
    /// Takes note of what is ordered.
    pub(crate) fn follow(&mut self, execution: ExecutionId, event: &Event) {
        let node = match &event.kind {
            EventKind::NodeScheduled(it) => &it.node_id,
            EventKind::RetryScheduled(it) => {
                self.may_begin.push(event.at.saturating_add(it.delay_ms));
                &it.node_id
            }
            _ => return,
        };
        self.ordered.insert((execution, node.clone()), self.orders);
        self.orders += 1;
    }

    /// Takes the work that there is, of these queues: at most so many items.
    pub(crate) fn claim(
        &mut self,
        world: &mut World,
        queues: &BTreeSet<String>,
        most: usize,
    ) -> Result<Vec<Claim>, EngineError> {
        let mut claims = Vec::new();
        for queue in queues {
            let most = CLAIMS_AT_ONCE.min(most - claims.len());
            if most == 0 {
                break;
            }
            let claim = world.engine.clone();
            claims.extend(world.until(claim.claim(queue, most, WORKER))?);
        }
        Ok(claims)
    }

    /// Begins an attempt that was claimed, of the node of this whole name. It ends so, after
    /// this span; one that never ends has its claim for that long.
    pub(crate) fn begin(
        &mut self,
        world: &mut World,
        node: String,
        id: ClaimId,
        (after, outcome): (Duration, Outcome),
    ) -> Result<(), EngineError> {
        let now = world.now();
        let lease = world.lease;
        let held = match outcome {
            _ if after.is_zero() => lease,
            Outcome::Dies | Outcome::NeverEnds => after,
            Outcome::Completes(_) | Outcome::Fails(_) => after.saturating_add(lease),
        };
        if held != lease {
            let engine = world.engine.clone();
            world.until(engine.hold(id.clone(), held))?;
        }
        match outcome {
            Outcome::Dies => {
                self.leases_end.push(now.saturating_add(milliseconds(held)));
            }
            Outcome::NeverEnds => {}
            Outcome::Completes(_) | Outcome::Fails(_) => {
                let at = now.saturating_add(milliseconds(after));
                let ordered = (id.execution, id.node_id.clone());
                let ordered = self.ordered.get(&ordered).copied().unwrap_or(0);
                let answer = Due { id, node, outcome };
                self.due.insert((at, ordered), answer);
            }
        }
        Ok(())
    }

    /// Gives the first answer that is due. Says which claim has ended by it, if there was one.
    pub(crate) fn answer(&mut self, world: &mut World) -> Result<Option<ClaimId>, EngineError> {
        let Some(first) = self
            .due
            .first_entry()
            .filter(|it| it.key().0 <= world.now())
        else {
            return Ok(None);
        };
        let Due { id, node, outcome } = first.remove();
        let engine = world.engine.clone();
        let answered = match outcome {
            Outcome::Completes(answer) => world.until(engine.complete(id.clone(), answer)),
            Outcome::Fails(error) => world.until(engine.fail(id.clone(), error)),
            Outcome::NeverEnds | Outcome::Dies => return Ok(Some(id)),
        };
        let why = match answered {
            // Cancelled or timed out meanwhile; the log says so.
            Ok(_) | Err(EngineError::Stale { .. }) => return Ok(Some(id)),
            Err(EngineError::Refused { reason, .. }) => reason,
            Err(error @ (EngineError::Json { .. } | EngineError::TooLong { .. })) => {
                error.to_string()
            }
            Err(error) => return Err(error),
        };
        // An answer that does not do is a failure, so that what is played goes on.
        let error = WorkError::permanent(format!("the answer was refused: {why}"));
        let engine = world.engine.clone();
        world.until(engine.fail(id.clone(), error))?;
        let attempt = id.attempt;
        self.refused.push(RefusedAnswer { node, attempt, why });
        Ok(Some(id))
    }

    /// The answers that the scheduler did not take, since this was last asked.
    pub(crate) fn take_refused(&mut self) -> Vec<RefusedAnswer> {
        std::mem::take(&mut self.refused)
    }

    /// Whether an attempt that was ordered for later may begin by then.
    pub(crate) fn may_begin_by(&self, at: Timestamp) -> bool {
        self.may_begin.iter().any(|begin| *begin <= at)
    }

    /// When they do something next, or are to be seen dead.
    pub(crate) fn next(&mut self, world: &World) -> Option<Timestamp> {
        let now = world.now();
        // Leases end a moment later than they should where nobody looked meanwhile.
        self.leases_end.retain(|end| *end > now);
        self.may_begin.retain(|at| *at > now);
        let look = (world.lease / LEASE_LOOKS).max(LOOK_MIN);
        let look = now.saturating_add(milliseconds(look));
        let look = self.leases_end.iter().min().map(|end| look.min(*end));
        let answer = self.due.first_key_value().map(|((at, _), _)| *at);
        let begin = self.may_begin.iter().min().copied();
        [look, answer, begin].into_iter().flatten().min()
    }
}
