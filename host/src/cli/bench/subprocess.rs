//! What only a process of its own can tell: how long it takes to begin, and
//! what memory it takes.
//!
//! The program runs itself, and is asked for one such thing. A process that is
//! not waited for any longer is killed.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use refrain::Engine;
use refrain::store::SqliteStore;
use serde_json::{Map, Value, json};
use tokio::process::Command;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::report::{Figure, Report, Unit};
use super::statistics::{median, real, slope};
use super::workload::{self, Workload};
use super::{Bench, Question, process};

/// How often a start is measured, after the first one.
const STARTS: u64 = 5;

/// How many more there are whenever the memory is looked at.
const IDLE_AT_A_LOOK: u64 = 500;

/// From the start of a process to the moment when a worker has its first item,
/// on a database that is there, with a scheduler component that was compiled
/// before.
pub(super) async fn start(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder("start")?;
    let progress = bench.progress.about("start");
    let mut starts_ms = Vec::new();
    for start in 0..=STARTS {
        progress.round(start, STARTS);
        let begun = now()?;
        let answer = ask(bench, Question::Dispatched, &folder, 1).await?;
        let at_ns = answer.get("at_ns").and_then(Value::as_u64);
        let at = Duration::from_nanos(at_ns.context("the program did not say when")?);
        if start > 0 {
            starts_ms.push(at.saturating_sub(begun).as_secs_f64() * 1e3);
        }
    }
    let what = "process start to first dispatch";
    report.add(Figure::new("start_ms", what, median(&starts_ms), Unit::Ms));
    Ok(())
}

/// Memory: what an execution takes that waits for a person, and what all takes
/// while a thousand are at work.
pub(super) async fn memory(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let progress = bench.progress.about("idle");
    let idle = (
        Question::Idle,
        bench.executions.unwrap_or(60_000),
        "rss_bytes_per_idle_execution",
        "of an execution that waits",
    );
    let live = (
        Question::Live,
        bench.executions.unwrap_or(1_000),
        "rss_bytes_live",
        "while all of them are at work",
    );
    for (question, executions, key, what) in [idle, live] {
        progress.say(&format!("{executions} executions"));
        let folder = bench.folder(key)?;
        let answer = ask(bench, question, &folder, executions).await?;
        if let Some(bytes) = answer.get("rss_bytes").and_then(Value::as_f64) {
            let what = format!("memory, {executions} executions, {what}");
            report.add(Figure::new(key, what, bytes, Unit::Bytes));
        }
    }
    Ok(())
}

/// The one clock that two processes share. If it is set in the middle of a
/// start, that start is not the median.
#[expect(
    clippy::disallowed_methods,
    reason = "no log is asked here, and no other clock is shared everywhere"
)]
fn now() -> anyhow::Result<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.context("the clock stands before 1970")
}

/// Ask this of a new process of this program.
async fn ask(
    bench: &Bench,
    question: Question,
    folder: &Path,
    executions: u64,
) -> anyhow::Result<Map<String, Value>> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command
        .args(["bench", "all", "--answer", question.word(), "--dir"])
        .arg(folder)
        .args(["--durability", bench.durability.name()])
        .args(["--executions", &executions.to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if matches!(question, Question::Map | Question::Fan) {
        // The allocator gives back at once what is freed: measured is what is held, and
        // not what it keeps for a moment.
        command.env("MIMALLOC_PURGE_DELAY", "0");
    }
    let output = command
        .output()
        .await
        .context("this program cannot be started anew")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "this program, started anew, came to a bad end: {}",
        said.trim()
    );
    serde_json::from_slice(&output.stdout).context("this program, started anew, made no sense")
}

/// The memory, in bytes, that one execution takes from its start to its end. None where
/// the system does not say it.
pub(super) async fn memory_of_one(
    bench: &Bench,
    question: Question,
    width: u64,
) -> anyhow::Result<Option<f64>> {
    let folder = bench.folder(question.word())?;
    let answer = ask(bench, question, &folder, width).await?;
    Ok(answer.get("rss_bytes").and_then(Value::as_f64))
}

/// Answer a question, in this process, about executions in this folder.
pub(super) async fn answer(
    bench: &Bench,
    question: Question,
    executions: u64,
) -> anyhow::Result<Value> {
    let options = SqliteStore::options().durability(bench.durability);
    let store = options.open(bench.folder.join("bench.db"))?;
    let rss_bytes = match question {
        Question::Dispatched => {
            let at = dispatched(store).await?;
            return Ok(json!({ "at_ns": u64::try_from(at.as_nanos())? }));
        }
        Question::Idle => idle(store, executions).await?,
        Question::Live => live(store, executions).await?,
        Question::Map => whole(store, &Workload::map(executions)?).await?,
        Question::Fan => whole(store, &Workload::fan(executions)?).await?,
    };
    Ok(rss_bytes.map_or_else(|| json!({}), |bytes| json!({ "rss_bytes": bytes })))
}

/// When a worker has its first item.
async fn dispatched(store: SqliteStore) -> anyhow::Result<Duration> {
    let chain = Workload::chain(1)?;
    let engine = chain.cold_engine(store).await?;
    let (tell, mut told) = mpsc::unbounded_channel();
    engine.work(workload::QUEUE, move |_| {
        // The receiver wants one only, so a second one may fail to be sent.
        let _ = tell.send(now());
        async { Ok(json!({})) }
    });
    let execution = chain.start(&engine).await?;
    let at = told.recv().await.context("no worker was called")?;
    execution.finished().await?;
    engine.shutdown().await;
    at
}

/// Resident bytes of each execution that waits for a person: how steeply the
/// memory of the process grows with them. Its ups and downs, when a guest is
/// replaced by a fresh one, are larger than what a few executions take, so it
/// is looked at many times. None where the system does not say it.
async fn idle(store: SqliteStore, executions: u64) -> anyhow::Result<Option<f64>> {
    let gated = Workload::gated(1)?;
    let engine = gated.cold_engine(store).await?;
    // What is there once, whatever their number, is there after these.
    start_all(&engine, &gated, executions.div_ceil(4)).await?;
    let mut started = 0;
    let mut looks = Vec::new();
    while started < executions {
        let more = IDLE_AT_A_LOOK.min(executions - started);
        start_all(&engine, &gated, more).await?;
        started += more;
        looks.extend(process::resident_bytes().map(|bytes| (real(started), real(bytes))));
    }
    engine.stop().await;
    Ok((!looks.is_empty()).then(|| slope(&looks).max(0.0)))
}

/// Start executions, some at once.
async fn start_all(engine: &Engine, workload: &Workload, executions: u64) -> anyhow::Result<()> {
    const AT_ONCE: u64 = 500;
    let mut left = executions;
    while left > 0 {
        let mut starts = JoinSet::new();
        for _ in 0..left.min(AT_ONCE) {
            let (engine, workload) = (engine.clone(), workload.clone());
            starts.spawn(async move { workload.start(&engine).await.map(drop) });
        }
        left -= left.min(AT_ONCE);
        while let Some(started) = starts.join_next().await {
            started.context("a task of the benchmark failed")??;
        }
    }
    Ok(())
}

/// Resident bytes of the whole process while so many executions are in the
/// middle of their chain, each with a worker at it. None where the system does
/// not say it.
async fn live(store: SqliteStore, executions: u64) -> anyhow::Result<Option<f64>> {
    const STEPS: u64 = 10;
    let chain = Workload::chain(STEPS)?;
    let engine = chain.cold_engine(store).await?;
    let middle = workload::name(STEPS / 2);
    let (arrive, mut arrivals) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let (door, slots) = (Arc::clone(&gate), usize::try_from(executions)?);
    engine.work_with_slots(workload::QUEUE, slots, move |item| {
        let here = item.node_id == middle;
        let (door, arrive) = (Arc::clone(&door), arrive.clone());
        async move {
            if here {
                // The receiver is gone once all are here.
                let _ = arrive.send(());
                // It is opened when the memory has been looked at.
                let _ = door.acquire().await;
            }
            Ok(json!({}))
        }
    });
    start_all(&engine, &chain, executions).await?;
    for _ in 0..executions {
        arrivals.recv().await.context("the workers are gone")?;
    }
    let resident = process::resident_bytes();
    gate.close();
    engine.stop().await;
    Ok(resident.map(real))
}

/// The bytes by which one execution and its workflow make the process grow, at most. None
/// where the system does not say it.
async fn whole(store: SqliteStore, workload: &Workload) -> anyhow::Result<Option<f64>> {
    // What is there once, whatever is run, is there after this one.
    let small = Workload::chain(1)?.with_limits_of(workload);
    let engine = small.cold_engine(store).await?;
    engine.work_with_slots(workload::QUEUE, workload::SLOTS, |_| async {
        Ok(json!({}))
    });
    small.run_one(&engine).await?;
    let before = process::resident_bytes();
    workload.register(&engine).await?;
    workload.run_one(&engine).await?;
    let most = process::resident_bytes_max();
    engine.shutdown().await;
    Ok(before
        .zip(most)
        .map(|(before, most)| real(most.saturating_sub(before))))
}
