//! `refrain work`: work on all executions of a database.

use std::time::Duration;

use refrain::store::SqliteStore;

use super::database::{self, Database};
use super::judgement::Until;
use super::output::{self, Form};
use super::secrets::{GivenSecrets, SecretsSource};
use super::session::{Session, Stopped};
use super::text::{Text, text};
use super::watch::Watch;
use super::workers::{Served, Workers};
use super::{Answer, act, typed, workers};

/// Work on all executions, also on those that start meanwhile, until it is told to stop
///
/// Each execution that ends is a line on stdout, with `--json` one JSON document a line.
/// Several commands may work on one database. Programs are run in the folder that this
/// is typed in, with its environment.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Leave when all executions have ended or have to wait
    #[arg(long)]
    until_idle: bool,
    /// With `--until-idle`: wait for what is due within this time, as timers, timeouts and
    /// retries are
    #[arg(
        long,
        value_name = "SPAN",
        default_value = "1m",
        requires = "until_idle",
        value_parser = typed::span, allow_hyphen_values = true
    )]
    wait: Duration,
    /// Work on this queue alone; may be given for several
    #[arg(long = "queue", value_name = "QUEUE")]
    queues: Vec<String>,
    #[command(flatten)]
    workers: Workers,
    #[command(flatten)]
    secrets: SecretsSource,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    output::one_document_a_line();
    let served = arguments.workers.served(&arguments.queues)?;
    let secrets = arguments.secrets.read()?;
    // Workers may be there before anything is started.
    let store = arguments.database.open_or_create(false)?;
    let (watch, whole) = Watch::of_all(SqliteStore::open(store.path())?)?;
    say_what_is_worked_on(&watch, &served);
    act::finish(work(arguments, store, watch, served, &secrets))??;
    Ok(Answer::good_if(whole))
}

fn say_what_is_worked_on(watch: &Watch, served: &Served) {
    let executions = match watch.seen().count() {
        0 => Text::new(),
        1 => text!("1 execution, and on "),
        number => text!("{} executions, and on ", number),
    };
    output::say(&text!(
        "working on {}what is started meanwhile; queues: {}; {}",
        executions,
        Text::joined(served.iter().map(Text::word), ", "),
        workers::where_programs_run()
    ));
}

async fn work(
    arguments: &Arguments,
    store: SqliteStore,
    watch: Watch,
    served: Served,
    secrets: &GivenSecrets,
) -> anyhow::Result<()> {
    let until = match arguments.until_idle {
        true => Until::Idle(arguments.wait),
        false => Until::Stopped,
    };
    let database = &arguments.database;
    let mut session = Session::of_all(database, watch, served.clone(), until, arguments.form)?;
    let engine = secrets.to(database::engine(store)).start().await?;
    arguments.workers.serve(&engine, &served);
    if session.work(engine).await? == Stopped::Done {
        session.say_until_when_they_wait();
    }
    Ok(())
}
