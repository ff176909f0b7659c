//! What an execution that is watched waits for: whether this program can bring it
//! further, when that may change, and what somebody else has to do.

use refrain::model::Status;
use refrain::queues;
use refrain::store::{ItemState, Timestamp};

use super::database::Database;
use super::text::{Text, text};
use super::waiting::{self, Waiting};
use super::watch::Seen;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// When all have ended, or cannot go on.
    Ended,
    /// Also when none can go on without somebody else.
    Idle,
}

/// What is to be said of an execution, once each (law 9): what it waits for
/// that only somebody else can give, and that no worker brings a paused one
/// further. Each with what makes it the same thing when it is looked at again.
pub(super) fn news(seen: &Seen, database: &Database, now: Timestamp) -> Vec<(String, Text)> {
    let id = seen.record.id;
    if seen.is_damaged() {
        return Vec::new();
    }
    match seen.record.status {
        Status::Running => waiting::all(&seen.nodes, &seen.items, now)
            .iter()
            .filter(|waiting| is_for_somebody_else(seen, waiting))
            .map(|waiting| (waiting.key(id), waiting.text(id, database, now)))
            .collect(),
        Status::Paused => {
            let command = database.command("unpause", &[id.to_string()]);
            let text = text!("{} is paused; to lift it: {}", id, command);
            vec![(format!("{id} paused"), text)]
        }
        Status::Stalled | Status::Completed | Status::Failed | Status::Cancelled => Vec::new(),
    }
}

/// When the judgement on an execution changes though nothing is appended to
/// its log: work may be claimed from then on, or its wake is due.
pub(super) fn changes_at(seen: &Seen, now: Timestamp) -> Option<Timestamp> {
    if seen.simulated {
        // Its time goes on with its log.
        return None;
    }
    let claimable = seen.items.iter().map(|record| record.item.not_before);
    let times = claimable.chain(seen.record.next_wake);
    times.filter(|at| *at > now).min()
}

/// Whether there is nothing left to do here for an execution.
pub(super) fn is_done(seen: &Seen, until: Until, now: Timestamp) -> bool {
    if seen.is_damaged() {
        return true;
    }
    match seen.record.status {
        Status::Completed | Status::Failed | Status::Cancelled => seen.ended(),
        Status::Stalled => true,
        Status::Paused => until == Until::Idle,
        Status::Running => until == Until::Idle && needs_somebody_else(seen, now),
    }
}

/// Whether neither time nor a worker of this program could bring it further.
fn needs_somebody_else(seen: &Seen, now: Timestamp) -> bool {
    let at_work = seen.items.iter().any(|record| match record.state {
        ItemState::Waiting => is_served(seen, &record.item.queue),
        ItemState::Leased(_) => true,
        ItemState::Dead { .. } => false,
    });
    let due = seen.record.next_wake.is_some_and(|wake| wake <= now);
    let all = waiting::all(&seen.nodes, &seen.items, now);
    let timed = all
        .iter()
        .any(|waiting| matches!(waiting, Waiting::Time { .. }));
    !at_work && !due && !timed && !all.is_empty()
}

fn is_for_somebody_else(seen: &Seen, waiting: &Waiting) -> bool {
    match waiting {
        Waiting::Worker { queue, .. } => !is_served(seen, queue),
        // Simulated time jumps to the end of a wait that has one.
        Waiting::Approval { until, .. } | Waiting::Signal { until, .. } => {
            !seen.simulated || until.is_none()
        }
        Waiting::Time { .. } => false,
    }
}

/// Simulated workers serve every queue.
fn is_served(seen: &Seen, queue: &str) -> bool {
    seen.simulated || queues::BUILT_IN.contains(&queue)
}
