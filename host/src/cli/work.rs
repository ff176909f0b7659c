//! What `run` and `resume` share: an engine with the built-in workers, and a
//! watch on the executions, until there is nothing left to do.

use std::collections::BTreeSet;
use std::time::Duration;

use refrain::Engine;
use refrain::contract::Status;
use refrain::id::ExecutionId;
use refrain::names;
use refrain::store::{ItemState, SqliteStore, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::{MissedTickBehavior, interval};

use super::damage::TamperedDocument;
use super::database::{self, Database};
use super::output;
use super::progress::Progress;
use super::stop_signals::StopSignals;
use super::text::text;
use super::waiting::{self, Waiting};
use super::watch::{Seen, Watch};

/// The queues that this program has workers for.
const SERVED: [&str; 2] = ["command", "http"];

/// How often to look for news. It is for the eye: no work waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// When all have ended, or cannot go on.
    Ended,
    /// Also when none can go on without somebody else.
    Idle,
}

/// Why work has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Done,
    Interrupted,
}

/// A watch on some executions while an engine works on them.
pub(super) struct Session<'a> {
    database: &'a Database,
    watch: Watch<SqliteStore>,
    progress: Progress,
    /// What was told of already: each thing is told once.
    told: BTreeSet<String>,
    signals: StopSignals,
}

/// An execution, as `run --json` and `resume --json` tell of it.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    execution_id: String,
    status: &'static str,
    final_state: Option<&'a RawValue>,
    events: u64,
    guest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tampered: Option<TamperedDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<&'a str>,
}

impl<'a> Session<'a> {
    /// Watch these executions.
    pub(super) fn new(database: &'a Database, ids: &[ExecutionId]) -> anyhow::Result<Self> {
        // Not for reading only: the last to leave an SQLite file tidies it up.
        let mut store = database.open_or_create()?;
        let records = ids
            .iter()
            .map(|id| database::record(&mut store, *id))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let progress = Progress::new(ids.len() > 1);
        Ok(Self {
            database,
            watch: Watch::new(store, records),
            progress,
            told: BTreeSet::new(),
            signals: StopSignals::new()?,
        })
    }

    /// Watch, and tell of what happens, until there is nothing left to do for
    /// the executions of the engine's time, or somebody presses Ctrl-C; then
    /// stop the engine. It is stopped after an error too: no program of its
    /// workers is left behind.
    pub(super) async fn work(
        &mut self,
        engine: Engine,
        simulated: bool,
        until: Until,
    ) -> anyhow::Result<Stopped> {
        let stopped = self.work_with(&engine, simulated, until).await;
        if stopped.is_err() {
            engine.stop().await;
        }
        stopped
    }

    async fn work_with(
        &mut self,
        engine: &Engine,
        simulated: bool,
        until: Until,
    ) -> anyhow::Result<Stopped> {
        let stopped = self.watch_until(simulated, until).await?;
        if stopped == Stopped::Interrupted {
            self.progress.say(&text!(
                "stopping; what is at work may finish, press Ctrl-C again to stop it now"
            ));
        }
        self.ask_for_states(engine).await;
        tokio::select! {
            () = engine.shutdown() => {}
            () = self.signals.next() => engine.stop().await,
        }
        self.look()?;
        self.progress.clear();
        if stopped == Stopped::Interrupted {
            self.say_how_to_resume();
        }
        Ok(stopped)
    }

    /// The executions, as they are now.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.watch.seen()
    }

    /// Only a completion's event holds the state; of other endings the guest
    /// knows it.
    async fn ask_for_states(&mut self, engine: &Engine) {
        for seen in self
            .watch
            .seen_mut()
            .filter(|seen| seen.ended() && seen.ending.final_state.is_none())
        {
            // A guest that cannot say is no reason to hide how it ended.
            seen.ending.final_state = engine
                .execution(seen.record.id)
                .inspect()
                .await
                .ok()
                .map(|it| it.merged_state().into_string());
        }
    }

    async fn watch_until(&mut self, simulated: bool, until: Until) -> anyhow::Result<Stopped> {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.signals.next() => return Ok(Stopped::Interrupted),
                _ = looks.tick() => self.look()?,
            }
            if self
                .seen()
                .filter(|seen| seen.record.simulated == simulated)
                .all(|seen| is_done(seen, until, self.watch.now(seen)))
            {
                return Ok(Stopped::Done);
            }
        }
    }

    /// Look for news, and tell of them.
    fn look(&mut self) -> anyhow::Result<()> {
        let progress = &mut self.progress;
        self.watch
            .look(|seen, stored| progress.event(seen, stored))?;
        self.tell_of_waiting();
        self.tell_of_pauses();
        self.progress.counts(self.watch.seen());
        Ok(())
    }

    /// Say what waits for somebody else, once each (law 9).
    fn tell_of_waiting(&mut self) {
        for seen in self
            .watch
            .seen()
            .filter(|seen| seen.record.status == Status::Running && !seen.is_damaged())
        {
            let all = waiting::all(&seen.nodes, &seen.items, self.watch.now(seen));
            for waiting in all
                .iter()
                .filter(|waiting| is_for_somebody_else(seen, waiting))
            {
                if self.told.insert(waiting.key(seen.record.id)) {
                    let text = waiting.text(seen.record.id, self.database);
                    self.progress.say(&text);
                }
            }
        }
    }

    /// Say how a pause is lifted, once: no worker brings a paused execution further.
    fn tell_of_pauses(&mut self) {
        for seen in self
            .watch
            .seen()
            .filter(|seen| seen.record.status == Status::Paused)
        {
            let id = seen.record.id;
            if self.told.insert(format!("{id} paused")) {
                let command = self.database.command("unpause", &[id.to_string()]);
                self.progress
                    .say(&text!("{} is paused; to lift it: {}", id, command));
            }
        }
    }

    fn say_how_to_resume(&self) {
        for seen in self
            .seen()
            .filter(|seen| !seen.ended() && !seen.is_damaged())
        {
            let (id, status) = (seen.record.id, names::status(seen.record.status));
            let command = self.database.command("resume", &[id.to_string()]);
            output::say(&text!(
                "{} is {}; to go on with it: {}",
                id,
                status,
                command
            ));
        }
    }
}

impl<'a> Report<'a> {
    /// What there is to tell of an execution.
    pub(super) fn of(seen: &'a Seen) -> anyhow::Result<Self> {
        Ok(Self {
            execution_id: seen.record.id.to_string(),
            status: names::status(seen.record.status),
            final_state: seen
                .ending
                .final_state
                .as_deref()
                .map(serde_json::from_str)
                .transpose()?,
            events: seen.record.head.sequence,
            guest: &seen.record.guest_digest,
            tampered: seen.record.tampering.as_ref().map(TamperedDocument::of),
            damaged: seen.damage.as_deref(),
        })
    }
}

/// Whether there is nothing left to do here for an execution.
fn is_done(seen: &Seen, until: Until, now: Timestamp) -> bool {
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
        ItemState::Waiting => is_served(seen, &record.item.queue_type),
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
            !seen.record.simulated || until.is_none()
        }
        Waiting::Time { .. } => false,
    }
}

/// Simulated workers serve every queue.
fn is_served(seen: &Seen, queue: &str) -> bool {
    seen.record.simulated || SERVED.contains(&queue)
}
