//! How quick requests are: chains of steps that each ask a server over HTTP, many at
//! once and one alone. The floor is the same client, which makes the same requests
//! without an engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use refrain::model::WorkItem;
use refrain::{Engine, HttpWorker};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::report::{Figure, Report, Unit};
use super::statistics::{median, real};
use super::step_server::{StepServer, THREAD};
use super::workload::{SLOTS, Workload, request};
use super::{Bench, latency, process};

/// Rounds in which engine and floor take turns.
const ROUNDS: u64 = 3;

/// How often one chain runs alone in a round.
const ALONE: u64 = 20;

/// Measure it.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let server = match &bench.url {
        Some(_) => None,
        None => Some(StepServer::start()?),
    };
    let url = bench.url.clone();
    let url = url.or_else(|| server.as_ref().map(StepServer::url));
    let url = url.context("there is one or the other")?;
    let chain = Workload::requests(bench.nodes.unwrap_or(10), &url)?;
    let executions = bench.executions.unwrap_or(1_000);
    let requests = run(bench, &chain, &url, executions).await?;
    let figure = Figure::new(
        "http_steps_per_s",
        "chains of requests",
        median(&requests.steps_per_s),
        Unit::StepsPerS,
    );
    report.add(figure.against(
        ("http_floor_steps_per_s", median(&requests.floor_per_s)),
        ("http_floor_ratio", median(&requests.ratios)),
    ));
    report.add_median(
        "http_latency_ms_p50",
        "one chain of requests alone, median",
        &requests.alone_ms,
        Unit::Ms,
    );
    report.add_median(
        "http_cpu_us_per_step",
        "processor time of a request, engine and client",
        &requests.cpu_us_per_step,
        Unit::Us,
    );
    report.add_median(
        "http_floor_cpu_us_per_step",
        "processor time of a request, client alone",
        &requests.floor_cpu_us_per_step,
        Unit::Us,
    );
    Ok(())
}

/// What the rounds came to, each in its place.
#[derive(Default)]
struct Requests {
    steps_per_s: Vec<f64>,
    floor_per_s: Vec<f64>,
    /// What of the floor was reached, in the same round.
    ratios: Vec<f64>,
    alone_ms: Vec<f64>,
    /// Of all threads but the server's.
    cpu_us_per_step: Vec<f64>,
    floor_cpu_us_per_step: Vec<f64>,
}

async fn run(
    bench: &Bench,
    chain: &Workload,
    url: &str,
    executions: u64,
) -> anyhow::Result<Requests> {
    let engine = engine(bench, chain).await?;
    let floor = HttpWorker::new();
    let progress = bench.progress.about("http");
    let steps = real(executions * chain.steps);
    let mut requests = Requests::default();
    for round in 1..=ROUNDS {
        progress.round(round, ROUNDS);
        let (took, cpu) = with_cpu(chain.run(&engine, executions)).await?;
        let per_s = steps / took.as_secs_f64();
        requests.steps_per_s.push(per_s);
        requests.cpu_us_per_step.extend(cpu.map(|cpu| cpu / steps));
        let asked = ask(&floor, url, executions, chain.steps);
        let (took, cpu) = with_cpu(asked).await?;
        let floor_per_s = steps / took.as_secs_f64();
        requests.floor_per_s.push(floor_per_s);
        requests.ratios.push(per_s / floor_per_s);
        let cpu = cpu.map(|cpu| cpu / steps);
        requests.floor_cpu_us_per_step.extend(cpu);
        let alone = latency::each_ms(chain, &engine, ALONE).await?;
        requests.alone_ms.extend(alone);
    }
    engine.shutdown().await;
    Ok(requests)
}

/// An engine with workers for requests, which has made some.
async fn engine(bench: &Bench, chain: &Workload) -> anyhow::Result<Engine> {
    let engine = bench.cold_engine("http", chain).await?;
    engine.work_http(SLOTS);
    chain.run_one(&engine).await?;
    Ok(engine)
}

/// How long this took, and microseconds of processor time of all threads but the
/// server's, where the system says it.
async fn with_cpu(
    run: impl Future<Output = anyhow::Result<Duration>>,
) -> anyhow::Result<(Duration, Option<f64>)> {
    let before = process::cpu_without(THREAD);
    let took = run.await?;
    let cpu = before.zip(process::cpu_without(THREAD));
    let us = cpu.map(|(before, after)| after.saturating_sub(before).as_secs_f64() * 1e6);
    Ok((took, us))
}

/// The same requests, as many at once as there are workers; how long that took.
async fn ask(
    worker: &HttpWorker,
    url: &str,
    executions: u64,
    steps: u64,
) -> anyhow::Result<Duration> {
    let mut item = WorkItem::default();
    item.node_id = "n00000".to_owned();
    item.attempt = 1;
    let payload = json!({ "node_id": item.node_id, "kind": request(url), "input": {} });
    item.payload = payload.to_string();
    let slots = Arc::new(Semaphore::new(SLOTS));
    let begun = Instant::now();
    let mut chains = JoinSet::new();
    for _ in 0..executions {
        let (worker, item, slots) = (worker.clone(), item.clone(), Arc::clone(&slots));
        chains.spawn(async move {
            for _ in 0..steps {
                let slot = slots.acquire().await?;
                let answer = worker.run(item.clone()).await;
                drop(slot);
                ensure!(answer.is_ok(), "the step server failed: {answer:?}");
            }
            Ok(())
        });
    }
    while let Some(ended) = chains.join_next().await {
        ended.context("a task of the benchmark failed")??;
    }
    Ok(begun.elapsed())
}
