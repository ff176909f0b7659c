//! `refrain bench`: what this machine and its disk give.
//!
//! Each figure is measured together with its floor, in turns with it: what the disk
//! and the bare database take for the same. Everything happens in a folder of
//! its own, which is gone afterwards.

mod command;
mod subprocess;
mod floor;
mod http;
mod latency;
mod map;
mod process;
mod replay;
mod report;
mod rows;
mod scale;
mod scratch;
mod statistics;
mod step_server;
mod progress;
mod tally;
mod throughput;
mod tick;
mod workload;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use refrain::Engine;
use refrain::store::{Durability, MemoryStore, SqliteStore};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use self::progress::Progress;
use self::report::Report;
use self::scratch::Scratch;
use self::workload::Workload;
use super::database::Database;
use super::stop_signals::StopSignals;
use super::text::text;
use super::{Answer, act, output};

/// Measure what this machine and its disk give
///
/// Figures stand next to their floor: bare SQLite that writes the same rows in
/// the same batches, without a scheduler. All of it happens in a new folder,
/// which is removed at the end.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What to measure
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// Executions, at once or one after another; at most so many in `scale`
    /// [default: as many as each measure needs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    executions: Option<u64>,
    /// Nodes of each workflow; at most so many in `scale` [default: 10, and 100
    /// side by side in `fanout`, 10000 in `map`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    nodes: Option<u64>,
    /// How safe a commit is
    #[arg(long, value_enum, default_value_t = Safety::Full)]
    durability: Safety,
    /// Where executions are kept
    #[arg(long, value_enum, default_value_t = Keep::Sqlite)]
    store: Keep,
    /// Measure on the disk of this folder [default: that of the database]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
    /// The server that the steps of `http` ask [default: one of its own]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
    /// What this program asks of itself, started anew, about the folder `--dir`
    #[arg(long, hide = true)]
    answer: Option<Question>,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// All of it
    All,
    /// Chains of steps, a thousand at once
    Linear,
    /// A hundred steps at once, and a join
    Fanout,
    /// A map of ten thousand elements, next to as many nodes that are written out
    Map,
    /// Chains of requests to a server, a thousand at once and one alone
    Http,
    /// A chain of programs that do nothing, alone, next to a shell's loop
    Command,
    /// One workflow of ten steps, alone
    Latency,
    /// Chains in memory, without a disk
    Memory,
    /// Audits of logs
    Replay,
    /// One call of the scheduler
    Tick,
    /// Steps in ever larger workflows, among ever more executions, at the end
    /// of ever longer logs
    Scale,
    /// Memory, of executions that wait and while a thousand are at work
    Idle,
    /// From the start of a process to its first dispatch
    Start,
}

impl What {
    /// Whether it would be nothing in memory.
    fn is_about_a_disk(self) -> bool {
        match self {
            Self::Latency | Self::Replay | Self::Idle | Self::Start => true,
            Self::All
            | Self::Linear
            | Self::Fanout
            | Self::Map
            | Self::Http
            | Self::Command
            | Self::Memory
            | Self::Tick
            | Self::Scale => false,
        }
    }
}

/// How safe a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Safety {
    /// It survives a power cut: each commit waits for the disk
    Full,
    /// It survives a crash of the process, but a power cut may take the last
    /// commits with it, steps that were acknowledged among them
    Normal,
}

/// Where executions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Keep {
    /// In an SQLite file
    Sqlite,
    /// In memory: nothing survives
    Memory,
}

/// What only a process of its own can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Question {
    /// When a worker has the first item
    Dispatched,
    /// The memory of an execution that waits
    Idle,
    /// The memory of all executions at work
    Live,
    /// The memory of one map, from its start to its end
    Map,
    /// The memory of one fan-out, from its start to its end
    Fan,
}

impl Question {
    fn word(self) -> &'static str {
        match self {
            Self::Dispatched => "dispatched",
            Self::Idle => "idle",
            Self::Live => "live",
            Self::Map => "map",
            Self::Fan => "fan",
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    if let Some(question) = arguments.answer {
        return answer(arguments, question);
    }
    if cfg!(debug_assertions) {
        output::say(&text!(
            "warning: this is a debug build; only a release build shows what it can do"
        ));
    }
    if arguments.store == Keep::Memory && arguments.what.is_about_a_disk() {
        bail!("this is measured on a disk; leave out `--store memory`");
    }
    let scratch = Scratch::below(&arguments.parent())?;
    let bench = Bench::new(arguments, scratch.path());
    let progress = bench.progress;
    let report = act::finish(unless_interrupted(async move { bench.measure().await }));
    progress.end();
    drop(scratch);
    let Some(report) = report?? else {
        return Ok(Answer::Undone);
    };
    if arguments.json {
        output::document(&report)?;
    } else {
        output::data(&report.text(output::colours(&std::io::stdout())));
    }
    Ok(Answer::Good)
}

/// Answer what this program asks of itself.
fn answer(arguments: &Arguments, question: Question) -> anyhow::Result<Answer> {
    let bench = Bench::new(arguments, &arguments.parent());
    let executions = arguments.executions.unwrap_or(1);
    let answered = subprocess::answer(&bench, question, executions);
    let answer: Value = act::finish(answered)??;
    output::document(&answer)?;
    Ok(Answer::Good)
}

impl Arguments {
    /// The folder in which to make one.
    fn parent(&self) -> PathBuf {
        let of_database = self.database.path().parent();
        let of_database = of_database.filter(|it| !it.as_os_str().is_empty());
        let given = self.dir.as_deref().or(of_database);
        given.unwrap_or(Path::new(".")).to_owned()
    }
}

/// How long an interrupted benchmark has to come to the end of what it cannot
/// leave in the middle.
const PATIENCE: Duration = Duration::from_secs(2);

/// Do this on a thread of its own, because much of it is not async. None:
/// somebody pressed Ctrl-C first.
async fn unless_interrupted<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<Option<T>> {
    let mut signals = StopSignals::new()?;
    let (done, mut outcome) = oneshot::channel();
    let (interrupt, interrupted) = oneshot::channel::<()>();
    let runtime = Handle::current();
    let work = async move {
        tokio::select! {
            outcome = work => outcome.map(Some),
            // The work is dropped where it stands, and with it its engines and
            // the processes that it has started.
            _ = interrupted => Ok(None),
        }
    };
    std::thread::Builder::new()
        .name("refrain-bench".to_owned())
        .spawn(move || done.send(runtime.block_on(work)))
        .context("no thread can be started")?;
    tokio::select! {
        () = signals.next() => {
            drop(interrupt);
            // If it takes longer than that, it ends with this process.
            let _ = timeout(PATIENCE, outcome).await;
            Ok(None)
        }
        outcome = &mut outcome => match outcome {
            Ok(outcome) => outcome,
            Err(_) => bail!("the benchmark came to no end"),
        },
    }
}

/// What is to be measured, how, and where.
struct Bench {
    what: What,
    executions: Option<u64>,
    nodes: Option<u64>,
    durability: Durability,
    on_disk: bool,
    url: Option<String>,
    folder: PathBuf,
    progress: Progress,
}

impl Bench {
    fn new(arguments: &Arguments, folder: &Path) -> Self {
        Self {
            what: arguments.what,
            executions: arguments.executions,
            nodes: arguments.nodes,
            durability: match arguments.durability {
                Safety::Full => Durability::Full,
                Safety::Normal => Durability::Normal,
            },
            on_disk: arguments.store == Keep::Sqlite,
            url: arguments.url.clone(),
            folder: folder.to_owned(),
            progress: Progress::new(),
        }
    }

    async fn measure(&self) -> anyhow::Result<Report> {
        let mut report = self.setting();
        if self.wants(What::Linear) {
            throughput::linear(self, &mut report).await?;
        }
        if self.wants(What::Fanout) {
            throughput::fanout(self, &mut report).await?;
        }
        if self.wants(What::Map) {
            map::measure(self, &mut report).await?;
        }
        if self.wants(What::Http) {
            http::measure(self, &mut report).await?;
        }
        if self.wants(What::Command) {
            command::measure(self, &mut report).await?;
        }
        if self.wants(What::Latency) {
            latency::measure(self, &mut report).await?;
        }
        if self.wants(What::Memory) {
            throughput::memory(self, &mut report).await?;
        }
        if self.wants(What::Replay) {
            replay::measure(self, &mut report).await?;
        }
        if self.wants(What::Tick) {
            tick::measure(self, &mut report).await?;
        }
        if self.wants(What::Idle) {
            subprocess::memory(self, &mut report).await?;
        }
        if self.wants(What::Start) {
            subprocess::start(self, &mut report).await?;
        }
        if self.wants(What::Scale) {
            scale::measure(self, &mut report).await?;
        }
        Ok(report)
    }

    fn wants(&self, what: What) -> bool {
        let asked = self.what == What::All || self.what == what;
        asked && (self.on_disk || !what.is_about_a_disk())
    }

    /// A report that says how it is measured.
    fn setting(&self) -> Report {
        let mut report = Report::default();
        report.set("version", env!("CARGO_PKG_VERSION"));
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        report.set("cpus", cpus);
        if self.on_disk {
            report.set("store", "sqlite");
            report.set("durability", self.durability.name());
        } else {
            report.set("store", "memory");
        }
        report
    }

    /// An engine for one measure that knows the workflow, on the store that was asked for.
    async fn cold_engine(&self, name: &str, workload: &Workload) -> anyhow::Result<Engine> {
        if !self.on_disk {
            return workload.cold_engine(MemoryStore::new()).await;
        }
        let options = SqliteStore::options().durability(self.durability);
        let store = options.open(self.folder(name)?.join("bench.db"))?;
        workload.cold_engine(store).await
    }

    /// A new folder for one measure.
    fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(folder)
    }
}
