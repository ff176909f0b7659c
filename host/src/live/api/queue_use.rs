//! Which queues the workflows use that were registered with an engine, and on which its
//! workers wait: a worker that nobody needs often has a queue whose name is mistyped.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::resembling::resembling;

/// The queues that are used, and those that are served.
#[derive(Default)]
pub(in crate::live) struct QueueUse {
    state: Mutex<State>,
    /// Whether something may have to be judged.
    is_new: AtomicBool,
}

#[derive(Default)]
struct State {
    /// By workflows that were registered with this engine.
    used: BTreeSet<String>,
    /// By its own workers, those that come built in among them.
    served: BTreeSet<String>,
    /// Of these, those of which nobody was warned. Built-in workers are in none: many
    /// programs register them whatever their workflows use.
    unjudged: BTreeSet<String>,
}

/// A queue that own workers wait on in vain.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::live) struct Needless {
    pub(in crate::live) queue: String,
    /// The queues that are used instead.
    pub(in crate::live) used: Vec<String>,
    /// The one of them whose name looks like it.
    pub(in crate::live) meant: Option<String>,
}

impl QueueUse {
    /// A workflow that uses these was registered.
    pub(in crate::live) fn uses(&self, queues: &[String]) {
        self.state().used.extend(queues.iter().cloned());
        self.is_new.store(true, Ordering::Release);
    }

    /// A worker of this queue was registered.
    pub(in crate::live) fn serves(&self, queue: &str, is_built_in: bool) {
        let mut state = self.state();
        state.served.insert(queue.to_owned());
        if !is_built_in {
            state.unjudged.insert(queue.to_owned());
        }
        drop(state);
        self.is_new.store(true, Ordering::Release);
    }

    /// What is surely a mistake, at the start of an execution; each is told once.
    ///
    /// Workers may be registered before workflows, and for workflows that others start.
    /// So a queue that nobody uses is told of only where its name looks like that of one
    /// that is used, or where one that is used has no worker here.
    pub(in crate::live) fn needless(&self) -> Vec<Needless> {
        if !self.is_new.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let mut state = self.state();
        let State {
            used,
            served,
            unjudged,
        } = &mut *state;
        let is_short_of_workers = !used.is_subset(served);
        let judge = |queue: &String| {
            if used.contains(queue) {
                return None;
            }
            let meant = resembling(queue, used.iter().map(String::as_str)).map(str::to_owned);
            (is_short_of_workers || meant.is_some()).then(|| Needless {
                queue: queue.clone(),
                used: used.iter().cloned().collect(),
                meant,
            })
        };
        let needless: Vec<Needless> = unjudged.iter().filter_map(judge).collect();
        for it in &needless {
            unjudged.remove(&it.queue);
        }
        needless
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Needless {
    pub(in crate::live) fn warn(&self) {
        let used: Vec<String> = self.used.iter().map(|it| format!("{it:?}")).collect();
        let used = used.join(", ");
        let remedy = match &self.meant {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => "register the worker for one of these".to_owned(),
        };
        let queue = &self.queue;
        tracing::warn!(
            refrain.queue = %queue,
            "no workflow that was registered with this engine uses the queue {queue:?}, whose worker has nothing to do; they use {used}: {remedy}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needless(queue_use: &QueueUse) -> Vec<(String, Option<String>)> {
        let needless = queue_use.needless().into_iter();
        needless.map(|it| (it.queue, it.meant)).collect()
    }

    #[test]
    fn a_worker_that_nobody_needs_is_told_of_once_and_only_if_that_is_a_mistake() {
        let used = |queues: &[&str]| {
            let queue_use = QueueUse::default();
            let queues: Vec<String> = queues.iter().map(|&it| it.to_owned()).collect();
            queue_use.uses(&queues);
            queue_use
        };
        // (used, served by own workers, built in, expected)
        type Row<'a> = (
            &'a [&'a str],
            &'a [&'a str],
            &'a [&'a str],
            Vec<(&'a str, Option<&'a str>)>,
        );
        let table: [Row<'_>; 7] = [
            (&["tool"], &["tool"], &[], vec![]),
            (&["tool"], &["tol"], &[], vec![("tol", Some("tool"))]),
            // Its name looks like one that is used, though that has a worker too.
            (
                &["tool"],
                &["tol", "tool"],
                &[],
                vec![("tol", Some("tool"))],
            ),
            (
                &["model", "tool"],
                &["email", "tool"],
                &[],
                vec![("email", None)],
            ),
            // It may be there for what others start.
            (&["tool"], &["email", "tool"], &[], vec![]),
            (&["tool"], &[], &["command", "http"], vec![]),
            // No workflow was registered here: this engine only works.
            (&[], &["tol"], &[], vec![]),
        ];
        for (queues, served, built_in, expected) in table {
            let queue_use = used(queues);
            for queue in served {
                queue_use.serves(queue, false);
            }
            for queue in built_in {
                queue_use.serves(queue, true);
            }
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(queue, meant)| (queue.to_owned(), meant.map(str::to_owned)))
                .collect();
            assert_eq!(needless(&queue_use), expected, "{queues:?} {served:?}");
            queue_use.uses(&[]);
            assert_eq!(needless(&queue_use), [], "told once");
        }
    }

    #[test]
    fn workers_may_come_before_workflows() {
        let queue_use = QueueUse::default();
        queue_use.serves("tool", false);
        assert_eq!(needless(&queue_use), []);
        queue_use.uses(&["tool".to_owned()]);
        assert_eq!(needless(&queue_use), []);
    }
}
