//! What `run` and `start` share: a workflow is registered, and an execution of it
//! started.

use std::path::PathBuf;

use anyhow::Context;
use refrain::json::Json;
use refrain::limits::{PRIORITY_DEFAULT, PRIORITY_MAX};
use refrain::model::{Label, WorkflowSummary};
use refrain::{Breakpoints, Engine, EngineError, Execution, Start, Workflow};

use super::by::By;
use super::output::{self, Form};
use super::text::{Text, text};
use super::workers::Served;
use super::{files, guests, labels, validate};

/// What to start.
#[derive(clap::Args)]
pub(super) struct ToStart {
    /// The workflow, in JSON or YAML
    #[arg(value_name = "WORKFLOW.json")]
    workflow: PathBuf,
    /// The input
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    input: String,
    /// Start once: with the same key again, the execution that it started is meant
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// A label to find it by; may be given more than once
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = labels::label)]
    labels: Vec<Label>,
    /// How urgent its work is, 0 to 9, the greater first; nodes may say it themselves
    #[arg(long, value_name = "NUMBER", default_value_t = PRIORITY_DEFAULT, value_parser = clap::value_parser!(u32).range(..=i64::from(PRIORITY_MAX)))]
    priority: u32,
    /// Let this scheduler component decide, for the whole life of the execution
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    #[command(flatten)]
    by: By,
}

/// What can be started: it has been read, and is valid.
pub(super) struct Startable {
    workflow: Workflow,
    input: Json,
    /// The component that was named.
    pub(super) guest: Option<Vec<u8>>,
    /// Where it is to be paused.
    breakpoints: Breakpoints,
}

impl Startable {
    /// The same, to be paused at these places. What is none is refused before anything is
    /// made.
    pub(super) fn breakpoints(self, breakpoints: Breakpoints) -> anyhow::Result<Self> {
        breakpoints.check_nodes(self.workflow.text())?;
        for condition in breakpoints.conditions() {
            if let Err(reason) = guests::check_condition(condition, self.guest.as_deref())? {
                return Err(EngineError::Breakpoint {
                    breakpoint: condition.clone(),
                    reason,
                }
                .into());
            }
        }
        Ok(Self {
            breakpoints,
            ..self
        })
    }
}

impl ToStart {
    /// Reads what is to be started, before a database is made: what cannot run must not
    /// leave one behind. `None` if the workflow is not valid, which has been told then.
    pub(super) fn read(&self, form: Form) -> anyhow::Result<Option<Startable>> {
        let text = files::workflow(&self.workflow)?;
        let input = Json::from_text(files::json(&self.input, "input")?)
            .context("the input is not accepted")?;
        let guest = self.guest.as_deref().map(guests::component).transpose()?;
        if let Err(faults) = guests::check(&text, guest.as_deref())? {
            if form.json {
                output::document(&validate::invalid(&faults))?;
            }
            output::tell(&validate::bad(&self.workflow, &text, &faults).trimmed());
            return Ok(None);
        }
        Ok(Some(Startable {
            workflow: Workflow::from_json(text.json)?,
            input,
            guest,
            breakpoints: Breakpoints::none(),
        }))
    }

    /// Starts it, or finds what its key has started. What there is to know beforehand is
    /// said before: `served` are the queues that this command works on, if any.
    pub(super) async fn start(
        &self,
        engine: &Engine,
        startable: Startable,
        served: Option<&Served>,
    ) -> anyhow::Result<(Execution, WorkflowSummary)> {
        let registered = engine.register(startable.workflow).await?;
        let unserved = served.map(|served| notes_of_queues(&registered, served));
        let notes = validate::notes(&registered.ignored, &registered.unreachable);
        for note in notes.into_iter().chain(unserved.unwrap_or_default()) {
            output::say(&text!("note: {}", note));
        }
        let mut start = Start::new(
            registered.workflow_id.clone(),
            registered.version.clone(),
            startable.input,
        )
        .by(self.by.who())
        .breakpoints(startable.breakpoints)
        .priority(self.priority);
        if let Some(key) = &self.key {
            start = start.key(key);
        }
        for Label { name, value } in &self.labels {
            start = start.label(name, value);
        }
        Ok((engine.start_with(start).await?, registered))
    }
}

/// That nobody here works on a queue, for each of the workflow.
fn notes_of_queues(registered: &WorkflowSummary, served: &Served) -> Vec<Text> {
    let unserved = registered.queues.iter().filter(|it| !served.names(it));
    let note = |queue| {
        text!(
            "this command has no worker of the queue {:?}, and its nodes wait for one; to bring one: {}",
            queue,
            text!("--worker {}=PROGRAM", queue)
        )
    };
    unserved.map(note).collect()
}
