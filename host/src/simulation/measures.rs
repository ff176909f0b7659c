//! What the schedule of an execution was like, its children's counted.

use std::collections::BTreeMap;

use crate::model::{Event, EventKind, Status, Timestamp};
use crate::replay::status_of;
use crate::replay::timeline::{Activity, Timeline};

/// What the schedule of an execution was like. Its children's nodes are counted with its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measures {
    /// How it stands at the end of its log.
    pub status: Status,
    /// Milliseconds from its first event to its last.
    pub took_ms: u64,
    /// Milliseconds that all its nodes together spent on each activity. That of those whose
    /// children or instances are under way is left out: it is these that spend it.
    pub spent: BTreeMap<Activity, u64>,
    /// Attempts that workers began.
    pub attempts: u64,
    /// Those of them that were not the first of their node.
    pub retries: u64,
    /// The most attempts that workers had begun, and not ended, at one time.
    pub at_work_most: u64,
    /// Events of all its logs.
    pub events: u64,
}

impl Measures {
    /// The measures of these logs, each with its workflow's text; that of the execution
    /// itself comes first.
    pub(super) fn of(logs: &[(&str, Vec<&Event>)]) -> Self {
        let own = logs.first().map_or(&[][..], |(_, own)| own.as_slice());
        let first = own.first().map_or(0, |event| event.at);
        let last = own.last().map_or(0, |event| event.at);
        let mut measures = Self {
            status: status_of(own.iter().copied()),
            took_ms: last.saturating_sub(first),
            spent: BTreeMap::new(),
            attempts: 0,
            retries: 0,
            at_work_most: at_work_most(logs),
            events: logs.iter().map(|(_, log)| log.len() as u64).sum(),
        };
        for (workflow, events) in logs {
            for event in events {
                if let EventKind::NodeStarted(started) = &event.kind {
                    measures.attempts += 1;
                    measures.retries += u64::from(started.attempt > 1);
                }
            }
            let timeline = Timeline::of(events, workflow, None);
            for span in timeline.tracks.iter().flat_map(|track| &track.spans) {
                if !matches!(span.activity, Activity::Child | Activity::Instances) {
                    *measures.spent.entry(span.activity).or_default() += span.until - span.from;
                }
            }
        }
        measures
    }
}

/// The most attempts at one time, over all logs. One that begins when another ends is not at
/// the same time.
fn at_work_most(logs: &[(&str, Vec<&Event>)]) -> u64 {
    // When something changes, and by how many; ends come before beginnings.
    let mut changes: Vec<(Timestamp, i64)> = Vec::new();
    let mut has_attempts = false;
    for (_, events) in logs {
        let mut at_work = AtWork::default();
        let mut until = 0;
        for event in events {
            until = until.max(event.at);
            match at_work.apply(event) {
                Change::None => {}
                Change::Begun => has_attempts = true,
                Change::Ended(began) => {
                    changes.extend(began.into_iter().flat_map(|at| [(at, 1), (event.at, -1)]));
                }
            }
        }
        changes.extend(
            at_work
                .0
                .into_values()
                .flat_map(|at| [(at, 1), (until, -1)]),
        );
    }
    changes.sort_unstable();
    let (mut now, mut most) = (0, i64::from(has_attempts));
    for (_, by) in changes {
        now += by;
        most = most.max(now);
    }
    most.unsigned_abs()
}

/// The nodes of a log that workers are at, and since when.
#[derive(Default)]
pub(super) struct AtWork(BTreeMap<String, Timestamp>);

/// What an event changes in that.
pub(super) enum Change {
    None,
    Begun,
    /// These have ended, which began at these times.
    Ended(Vec<Timestamp>),
}

impl AtWork {
    /// Takes what an event says.
    pub(super) fn apply(&mut self, event: &Event) -> Change {
        let node = match &event.kind {
            EventKind::NodeStarted(it) => {
                self.0.insert(it.node_id.clone(), event.at);
                return Change::Begun;
            }
            EventKind::NodeCompleted(it) => &it.node_id,
            EventKind::NodeFailed(it) => &it.node_id,
            EventKind::LeaseExpired(it) => &it.node_id,
            EventKind::NodeReleased(it) => &it.node_id,
            EventKind::NodeTimedOut(it) => &it.node_id,
            EventKind::NodeCancelled(it) => &it.node_id,
            EventKind::NodeExhausted(it) => &it.node_id,
            kind if kind.is_terminal() => {
                return Change::Ended(std::mem::take(&mut self.0).into_values().collect());
            }
            _ => return Change::None,
        };
        match self.0.remove(node) {
            Some(since) => Change::Ended(vec![since]),
            None => Change::None,
        }
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}
