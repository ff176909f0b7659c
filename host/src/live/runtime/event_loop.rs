//! The event loop of an engine. It alone has the store's write side and the
//! guests; callers put what they want into its inbox.
//!
//! ```text
//! an iteration   messages; others' commits; workers that are gone
//!                a turn, if one is due: begin, fill, commit; answer the callers, start the workers
//!                reads, after the turn, outside of it
//! ```
//!
//! An iteration never waits. It answers what comes next, and the engine's
//! thread, or the caller that steps the engine by hand, waits for that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::milliseconds;
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::{ANSWER_RETRY_PAUSE, LOCK_HELD_LONG, LOCK_LEFT_ALONE, STORE_RETRY_PAUSE};
use crate::queues;
use crate::store::{StoreError, Timestamp, check::TIME_MAX};

use super::commit::{give_up_claims, run_turn, undo_turn};
use super::commit_news::CommitNews;
use super::file_watch::FileWatch;
use super::inbox::{Closing, InboxReceiver, Message, Read};
use super::peers::is_gone;
use crate::live::turn::core::Core;
use crate::live::turn::open_turn::Effects;
use crate::live::turn::report;
use crate::live::turn::scope::Scope;
use crate::live::turn::slots::Slots;
use crate::live::turn::write::{Again, Write};
use crate::live::values::panics::{caught, drop_caught};
use crate::live::values::work::ClaimId;

/// Told when an execution has ended.
pub(in crate::live) type Watchers =
    BTreeMap<ExecutionId, Vec<oneshot::Sender<Result<(), EngineError>>>>;

/// An engine, as far as it is at work.
pub(crate) struct EventLoop {
    pub(in crate::live) core: Core,
    receiver: InboxReceiver,
    pub(in crate::live) file_watch: FileWatch,
    /// Told of commits, this engine's and those of others that it noticed.
    pub(in crate::live) commits: CommitNews,
    pub(in crate::live) watchers: Watchers,
    /// When time alone asks for a turn.
    due_at: Option<Timestamp>,
    /// A turn is due for another reason than time or a write.
    pub(in crate::live) turn_due: bool,
    /// The inbox held more than goes into one turn.
    inbox_cut: bool,
    /// What came while a turn was filled, and is not for a turn.
    put_off: VecDeque<Message>,
    /// What was opened is no longer there, which was told.
    pub(in crate::live) gone: bool,
    /// The store failed: not before a pause.
    failed: bool,
    /// The last turn held the write lock for long, and the next one is due: others
    /// have to get it in between.
    held_long: bool,
    /// To be done anew, in the next turn.
    again: Vec<Box<dyn Write>>,
    /// Who waits for the end; anyone: it is coming.
    closing: Vec<oneshot::Sender<()>>,
    /// Why the end comes without having been asked for.
    dying: Option<EngineError>,
}

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more to do: step again.
    Now,
    /// Nothing until this time of the engine's clock, unless someone asks the
    /// engine for something, or others commit to the same store: those are
    /// noticed by the next step, whenever that is.
    At(Timestamp),
    /// Nothing, until someone asks or others commit.
    WhenAsked,
    /// Nothing ever: the engine has come to its end.
    Ended,
}

/// What came in since the last turn.
#[derive(Default)]
struct Gathered {
    writes: Vec<Box<dyn Write>>,
    /// How many of them come from earlier turns.
    waiting: usize,
    reads: Vec<Read>,
}

impl EventLoop {
    pub(crate) fn new(
        core: Core,
        receiver: InboxReceiver,
        file_watch: FileWatch,
        commits: CommitNews,
    ) -> Self {
        Self {
            core,
            receiver,
            file_watch,
            commits,
            watchers: Watchers::new(),
            due_at: None,
            turn_due: true,
            inbox_cut: false,
            put_off: VecDeque::new(),
            gone: false,
            failed: false,
            held_long: false,
            again: Vec::new(),
            closing: Vec::new(),
            dying: None,
        }
    }

    /// The guest that new executions belong to.
    pub(crate) fn guest_digest(&self) -> String {
        self.core.guests.own().to_owned()
    }

    /// The queues on which an own worker is free.
    pub(crate) fn free_queues(&self) -> Vec<String> {
        self.core.pool.free_queues()
    }

    /// The executions that it works on; none: all.
    pub(crate) fn works_on(&self) -> Option<BTreeSet<ExecutionId>> {
        match &self.core.scope {
            Scope::Everything => None,
            Scope::Only(executions) => Some(executions.clone()),
        }
    }

    /// Iteration after iteration, with waiting in between, until told to close: the
    /// engine's thread.
    pub(crate) fn run(mut self) {
        match caught(|| self.iterate_until_closed()) {
            Ok(()) => self.end(),
            Err(said) => self.crash(&said),
        }
    }

    fn iterate_until_closed(&mut self) {
        while !self.is_closed() {
            if std::mem::take(&mut self.held_long) {
                std::thread::sleep(LOCK_LEFT_ALONE);
            }
            let pause = self.pause();
            match self.receiver.messages.recv_timeout(pause) {
                Ok(message) => self.iterate(Some(message)),
                // The core holds a sender itself, so this is always a timeout.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    self.iterate(None)
                }
            }
        }
    }

    /// One iteration, for this message and all others that have come.
    pub(crate) fn iterate(&mut self, first: Option<Message>) {
        self.core.pool.go_on();
        let gathered = self.gather(first);
        self.notice_others();
        self.notice_gone_workers();
        // Without a turn the writes are dropped, and their callers told of the end.
        if self.dying.is_none() && self.is_turn_due(&gathered) {
            self.turn(gathered.writes, gathered.waiting);
        }
        if !gathered.reads.is_empty() {
            let now = self.core.time.monotonic();
            report::set_time(&mut self.core, now);
        }
        for read in gathered.reads {
            read(&mut self.core);
        }
        if self.core.set_aside.take_news() && !self.gone {
            // Nothing is committed of it, and whoever watches it is to look.
            self.commits.committed();
        }
    }

    /// Whether it was told to close, or has to, and nothing is under way any longer.
    pub(crate) fn is_closed(&self) -> bool {
        let ends = !self.closing.is_empty() || self.dying.is_some();
        ends && self.core.pool.is_idle()
    }

    /// The end: whoever waits to hear of it may open the store anew.
    pub(crate) fn end(mut self) {
        let waiting = std::mem::take(&mut self.closing);
        let why = self.dying.take().unwrap_or(EngineError::ShutDown);
        let end = self.receiver.end.clone();
        // Callers that still wait for an answer are to hear why none comes.
        end.send_replace(Some(why));
        // Workers and the store are others' code, and may panic when they go.
        drop_caught(self, "an engine");
        for done in waiting {
            // Who has gone away does not want to know.
            let _ = done.send(());
        }
    }

    /// Something within an iteration panicked. What the panic left half done is not
    /// used again: the turn is undone, claims are given up, own workers
    /// stopped, and every caller hears of it.
    pub(crate) fn crash(mut self, said: &str) {
        let why = format!("its thread panicked: {said}");
        // Nothing of this may keep the callers from hearing of it: neither a
        // log nor a store that panics again.
        let _ = caught(|| tracing::error!("the engine ends: {why}"));
        let given_up = caught(|| {
            undo_turn(&mut self.core);
            self.give_up_workers();
        });
        if given_up.is_err() {
            // Claims end with their leases then.
            let _ = caught(|| self.core.pool.stop_all());
        }
        self.dying = Some(EngineError::Died(why));
        self.end();
    }

    /// An attempt was dropped before it answered. If that was not the engine's
    /// own doing, it was its Tokio runtime that is shut down; no worker of this
    /// engine will ever run again.
    fn attempt_dropped(&mut self, claim: &ClaimId) {
        if self.dying.is_some() || self.core.pool.group_of(claim).is_none() {
            return;
        }
        let why = "the Tokio runtime that it was started on has been shut down".to_owned();
        tracing::error!("the engine ends: {why}");
        self.core.pool.close();
        self.give_up_workers();
        self.dying = Some(EngineError::Died(why));
    }

    /// Whatever the store is asked goes through what is damaged: no later turn
    /// can be written either. Everyone is to hear of it, and nobody works for a
    /// result that cannot be kept.
    fn end_if_malformed(&mut self, error: &EngineError) {
        let malformed = matches!(error, EngineError::Store(error) if matches!(**error, StoreError::Malformed { .. }));
        if !malformed || self.dying.is_some() {
            return;
        }
        for watcher in std::mem::take(&mut self.watchers).into_values().flatten() {
            // Who has gone away does not want to know.
            let _ = watcher.send(Err(error.clone()));
        }
        self.core.pool.close();
        self.give_up_workers();
        self.dying = Some(error.clone());
    }

    /// What comes after an iteration, as far as is known.
    pub(crate) fn next(&mut self) -> Next {
        if self.failed {
            let pause_ms = milliseconds(STORE_RETRY_PAUSE);
            return Next::At(self.core.now().saturating_add(pause_ms));
        }
        let asked = self.inbox_cut || !self.put_off.is_empty();
        if self.turn_due || asked || self.core.pool.is_woken() {
            return Next::Now;
        }
        let now = self.core.now();
        let again_at = now.saturating_add(milliseconds(ANSWER_RETRY_PAUSE));
        let again_at = (!self.again.is_empty()).then_some(again_at);
        match self.due_at {
            // Simulated time does not have to be waited for.
            Some(_) if self.core.settings.simulated => Next::Now,
            Some(due_at) if due_at <= now => Next::Now,
            due_at => match due_at.into_iter().chain(again_at).min() {
                Some(at) => Next::At(at),
                None => Next::WhenAsked,
            },
        }
    }

    /// How long the engine's thread has nothing to do, as far as is known.
    fn pause(&mut self) -> Duration {
        if self.failed {
            return STORE_RETRY_PAUSE;
        }
        let until_due = match self.next() {
            Next::Now => Duration::ZERO,
            Next::At(due_at) => Duration::from_millis(due_at.saturating_sub(self.core.now())),
            Next::WhenAsked | Next::Ended => Duration::MAX,
        };
        let until_look = self.file_watch.until_look().unwrap_or(Duration::MAX);
        let fallback_poll = self.core.settings.fallback_poll;
        until_due.min(until_look).min(fallback_poll)
    }

    /// This message, and what else has come meanwhile.
    fn gather(&mut self, first: Option<Message>) -> Gathered {
        let mut gathered = Gathered {
            writes: std::mem::take(&mut self.again),
            reads: Vec::new(),
            waiting: 0,
        };
        gathered.waiting = gathered.writes.len();
        self.put_off.extend(first);
        self.inbox_cut = false;
        while let Some(message) = self
            .put_off
            .pop_front()
            .or_else(|| self.receiver.messages.try_recv().ok())
        {
            self.sort(message, &mut gathered);
            // What waits from before takes no room from what is new: it may wait
            // for an execution that comes after the others.
            if gathered.writes.len() - gathered.waiting >= self.core.settings.turn_limits.facts {
                self.inbox_cut = true;
                break;
            }
        }
        gathered
    }

    fn sort(&mut self, message: Message, gathered: &mut Gathered) {
        match message {
            Message::Write(write) => gathered.writes.push(write),
            Message::Read(read) => gathered.reads.push(read),
            Message::Join(group) => {
                self.core.pool.join(group);
                self.turn_due = true;
            }
            Message::Watch(id, watcher) => self.watch(id, watcher),
            Message::Notify => self.file_watch.on_notify(),
            Message::Dropped(claim) => self.attempt_dropped(&claim),
            Message::Close(Closing { drain, done }) => {
                self.core.closing.heard();
                self.core.pool.close();
                if !drain {
                    self.give_up_workers();
                }
                self.closing.push(done);
            }
        }
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

    /// One turn, with these writes, of which the first so many come from earlier
    /// turns. Whatever comes of it, the callers hear of it.
    fn turn(&mut self, mut writes: Vec<Box<dyn Write>>, waiting: usize) {
        let span = tracing::debug_span!(
            "refrain.turn",
            refrain.writes = writes.len(),
            refrain.executions = tracing::field::Empty
        );
        let _entered = span.enter();
        self.turn_due = false;
        self.failed = false;
        self.file_watch.at_work();
        let (messages, put_off) = (&self.receiver.messages, &mut self.put_off);
        let writes_max = waiting + self.core.settings.turn_limits.facts;
        let outcome = run_turn(&mut self.core, &mut writes, writes_max, &mut || {
            // Whatever is no write keeps its place before those that follow it.
            while put_off.is_empty() {
                match messages.try_recv().ok()? {
                    Message::Write(write) => return Some(write),
                    message => put_off.push_back(message),
                }
            }
            None
        });
        // There may be more of it, which nobody will tell of again.
        self.inbox_cut |= writes.len() >= writes_max;
        let mut waiting = BTreeSet::new();
        let failed = match outcome {
            Ok(mut effects) => {
                waiting = std::mem::take(&mut effects.waiting);
                let now = effects.now.of(self.core.settings.simulated);
                span.record("refrain.executions", effects.touched);
                if effects.written {
                    self.commits.committed();
                    report::over(&mut self.core, "turn");
                }
                let cut = effects.cut;
                let held_since = effects.now.real.monotonic;
                self.held_long =
                    cut && self.core.time.monotonic().saturating_sub(held_since) > LOCK_HELD_LONG;
                self.carry_out(effects);
                self.plan_next(now);
                if !cut && !self.failed {
                    self.core.known.nothing_due.nothing_until(self.due_at);
                }
                None
            }
            Err(error) => {
                // That the store is gone was told already.
                if !self.gone {
                    let text = format!("a turn was not written: {error}");
                    report::error(&mut self.core, "turn", &text);
                }
                self.end_if_malformed(&error);
                self.failed = true;
                self.turn_due = true;
                Some(error)
            }
        };
        let gone = failed.as_ref().filter(|error| is_gone(error));
        if let Some(error) = gone {
            self.store_is_gone(error);
        }
        for (place, write) in writes.into_iter().enumerate() {
            if waiting.contains(&place) {
                self.again.push(write);
                continue;
            }
            match write.answer(failed.as_ref()) {
                None => {}
                // There is nothing left into which it could be written.
                Some(_) if gone.is_some() => {}
                Some(Again::AtOnce(write)) => {
                    self.again.push(write);
                    self.turn_due = true;
                }
                Some(Again::Later(write)) => self.again.push(write),
            }
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
        core.backlog = effects.backlog;
        let Slots {
            granted,
            released,
            lost,
            ..
        } = effects.slots;
        released.iter().for_each(|claim| core.pool.end(claim));
        lost.iter().for_each(|claim| core.pool.stop(claim));
        effects
            .renewed
            .iter()
            .for_each(|claim| core.pool.renewed(claim, expires_at));
        core.pool.begin(granted);
        core.known.nothing_due.drained(effects.drained_queues);
        for id in effects.ended {
            self.tell_watchers(id);
        }
        self.turn_due |= effects.cut;
    }

    /// When time alone asks for the next turn, after `now`: the reading up to
    /// which everything due was looked at. A later one would lose what came
    /// due in between.
    pub(in crate::live) fn plan_next(&mut self, now: Timestamp) {
        match self.next_due(now) {
            Ok(due_at) => {
                report::over(&mut self.core, "due");
                self.due_at = due_at;
            }
            Err(error) => {
                let text = format!("when the next turn is due cannot be told: {error}");
                report::error(&mut self.core, "due", &text);
                self.end_if_malformed(&error.into());
                self.failed = true;
                self.turn_due = true;
            }
        }
    }

    fn next_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let core = &mut self.core;
        let simulated = core.settings.simulated;
        // Simulated workers are on every queue, and always free.
        let queues = match simulated {
            true => queues::ALL.map(str::to_owned).to_vec(),
            false => core.pool.free_queues(),
        };
        let stored = core.agenda().next_due(simulated, &queues, now)?;
        let renewal = core
            .pool
            .first_expiry()
            .map(|expiry| expiry.saturating_sub(core.settings.renewal_ms()));
        let monotonic = core.time.monotonic();
        // The log knows whole milliseconds only.
        let round_up = Duration::from_nanos(999_999);
        let waiting = core.leases.until_end(monotonic).map(|span| {
            let span_ms = milliseconds(span.saturating_add(round_up));
            now.saturating_add(span_ms)
        });
        let left = core.backlog.next_due();
        Ok([stored, renewal, waiting, left].into_iter().flatten().min())
    }

    /// Stop all work at once, and give its claims up.
    fn give_up_workers(&mut self) {
        if let Err(error) = give_up_claims(&mut self.core) {
            tracing::warn!("claims could not be given up, and end with their leases: {error}");
        }
        self.core.pool.stop_all();
    }
}
