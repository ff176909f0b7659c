//! Pure questions about an execution that both applying and deciding ask: is it
//! held, is it ending, is there room, which deadline runs.
//!
//! One answer serves both sides. What [`crate::decide`] concludes from it is
//! what [`crate::apply`] accepts, so that a decision of our own is never refused.
//! Nothing here changes anything, and nothing here knows an event.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};

use crate::contract::{
    Budget, BudgetExcess, CancelReason, NodeFailure, NodeState, StallAuthor, Status,
};
use crate::instance::RunIx;
use crate::json::elements;
use crate::limits::{ID_BYTES_MAX, PAYLOAD_BYTES_MAX, SPAN_MAX};
use crate::machine::Machine;
use crate::node::is_active;
use crate::state::{Ending, Fixed, is_finalizer};
use crate::template::Unresolved;
use crate::time::Timestamp;
use crate::workflow::plan::{
    Body, HumanApproval, Kind, Map, NodeIx, PlanText, RunOn, Terminate, Timer, Wait,
};

// ---- the execution as a whole --------------------------------------------------

/// What the execution is.
#[must_use]
pub fn status(machine: &Machine) -> Status {
    match machine.state.ended {
        Some(Ending::Completed) => Status::Completed,
        Some(Ending::Failed | Ending::TimedOut) => Status::Failed,
        Some(Ending::Cancelled) => Status::Cancelled,
        None if is_stalled(machine) => Status::Stalled,
        None if machine.state.paused => Status::Paused,
        None => Status::Running,
    }
}

/// Whose stall the execution stands on, if it does.
#[must_use]
pub fn stalled_by(machine: &Machine) -> Option<StallAuthor> {
    if machine.state.ended.is_some() {
        return None;
    }
    let of_policy = || {
        machine
            .state
            .policy_stall
            .as_ref()
            .map(|_| StallAuthor::Policy)
    };
    match machine.state.host_stall {
        Some(_) => Some(StallAuthor::Host),
        None => of_policy(),
    }
}

/// Whether anything at all may be decided: not after the end (law 6), not while
/// the host stalls the execution, and not before a fork goes its own way.
pub(crate) fn may_decide(machine: &Machine) -> bool {
    let state = &machine.state;
    state.ended.is_none() && state.host_stall.is_none() && !has_to_fork(machine)
}

/// Whether the log has come to the end of what it has in common with the one that
/// it was forked from, and does not go its own way yet (law 11).
#[must_use]
pub fn has_to_fork(machine: &Machine) -> bool {
    let state = &machine.state;
    let Some(origin) = &state.started.forked_from else {
        return false;
    };
    let common = origin.sequence;
    let has_forked = state.forked.is_some_and(|(sequence, _)| sequence > common);
    state.sequence >= common && !has_forked
}

/// Whether the execution needs someone before it can go on.
pub(crate) fn is_stalled(machine: &Machine) -> bool {
    machine.state.host_stall.is_some() || machine.state.policy_stall.is_some()
}

/// Whether it is this on which a policy stalled the execution.
pub(crate) fn is_stalled_on(machine: &Machine, run: RunIx) -> bool {
    machine
        .state
        .policy_stall
        .as_ref()
        .is_some_and(|(on, _)| *on == Some(run))
}

/// Whether nothing new may be ordered and nothing may end (rule R18).
pub(crate) fn is_held(machine: &Machine) -> bool {
    machine.state.paused || is_stalled(machine)
}

// ---- room ----------------------------------------------------------------------

/// Whether one more node may be in flight (rule R4).
pub(crate) fn has_room(machine: &Machine) -> bool {
    machine.agenda.in_flight < max_concurrent(machine)
}

/// Whether the map of an instance lets one more be under way (rule R21).
pub(crate) fn has_window(machine: &Machine, run: RunIx) -> bool {
    machine.map_of(run).is_none_or(|(map, agenda)| {
        let max = map.max_concurrent;
        max.is_none_or(|max| agenda.active.len() < max as usize)
    })
}

/// How many nodes may be in flight: the workflow's own limit only narrows.
pub(crate) fn max_concurrent(machine: &Machine) -> u32 {
    let limit = machine.state.started.limits.max_concurrent_nodes;
    machine
        .plan
        .max_concurrent_nodes
        .map_or(limit, |own| own.min(limit))
}

/// How many work items one step may order.
pub(crate) fn dispatch_per_tick(machine: &Machine) -> u32 {
    let limit = machine.state.started.limits.max_dispatch_per_tick;
    machine
        .plan
        .max_dispatch_per_tick
        .map_or(limit, |own| own.min(limit))
}

// ---- time ----------------------------------------------------------------------

/// When time alone could change what is decided: the earliest deadline.
/// Not-before times are not among them; the queue holds those.
#[must_use]
pub fn next_wake(machine: &Machine) -> Option<Timestamp> {
    if !may_decide(machine) {
        return None;
    }
    let of_nodes = deadlines(machine, is_held(machine)).next();
    let of_nodes = of_nodes.map(|(deadline, _)| deadline);
    of_nodes.into_iter().chain(workflow_deadline(machine)).min()
}

/// The deadlines, the earliest first. Where nothing new may be ordered, not those at which
/// another child is asked for.
pub(crate) fn deadlines(
    machine: &Machine,
    is_held: bool,
) -> impl Iterator<Item = (Timestamp, RunIx)> + '_ {
    let all = machine.agenda.deadlines.iter().copied();
    all.filter(move |(_, run)| !is_held || machine.record(*run).state != NodeState::Failing)
}

/// When the workflow's own timeout passes, while that still matters.
pub(crate) fn workflow_deadline(machine: &Machine) -> Option<Timestamp> {
    let matters = !machine.state.timed_out && machine.state.cancel.is_none();
    let timeout = machine.plan.workflow_timeout.filter(|_| matters)?;
    let since = match machine.state.forked {
        Some((_, at)) => at,
        None => machine.state.started_at,
    };
    Some(since.after(timeout))
}

// ---- budgets -------------------------------------------------------------------

/// The first budget that is spent and not switched off (rule R28): tokens, then money.
pub(crate) fn budget_exceeded(machine: &Machine) -> Option<BudgetExcess> {
    let budgets = machine.plan.budgets.as_ref()?;
    let spent = machine.state.spent.as_deref()?;
    let (input, output) = (spent.input_tokens, spent.output_tokens);
    let tokens = [
        (budgets.total_tokens, input.saturating_add(output)),
        (budgets.input_tokens, input),
        (budgets.output_tokens, output),
    ];
    let over = |(allowed, spent): (Option<u64>, u64)| Some((allowed?, spent));
    let over = tokens.into_iter().filter_map(over);
    let mut over = over.filter(|(allowed, spent)| spent > allowed);
    if let Some((allowed, spent)) = over.next().filter(|_| !spent.tokens_off) {
        return Some(BudgetExcess {
            budget: Budget::Tokens,
            allowed: allowed.to_string(),
            spent: spent.to_string(),
        });
    }
    let allowed = budgets.cost_usd.as_ref()?;
    (spent.cost_usd > *allowed && !spent.cost_off).then(|| BudgetExcess {
        budget: Budget::CostUsd,
        allowed: allowed.to_string(),
        spent: spent.cost_usd.to_string(),
    })
}

/// The budget on which the execution is to be stalled, if it is on one.
pub(crate) fn budget_to_stall_on(machine: &Machine) -> Option<BudgetExcess> {
    let pauses = machine.plan.budgets.as_ref()?.pauses;
    let may_stall = pauses && !is_ending(machine) && machine.state.policy_stall.is_none();
    budget_exceeded(machine).filter(|_| may_stall)
}

// ---- maps ----------------------------------------------------------------------

/// What a map is over.
pub(crate) enum MapItems {
    /// A list, and how many elements it has.
    List(String, u32),
    /// Nothing that it may be over.
    Fault(NodeFailure),
}

/// What a map is over now (rule R21).
pub(crate) fn map_items(machine: &Machine, map: &Map) -> MapItems {
    let list = map
        .over
        .value(&machine.scope().reading(machine.reads.begin()));
    if list.len() > PAYLOAD_BYTES_MAX {
        return MapItems::Fault(NodeFailure::TooLarge(OVER.to_string()));
    }
    if !list.starts_with('[') {
        return MapItems::Fault(NodeFailure::NotAList);
    }
    match u32::try_from(elements(&list).count()) {
        Ok(count) if count <= map.max_items => MapItems::List(list, count),
        counted => MapItems::Fault(NodeFailure::TooManyItems(counted.unwrap_or(u32::MAX))),
    }
}

/// Where `over` stands in a node.
const OVER: &str = "/kind/over";

/// What of a node is under way: the node, then its instances.
pub(crate) fn active_runs(machine: &Machine, ix: NodeIx) -> impl Iterator<Item = RunIx> + '_ {
    let own = is_active(machine.record(ix).state).then(|| RunIx::from(ix));
    let instances = machine.agenda.maps.get(&ix);
    let instances = instances.into_iter().flat_map(|map| &map.active);
    own.into_iter()
        .chain(instances.map(move |index| RunIx::of_instance(ix, *index)))
}

/// What of a node that is failing is to be judged: the node itself, or its instances.
pub(crate) fn failing_runs(machine: &Machine, ix: NodeIx) -> impl Iterator<Item = RunIx> + '_ {
    let own = (machine.record(ix).state == NodeState::Failing).then(|| RunIx::from(ix));
    let instances = machine.agenda.maps.get(&ix);
    let instances = instances.into_iter().flat_map(|map| &map.failing);
    own.into_iter()
        .chain(instances.map(move |index| RunIx::of_instance(ix, *index)))
}

/// The run that comes first of a node that is filed for dispatch.
pub(crate) fn first_dispatch(machine: &Machine, ix: NodeIx) -> RunIx {
    let ready = machine.agenda.maps.get(&ix).and_then(|map| {
        let count = machine.instances(ix).count();
        map.first_ready(count)
    });
    ready.map_or(ix.into(), |index| RunIx::of_instance(ix, index))
}

/// The element of an instance, JSON, while its map keeps it; also that of the instance
/// that a compensation undoes.
pub(crate) fn element(machine: &Machine, run: RunIx) -> Option<&str> {
    let index = run.index()?;
    machine.instances(run.node).item(index)
}

/// Whether an instance goes on no more, because its map is settled.
pub(crate) fn is_of_settled_map(machine: &Machine, run: RunIx) -> bool {
    run.instance().is_some() && machine.record(run.node).state != NodeState::Waiting
}

// ---- external events -----------------------------------------------------------

/// The oldest external event that a wait that is ready could take: one that came
/// before anyone waited for it (rule R19).
pub(crate) fn kept<'a>(machine: &'a Machine, ix: NodeIx, wait: &'a Wait) -> Option<&'a str> {
    if !wait.takes_kept {
        return None;
    }
    let key = correlation_key(machine, ix, wait).ok()??;
    let mailbox = machine.state.mailboxes.get(&*key)?;
    mailbox.kept.front().map(|payload| payload.as_str())
}

/// The correlation key of a wait, if it waits for an external event. One with
/// expressions is resolved when the wait begins, and holds until it ends (rule R29).
pub(crate) fn correlation_key<'a>(
    machine: &'a Machine,
    ix: NodeIx,
    wait: &'a Wait,
) -> Result<Option<Cow<'a, str>>, Unresolved> {
    const POINTER: &str = "/kind/correlation_key";
    let Some(text) = &wait.correlation_key else {
        return Ok(None);
    };
    let key = resolved(machine, ix, text, POINTER)?;
    if key.is_empty() {
        return Err(Unresolved::Null(POINTER.to_string()));
    }
    if key.len() > ID_BYTES_MAX {
        return Err(Unresolved::TooLarge(POINTER.to_string()));
    }
    Ok(Some(key))
}

/// When a wait that begins now ends by itself, if it does. A text with expressions that is
/// no time has no value, and a time further ahead than any span is too large.
pub(crate) fn fire_at(
    machine: &Machine,
    ix: NodeIx,
    wait: &Wait,
    now: Timestamp,
) -> Result<Option<Timestamp>, Unresolved> {
    const POINTER: &str = "/kind/until";
    let until = match &wait.timer {
        None => return Ok(None),
        Some(Timer::After(span)) => return Ok(Some(now.after(*span))),
        Some(Timer::At(time)) => *time,
        Some(Timer::ToldBy(template)) => {
            let text = template
                .resolve(&machine.scope_in(ix).reading(machine.reads.begin()))
                .map_err(|no_value| Unresolved::at(no_value, POINTER))?;
            let time = Timestamp::from_rfc3339(&text);
            time.map_err(|_| Unresolved::Null(POINTER.to_string()))?
        }
    };
    if until > now.after(SPAN_MAX) {
        return Err(Unresolved::TooLarge(POINTER.to_string()));
    }
    Ok(Some(until))
}

/// What the person is asked by an approval.
pub(crate) fn description<'a>(
    machine: &'a Machine,
    ix: NodeIx,
    approval: &'a HumanApproval,
) -> Result<Cow<'a, str>, Unresolved> {
    const POINTER: &str = "/kind/description";
    resolved(machine, ix, &approval.description, POINTER)
}

/// What a text of a wait or an approval came to when it began, or would come to now.
fn resolved<'a>(
    machine: &'a Machine,
    ix: NodeIx,
    text: &'a PlanText,
    pointer: &str,
) -> Result<Cow<'a, str>, Unresolved> {
    match text {
        PlanText::Literal(text) => Ok(Cow::Borrowed(text)),
        PlanText::Template(template) => match machine.state.wait_texts.get(&ix) {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => template
                .resolve(&machine.scope_in(ix).reading(machine.reads.begin()))
                .map(Cow::Owned)
                .map_err(|no_value| Unresolved::at(no_value, pointer)),
        },
    }
}

// ---- expressions -------------------------------------------------------------------

/// Whether a text in the node's kind can be without a value (rule R29).
pub(crate) fn may_be_unresolved(machine: &Machine, run: RunIx) -> bool {
    if is_of_settled_map(machine, run) {
        return false;
    }
    let is_template = |text: &PlanText| matches!(text, PlanText::Template(_));
    match &machine.node(run).kind {
        _ if run.is_undo() => machine
            .work(run)
            .is_some_and(|work| work.template.is_some()),
        Kind::Work(work) => work.template.is_some(),
        // Its input can be too large.
        Kind::Subgraph(_) => true,
        Kind::Map(map) => {
            !run.is_own()
                && match &map.body {
                    Body::Work(work) => work.template.is_some(),
                    Body::Child(_) => true,
                }
        }
        Kind::Wait(wait) => {
            matches!(wait.timer, Some(Timer::At(_) | Timer::ToldBy(_)))
                || wait.correlation_key.as_ref().is_some_and(is_template)
        }
        Kind::HumanApproval(approval) => is_template(&approval.description),
        Kind::Condition(_)
        | Kind::Parallel
        | Kind::Join(_)
        | Kind::LimitExceeded { .. }
        | Kind::Terminate(_) => false,
    }
}

/// Why a node with such a text has failed, in the contract's words.
pub(crate) fn unresolved_cause(unresolved: Unresolved) -> NodeFailure {
    match unresolved {
        Unresolved::Null(pointer) => NodeFailure::UnresolvedExpression(pointer),
        Unresolved::TooLarge(pointer) => NodeFailure::TooLarge(pointer),
    }
}

// ---- the end -------------------------------------------------------------------

/// What the execution heads for, once something asks for its end or nothing
/// else is left. The gravest wins (rules R17 and R24).
pub(crate) fn ending(machine: &Machine) -> Option<Ending> {
    if machine.state.cancel.is_some() {
        return Some(Ending::Cancelled);
    }
    if machine.state.timed_out {
        return Some(Ending::TimedOut);
    }
    if machine.state.compensating {
        return Some(Ending::Failed);
    }
    fixed_ending(machine)
        .or(machine.state.finalizing)
        .or_else(|| is_quiet(machine).then(|| verdict(machine)))
}

/// The ending that was fixed before everything was done (rules R24 and R28).
fn fixed_ending(machine: &Machine) -> Option<Ending> {
    Some(match machine.state.fixed.as_ref()? {
        Fixed::Terminated(ix) => match &machine.node(*ix).kind {
            Kind::Terminate(Terminate { fails: false, .. }) => Ending::Completed,
            _ => Ending::Failed,
        },
        Fixed::OverBudget(_) => Ending::Failed,
    })
}

/// The nodes that failed for good and fail the execution (rules R16, R24 and R26): of
/// those that failed before a `terminate`, none.
pub(crate) fn failing_nodes(machine: &Machine) -> impl Iterator<Item = NodeIx> + '_ {
    let is_fixed = machine.state.fixed.is_some();
    let failed = machine.agenda.failed.iter();
    failed.filter(move |ix| !is_fixed || is_finalizer(&machine.node(*ix).kind))
}

/// Whether ordinary nodes go on no more.
pub(crate) fn is_ending(machine: &Machine) -> bool {
    let state = &machine.state;
    state.cancel.is_some()
        || state.timed_out
        || state.compensating
        || state.fixed.is_some()
        || state.finalizing.is_some()
}

/// Nothing is under way, and nothing can become ready.
fn is_quiet(machine: &Machine) -> bool {
    let agenda = &machine.agenda;
    agenda.active.is_empty()
        && agenda.settle.is_empty()
        && agenda.dispatch.is_empty()
        && agenda.requests.is_empty()
        && machine.state.unneeded.is_empty()
}

fn verdict(machine: &Machine) -> Ending {
    if machine.state.compensating
        || is_failure_fixed(machine)
        || failing_nodes(machine).next().is_some()
    {
        Ending::Failed
    } else {
        Ending::Completed
    }
}

/// Whether the execution is to end as failed, whatever its nodes come to.
pub(crate) fn is_failure_fixed(machine: &Machine) -> bool {
    fixed_ending(machine) == Some(Ending::Failed)
}

/// How the execution would end if it ended now: what it heads for, and what has become
/// of its finalizers since.
fn end_ahead(machine: &Machine) -> Option<Ending> {
    Some(match ending(machine)? {
        // A finalizer may have failed since.
        Ending::Completed | Ending::Failed => verdict(machine),
        graver => graver,
    })
}

/// Why what is under way is being stopped, if it is.
pub(crate) fn stop_reason(machine: &Machine) -> Option<CancelReason> {
    if machine.state.cancel.is_some() {
        return Some(CancelReason::CancelRequested);
    }
    if machine.state.timed_out {
        return Some(CancelReason::WorkflowTimedOut);
    }
    machine.state.fixed.as_ref().map(|fixed| match fixed {
        Fixed::Terminated(_) => CancelReason::Terminated,
        Fixed::OverBudget(_) => CancelReason::BudgetExceeded,
    })
}

/// Whether an active node is among what stops with the execution. Not a
/// finalizer that runs on that very ending.
pub(crate) fn must_stop(machine: &Machine, ix: NodeIx) -> bool {
    !runs_now(machine, ix)
}

/// Whether this is a finalizer that runs on the ending ahead (rule R16).
pub(crate) fn runs_now(machine: &Machine, ix: NodeIx) -> bool {
    let Kind::Work(work) = &machine.node(ix).kind else {
        return false;
    };
    match (work.finalizer, ending(machine)) {
        (Some(RunOn::Always), Some(_)) => true,
        (Some(RunOn::Success), Some(ending)) => ending == Ending::Completed,
        (Some(RunOn::Failure), Some(ending)) => {
            matches!(ending, Ending::Failed | Ending::TimedOut)
        }
        (None, _) | (_, None) => false,
    }
}

/// Whether nothing but finalizers is left to do: compensations go before them.
pub(crate) fn is_time_for_finalizers(machine: &Machine) -> bool {
    let mut active = machine.agenda.active.iter();
    ending(machine).is_some()
        && !active.any(|ix| must_stop(machine, ix))
        && !is_compensating(machine)
}

// ---- compensations -----------------------------------------------------------------

/// Whether a compensation is under way, or one has to run before the execution ends (rule
/// R27).
pub(crate) fn is_compensating(machine: &Machine) -> bool {
    let undos = &machine.agenda.undos;
    undos.active.is_some() || (!undos.waiting.is_empty() && ends_badly(machine))
}

/// Whether what was completed is undone.
fn ends_badly(machine: &Machine) -> bool {
    end_ahead(machine).is_some_and(|ending| ending != Ending::Completed)
}

/// Whether what was completed is undone because of this failed node alone: a finalizer that
/// failed before.
pub(crate) fn is_why_undone(machine: &Machine, run: RunIx) -> bool {
    let state = &machine.state;
    let is_graver = state.cancel.is_some() || state.timed_out || is_failure_fixed(machine);
    state.compensating && !is_graver && failing_nodes(machine).all(|ix| run == ix.into())
}

/// The compensation whose time has come: nothing is under way, and of the runs that are
/// still to be undone, it undoes the one that was completed last.
pub(crate) fn next_compensation(machine: &Machine) -> Option<RunIx> {
    let undos = &machine.agenda.undos;
    let (_, undone) = undos.waiting.last()?;
    let may_run = undos.active.is_none() && machine.agenda.active.is_empty() && ends_badly(machine);
    may_run.then(|| undone.undo())
}

/// The end that is due now: nothing is under way, and no compensation and no finalizer is
/// left.
pub(crate) fn due_end(machine: &Machine) -> Option<Ending> {
    let agenda = &machine.agenda;
    if is_held(machine)
        || !agenda.active.is_empty()
        || !agenda.finalizers.is_empty()
        || is_compensating(machine)
    {
        return None;
    }
    end_ahead(machine)
}
