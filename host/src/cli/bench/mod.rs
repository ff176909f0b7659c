//! `refrain bench`: what this machine and its disk give.
//!
//! Each figure is measured beside its floor, in turns with it: what the disk
//! and the bare database take for the same. Everything happens in a folder of
//! its own, which is gone afterwards.

mod floor;
mod latency;
mod process;
mod report;
mod rows;
mod scratch;
mod statistics;
mod tally;
mod throughput;
mod workload;

use std::future::Future;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use refrain::store::Durability;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use self::report::{Figure, Report, Unit};
use self::scratch::Scratch;
use self::throughput::Throughput;
use self::workload::Workload;
use super::{Answer, act, output, work};

/// Measure what this machine and its disk give
///
/// Figures stand beside their floor: bare SQLite that writes the same rows in
/// the same batches, without a scheduler. All of it happens in a new folder,
/// which is removed at the end.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What to measure
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// Executions at once, or one after another [default: as many as the
    /// measure needs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    executions: Option<u64>,
    /// Nodes of each workflow [default: 10; 100 wide for `fanout`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    nodes: Option<u64>,
    /// How safe a commit is
    #[arg(long, value_enum, default_value_t = Safety::Full)]
    durability: Safety,
    /// Where executions are kept
    #[arg(long, value_enum, default_value_t = Keep::Sqlite)]
    store: Keep,
    /// Measure on the disk of this folder [default: that of $REFRAIN_DB, else
    /// the current folder]
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
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
    /// One workflow of ten steps, alone
    Latency,
    /// Chains in memory, without a disk
    Memory,
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

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    if cfg!(debug_assertions) {
        output::say("warning: this is a debug build; only a release build shows what it can do");
    }
    let scratch = Scratch::below(&arguments.parent())?;
    let talk = Talk::new();
    let report = act::finish(or_interrupted(|| {
        let bench = Bench {
            what: arguments.what,
            executions: arguments.executions,
            nodes: arguments.nodes,
            durability: match arguments.durability {
                Safety::Full => Durability::Full,
                Safety::Normal => Durability::Normal,
            },
            on_disk: arguments.store == Keep::Sqlite,
            folder: scratch.path().to_owned(),
            talk,
        };
        async move { bench.measure().await }
    }))?;
    talk.end();
    drop(scratch);
    let Some(report) = report? else {
        return Ok(Answer::Undone);
    };
    if arguments.json {
        output::document(&report)?;
    } else {
        output::data(&report.text(output::colours(&std::io::stdout())))?;
    }
    Ok(Answer::Good)
}

impl Arguments {
    /// The folder in which to make one.
    fn parent(&self) -> PathBuf {
        let of_database = || {
            let database = PathBuf::from(std::env::var_os("REFRAIN_DB")?);
            let folder = database.parent().filter(|it| !it.as_os_str().is_empty());
            folder.map(Path::to_owned)
        };
        let given = self.db.clone().or_else(of_database);
        given.unwrap_or_else(|| PathBuf::from("."))
    }
}

/// The work, on a thread of its own, because it does much that is not async.
/// None: somebody pressed Ctrl-C first.
async fn or_interrupted<F>(work: impl FnOnce() -> F) -> anyhow::Result<Option<Report>>
where
    F: Future<Output = anyhow::Result<Report>> + Send + 'static,
{
    let (done, report) = oneshot::channel();
    let (runtime, work) = (Handle::current(), work());
    std::thread::Builder::new()
        .name("refrain-bench".to_owned())
        .spawn(move || done.send(runtime.block_on(work)))
        .context("no thread can be started")?;
    tokio::select! {
        () = work::interrupted() => Ok(None),
        report = report => match report {
            Ok(report) => report.map(Some),
            Err(_) => bail!("the benchmark came to no end"),
        },
    }
}

/// What is to be measured, and where.
struct Bench {
    what: What,
    executions: Option<u64>,
    nodes: Option<u64>,
    durability: Durability,
    on_disk: bool,
    folder: PathBuf,
    talk: Talk,
}

impl Bench {
    async fn measure(&self) -> anyhow::Result<Report> {
        let mut report = Report::default();
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        report.set("cpus", cpus);
        report.set("store", if self.on_disk { "sqlite" } else { "memory" });
        let durability = match self.durability {
            Durability::Full => "full",
            Durability::Normal => "normal",
        };
        if self.on_disk {
            report.set("durability", durability);
        }
        let wanted = |what| self.what == What::All || self.what == what;
        if wanted(What::Linear) {
            self.linear(&mut report).await?;
        }
        if wanted(What::Fanout) {
            self.fanout(&mut report).await?;
        }
        if wanted(What::Latency) && self.on_disk {
            self.latency(&mut report).await?;
        }
        if wanted(What::Memory) {
            self.memory(&mut report).await?;
        }
        Ok(report)
    }

    async fn linear(&self, report: &mut Report) -> anyhow::Result<()> {
        let chain = Workload::chain(self.nodes.unwrap_or(10))?;
        let executions = self.executions.unwrap_or(1_000);
        let linear = self.throughput("linear", &chain, executions).await?;
        report.add(against_floor(
            Figure::new(
                "linear_steps_per_s",
                "chains",
                linear.steps_per_s(),
                Unit::StepsPerS,
            ),
            &linear,
            ("linear_floor_steps_per_s", "linear_floor_ratio"),
        ));
        if let Some(us) = linear.fdatasync_us() {
            report.add(Figure::new(
                "fdatasync_us_p50",
                "one fdatasync",
                us,
                Unit::Us,
            ));
        }
        if let Some(us) = linear.cpu_us_per_step() {
            report.add(Figure::new(
                "cpu_us_per_step",
                "processor time of a step, without its worker",
                us,
                Unit::Us,
            ));
        }
        report.add(Figure::new(
            "linear_commits_per_step",
            "chains, commits",
            linear.commits_per_step(),
            Unit::CommitsPerStep,
        ));
        if let Some(bytes) = linear.bytes_per_step {
            report.add(Figure::new(
                "bytes_per_step",
                "a step on disk",
                bytes,
                Unit::Bytes,
            ));
        }
        Ok(())
    }

    async fn fanout(&self, report: &mut Report) -> anyhow::Result<()> {
        let fan = Workload::fan(self.nodes.unwrap_or(100))?;
        let executions = self.executions.unwrap_or(50);
        let fanout = self.throughput("fanout", &fan, executions).await?;
        report.add(against_floor(
            Figure::new(
                "fanout_steps_per_s",
                "fan-outs",
                fanout.steps_per_s(),
                Unit::StepsPerS,
            ),
            &fanout,
            ("fanout_floor_steps_per_s", "fanout_floor_ratio"),
        ));
        Ok(())
    }

    async fn latency(&self, report: &mut Report) -> anyhow::Result<()> {
        let chain = Workload::chain(self.nodes.unwrap_or(10))?;
        let talk = self.talk.about("latency");
        let times = self.executions.unwrap_or(200);
        let folder = self.folder("latency")?;
        let latency = latency::on_disk(&folder, self.durability, &chain, times, talk).await?;
        report.add(Figure::new(
            "latency_ms_p50",
            "one workflow alone, median",
            latency.ms_p50(),
            Unit::Ms,
        ));
        report.add(Figure::new(
            "latency_ms_p99",
            "one workflow alone, 99th of 100",
            latency.ms_p99(),
            Unit::Ms,
        ));
        report.add(Figure::new(
            "latency_commits_per_step",
            "one workflow alone, commits",
            latency.commits_per_step,
            Unit::CommitsPerStep,
        ));
        report.add(Figure::new(
            "latency_above_syncs_ms_p50",
            "one workflow alone, but for the syncs",
            latency.above_syncs_ms_p50(),
            Unit::Ms,
        ));
        report.add(Figure::new(
            "latency_fdatasync_us_p50",
            "one fdatasync meanwhile",
            latency.fdatasync_us(),
            Unit::Us,
        ));
        Ok(())
    }

    async fn memory(&self, report: &mut Report) -> anyhow::Result<()> {
        let chain = Workload::chain(self.nodes.unwrap_or(10))?;
        let talk = self.talk.about("memory");
        let executions = self.executions.unwrap_or(1_000);
        let memory = throughput::in_memory(&chain, executions, talk).await?;
        report.add(Figure::new(
            "memory_steps_per_s",
            "chains in memory",
            memory.steps_per_s(),
            Unit::StepsPerS,
        ));
        if let Some(us) = memory.cpu_us_per_step() {
            report.add(Figure::new(
                "memory_cpu_us_per_step",
                "processor time of a step in memory",
                us,
                Unit::Us,
            ));
        }
        Ok(())
    }

    async fn throughput(
        &self,
        name: &'static str,
        workload: &Workload,
        executions: u64,
    ) -> anyhow::Result<Throughput> {
        let talk = self.talk.about(name);
        if !self.on_disk {
            return throughput::in_memory(workload, executions, talk).await;
        }
        let folder = self.folder(name)?;
        throughput::on_disk(&folder, self.durability, workload, executions, talk).await
    }

    /// A folder for one measure.
    fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(folder)
    }
}

/// The figure beside its floor, if there is one.
fn against_floor(
    figure: Figure,
    throughput: &Throughput,
    (floor_key, ratio_key): (&'static str, &'static str),
) -> Figure {
    match throughput.floor_per_s() {
        None => figure,
        Some(floor) => figure.against((floor_key, floor), (ratio_key, throughput.ratio())),
    }
}

/// Tells a person at a terminal how far it is.
#[derive(Clone, Copy)]
struct Talk {
    terminal: bool,
    about: &'static str,
}

impl Talk {
    fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            about: "",
        }
    }

    fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    fn say(self, text: &str) {
        if self.terminal {
            output::hint(&format!("{}: {text}", self.about));
        }
    }

    fn end(self) {
        if self.terminal {
            output::hint("");
        }
    }
}
