//! What would make a node run: an execution's futures are imagined behind the cursor, and its
//! own guest decides in them.
//!
//! Nothing here says the rules a second time. A plan says what happens in a future: which
//! conditions hold whose results are not known yet, which nodes fail, whose time runs out.
//! The workflow's text is written with that in the place of the conditions ([`unknowns`]),
//! the guest reads the log with that text, and what the plan wants to happen is offered to it
//! until the node runs ([`trial`]). Then what can be left out is left out ([`fewest`]), and of
//! what was guessed only that is told without which it is not the same ([`assumed`]).
//! Plans come from the ways that lead to the node ([`route`]); where one does not do, the
//! edge at which it ends is not used any more.
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod answer;
mod ports;
mod unknowns;
mod future;
mod route;
mod plan;
mod trial;
mod assumed;
mod fewest;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::graph::Graph;
use crate::model::{Explanation, NodeState, ReasonCause, Status, node_of_run, undone_by};
use crate::replay::nodes::{Nodes, Wait};
use crate::replay::status::Standing;
use crate::replay::travel::cursor::Travel;
use crate::replay::travel::error::TravelError;
use crate::store::Timestamp;
pub use answer::{Assumption, NeededAct, NeededFact, Needs, Prospect};
use future::Past;
use plan::{Holds, Plan};
use route::Map;
use trial::{Found, Goal, Missed, Stop, Trial};
use unknowns::{Unknowns, is_settled};

/// What all futures of one question may burn together: two or three seconds of work.
const FUEL_MAX: u64 = crate::limits::FUEL_PER_CALL;

/// Ways to a node that are tried.
const WAYS_MAX: usize = 8;

/// Nodes that are tried as the one that fails, where something has to.
const FAILING_MAX: usize = 8;

/// What would make nodes run that wait at the cursor of a [`Travel`]. The cursor stays.
///
/// ```no_run
/// use refrain::replay::{Prospect, Prospects, Travel};
///
/// # fn ask(travel: &mut Travel) -> Result<(), refrain::replay::TravelError> {
/// if let Prospect::Needs(needs) = Prospects::of(travel).what_would_run("ship")? {
///     println!("{:?}, if {:?}", needs.facts, needs.assumptions);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Prospects<'t> {
    travel: &'t mut Travel,
    /// What the clock shows.
    now: Timestamp,
}

impl<'t> Prospects<'t> {
    /// Those at this cursor, at the time of the event that it stands behind.
    pub fn of(travel: &'t mut Travel) -> Self {
        let now = travel.at();
        Self { travel, now }
    }

    /// The same, at this time: what is due by then happens first. A time before that of the
    /// cursor counts as that.
    #[must_use]
    pub fn at_time(mut self, now: Timestamp) -> Self {
        self.now = now.max(self.now);
        self
    }

    /// What would make this node, or this run of one, go on from where it is.
    ///
    /// # Errors
    /// [`TravelError`], also if the workflow has no such node.
    pub fn what_would_run(&mut self, node_id: &str) -> Result<Prospect, TravelError> {
        let explanation = self.travel.explain(node_id)?;
        if is_settled(explanation.state) {
            return Ok(Prospect::Settled(explanation.state));
        }
        let (mut past, mut standing) = (Past::default(), Standing::default());
        // The nodes that have failed for want of a value.
        let mut without = HashSet::new();
        for event in self.travel.behind() {
            past.apply(&event);
            standing.apply(&event);
            without.extend(trial::missing_value(&event.kind).map(|(node, _)| node));
        }
        let status = standing.status();
        if let Some(prospect) = known(&explanation, status) {
            return Ok(prospect);
        }
        let Some(goal) = goal(&explanation, &past.nodes) else {
            return Ok(Prospect::Begun(explanation.state));
        };
        let workflow = self.travel.workflow().clone();
        if is_ending(&explanation) && !runs_at_the_end(&workflow, node_id) {
            return Ok(Prospect::Ending);
        }
        let Some(graph) = Graph::read(&workflow.to_string()) else {
            return Ok(Prospect::CutOff);
        };
        let sequence = self.travel.sequence();
        match self.search((node_id, goal), (&graph, &workflow), (past, without)) {
            Ok(Prospect::NotFound) if explanation.state == NodeState::Failed => {
                Ok(Prospect::Settled(explanation.state))
            }
            Ok(Prospect::Needs(needs))
                if goal == Goal::Claimed && needs.acts.is_empty() && needs.facts.is_empty() =>
            {
                Ok(Prospect::Begun(explanation.state))
            }
            Err(SearchError::Stop(Stop::CutOff)) => Ok(Prospect::CutOff),
            Err(SearchError::Stop(Stop::Call(error))) => Err(TravelError::Call { sequence, error }),
            Err(SearchError::Travel(error)) => Err(error),
            Ok(prospect) => Ok(prospect),
        }
    }

    fn search(
        &mut self,
        (target, goal): (&str, Goal),
        (graph, workflow): (&Graph, &Value),
        (past, without): (Past, HashSet<String>),
    ) -> Result<Prospect, SearchError> {
        let states = self.states(workflow, &past.nodes)?;
        let state = |id: &str| states.get(id).copied().unwrap_or(NodeState::Pending);
        let (guest, _) = self.travel.other_guest()?;
        let unknowns = Unknowns::of(workflow, &past.nodes, state, self.now);
        let map = Map::of(graph);
        let node = node_of_run(target);
        let is_at_the_end = runs_at_the_end(workflow, target);
        let mut search = Search {
            graph,
            workflow,
            map: &map,
            states: &states,
            node,
            before: map.before(node),
            trial: Trial {
                log: self.travel.shared_log(),
                shown: self.travel.place(),
                now: self.now,
                past: Arc::new(past),
                snapshot: match unknowns.are_none() {
                    true => self.travel.snapshot(),
                    false => None,
                },
                unknowns: &unknowns,
                target,
                goal,
                without,
                relevant: (!is_at_the_end).then(|| map.before(node)),
                guest: Some(guest),
                fuel: FUEL_MAX,
            },
        };
        match search.found()? {
            None => Ok(Prospect::NotFound),
            Some(found) => Ok(Prospect::Needs(fewest::needs(&mut search.trial, found)?)),
        }
    }

    /// The states of nodes. Whether a loop goes on after a child, only the guest knows.
    fn states(
        &mut self,
        workflow: &Value,
        nodes: &Nodes,
    ) -> Result<HashMap<String, NodeState>, TravelError> {
        let mut states: HashMap<String, NodeState> = nodes
            .iter()
            .map(|node| (node.id.clone(), node.state))
            .collect();
        for (id, state) in &mut states {
            let repeats = workflow["nodes"][id]["kind"]["repeat"].is_object();
            if repeats && *state == NodeState::Completed {
                *state = self.travel.explain(id)?.state;
            }
        }
        Ok(states)
    }
}

/// Why there is no answer.
enum SearchError {
    Stop(Stop),
    Travel(TravelError),
}

impl From<Stop> for SearchError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<TravelError> for SearchError {
    fn from(error: TravelError) -> Self {
        Self::Travel(error)
    }
}

/// What is known of a node that is not settled, without looking for it.
fn known(explanation: &Explanation, status: Status) -> Option<Prospect> {
    let state = explanation.state;
    match (state, status) {
        (_, Status::Completed | Status::Failed | Status::Cancelled) => {
            Some(Prospect::Ended(status))
        }
        (NodeState::Running, _) => Some(Prospect::Begun(state)),
        _ => None,
    }
}

/// What is looked for. `None` if what a node waits for are its instances or its child.
fn goal(explanation: &Explanation, nodes: &Nodes) -> Option<Goal> {
    match explanation.state {
        NodeState::Scheduled | NodeState::BackingOff => Some(Goal::Claimed),
        NodeState::Waiting => {
            let node = nodes.named(&explanation.node_id)?;
            matches!(node.wait, Some(Wait::Approval { .. } | Wait::Event { .. }))
                .then_some(Goal::Settles)
        }
        _ => Some(Goal::Begins),
    }
}

/// Whether the execution is coming to its end.
fn is_ending(explanation: &Explanation) -> bool {
    let mut causes = explanation.reasons.iter().map(|it| &it.cause);
    causes.any(|it| matches!(it, ReasonCause::BeingCancelled | ReasonCause::OutOfTime))
}

/// Whether a node, or a run, is of those that run when all others are settled.
fn runs_at_the_end(workflow: &Value, run: &str) -> bool {
    let node = &workflow["nodes"][node_of_run(run)];
    undone_by(run).is_some() || !node["run_on"].is_null() || node["kind"]["type"] == "finalizer"
}

/// Plans, one after the other.
struct Search<'a> {
    graph: &'a Graph,
    workflow: &'a Value,
    map: &'a Map<'a>,
    states: &'a HashMap<String, NodeState>,
    /// The node, of which a run may be looked at.
    node: &'a str,
    /// It, and those that lead to it.
    before: HashSet<&'a str>,
    trial: Trial<'a>,
}

impl Search<'_> {
    /// What makes the node run. `None` if no plan does.
    fn found(&mut self) -> Result<Option<Found>, Stop> {
        // One whose last attempt has failed fails with the next decision.
        let is_failure =
            |state: &NodeState| matches!(state, NodeState::Failed | NodeState::Failing);
        let has_failed = self.states.values().any(is_failure);
        for retries in [false, true] {
            if retries && !has_failed {
                continue;
            }
            for plan in self.bases(retries) {
                if let Some(found) = self.along_ways(&plan)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// Plans that say nothing of the way. First something happens only to what leads there.
    fn bases(&self, retries: bool) -> Vec<Plan> {
        let plan = |is_narrow| Plan {
            retries,
            is_narrow,
            ..Plan::default()
        };
        if self.trial.relevant.is_some() {
            return vec![plan(true), plan(false)];
        }
        let failing = self.may_fail().into_iter().map(|id| Plan {
            fails: HashSet::from([id]),
            ..plan(false)
        });
        [plan(false)].into_iter().chain(failing).collect()
    }

    /// Nodes whose failure may fail the execution, those that are under way first.
    fn may_fail(&self) -> Vec<String> {
        let is_open = |id: &&String| {
            let state = self.state(id);
            !is_settled(state) && state != NodeState::Failed
        };
        let nodes = self.graph.nodes.keys();
        let mut nodes: Vec<&String> = nodes
            .filter(is_open)
            .filter(|id| !runs_at_the_end(self.workflow, id))
            .collect();
        nodes.sort_by_key(|id| !self.is_under_way(id));
        nodes.into_iter().take(FAILING_MAX).cloned().collect()
    }

    /// The plan as it is, and along one way after the other; at last with all conditions true.
    fn along_ways(&mut self, base: &Plan) -> Result<Option<Found>, Stop> {
        if let Ok(found) = self.trial.look(base)? {
            return Ok(Some(found));
        }
        let mut banned = HashSet::new();
        for _ in 0..WAYS_MAX {
            let Some(way) = self.way(base, &banned) else {
                break;
            };
            let plan = base.along(self.graph, &way);
            let missed = match self.trial.look(&plan)? {
                Ok(found) => return Ok(Some(found)),
                Err(missed) => missed,
            };
            let open = plan.with_all_between(self.graph, &self.before);
            if let Ok(found) = self.trial.look(&open)? {
                return Ok(Some(found));
            }
            let Some(edge) = self.where_it_ends(&way, &missed) else {
                break;
            };
            banned.insert(edge);
        }
        let all = Plan {
            holds: Holds::All,
            ..base.clone()
        };
        Ok(self.trial.look(&all)?.ok())
    }

    fn way(&self, plan: &Plan, banned: &HashSet<usize>) -> Option<Vec<usize>> {
        let is_open = |id: &str| {
            let state = self.state(id);
            !is_settled(state) && (plan.retries || state != NodeState::Failed)
        };
        self.map
            .way_to(self.node, is_open, |id| self.is_under_way(id), banned)
    }

    /// The first edge of a way behind which nothing has begun, else the last. `None` if the
    /// way has none.
    fn where_it_ends(&self, way: &[usize], missed: &Missed) -> Option<usize> {
        let has_not_begun = |place: &&usize| !missed.begun.contains(&self.graph.edges[**place].to);
        way.iter().find(has_not_begun).or(way.last()).copied()
    }

    fn state(&self, id: &str) -> NodeState {
        self.states.get(id).copied().unwrap_or(NodeState::Pending)
    }

    fn is_under_way(&self, id: &str) -> bool {
        let state = self.state(id);
        !is_settled(state) && !matches!(state, NodeState::Pending | NodeState::Failed)
    }
}
