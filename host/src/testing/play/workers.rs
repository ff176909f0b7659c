//! Simulated workers: they take all work at once, and answer as the case says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::world::{LEASE, WORKER, World};
use crate::clock::milliseconds;
use crate::error::{EngineError, WorkError};
use crate::id::ExecutionId;
use crate::live::{Answer, Claim, ClaimId};
use crate::model::{Event, EventKind, Timestamp, node_of_run};
use crate::testing::case::{Answers, Case, NodeAnswer, Outcome};

/// Items that are claimed at once.
const CLAIMS_AT_ONCE: usize = 64;

/// How often a clock must be looked at for a lease to end on time.
const LEASE_LOOKS: u32 = 4;

/// The workers of one case.
#[derive(Default)]
pub(super) struct Workers {
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
    /// The attempts that have begun, by the whole name of their node.
    begun: HashMap<String, Begun>,
    /// The attempts for which the case has no answer.
    pub(super) unanswered: Vec<(String, u32)>,
    /// Answers that the scheduler did not take: node, attempt, why.
    pub(super) refused: Vec<(String, u32, String)>,
}

/// What will be answered.
struct Due {
    id: ClaimId,
    /// The whole name of its node.
    node: String,
    outcome: Outcome,
}

/// The attempts of a node, those of earlier children counted.
struct Begun {
    execution: ExecutionId,
    /// Those of this execution.
    attempts: u32,
    /// Those of earlier ones.
    before: u32,
}

impl Workers {
    /// Takes note of what is ordered.
    pub(super) fn follow(&mut self, execution: ExecutionId, event: &Event) {
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

    /// Takes all work that there is.
    pub(super) fn claim(
        &mut self,
        world: &mut World,
        queues: &BTreeSet<String>,
    ) -> Result<Vec<Claim>, EngineError> {
        let mut claims = Vec::new();
        for queue in queues {
            let claim = world.engine.clone();
            claims.extend(world.until(claim.claim(queue, CLAIMS_AT_ONCE, WORKER))?);
        }
        Ok(claims)
    }

    /// Begins what was claimed of this node.
    pub(super) fn begin(
        &mut self,
        world: &mut World,
        case: &Case,
        node: String,
        id: ClaimId,
    ) -> Result<(), EngineError> {
        let attempt = self.number(&node, &id);
        let said = said(case, &node).and_then(|answers| answers.of_attempt(attempt));
        let said = said.cloned();
        if said.is_none() {
            self.unanswered.push((node.clone(), attempt));
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
            let ordered = (id.execution, id.node_id.clone());
            let ordered = self.ordered.get(&ordered).copied().unwrap_or(0);
            let answer = Due { id, node, outcome };
            self.due.insert((at, ordered), answer);
        }
        Ok(())
    }

    /// The number of an attempt that begins, from 1: of the children of one node, the
    /// attempts of the earlier come first.
    fn number(&mut self, node: &str, id: &ClaimId) -> u32 {
        let begun = self.begun.entry(node.to_owned()).or_insert(Begun {
            execution: id.execution,
            attempts: 0,
            before: 0,
        });
        if begun.execution != id.execution {
            begun.before += begun.attempts;
            begun.execution = id.execution;
        }
        begun.attempts = id.attempt;
        begun.before + id.attempt
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
        let Due { id, node, outcome } = first.remove();
        let engine = world.engine.clone();
        let answered = match outcome {
            Outcome::Completes(answer) => world.until(engine.complete(id.clone(), answer)),
            Outcome::Fails(error) => world.until(engine.fail(id.clone(), error)),
            Outcome::NeverEnds | Outcome::Dies => return Ok(true),
        };
        match answered {
            // Cancelled or timed out meanwhile; the log says so.
            Ok(_) | Err(EngineError::Stale { .. }) => {}
            Err(EngineError::Refused { reason, .. }) => self.refuse(world, id, node, reason)?,
            Err(error @ (EngineError::Json { .. } | EngineError::TooLong { .. })) => {
                self.refuse(world, id, node, error.to_string())?;
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// An answer that does not do is a failure, so that the case goes on.
    fn refuse(
        &mut self,
        world: &mut World,
        id: ClaimId,
        node: String,
        why: String,
    ) -> Result<(), EngineError> {
        let error = WorkError::permanent(format!("the answer was refused: {why}"));
        self.refused.push((node, id.attempt, why));
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

/// What a case says of this node. What it says of a map, it says of each of its instances.
fn said<'a>(case: &'a Case, node: &str) -> Option<&'a Answers> {
    let parts: Vec<&str> = node.split('/').collect();
    (0..=parts.len()).find_map(|plain| {
        let (named, plain) = parts.split_at(parts.len() - plain);
        let plain = plain.iter().map(|part| node_of_run(part));
        let name: Vec<&str> = named.iter().copied().chain(plain).collect();
        case.answers.get(&name.join("/"))
    })
}
