//! `refrain whatif`: would another scheduler have decided the same?

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use refrain::replay::{Change, Summary};
use serde_json::{Map, Value};

use super::asked::{Logs, Question};
use super::coded::{OrCoded, refuse};
use super::database::Database;
use super::named::Named;
use super::output::Form;
use super::{Answer, exact, files, guests, junit, placed, policies, simulated, typed};

/// Ask another scheduler about recorded executions: would it have decided the same?
///
/// Each log is replayed exactly as it was recorded, decision by decision, and the first
/// decision that would be another is named. Nothing is written. This is the check before
/// an upgrade: `refrain whatif --all` with the new program, or with `--guest`.
///
/// With --simulated, the executions are scheduled anew instead, with the same answers and
/// times of work: how long it would have taken, and what it would have waited for, beside what
/// is recorded. That is a simulation, and no proof: what nobody knows is assumed, and named.
///
/// Answers 1 if anything would be decided otherwise, or a log is not sound (simulated: if one
/// would come to another end); 2 if one could not be asked about.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["executions", "all", "file"]))]
pub(super) struct Arguments {
    /// The executions
    #[arg(value_name = "EXECUTION")]
    executions: Vec<Named>,
    /// All executions of the database
    #[arg(long)]
    all: bool,
    /// Logs that `refrain export` wrote, or folders with such (`*.ndjson`)
    #[arg(long, value_name = "LOG.ndjson", num_args = 1..)]
    file: Vec<PathBuf>,
    /// The scheduler component to ask. That of this program, unless you say; with other
    /// limits or policies, each log's own
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    /// Ask with other limits: `max_concurrent_nodes=N`, `max_dispatch_per_tick=N`, or both
    /// with a comma between
    #[arg(long, value_name = "NAME=N", value_delimiter = ',')]
    limits: Vec<String>,
    /// Ask with this retry policy in the place of the workflow's own of this name, as JSON
    /// or `@FILE`; may be given several times
    #[arg(long, value_name = "NAME=JSON")]
    retry_policy: Vec<String>,
    /// Schedule anew with the same answers and times of work, instead of comparing decisions
    #[arg(long)]
    simulated: bool,
    /// Simulate so many workers, each of which works on all queues; as many as there is work,
    /// unless you say
    #[arg(long, value_name = "N", requires = "simulated", value_parser = typed::from_one)]
    workers: Option<NonZeroUsize>,
    /// Write the answers as a JUnit file, too
    #[arg(long, value_name = "FILE", conflicts_with = "simulated")]
    junit: Option<PathBuf>,
    /// How many logs are replayed at once; as many as there are cores, unless you say
    #[arg(long, value_name = "N", value_parser = typed::from_one)]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    let change = arguments.change()?;
    let guest = match &arguments.guest {
        Some(path) => Some(guests::add(&mut library, path)?),
        None if change.is_none() && arguments.workers.is_none() => {
            Some(library.built_in().to_owned())
        }
        None => None,
    };
    let threads = arguments.jobs.map(NonZeroUsize::get);
    let logs = Logs {
        executions: &arguments.executions,
        are_all: arguments.all,
        files: &arguments.file,
    };
    policies::check(&change, &logs, &arguments.database)?;
    if arguments.simulated {
        let question = simulated::Question {
            guest,
            change,
            workers: arguments.workers,
            threads,
        };
        let json = arguments.form.json;
        return simulated::run(&question, &library, &logs, &arguments.database, json);
    }
    let question = Question {
        guest,
        change,
        threads,
        is_silent: arguments.form.json,
        ..Question::default()
    };
    if let Some(path) = &arguments.junit {
        placed::not_stdout(path)?;
    }
    let asked = question.ask(&library, &logs, &arguments.database)?;
    exact::show(&question, &asked, !arguments.all, arguments.form.json)?;
    if let Some(path) = &arguments.junit {
        junit::write(path, &asked)?;
    }
    asked.refuse_unasked("asked about")?;
    let summary = Summary::of(asked.audits());
    Ok(Answer::good_if(summary.is_good() && asked.damaged() == 0))
}

impl Arguments {
    /// What is to be otherwise.
    fn change(&self) -> anyhow::Result<Change> {
        let mut change = Change::default();
        for limit in &self.limits {
            let (name, number) = named(limit, "--limits")?;
            let place = match name {
                "max_concurrent_nodes" => &mut change.max_concurrent_nodes,
                "max_dispatch_per_tick" => &mut change.max_dispatch_per_tick,
                _ => refuse!(
                    "usage",
                    "there is no limit {name:?}; give max_concurrent_nodes or max_dispatch_per_tick"
                ),
            };
            match number.parse::<NonZeroU32>() {
                Ok(_) if place.is_some() => {
                    refuse!("usage", "{name} is given twice; give it once")
                }
                Ok(number) => *place = Some(number.get()),
                Err(_) => refuse!("usage", "{name} is a number from 1 on, and not {number:?}"),
            }
        }
        for policy in &self.retry_policy {
            let (name, policy) = named(policy, "--retry-policy")?;
            let policy = files::json(policy, "retry policy")?;
            serde_json::from_str::<Map<String, Value>>(&policy).or_coded("invalid_json", || {
                format!("the retry policy {name:?} is no JSON object")
            })?;
            if change
                .retry_policies
                .insert(name.to_owned(), policy)
                .is_some()
            {
                refuse!(
                    "usage",
                    "the retry policy {name:?} is given twice; give it once"
                );
            }
        }
        Ok(change)
    }
}

/// A name and what is said of it.
fn named<'a>(argument: &'a str, option: &str) -> anyhow::Result<(&'a str, &'a str)> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => refuse!("usage", "{option} takes NAME=VALUE, and not {argument:?}"),
    }
}
