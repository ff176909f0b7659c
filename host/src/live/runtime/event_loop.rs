//! The event loop of an engine. It alone has the store's write side and the
//! guests; callers put what they want into its inbox.
//!
//! ```text
//! an iteration   messages; others' commits; workers that are gone
//!                a turn, if one is due: begin, fill, commit; answer the callers, start the workers
//!                questions, after the turn, outside of it
//! ```
//!
//! An iteration never waits. It answers what comes next, and the engine's
//! thread, or the caller that steps the engine by hand, waits for that.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::LOCK_LEFT_ALONE;
use crate::store::StoreError;

use super::commit::{run_turn, undo_turn};
use super::effects::carry_out;
use super::file_watch::FileWatch;
use super::inbox::{InboxReceiver, Message};
use super::intake::{Gathered, Intake};
use super::observers::Observers;
use super::peers::{notice_gone_workers, notice_others, store_is_gone};
use super::questions::Questions;
use super::readers::Readers;
use super::schedule::{Next, Schedule};
use super::shutdown::Shutdown;
use super::stopping::{Stopping, give_back_at_last};
use crate::live::turn::core::Core;
use crate::live::turn::open_turn::Effects;
use crate::live::turn::releases::OwnRelease;
use crate::live::turn::report;
use crate::live::turn::scope::Scope;
use crate::live::turn::write::Write;
use crate::live::values::panics::{caught, drop_caught};
use crate::live::values::work::ClaimId;

/// A running engine.
pub(crate) struct EventLoop {
    core: Core,
    intake: Intake,
    file_watch: FileWatch,
    observers: Arc<Observers>,
    readers: Arc<Readers>,
    questions: Arc<Questions>,
    schedule: Schedule,
    shutdown: Shutdown,
    stopping: Stopping,
}

impl EventLoop {
    pub(in crate::live) fn new(
        core: Core,
        receiver: InboxReceiver,
        file_watch: FileWatch,
        observers: Arc<Observers>,
        readers: Arc<Readers>,
        questions: Arc<Questions>,
    ) -> Self {
        Self {
            core,
            intake: Intake::new(receiver),
            file_watch,
            observers,
            readers,
            questions,
            schedule: Schedule::new(),
            shutdown: Shutdown::default(),
            stopping: Stopping::default(),
        }
    }

    /// The readers of its store.
    pub(in crate::live) fn readers(&self) -> Arc<Readers> {
        Arc::clone(&self.readers)
    }

    /// The guests that answer questions.
    pub(in crate::live) fn questions(&self) -> Arc<Questions> {
        Arc::clone(&self.questions)
    }

    /// The guest that new executions belong to.
    pub(crate) fn guest_digest(&self) -> String {
        self.core.guests.own().to_string()
    }

    /// The queues on which an own worker is free.
    pub(crate) fn free_queues(&self) -> Vec<String> {
        self.core.pool.free_queues()
    }

    /// How many calls of guests about executions there were in its turns.
    pub(in crate::live) fn guest_calls(&self) -> u64 {
        self.core.guests.calls()
    }

    /// The executions that it works on; `None`: all.
    pub(crate) fn works_on(&self) -> Option<BTreeSet<ExecutionId>> {
        match &self.core.scope {
            Scope::Everything => None,
            Scope::Only(executions) => Some(executions.clone()),
        }
    }

    /// Iteration after iteration, with waiting in between, until the engine is told
    /// to close: this is what the engine's thread runs.
    pub(crate) fn run(mut self) {
        match caught(|| self.iterate_until_closed()) {
            Ok(()) => self.end(),
            Err(said) => self.crash(&said),
        }
    }

    fn iterate_until_closed(&mut self) {
        while !self.is_closed() {
            if self.schedule.take_held_long() {
                std::thread::sleep(LOCK_LEFT_ALONE);
            }
            let pause = self.pause();
            self.intake.wait(pause);
            self.iterate();
        }
    }

    /// One iteration, for all messages that have come.
    pub(crate) fn iterate(&mut self) {
        self.core.pool.go_on();
        let gathered = self.gather();
        self.notice();
        let now = self.core.time.monotonic();
        // Without a turn the writes are dropped, and their callers told of the end.
        if !self.shutdown.is_dying() && self.is_turn_due(&gathered, now) {
            self.turn(gathered.writes, gathered.waiting);
        }
        if self.shutdown.take_stopping() {
            self.stopping.begin(&mut self.core);
            // What has ended at once has said so in the inbox.
            self.intake.cut();
        }
        if self.shutdown.is_asked() {
            let fails = self.schedule.retry_pause().is_some();
            self.stopping.note_store(&mut self.core, fails);
        }
        self.stopping.give_up_in_time(&mut self.core);
        for question in gathered.questions {
            question(&mut self.core);
        }
        self.core.waiting_claims.expire(now);
        if self.core.set_aside.take_news() && !self.observers.is_store_gone() {
            // Nothing is committed of it, but its observers are to look.
            self.observers.any_committed();
        }
    }

    /// Whether the engine was told to close, or has to, and nothing is under way
    /// any longer.
    pub(crate) fn is_closed(&self) -> bool {
        self.shutdown.is_coming() && self.core.pool.is_idle()
    }

    /// The end: a caller that was waiting for it may open the store anew.
    pub(crate) fn end(mut self) {
        let shutdown = std::mem::take(&mut self.shutdown);
        self.intake.end(shutdown.why());
        // Workers and the store are others' code, and may panic when they go.
        drop_caught(self, "an engine");
        shutdown.answer();
    }

    /// Something within an iteration panicked. What the panic left half done is not
    /// used again: the turn is undone, own workers are stopped and give their work back,
    /// and every caller hears of it.
    pub(crate) fn crash(mut self, said: &str) {
        let why = format!("its thread panicked: {said}");
        // Nothing of this may keep the callers from hearing of it: neither a
        // log nor a store that panics again.
        let _ = caught(|| tracing::error!("the engine ends: {why}"));
        let died = EngineError::Died(why);
        let stopped = caught(|| {
            self.core.waiting_claims.fail(&died);
            undo_turn(&mut self.core);
            give_back_at_last(&mut self.core, &mut self.intake);
        });
        if stopped.is_err() {
            // Claims end with their leases then.
            let _ = caught(|| self.core.pool.stop_all());
        }
        self.shutdown.die(died);
        self.end();
    }

    /// What comes after an iteration, as far as is known.
    pub(crate) fn next(&self) -> Next {
        let (is_asked, has_waiting) = (self.intake.is_asked(), self.intake.has_waiting());
        let until_stopped = self.stopping.left(&self.core);
        self.schedule
            .next(&self.core, is_asked, has_waiting, until_stopped)
    }

    /// How long the engine's thread has nothing to do, as far as is known.
    fn pause(&mut self) -> Duration {
        if let Some(pause) = self.schedule.retry_pause() {
            return pause;
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

    /// All that has come, sorted; what is neither a write nor a question is done.
    fn gather(&mut self) -> Gathered {
        let mut gathered = self.intake.begin();
        while let Some(message) = self.intake.next() {
            self.sort(message, &mut gathered);
            if gathered.is_full(self.core.settings.turn_limits.facts) {
                self.intake.cut();
                break;
            }
        }
        gathered
    }

    fn sort(&mut self, message: Message, gathered: &mut Gathered) {
        match message {
            Message::Write(write) => gathered.writes.push(write),
            Message::Question(question) => gathered.questions.push(question),
            Message::Claim(request, caller) => {
                let now = self.core.time.monotonic();
                self.core.waiting_claims.push(request, caller, now);
                if self.shutdown.is_coming() {
                    // Nothing more is claimed.
                    self.core.waiting_claims.fail(&EngineError::ShutDown);
                }
                self.schedule.ask();
            }
            Message::Join(group) => {
                self.core.pool.join(group);
                self.schedule.ask();
            }
            Message::Notify => self.file_watch.on_notify(),
            Message::Dropped(claim) => gathered.writes.extend(self.attempt_dropped(claim)),
            Message::Close(closing) => {
                self.core.closing.heard();
                self.core.waiting_claims.fail(&EngineError::ShutDown);
                self.core.pool.close();
                self.shutdown.ask(closing);
            }
        }
    }

    /// Have others committed, or gone away? Then what they did may concern us.
    fn notice(&mut self) {
        self.file_watch.looks();
        let (core, observers, schedule) = (&mut self.core, &self.observers, &mut self.schedule);
        let noticed = notice_others(core, observers, schedule);
        notice_gone_workers(core, schedule);
        if let Err(error) = noticed {
            self.end_if_malformed(&error);
        }
    }

    fn is_turn_due(&mut self, gathered: &Gathered, now: Duration) -> bool {
        let may_jump = gathered.questions.is_empty();
        !gathered.writes.is_empty()
            || self.schedule.is_due(&mut self.core, may_jump)
            || self.is_last_look_due(now)
    }

    /// Whether a request for work is about to be told that there is none, and another
    /// engine may have given it some (law 7): a turn looks.
    fn is_last_look_due(&mut self, now: Duration) -> bool {
        let core = &mut self.core;
        // A store that does not answer is told of by the turns.
        core.waiting_claims.any_expires(now)
            && core
                .store
                .get()
                .version()
                .is_ok_and(|version| !core.waiting_claims.have_looked(now, version))
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
        self.schedule.turn_begins();
        self.file_watch.at_work();
        let writes_max = waiting + self.core.settings.turn_limits.facts;
        let (core, intake) = (&mut self.core, &mut self.intake);
        let outcome = run_turn(core, &mut writes, writes_max, &mut || intake.next_write());
        if writes.len() >= writes_max {
            self.intake.cut();
        }
        let is_asked = match outcome {
            Ok(effects) => {
                span.record("refrain.executions", effects.touched);
                let waiting = self.succeed(effects);
                self.intake.answer(writes, &waiting, None)
            }
            Err(error) => {
                self.fail(&error);
                self.intake.answer(writes, &BTreeSet::new(), Some(&error))
            }
        };
        if is_asked {
            self.schedule.ask();
        }
    }

    /// A turn is written, or had nothing to write. Answers the places of the writes
    /// that wait.
    fn succeed(&mut self, mut effects: Effects) -> BTreeSet<usize> {
        if effects.written {
            self.observers.committed(&effects.changed);
            report::over(&mut self.core, "turn");
        }
        let waiting = std::mem::take(&mut effects.waiting);
        let (time, is_cut) = (effects.now, effects.cut);
        self.schedule.turn_ended(&mut self.core, time, is_cut);
        for (id, ending) in carry_out(&mut self.core, effects) {
            self.observers.ended(id, ending);
        }
        let now = time.at;
        match self.schedule.plan(&mut self.core, now) {
            Ok(due_at) if !is_cut => self.core.known.nothing_due.nothing_until(due_at),
            Ok(_) => {}
            Err(error) => self.end_if_malformed(&error.into()),
        }
        waiting
    }

    /// A turn could not be written.
    fn fail(&mut self, error: &EngineError) {
        // That the store is gone was reported already.
        if !self.observers.is_store_gone() {
            let text = format!("a turn was not written: {error}");
            report::error(&mut self.core, "turn", &text);
        }
        self.core.waiting_claims.fail(error);
        self.end_if_malformed(error);
        self.schedule.store_failed();
        if error.is_store_gone() {
            store_is_gone(&mut self.core, &self.observers, error);
        }
    }

    /// An attempt has ended and has not answered. One that was told to end is given back.
    /// If it was not the engine's own doing, its Tokio runtime was shut down; no worker of
    /// this engine will ever run again.
    fn attempt_dropped(&mut self, claim: ClaimId) -> Option<Box<dyn Write>> {
        if self.shutdown.is_dying() || self.core.pool.group_of(&claim).is_none() {
            return None;
        }
        if self.core.pool.is_ending(&claim) {
            let worker_id = self.core.settings.worker_id.clone();
            return Some(Box::new(OwnRelease::new(claim, worker_id)));
        }
        let why = "the Tokio runtime that it was started on has been shut down".to_owned();
        tracing::error!("the engine ends: {why}");
        let died = EngineError::Died(why);
        self.core.waiting_claims.fail(&died);
        self.shutdown.die(died);
        give_back_at_last(&mut self.core, &mut self.intake);
        None
    }

    /// Whatever the store is asked goes through what is damaged: no later turn
    /// can be written either. Everyone is to hear of it, and nobody works for a
    /// result that cannot be kept.
    fn end_if_malformed(&mut self, error: &EngineError) {
        let malformed = matches!(error, EngineError::Store(error) if matches!(**error, StoreError::Malformed { .. }));
        if !malformed || self.shutdown.is_dying() {
            return;
        }
        self.observers.fail(error);
        self.core.pool.close();
        self.core.pool.stop_all();
        self.shutdown.die(error.clone());
    }
}

impl Drop for EventLoop {
    /// However it ends: nobody is told of anything any longer, and the store is closed
    /// last, because who closes an SQLite file last tidies it up.
    fn drop(&mut self) {
        self.observers.close();
        self.readers.close();
    }
}
