//! Between turns: what others did, and whom it concerns. Nothing here writes.

use tokio::sync::oneshot;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{StoreError, Timestamp, ended};

use super::event_loop::EventLoop;
use crate::live::execution::claimed::holds;
use crate::live::turn::core::Core;
use crate::live::turn::report;
use crate::live::turn::stored::record;

/// Whether what was opened is no longer there.
pub(in crate::live) fn is_gone(error: &EngineError) -> bool {
    matches!(error, EngineError::Store(error) if matches!(**error, StoreError::Gone { .. }))
}

impl EventLoop {
    /// Have others committed? Then what they did may concern us.
    pub(in crate::live) fn notice_others(&mut self) {
        self.file_watch.looks();
        let version = match self.core.store.get().version() {
            Ok(version) => {
                if std::mem::take(&mut self.gone) {
                    // It was put back: there is something to look at again.
                    self.commits.committed();
                }
                report::over(&mut self.core, "version");
                Some(version)
            }
            Err(error) => {
                let text = format!("the store's version cannot be read: {error}");
                report::error(&mut self.core, "version", &text);
                let error = EngineError::from(error);
                if is_gone(&error) {
                    self.store_is_gone(&error);
                }
                return;
            }
        };
        if version == self.core.version {
            return;
        }
        self.core.version = version;
        // What was known is of another version.
        if let Some(version) = version {
            self.core.known.as_of(version);
        }
        self.commits.committed();
        match self.look_around() {
            Ok(()) => report::over(&mut self.core, "others"),
            Err(error) => {
                let text = format!("others' commits cannot be read: {error}");
                report::error(&mut self.core, "others", &text);
                self.turn_due = true;
            }
        }
    }

    /// What was opened is no longer there: nobody waits for what cannot come,
    /// and nobody works for a result that cannot be kept.
    pub(in crate::live) fn store_is_gone(&mut self, error: &EngineError) {
        for watcher in std::mem::take(&mut self.watchers).into_values().flatten() {
            // Who has gone away does not want to know.
            let _ = watcher.send(Err(error.clone()));
        }
        self.commits.store_is_gone(error);
        self.core.pool.stop_all();
        self.gone = true;
    }

    /// Was the process of a lease's holder killed? Then its claims end.
    pub(in crate::live) fn notice_gone_workers(&mut self) {
        match look_for_gone_workers(&mut self.core) {
            Ok(news) => {
                report::over(&mut self.core, "holders");
                self.turn_due |= news;
            }
            Err(error) => {
                let text = format!("who holds leases cannot be read: {error}");
                report::error(&mut self.core, "holders", &text);
            }
        }
    }

    /// After others' commits: own claims that no longer hold, watched
    /// executions that ended, and whether there is work for us.
    fn look_around(&mut self) -> Result<(), EngineError> {
        for claim in self.core.pool.running_claims() {
            let item = self.core.store.get().item(claim.execution, &claim.node_id);
            let item = self.core.set_aside.others_go_on(claim.execution, item)?;
            let item = item.flatten();
            if !item.is_some_and(|record| holds(&record, &claim)) {
                self.core.pool.stop(&claim);
            }
        }
        let watched: Vec<_> = self.watchers.keys().copied().collect();
        for id in watched {
            let record = self.core.store.get().execution(id);
            let record = self.core.set_aside.others_go_on(id, record)?;
            let record = record.flatten();
            if record.is_some_and(|record| ended(record.status)) {
                self.tell_watchers(id);
            }
        }
        self.core.time.look(self.core.store.get())?;
        let now = self.core.now();
        self.turn_due |= self.has_work(now)?;
        self.plan_next(now);
        Ok(())
    }

    /// Whether a turn would find something to do. Asked without the write
    /// lock, so that idle engines do not stand in each other's way.
    fn has_work(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let core = &mut self.core;
        let simulated = core.settings.simulated;
        let leases_until = core.ends_leases_until(now);
        let queues = core.pool.free_queues();
        let mut agenda = core.agenda();
        if simulated
            || !agenda.due(simulated, now, None, 1)?.found.is_empty()
            || !agenda.expired(simulated, leases_until, 1)?.found.is_empty()
        {
            return Ok(true);
        }
        for queue in queues {
            let claimable = agenda.claimable(simulated, &queue, now, 1, |_| false)?;
            if !claimable.found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Someone wants to hear of the end of an execution.
    pub(in crate::live) fn watch(
        &mut self,
        id: ExecutionId,
        watcher: oneshot::Sender<Result<(), EngineError>>,
    ) {
        match record(&mut self.core, id) {
            Ok(record) if !ended(record.status) => {
                let watchers = self.watchers.entry(id).or_default();
                // Who asks now and then, and gives up in between, leaves nothing behind.
                watchers.retain(|watcher| !watcher.is_closed());
                watchers.push(watcher);
            }
            Ok(_) => drop(watcher.send(Ok(()))),
            Err(error) => drop(watcher.send(Err(error))),
        }
    }

    /// The execution has ended.
    pub(in crate::live) fn tell_watchers(&mut self, id: ExecutionId) {
        for watcher in self.watchers.remove(&id).into_iter().flatten() {
            let _ = watcher.send(Ok(()));
        }
    }
}

/// At the start and at each fallback poll: is there a holder of a lease whose
/// process is gone, and of whom that was not known? Then a turn is due.
fn look_for_gone_workers(core: &mut Core) -> Result<bool, StoreError> {
    let now = core.time.monotonic();
    let every = core.settings.fallback_poll;
    if core.settings.simulated || !core.gone_workers.look_is_due(now, every) {
        return Ok(false);
    }
    let holders = core.agenda().lease_holders(false)?;
    let holders = core.set_aside.named(holders);
    Ok(core.gone_workers.look(holders))
}
