//! What the commands share that tell an execution something: they open the
//! database, make one turn, and leave. They run no workers; a `run` or
//! `resume` that lives notices the turn and goes on with it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use refrain::id::ExecutionId;
use refrain::limits::PIPE_GRACE;
use refrain::model::Status;
use refrain::names;
use refrain::store::Reader;
use refrain::{Engine, EngineError, Execution};
use serde_json::json;

use super::Answer;
use super::by::By;
use super::database::{self, Database};
use super::named::{self, Named};
use super::output::{self, Form};
use super::text::{Text, text};

/// The execution that a command is about, as it is typed.
#[derive(clap::Args)]
pub(super) struct TargetArguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    execution: Named,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    database: Database,
}

/// The execution that a command is about, and where it is.
pub(super) struct Target {
    execution: ExecutionId,
    form: Form,
    by: By,
    database: Database,
}

impl TargetArguments {
    /// The execution that is meant.
    pub(super) fn find(self) -> anyhow::Result<Target> {
        Ok(Target {
            execution: self.execution.find(&self.database)?,
            form: self.form,
            by: self.by,
            database: self.database,
        })
    }
}

/// Tell an execution something, and say what it then is.
pub(super) fn tell<F>(
    target: &Target,
    done: &str,
    tell: impl FnOnce(Execution) -> F,
) -> anyhow::Result<Answer>
where
    F: Future<Output = Result<(), EngineError>>,
{
    let ((), status) = told(target, tell)?;
    say(target, done, true, status, &hint(target, status))
}

/// Tell an execution something: what came of it, and what it then is.
pub(super) fn told<T, F>(
    target: &Target,
    tell: impl FnOnce(Execution) -> F,
) -> anyhow::Result<(T, Status)>
where
    F: Future<Output = Result<T, EngineError>>,
{
    // Asked first: the door of a database that is not there makes one.
    let (store, _) = target.database.holding(target.execution)?;
    let store = database::to_write(store)?;
    let done = finish(async {
        let engine = database::engine(store)
            .only([target.execution])
            .start()
            .await?;
        let execution = engine.execution(target.execution).by(&target.by.who());
        let told = tell(execution).await;
        engine.shutdown().await;
        told
    })??;
    let status = target.database.holding(target.execution)?.1.status;
    Ok((done, status))
}

/// Say what was done, what the execution is now, and what is to be typed next.
/// `recorded`: something was added to its log.
pub(super) fn say(
    target: &Target,
    done: &str,
    recorded: bool,
    status: Status,
    hint: &Text,
) -> anyhow::Result<Answer> {
    if target.form.json {
        output::document(&json!({
            "execution_id": target.execution.to_string(),
            "status": names::status(status),
            "recorded": recorded,
        }))?;
    }
    output::say(&text!(
        "{}; {} is {}{}",
        done,
        target.execution,
        names::status(status),
        hint
    ));
    Ok(Answer::Good)
}

impl Target {
    /// The node that is meant: one of a child makes the child the execution that this is
    /// about.
    pub(super) fn node(&mut self, named: &str) -> anyhow::Result<String> {
        let (execution, node) = named::below(&self.database, self.execution, named)?;
        self.execution = execution;
        Ok(node)
    }

    /// The execution.
    pub(super) fn execution(&self) -> ExecutionId {
        self.execution
    }

    /// Whether it is to be answered with one JSON document.
    pub(super) fn is_json(&self) -> bool {
        self.form.json
    }

    /// Who acts.
    pub(super) fn who(&self) -> String {
        self.by.who()
    }

    /// Where the execution is.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// The execution for whose sake this one was started, or itself.
    fn root(&self) -> ExecutionId {
        let holding = self.database.holding(self.execution);
        let child = holding.and_then(|(mut store, _)| Ok(store.child(self.execution)?));
        // What is damaged of it is told by those who read its log.
        child.ok().flatten().map_or(self.execution, |it| it.root)
    }

    /// What a person types so that it goes on. A child's parent goes on with it.
    fn command_to_resume(&self) -> Text {
        self.database.command("resume", &[self.root().to_string()])
    }

    /// What a person types to have this done with the execution.
    pub(super) fn command(&self, verb: &'static str) -> Text {
        self.database.command(verb, &[self.execution.to_string()])
    }
}

/// What to type so that an execution that was told something goes on.
pub(super) fn hint(target: &Target, status: Status) -> Text {
    match status {
        Status::Running => text!(
            "; where no `refrain run` works on it, type: {}",
            target.command_to_resume()
        ),
        Status::Paused => text!("; to go on, type: {}", target.command("unpause")),
        Status::Stalled => Text::new(),
        Status::Completed | Status::Failed | Status::Cancelled => of_root(target),
    }
}

/// That the execution goes on for whose sake this one was started, if it is a child that has
/// ended and that one has not.
fn of_root(target: &Target) -> Text {
    let root = target.root();
    let holding = target.database.holding(root);
    match holding.map(|(_, record)| record.status) {
        Ok(status @ (Status::Running | Status::Paused)) if root != target.execution => text!(
            "; the execution that it is a child of, {}, is {}; where no `refrain run` works on that, type: {}",
            root,
            names::status(status),
            target.command_to_resume()
        ),
        // What is damaged of it is told by those who read its log.
        _ => Text::new(),
    }
}

/// Run async work to its end. Requests that nobody listens to any more are not
/// waited for: the program leaves, and they end with it.
pub(super) fn finish<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let done = runtime.block_on(work);
    if ENGINE_IS_LEFT.load(Ordering::Relaxed) {
        // It has stopped no program: those end with the tasks that they belong to.
        runtime.shutdown_timeout(PIPE_GRACE);
    } else {
        runtime.shutdown_background();
    }
    Ok(done)
}

/// Whether the program leaves without its engine's having come to an end.
static ENGINE_IS_LEFT: AtomicBool = AtomicBool::new(false);

/// How long an engine that is told to end may go on with a call into a scheduler
/// component before the program leaves without it.
const UNHEARD_MAX: Duration = Duration::from_millis(700);

/// Comes to an end when the engine was told to end, and does not hear of it.
pub(super) async fn unheard(engine: &Engine) {
    engine.unheard_for(UNHEARD_MAX).await;
    ENGINE_IS_LEFT.store(true, Ordering::Relaxed);
    output::say(&text!(
        "the scheduler component is in the middle of something that takes long; it is left there, and what it was at is done anew"
    ));
}
