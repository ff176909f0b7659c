//! What `run`, `resume` and `work` share: an engine with workers, and a watch on the
//! executions, until there is nothing left to do.

use std::collections::BTreeSet;
use std::iter;
use std::time::Duration;

use refrain::Engine;
use refrain::id::ExecutionId;
use refrain::model::Status;
use refrain::render::UnsetPath;
use refrain::store::{ExecutionRecord, SqliteStore, Timestamp};
use tokio::time::sleep;

use super::database::Database;
use super::judgement::{Until, changes_at, is_at_work, is_done, news};
use super::leaving::{leave, stop};
use super::output::{self, Form};
use super::progress::Progress;
use super::seen::Seen;
use super::stop_signals::StopSignals;
use super::text::{Text, text};
use super::undone::Undone;
use super::unended;
use super::unset_paths::UnsetPaths;
use super::watch::Watch;
use super::worked_on::{self, Report};
use super::workers::Served;

/// How long to leave the database alone between two looks. They are for the
/// eye: no work waits for them.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// How often to show that time passes, on a terminal.
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// Why work has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Done,
    Interrupted,
}

/// A watch on some executions while an engine works on them.
pub(super) struct Session<'a> {
    database: &'a Database,
    watch: Watch,
    served: Served,
    until: Until,
    /// The claims that are to be done before those that are paused are left; `None`: all.
    claims: Option<BTreeSet<u64>>,
    undone: Undone,
    progress: Progress,
    /// What was told of already: each thing is told once.
    told: BTreeSet<String>,
    signals: StopSignals,
    /// In which form each end is told as it comes, and forgotten; else that is for the
    /// command, when all is done.
    tells_ends: Option<Form>,
    /// Those that have ended, and whose end is still to be told.
    ended: Vec<Seen>,
    /// What they read that was never there.
    unset: UnsetPaths,
}

impl<'a> Session<'a> {
    /// Watch these executions.
    pub(super) fn new(
        database: &'a Database,
        // Not for reading only: the last to leave an SQLite file tidies it up.
        store: SqliteStore,
        records: Vec<ExecutionRecord>,
        served: Served,
        until: Until,
    ) -> anyhow::Result<Self> {
        let several = records.len() > 1;
        Self::with(database, Watch::new(store, records), several, served, until)
    }

    /// Watch all executions that have not ended, and those that start meanwhile. Each end
    /// is told as it comes, in this form.
    pub(super) fn of_all(
        database: &'a Database,
        watch: Watch,
        served: Served,
        until: Until,
        ends: Form,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            tells_ends: Some(ends),
            ..Self::with(database, watch, true, served, until)?
        })
    }

    fn with(
        database: &'a Database,
        mut watch: Watch,
        several: bool,
        served: Served,
        until: Until,
    ) -> anyhow::Result<Self> {
        let mut progress = Progress::new(several);
        let workflows = watch.workflows()?;
        workflows.iter().for_each(|it| progress.expect(it));
        Ok(Self {
            database,
            watch,
            served,
            until,
            claims: None,
            undone: Undone::default(),
            progress,
            told: BTreeSet::new(),
            signals: StopSignals::new()?,
            tells_ends: None,
            ended: Vec::new(),
            unset: UnsetPaths::default(),
        })
    }

    /// All of them have just been started here: what is told of them happens now.
    pub(super) fn are_new(&mut self) {
        self.watch.are_new();
    }

    /// Watch, and tell of what happens, until there is nothing left to do for
    /// the executions, or somebody presses Ctrl-C; then stop the engine. It is stopped
    /// after an error too: no program of its workers is left behind.
    pub(super) async fn work(&mut self, engine: Engine) -> anyhow::Result<Stopped> {
        self.prepare_and_work(engine, async |_| Ok(None)).await
    }

    /// The same, after something is asked of the engine that a call of a guest may
    /// delay for long: Ctrl-C ends that, too. It answers which claims, by their fences, are
    /// to be done before what is paused is left; `None`: all that there are.
    pub(super) async fn prepare_and_work(
        &mut self,
        engine: Engine,
        prepare: impl AsyncFnOnce(&Engine) -> anyhow::Result<Option<BTreeSet<u64>>>,
    ) -> anyhow::Result<Stopped> {
        let stopped = self.work_with(&engine, prepare).await;
        if stopped.is_err() {
            stop(&engine).await;
            self.progress.clear();
            unended::say_how_to_resume(&self.watch, self.database);
        }
        stopped
    }

    async fn work_with(
        &mut self,
        engine: &Engine,
        prepare: impl AsyncFnOnce(&Engine) -> anyhow::Result<Option<BTreeSet<u64>>>,
    ) -> anyhow::Result<Stopped> {
        let prepared = tokio::select! {
            prepared = prepare(engine) => Some(prepared?),
            () = self.signals.next() => None,
        };
        let stopped = match prepared {
            Some(claims) => {
                self.claims = claims;
                self.watch_until_done(engine).await?
            }
            None => Stopped::Interrupted,
        };
        if stopped == Stopped::Interrupted {
            self.progress.say(&text!(
                "stopping; what is at work may finish, press Ctrl-C again to stop it now"
            ));
        }
        if stopped == Stopped::Done {
            self.ask_what_was_unset(engine).await;
        }
        let is_interrupted = stopped == Stopped::Interrupted;
        let (signals, progress) = (&mut self.signals, &mut self.progress);
        let ended = leave(engine, is_interrupted, signals, progress).await;
        self.look()?;
        self.tell_ends(None).await?;
        self.watch.look_below()?;
        if self.seen().any(|seen| !seen.ended()) {
            // They were to be gone on with, if only later.
            ended?;
        }
        self.progress.clear();
        if stopped == Stopped::Interrupted {
            unended::say_how_to_resume(&self.watch, self.database);
        }
        Ok(stopped)
    }

    /// The schedulers are asked before the engine ends.
    async fn ask_what_was_unset(&mut self, engine: &Engine) {
        let records: Vec<ExecutionRecord> = self.seen().map(|it| it.record.clone()).collect();
        for record in records {
            let (unset, watch) = (&mut self.unset, &mut self.watch);
            if let Err(error) = unset.ask(engine, watch, &record).await {
                say_untold(&mut self.progress, record.id, &error);
            }
        }
    }

    /// Says what was read that was never there.
    pub(super) fn say_what_was_unset(&self) {
        for path in self.unset.all() {
            output::say(&Text::lines(&path.to_string()));
        }
    }

    /// The executions, as they are now.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.watch.seen()
    }

    async fn watch_until_done(&mut self, engine: &Engine) -> anyhow::Result<Stopped> {
        let mut commits = engine.commits();
        loop {
            self.look()?;
            // An engine within a long call of a guest does not answer before its end.
            let set_aside = tokio::select! {
                set_aside = engine.set_aside() => set_aside?,
                () = self.signals.next() => return Ok(Stopped::Interrupted),
            };
            for id in self.watch.set_aside(&set_aside) {
                self.judge(id)?;
            }
            self.tell_ends(Some(engine)).await?;
            if self.undone.are_none() && self.until != Until::Stopped {
                return Ok(Stopped::Done);
            }
            let pause = sleep(LOOK_PAUSE);
            let until_next_look = self.until_next_look();
            tokio::select! {
                () = self.signals.next() => return Ok(Stopped::Interrupted),
                // It errs when the engine has ended, and nothing will follow.
                committed = commits.next() => committed?,
                () = sleep(until_next_look) => {}
            }
            // Many commits that follow each other are looked at together.
            pause.await;
        }
    }

    /// How long nothing is to be told of, unless something is committed.
    fn until_next_look(&self) -> Duration {
        let due = self.undone.next_due();
        let due = due.map(|at| Duration::from_millis(at.saturating_sub(self.watch.time())));
        let shown = self.progress.is_live().then_some(SHOW_EVERY);
        due.into_iter().chain(shown).min().unwrap_or(Duration::MAX)
    }

    /// Look for news, and tell of them. Costs what is new.
    fn look(&mut self) -> anyhow::Result<()> {
        let progress = &mut self.progress;
        let mut changed = self
            .watch
            .look(|seen, stored| progress.event(seen, stored))?;
        let watch = &self.watch;
        self.progress.events(|id| watch.one(id));
        changed.extend(self.undone.due(self.watch.time()));
        let mut parents = BTreeSet::new();
        for id in changed {
            match self.watch.one(id).map(Seen::root) {
                Some(root) if root != id => {
                    self.judge_child(id);
                    parents.insert(root);
                }
                _ => self.judge(id)?,
            }
        }
        for id in parents {
            self.judge(id)?;
        }
        self.progress.counts();
        Ok(())
    }

    /// A child that is watched for its parent's sake may be another than before.
    fn judge_child(&mut self, id: ExecutionId) {
        let Some(seen) = self.watch.one(id) else {
            return;
        };
        let now = self.watch.now(seen);
        self.tell_news(id, now);
        let Some(seen) = self.watch.one(id) else {
            return;
        };
        // It is its parent that is to be done.
        let again = changes_at(seen, self.until, now);
        self.undone.judged(id, true, again);
        if seen.ended() {
            self.watch.forget(id);
        }
    }

    /// Tells what an execution waits for, each thing once.
    fn tell_news(&mut self, id: ExecutionId, now: Timestamp) {
        let Some(seen) = self.watch.one(id) else {
            return;
        };
        // How it goes on, the command says at the end.
        if self.until == Until::Paused && seen.record.status == Status::Paused {
            return;
        }
        for (key, text) in news(seen, &self.served, self.database, now) {
            if self.told.insert(key) {
                self.progress.say(&text);
            }
        }
    }

    /// An execution may be another than before.
    fn judge(&mut self, id: ExecutionId) -> anyhow::Result<()> {
        let Some(seen) = self.watch.one(id) else {
            return Ok(());
        };
        let now = self.watch.now(seen);
        self.tell_news(id, now);
        let Some(seen) = self.watch.one(id) else {
            return Ok(());
        };
        self.progress.count(seen);
        let children = (
            &self.watch.children(seen)[..],
            self.watch.stands_still(seen),
        );
        let is_awaited = self.until == Until::Paused && is_at_work(seen, self.claims.as_ref());
        let done = is_done(seen, children, &self.served, self.until, now) && !is_awaited;
        let again = changes_at(seen, self.until, now);
        self.undone.judged(id, done, again);
        match self.tells_ends {
            Some(_) if seen.ended() && !seen.is_damaged() => self.forget(id),
            _ => {}
        }
        Ok(())
    }

    /// Watches one no longer that has ended; its end is to be told.
    fn forget(&mut self, id: ExecutionId) {
        self.ended.extend(self.watch.forget(id));
        self.progress.forget(id);
        let about_it = |key: &String| key.starts_with(&id.to_string());
        self.told.retain(|key| !about_it(key));
    }

    /// Tells how executions ended, where each end is told as it comes. What they read that
    /// was never there is asked of an engine that still lives.
    async fn tell_ends(&mut self, engine: Option<&Engine>) -> anyhow::Result<()> {
        let Some(form) = self.tells_ends else {
            return Ok(());
        };
        for seen in std::mem::take(&mut self.ended) {
            let unset = match engine {
                Some(engine) => self.unset_of(engine, &seen).await,
                None => Vec::new(),
            };
            if form.json {
                let at = (&self.served, self.watch.now(&seen));
                output::document(&Report::of(&seen, &[], at, &unset)?)?;
            } else {
                let colours = output::colours(&std::io::stdout());
                output::data(&worked_on::row(&seen, self.database, colours));
            }
            for path in &unset {
                let path = Text::lines(&path.to_string());
                self.progress.say(&text!("{}: {}", seen.record.id, path));
            }
        }
        Ok(())
    }

    async fn unset_of(&mut self, engine: &Engine, seen: &Seen) -> Vec<UnsetPath> {
        let (unset, watch) = (&mut self.unset, &mut self.watch);
        let asked = unset.ask_at_its_end(engine, watch, seen).await;
        asked.unwrap_or_else(|error| {
            say_untold(&mut self.progress, seen.record.id, &error);
            Vec::new()
        })
    }

    /// Whether a child of it, or one of theirs, is stalled.
    pub(super) fn has_stalled_child(&self, seen: &Seen) -> bool {
        self.watch.has_stalled_child(seen)
    }

    /// Those of an execution and its children that are paused, each with the way to its
    /// nodes.
    pub(super) fn paused(&self, seen: &Seen) -> Vec<(ExecutionId, String)> {
        let all = iter::once(seen).chain(self.watch.children(seen));
        let paused = all.filter(|it| it.record.status == Status::Paused);
        paused
            .map(|it| (it.record.id, it.way().to_owned()))
            .collect()
    }

    /// What it says to programs of the executions that are watched.
    pub(super) fn reports(&self) -> anyhow::Result<Vec<Report<'_>>> {
        self.seen().map(|seen| self.report(seen)).collect()
    }

    /// What it says to programs of one of them.
    pub(super) fn report<'s>(&'s self, seen: &'s Seen) -> anyhow::Result<Report<'s>> {
        let children = self.watch.children(seen);
        let at = (&self.served, self.watch.now(seen));
        Report::of(seen, &children, at, self.unset.of(seen.record.id))
    }

    /// Says until when those that have not ended have to wait, and how they go on then.
    pub(super) fn say_until_when_they_wait(&self) {
        unended::say_until_when_they_wait(&self.watch, &self.served, self.database);
    }
}

fn say_untold(progress: &mut Progress, id: ExecutionId, error: &anyhow::Error) {
    progress.say(&text!(
        "what nodes of {} read that was never there cannot be told: {}",
        id,
        Text::lines(&error.to_string())
    ));
}
