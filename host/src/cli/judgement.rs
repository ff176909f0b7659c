//! What an execution that is watched waits for: whether this program can bring it
//! further, when that may change, and what somebody else has to do.

use std::collections::BTreeSet;
use std::time::Duration;

use refrain::model::{NodeState, Status};
use refrain::replay::nodes::Node;
use refrain::store::{ItemRecord, ItemState, Timestamp};

use super::database::Database;
use super::seen::Seen;
use super::text::{Text, text};
use super::waiting::{self, Waiting};
use super::workers::Served;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// When all have ended, or cannot go on.
    Ended,
    /// Also when for this long none can go on without somebody else.
    Idle(Duration),
    /// Also when they are paused, and what this program was given of them is done.
    Paused,
    /// When somebody says so.
    Stopped,
}

/// What is to be said of an execution, once each (law 9): what it waits for
/// that only somebody else can give, and that no worker brings a paused one
/// further. Each with what makes it the same thing when it is looked at again.
pub(super) fn news(
    seen: &Seen,
    served: &Served,
    database: &Database,
    now: Timestamp,
) -> Vec<(String, Text)> {
    let id = seen.record.id;
    if seen.is_damaged() {
        return Vec::new();
    }
    match seen.record.status {
        Status::Running => waiting::all(&seen.nodes, &seen.items, now)
            .iter()
            .filter(|waiting| is_for_somebody_else(seen, served, waiting))
            .map(|waiting| {
                let text = waiting.text(seen.way(), id, database, now);
                (waiting.key(id), text)
            })
            .collect(),
        Status::Paused => {
            let command = database.command("unpause", &[id.to_string()]);
            let text = text!("{} is paused; to lift it: {}", id, command);
            vec![(format!("{id} paused"), text)]
        }
        // Of one that was asked for itself, that is told at the end.
        Status::Stalled if seen.child_of.is_some() => {
            vec![
                seen.ending
                    .of_stalled_child(seen.way(), id, &seen.nodes, database),
            ]
        }
        Status::Stalled | Status::Completed | Status::Failed | Status::Cancelled => Vec::new(),
    }
}

/// When the judgement on an execution changes though nothing is appended to
/// its log: work may be claimed from then on, or its wake is due; or either is near
/// enough to be waited for.
pub(super) fn changes_at(seen: &Seen, until: Until, now: Timestamp) -> Option<Timestamp> {
    if seen.simulated {
        // Its time goes on with its log.
        return None;
    }
    let claimable = seen.items.iter().map(|record| record.item.not_before);
    let times = claimable.chain(seen.record.next_wake);
    let near = |at: Timestamp| [at.saturating_sub(until.patience_ms()), at];
    times.flat_map(near).filter(|at| *at > now).min()
}

/// Whether there is nothing left to do here for an execution with these children, which
/// stands still for them alone or does not.
pub(super) fn is_done(
    seen: &Seen,
    (children, stands_still): (&[&Seen], bool),
    served: &Served,
    until: Until,
    now: Timestamp,
) -> bool {
    if seen.is_damaged() {
        return true;
    }
    let rests = |seen: &Seen| match seen.record.status {
        Status::Running => is_idle(seen, served, until, now),
        _ => true,
    };
    match seen.record.status {
        Status::Completed | Status::Failed | Status::Cancelled => seen.ended(),
        Status::Stalled => true,
        Status::Paused => match until {
            Until::Ended => false,
            Until::Paused => children.iter().all(|child| rests(child)),
            Until::Idle(_) | Until::Stopped => true,
        },
        Status::Running => {
            let is_paused = |child: &&Seen| child.record.status == Status::Paused;
            let is_one_paused = || children.iter().any(is_paused);
            let rest = || rests(seen) && children.iter().all(|child| rests(child));
            match until {
                Until::Ended => stands_still,
                // A child that is paused keeps it from its end.
                Until::Paused => stands_still || (is_one_paused() && rest()),
                Until::Idle(_) => stands_still || rest(),
                Until::Stopped => rest(),
            }
        }
    }
}

/// Whether work of an execution is in hand: one of these claims, or any if none are named.
pub(super) fn is_at_work(seen: &Seen, claims: Option<&BTreeSet<u64>>) -> bool {
    let leases = seen.items.iter().filter_map(|record| record.state.lease());
    let mut leases = leases.map(|lease| lease.fence);
    leases.any(|fence| claims.is_none_or(|claims| claims.contains(&fence)))
}

/// Whether an execution that runs waits for nothing but children.
pub(super) fn waits_for_children_alone(seen: &Seen, now: Timestamp) -> bool {
    let asked_for = |node: &&Node| node.child && node.state == NodeState::Waiting;
    seen.record.status == Status::Running
        && seen.has_children()
        && seen.items.is_empty()
        && seen.record.next_wake.is_none()
        && waiting::all(&seen.nodes, &seen.items, now).is_empty()
        && seen.nodes.iter().filter(asked_for).count() <= seen.children.len()
}

/// Until when nothing happens to an execution that runs, and to its children, unless
/// somebody else does it: the first time at which something is due here. `None` if nothing
/// is, or something is due now, or it does not run.
pub(super) fn rests_until(
    seen: &Seen,
    children: &[&Seen],
    served: &Served,
    now: Timestamp,
) -> Option<Timestamp> {
    let own = rests_alone_until(seen, served);
    let of_children = children
        .iter()
        .filter_map(|child| rests_alone_until(child, served));
    let is_running = seen.record.status == Status::Running;
    let of_children = of_children.filter(|_| is_running);
    let first = own.into_iter().chain(of_children).min();
    first.filter(|at| *at > now)
}

/// The same of it alone.
fn rests_alone_until(seen: &Seen, served: &Served) -> Option<Timestamp> {
    if seen.record.status != Status::Running {
        return None;
    }
    let waiting = seen
        .items
        .iter()
        .filter(|record| record.state == ItemState::Waiting)
        .filter(|record| served.has(seen, &record.item.queue));
    let claimable = waiting.map(|record| record.item.not_before);
    claimable.chain(seen.record.next_wake).min()
}

/// Whether for a while neither time nor a worker of this program brings it further.
fn is_idle(seen: &Seen, served: &Served, until: Until, now: Timestamp) -> bool {
    let leased = |record: &ItemRecord| matches!(record.state, ItemState::Leased(_));
    let at_work = seen.items.iter().any(leased);
    // Simulated time jumps to whatever is due.
    let patience_ends = match seen.simulated {
        true => Timestamp::MAX,
        false => now.saturating_add(until.patience_ms()),
    };
    let is_near = rests_alone_until(seen, served).is_some_and(|at| at <= patience_ends);
    // What waits for nothing has something to be decided of it.
    let waits = seen.has_children() || !waiting::all(&seen.nodes, &seen.items, now).is_empty();
    !at_work && !is_near && waits
}

fn is_for_somebody_else(seen: &Seen, served: &Served, waiting: &Waiting) -> bool {
    match waiting {
        Waiting::Worker { queue, .. } => !served.has(seen, queue),
        // Simulated time jumps to the end of a wait that has one.
        Waiting::Approval { until, .. } | Waiting::Signal { until, .. } => {
            !seen.simulated || until.is_none()
        }
        Waiting::Time { .. } => false,
    }
}

impl Until {
    /// How near something must be to be waited for.
    fn patience_ms(self) -> u64 {
        match self {
            Self::Idle(patience) => u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
            Self::Ended | Self::Paused | Self::Stopped => 0,
        }
    }
}
