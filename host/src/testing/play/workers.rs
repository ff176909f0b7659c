//! Simulated workers: they take all work at once, and answer as the case says.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::world::{LEASE, WORKER, World};
use crate::clock::milliseconds;
use crate::error::{EngineError, WorkError};
use crate::live::{Answer, ClaimId};
use crate::model::{Event, EventKind, Timestamp, node_of_run, undone_by};
use crate::testing::case::{Case, NodeAnswer, Outcome};

/// Items that are claimed at once.
const CLAIMS_AT_ONCE: usize = 64;

/// How often a clock must be looked at for a lease to end on time.
const LEASE_LOOKS: u32 = 4;

/// The workers of one case.
#[derive(Default)]
pub(super) struct Workers {
    /// What will be answered, in the order of the answers: by time, and of one time in
    /// the order in which the work was ordered.
    due: BTreeMap<(Timestamp, u64), (ClaimId, Outcome)>,
    /// When attempts may begin that were ordered for later.
    may_begin: Vec<Timestamp>,
    /// When the leases of those that died are over.
    leases_end: Vec<Timestamp>,
    /// At which event the latest attempt of a node was ordered.
    ordered: HashMap<String, u64>,
    /// The attempts for which the case has no answer.
    pub(super) unanswered: Vec<(String, u32)>,
    /// Answers that the scheduler did not take: node, attempt, why.
    pub(super) refused: Vec<(String, u32, String)>,
}

impl Workers {
    /// Takes note of what is ordered.
    pub(super) fn follow(&mut self, event: &Event) {
        let node = match &event.kind {
            EventKind::NodeScheduled(it) => &it.node_id,
            EventKind::RetryScheduled(it) => {
                self.may_begin.push(event.at.saturating_add(it.delay_ms));
                &it.node_id
            }
            _ => return,
        };
        self.ordered.insert(node.clone(), event.sequence);
    }

    /// Takes all work that there is. Says whether there was any.
    pub(super) fn claim(
        &mut self,
        world: &mut World,
        case: &Case,
        queues: &[String],
    ) -> Result<bool, EngineError> {
        let mut any = false;
        for queue in queues {
            let claim = world.engine.clone();
            let claims = world.until(claim.claim(queue, CLAIMS_AT_ONCE, WORKER))?;
            for claim in claims {
                any = true;
                self.begin(world, case, claim.id)?;
            }
        }
        Ok(any)
    }

    fn begin(&mut self, world: &mut World, case: &Case, id: ClaimId) -> Result<(), EngineError> {
        // What is said of a map is said of each of its instances, and what is said of what
        // undoes it of what undoes each of them.
        let said = case.answers.get(&id.node_id);
        let node = node_of_run(&id.node_id);
        let said = said.or_else(|| match undone_by(&id.node_id) {
            Some(_) => case.answers.get(&format!("{node}!undo")),
            None => case.answers.get(node),
        });
        let said = said
            .and_then(|answers| answers.of_attempt(id.attempt))
            .cloned();
        if said.is_none() {
            self.unanswered.push((id.node_id.clone(), id.attempt));
        }
        let nothing = || NodeAnswer::completes(Answer::output(serde_json::json!({})));
        let NodeAnswer { after, outcome } = said.unwrap_or_else(nothing);
        let span = match outcome {
            Outcome::Dies => {
                self.leases_end
                    .push(world.now().saturating_add(milliseconds(LEASE)));
                return Ok(());
            }
            Outcome::NeverEnds => case.until,
            Outcome::Completes(_) | Outcome::Fails(_) => after,
        };
        if span > Duration::ZERO {
            let engine = world.engine.clone();
            world.until(engine.hold(id.clone(), span.saturating_add(LEASE)))?;
        }
        if !matches!(outcome, Outcome::NeverEnds) {
            let at = world.now().saturating_add(milliseconds(after));
            let ordered = self.ordered.get(&id.node_id).copied().unwrap_or(0);
            self.due.insert((at, ordered), (id, outcome));
        }
        Ok(())
    }

    /// Gives the first answer that is due. Says whether there was one.
    pub(super) fn answer(&mut self, world: &mut World) -> Result<bool, EngineError> {
        let Some(first) = self
            .due
            .first_entry()
            .filter(|it| it.key().0 <= world.now())
        else {
            return Ok(false);
        };
        let (id, outcome) = first.remove();
        let engine = world.engine.clone();
        let answered = match outcome {
            Outcome::Completes(answer) => world.until(engine.complete(id.clone(), answer)),
            Outcome::Fails(error) => world.until(engine.fail(id.clone(), error)),
            Outcome::NeverEnds | Outcome::Dies => return Ok(true),
        };
        match answered {
            // Cancelled or timed out meanwhile; the log says so.
            Ok(_) | Err(EngineError::Stale { .. }) => {}
            Err(EngineError::Refused { reason, .. }) => self.refuse(world, id, reason)?,
            Err(error @ (EngineError::Json { .. } | EngineError::TooLong { .. })) => {
                self.refuse(world, id, error.to_string())?;
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// An answer that does not do is a failure, so that the case goes on.
    fn refuse(&mut self, world: &mut World, id: ClaimId, why: String) -> Result<(), EngineError> {
        let error = WorkError::permanent(format!("the answer was refused: {why}"));
        self.refused.push((id.node_id.clone(), id.attempt, why));
        let engine = world.engine.clone();
        world.until(engine.fail(id, error)).map(drop)
    }

    /// When they do something next, or are to be seen dead.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        // Leases end a moment later than they should where nobody looked meanwhile.
        self.leases_end.retain(|end| *end > now);
        self.may_begin.retain(|at| *at > now);
        let look = now.saturating_add(milliseconds(LEASE / LEASE_LOOKS));
        let look = self.leases_end.iter().min().map(|end| look.min(*end));
        let answer = self.due.first_key_value().map(|((at, _), _)| *at);
        let begin = self.may_begin.iter().min().copied();
        [look, answer, begin].into_iter().flatten().min()
    }
}
