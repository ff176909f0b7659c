//! The engine's one thread: owner of the store's write side and of the guests.
//!
//! ```text
//! wait for messages, due wakes, others' commits
//! a turn   begin, fill, commit; answer the callers, send the workers to work
//! reads    after the turn, outside of it
//! ```

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::{FACTS_PER_TURN_MAX, STORE_RETRY_PAUSE};
use crate::store::{StoreError, Timestamp, check::TIME_MAX, ended};

use super::core::Core;
use super::link::{Closing, Message, Read, Write};
use super::turn::Effects;
use super::wake::Wake;

/// Told when an execution has ended.
type Watchers = HashMap<ExecutionId, Vec<oneshot::Sender<Result<(), EngineError>>>>;

/// The thread's own state.
pub(crate) struct Owner {
    core: Core,
    inbox: Receiver<Message>,
    wake: Wake,
    /// Counts commits, this engine's and those of others that it noticed.
    commits: watch::Sender<u64>,
    watchers: Watchers,
    /// The store's version when it was last looked at.
    version: u64,
    /// When time alone asks for a turn.
    due_at: Option<Timestamp>,
    /// A turn is due for another reason than time or a write.
    turn_due: bool,
    /// The store failed: not before a pause.
    failed: bool,
    /// Who waits for the end; anyone: it is coming.
    closing: Vec<oneshot::Sender<()>>,
}

/// What came in since the last turn.
#[derive(Default)]
struct Gathered {
    writes: Vec<Box<dyn Write>>,
    reads: Vec<Read>,
}

impl Owner {
    pub(crate) fn new(
        core: Core,
        inbox: Receiver<Message>,
        wake: Wake,
        commits: watch::Sender<u64>,
    ) -> Self {
        Self {
            core,
            inbox,
            wake,
            commits,
            watchers: HashMap::new(),
            version: 0,
            due_at: None,
            turn_due: true,
            failed: false,
            closing: Vec::new(),
        }
    }

    /// The guest that new executions belong to.
    pub(crate) fn guest_digest(&self) -> String {
        self.core.guests.own().to_owned()
    }

    /// Work, until told to close.
    pub(crate) fn run(mut self) {
        loop {
            let gathered = self.gather();
            self.notice_others();
            self.notice_gone_workers();
            if self.is_turn_due(&gathered) {
                self.turn(gathered.writes);
            }
            for read in gathered.reads {
                read(&mut self.core);
            }
            if self.is_closed() {
                break;
            }
        }
        let waiting = std::mem::take(&mut self.closing);
        // Whoever waits to hear of the end may open the store anew.
        drop(self);
        for done in waiting {
            // Who has gone away does not want to know.
            let _ = done.send(());
        }
    }

    /// Wait for what comes next, and take what else has come meanwhile.
    fn gather(&mut self) -> Gathered {
        let mut gathered = Gathered::default();
        let pause = self.pause();
        match self.inbox.recv_timeout(pause) {
            Ok(message) => self.sort(message, &mut gathered),
            Err(RecvTimeoutError::Timeout) => {}
            // The core holds a sender itself, so this cannot be.
            Err(RecvTimeoutError::Disconnected) => {}
        }
        while gathered.writes.len() < FACTS_PER_TURN_MAX {
            match self.inbox.try_recv() {
                Ok(message) => self.sort(message, &mut gathered),
                Err(_) => break,
            }
        }
        gathered
    }

    fn sort(&mut self, message: Message, gathered: &mut Gathered) {
        match message {
            Message::Write(write) => gathered.writes.push(write),
            Message::Read(read) => gathered.reads.push(read),
            Message::Join(crew) => {
                self.core.pool.join(crew);
                self.turn_due = true;
            }
            Message::Watch(id, watcher) => self.watch(id, watcher),
            Message::Nudge => self.wake.heard(),
            Message::Close(Closing { drain, done }) => {
                self.core.pool.close();
                if !drain {
                    self.give_up_workers();
                }
                self.closing.push(done);
            }
        }
    }

    /// How long there is nothing to do, as far as is known.
    fn pause(&mut self) -> Duration {
        if self.failed {
            return STORE_RETRY_PAUSE;
        }
        if self.turn_due {
            return Duration::ZERO;
        }
        let until_due = self.due_at.map(|due_at| self.time_until(due_at));
        let until_look = self.wake.until_look();
        [until_due, until_look]
            .into_iter()
            .flatten()
            .fold(self.core.settings.fallback_poll, Duration::min)
    }

    /// Simulated time does not have to be waited for.
    fn time_until(&mut self, due_at: Timestamp) -> Duration {
        if self.core.settings.simulated {
            return Duration::ZERO;
        }
        Duration::from_millis(due_at.saturating_sub(self.core.now()))
    }

    fn is_turn_due(&mut self, gathered: &Gathered) -> bool {
        if self.turn_due || !gathered.writes.is_empty() {
            return true;
        }
        let Some(due_at) = self.due_at else {
            return false;
        };
        if self.core.settings.simulated && gathered.reads.is_empty() {
            self.core.time.jump(due_at);
        }
        due_at <= self.core.now()
    }

    /// One turn. Whatever comes of it, the callers hear of it.
    fn turn(&mut self, mut writes: Vec<Box<dyn Write>>) {
        let span = tracing::debug_span!(
            "refrain.turn",
            refrain.writes = writes.len(),
            refrain.executions = tracing::field::Empty
        );
        let _entered = span.enter();
        self.turn_due = false;
        self.failed = false;
        let outcome = self.core.turn(&mut writes);
        let failed = match outcome {
            Ok(effects) => {
                let now = effects.now.of(self.core.settings.simulated);
                span.record("refrain.executions", effects.executions.len());
                if effects.written {
                    self.commits.send_modify(|commits| *commits += 1);
                }
                self.carry_out(effects);
                self.plan_next(now);
                None
            }
            Err(error) => {
                tracing::error!("a turn was not written: {error}");
                self.failed = true;
                self.turn_due = true;
                Some(error)
            }
        };
        for write in writes {
            write.answer(failed.as_ref());
        }
    }

    /// The turn is written: tell and start whom it concerns.
    fn carry_out(&mut self, effects: Effects) {
        let core = &mut self.core;
        let lease_ms = core.settings.lease_ms();
        let expires_at = effects
            .now
            .of(core.settings.simulated)
            .saturating_add(lease_ms)
            .min(TIME_MAX);
        core.kept_guests.extend(effects.guests_kept);
        core.simulation.due = effects.simulated;
        effects
            .released
            .iter()
            .for_each(|claim| core.pool.end(claim));
        effects.lost.iter().for_each(|claim| core.pool.stop(claim));
        effects
            .renewed
            .iter()
            .for_each(|claim| core.pool.renewed(claim, expires_at));
        for (crew, claim) in effects.granted {
            core.pool.begin(crew, claim);
        }
        for (id, _, _) in effects.executions.iter().filter(|(_, _, ended)| *ended) {
            for watcher in self.watchers.remove(id).into_iter().flatten() {
                let _ = watcher.send(Ok(()));
            }
        }
        self.turn_due |= effects.cut;
    }

    /// When time alone asks for the next turn, after `now`: the reading up to
    /// which everything due was looked at. A later one would lose what came
    /// due in between.
    fn plan_next(&mut self, now: Timestamp) {
        match self.next_due(now) {
            Ok(due_at) => self.due_at = due_at,
            Err(error) => {
                tracing::error!("when the next turn is due cannot be told: {error}");
                self.failed = true;
                self.turn_due = true;
            }
        }
    }

    fn next_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let core = &mut self.core;
        let simulated = core.settings.simulated;
        let stored = core
            .store
            .get()
            .next_due(simulated, &core.pool.free_queues(), now)?;
        let answer = core.simulation.due.first().map(|(at, _)| *at);
        let renewal = core
            .pool
            .first_expiry()
            .map(|expiry| expiry.saturating_sub(core.settings.renewal_ms()));
        Ok([stored, answer, renewal].into_iter().flatten().min())
    }

    /// Have others committed? Then what they did may concern us.
    fn notice_others(&mut self) {
        self.wake.looked();
        let version = match self.core.store.get().version() {
            Ok(version) => version,
            Err(error) => {
                tracing::error!("the store's version cannot be read: {error}");
                return;
            }
        };
        if version == self.version {
            return;
        }
        self.version = version;
        self.commits.send_modify(|commits| *commits += 1);
        if let Err(error) = self.look_around() {
            tracing::error!("others' commits cannot be read: {error}");
            self.turn_due = true;
        }
    }

    /// Was the process of a lease's holder killed? Then its claims end.
    fn notice_gone_workers(&mut self) {
        match self.core.look_for_gone_workers() {
            Ok(news) => self.turn_due |= news,
            Err(error) => tracing::error!("who holds leases cannot be read: {error}"),
        }
    }

    /// After others' commits: own claims that no longer hold, watched
    /// executions that ended, and whether there is work for us.
    fn look_around(&mut self) -> Result<(), EngineError> {
        for claim in self.core.pool.running() {
            let item = self
                .core
                .store
                .get()
                .item(claim.execution, &claim.node_id)?;
            if !item.is_some_and(|record| super::answers::holds(&record, &claim)) {
                self.core.pool.stop(&claim);
            }
        }
        let watched: Vec<_> = self.watchers.keys().copied().collect();
        for id in watched {
            if self
                .core
                .store
                .get()
                .execution(id)?
                .is_some_and(|record| ended(record.status))
            {
                for watcher in self.watchers.remove(&id).into_iter().flatten() {
                    let _ = watcher.send(Ok(()));
                }
            }
        }
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
        let store = core.store.get();
        if simulated
            || !store.due(simulated, now, 1)?.is_empty()
            || !store.expired(simulated, now, 1)?.is_empty()
        {
            return Ok(true);
        }
        for queue in core.pool.free_queues() {
            if !core
                .store
                .get()
                .claimable(simulated, &queue, now, 1)?
                .is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn watch(&mut self, id: ExecutionId, watcher: oneshot::Sender<Result<(), EngineError>>) {
        match self.core.record(id) {
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

    /// Stop all work at once, and give its claims up.
    fn give_up_workers(&mut self) {
        if let Err(error) = self.core.give_up_claims() {
            tracing::warn!("claims could not be given up, and end with their leases: {error}");
        }
        self.core.pool.stop_all();
    }

    fn is_closed(&self) -> bool {
        !self.closing.is_empty() && self.core.pool.is_idle()
    }
}
