//! The command line: one file per subcommand, so that the folder's listing is
//! the vocabulary.
//!
//! Data goes to stdout, talk to stderr. The exit code is 0 when all is well, 1
//! when the thing asked about is bad (failed, divergent, invalid), and 2 when
//! it could not be done (usage, input, storage). With `--json`, stdout holds one
//! JSON document in each of these cases: what could not be done has the key `error`.

// What they share.
mod act;
mod anchoring;
mod asked;
mod at_rest;
mod attempts;
mod audited;
mod by;
mod causes;
mod children;
mod coded;
mod compared;
mod contract;
mod damage;
mod database;
mod debugger;
mod ending;
mod erased;
mod exact;
mod explained;
mod failure;
mod files;
mod gantt;
mod guests;
mod json_text;
mod junit;
mod judgement;
mod keys;
mod labels;
mod leaf;
mod leases;
mod leaving;
mod list_children;
mod log_counts;
mod log_source;
mod logged;
mod named;
mod node_table;
mod output;
mod paused;
mod placed;
mod policies;
mod progress;
mod progress_bar;
mod prospect;
mod queue_workers;
#[cfg(test)]
mod reference;
mod refused_act;
mod remedy;
mod schedules;
mod secrets;
mod seen;
mod session;
mod shown;
mod shown_nodes;
mod simulated;
mod starting;
mod stderr;
mod stop_signals;
mod table;
mod terminal;
mod text;
mod time;
mod to_type;
mod toolchains;
mod typed;
mod undone;
mod unended;
mod unresolved;
mod unset;
mod unset_paths;
mod upgraded;
mod usage;
mod waiting;
#[cfg(test)]
mod waiting_world;
mod watch;
mod why_ended;
mod worked_on;
mod worker_program;
mod workers;

// The subcommands.
mod approve;
mod audit;
mod backup;
mod bench;
mod bisect;
mod cancel;
mod completions;
mod conformance;
mod dead;
mod diff;
mod erase;
mod explain;
mod export;
mod fork;
mod freed_memory;
mod graph;
mod guest;
mod init;
mod key;
mod list;
mod log;
mod minimize;
mod node_output;
mod pause;
mod replay;
mod report;
mod restore;
mod resume;
mod register;
mod retry;
mod run;
mod schema;
mod show;
mod signal;
mod skip;
mod start;
mod step;
mod test;
mod timeline;
mod unpause;
mod upgrade;
mod validate;
mod whatif;
mod work;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::builder::Styles;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use database::Database;
use text::{Text, text};

/// Durable workflows whose every scheduling decision can be replayed.
#[derive(Parser)]
#[command(
    name = "refrain",
    version,
    propagate_version = true,
    max_term_width = 100,
    styles = Styles::plain()
)]
struct Arguments {
    /// Say nothing but what was asked for and what went wrong
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say what goes on inside; twice: all of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Accepted before the command, too.
    #[command(flatten)]
    _database: Database,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Arguments),
    Run(run::Arguments),
    Start(start::Arguments),
    Register(register::Arguments),
    Work(work::Arguments),
    Resume(resume::Arguments),
    List(list::Arguments),
    // What many other programs call it.
    #[command(alias = "status")]
    Show(show::Arguments),
    Log(log::Arguments),
    #[command(name = "output")]
    Output(node_output::Arguments),
    Explain(explain::Arguments),
    Timeline(timeline::Arguments),
    Graph(graph::Arguments),
    Replay(replay::Arguments),
    Report(report::Arguments),
    Diff(diff::Arguments),
    Cancel(cancel::Arguments),
    Pause(pause::Arguments),
    Unpause(unpause::Arguments),
    Step(step::Arguments),
    Approve(approve::Arguments),
    Signal(signal::Arguments),
    Retry(retry::Arguments),
    Dead(dead::Arguments),
    Skip(skip::Arguments),
    Export(export::Arguments),
    Audit(audit::Arguments),
    Key(key::Arguments),
    Whatif(whatif::Arguments),
    Bisect(bisect::Arguments),
    Minimize(minimize::Arguments),
    Upgrade(upgrade::Arguments),
    Fork(fork::Arguments),
    Erase(erase::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Bench(bench::Arguments),
    Validate(validate::Arguments),
    Schema(schema::Arguments),
    Test(test::Arguments),
    Conformance(conformance::Arguments),
    Guest(guest::Arguments),
    Completions(completions::Arguments),
}

/// Whether the thing asked about is good or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Good,
    Bad,
    /// Somebody has stopped the program before it could tell.
    Undone,
}

impl Answer {
    /// Good if `good`.
    fn good_if(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }
}

/// Read the arguments, do what they ask, and say how it went.
pub(crate) fn main() -> ExitCode {
    freed_memory::goes_back_soon();
    let matches = Arguments::command().try_get_matches();
    let read = matches.and_then(|matches| {
        if is_json(&matches) {
            output::owe_document();
        }
        Arguments::from_arg_matches(&matches)
    });
    let arguments = match read {
        Ok(arguments) => arguments,
        Err(answer) => return usage::answer(&answer),
    };
    if arguments.quiet {
        output::be_quiet();
    }
    log_to_stderr(arguments.verbose);
    // As the rest, and for the same reason, a panic is told without waiting.
    std::panic::set_hook(Box::new(|panic| stderr::log_panic(&panic_text(panic))));
    let answer = arguments.command.obey();
    let code = failure::exit_code(&answer, output::unwritten());
    stderr::flush();
    code
}

/// Whether the command that was typed is to answer with one JSON document.
fn is_json(matches: &ArgMatches) -> bool {
    let here = matches.try_get_one::<bool>("json").ok().flatten();
    here == Some(&true) || matches.subcommand().is_some_and(|(_, it)| is_json(it))
}

impl Command {
    fn obey(self) -> anyhow::Result<Answer> {
        match self {
            Self::Init(arguments) => init::run(&arguments),
            Self::Run(arguments) => run::run(arguments),
            Self::Start(arguments) => start::run(arguments),
            Self::Register(arguments) => register::run(&arguments),
            Self::Work(arguments) => work::run(&arguments),
            Self::Resume(arguments) => resume::run(arguments),
            Self::List(arguments) => list::run(&arguments),
            Self::Show(arguments) => show::run(arguments),
            Self::Log(arguments) => log::run(&arguments),
            Self::Output(arguments) => node_output::run(arguments),
            Self::Explain(arguments) => explain::run(&arguments),
            Self::Timeline(arguments) => timeline::run(&arguments),
            Self::Graph(arguments) => graph::run(&arguments),
            Self::Replay(arguments) => replay::run(&arguments),
            Self::Report(arguments) => report::run(&arguments),
            Self::Diff(arguments) => diff::run(&arguments),
            Self::Cancel(arguments) => cancel::run(arguments),
            Self::Pause(arguments) => pause::run(arguments),
            Self::Unpause(arguments) => unpause::run(arguments),
            Self::Step(arguments) => step::run(arguments),
            Self::Approve(arguments) => approve::run(arguments),
            Self::Signal(arguments) => signal::run(arguments),
            Self::Retry(arguments) => retry::run(arguments),
            Self::Dead(arguments) => dead::run(&arguments),
            Self::Skip(arguments) => skip::run(arguments),
            Self::Export(arguments) => export::run(&arguments),
            Self::Audit(arguments) => audit::run(&arguments),
            Self::Key(arguments) => key::run(&arguments),
            Self::Whatif(arguments) => whatif::run(&arguments),
            Self::Bisect(arguments) => bisect::run(&arguments),
            Self::Minimize(arguments) => minimize::run(&arguments),
            Self::Upgrade(arguments) => upgrade::run(&arguments),
            Self::Fork(arguments) => fork::run(arguments),
            Self::Erase(arguments) => erase::run(&arguments),
            Self::Backup(arguments) => backup::run(&arguments),
            Self::Restore(arguments) => restore::run(&arguments),
            Self::Bench(arguments) => bench::run(&arguments),
            Self::Validate(arguments) => validate::run(&arguments),
            Self::Schema(schema::Arguments {}) => Ok(schema::run()),
            Self::Test(arguments) => test::run(&arguments),
            Self::Conformance(arguments) => conformance::run(&arguments),
            Self::Guest(arguments) => guest::run(&arguments),
            Self::Completions(arguments) => Ok(completions::run(&arguments)),
        }
    }
}

fn panic_text(panic: &PanicHookInfo<'_>) -> Text {
    let trace = Backtrace::capture();
    let trace = match trace.status() {
        BacktraceStatus::Captured => Text::laid_out(&format!("{trace}\n")),
        _ => Text::new(),
    };
    let panic = Text::laid_out(&panic.to_string());
    text!("this is a fault of refrain: {}\n{}", panic, trace)
}

/// The program's own log: warnings, unless `RUST_LOG` asks for more or less, but for
/// those about what executions' logs say too, which is told of. It is written in turns,
/// and never waited for.
fn log_to_stderr(verbose: u8) {
    let level = ["warn", "refrain=info,warn", "refrain=debug,warn"];
    let level = level[usize::from(verbose).min(level.len() - 1)];
    let usual = || EnvFilter::new(format!("{level},{}=off", refrain::IN_THE_LOG));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| usual());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| stderr::Log)
        // Nothing that is logged fails; what is told of that would panic.
        .log_internal_errors(false)
        // What is foreign in a record could not be told from its colours.
        .with_ansi(false)
        .init();
}
