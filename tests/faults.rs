//! The seventeen faults of the predecessor, a test each, named after it. Each
//! would fail on a scheduler that has the fault.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use refrain::contract::{Event, EventKind, NodeStarted, Origin, Status};
use refrain::store::{ItemChange, ItemState, ListFilter, MemoryStore, SqliteStore, Store};
use refrain::{
    Claim, Engine, EngineError, Execution, ManualClock, Receipt, WorkError, WorkItem, Workflow,
};
use refrain_tests::faulty_store::{Fate, FaultyStore, Plan};
use serde_json::{Value, json};

// ---- the seventeen ---------------------------------------------------------------

/// Schedule appended, enqueue failed: the run is stuck for ever.
#[tokio::test]
async fn fault01_a_schedule_without_its_work_item() -> Result<()> {
    let (plan, mut store, engine) = engine_that_can_fail().await?;
    let execution = start(&engine, graph("a -> b")).await?;
    let a = claim_one(&engine).await?;

    plan.next(Fate::Fails);
    let refused = engine.complete(a.id.clone(), json!({})).await;
    ensure!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    ensure!(
        scheduled(&log(&execution).await?) == ["a"],
        "b is scheduled by a turn that was not written"
    );

    ensure!(engine.complete(a.id, json!({})).await? == Receipt::Recorded);
    ensure!(scheduled(&log(&execution).await?) == ["a", "b"]);
    let items = store.items(execution.id())?;
    ensure!(
        items.len() == 1 && items[0].item.node_id == "b",
        "b is scheduled and not ordered: {items:?}"
    );
    complete_all(&engine).await?;
    ensure!(execution.finished().await?.status == Status::Completed);
    Ok(())
}

/// Item settled, then crash before the completion: lost.
#[tokio::test]
async fn fault02_an_item_settled_without_its_completion() -> Result<()> {
    let (plan, mut store, engine) = engine_that_can_fail().await?;
    let execution = start(&engine, graph("a -> b")).await?;
    let a = claim_one(&engine).await?;

    plan.next(Fate::Fails);
    ensure!(engine.complete(a.id.clone(), json!({})).await.is_err());
    let kept = store
        .item(execution.id(), "a")?
        .context("the item is gone, and its completion too")?;
    ensure!(matches!(kept.state, ItemState::Leased(_)), "{kept:?}");
    ensure!(engine.complete(a.id, json!({})).await? == Receipt::Recorded);

    for turn in plan.committed() {
        for change in &turn.executions {
            let removed = change
                .items
                .iter()
                .any(|it| matches!(it, ItemChange::Remove { node_id } if node_id == "a"));
            let completed = change.events.iter().any(
                |it| matches!(&it.event.kind, EventKind::NodeCompleted(it) if it.node_id == "a"),
            );
            ensure!(
                removed == completed,
                "settled and completed in two commits: {change:?}"
            );
        }
    }
    Ok(())
}

/// Terminal event, then crash before the status: a second terminal event.
#[tokio::test]
async fn fault03_a_terminal_event_without_its_status() -> Result<()> {
    let (plan, mut store, engine) = engine_that_can_fail().await?;
    let execution = start(&engine, graph("a")).await?;
    let a = claim_one(&engine).await?;

    // The end is written, but nobody hears of it: as if the host had died then.
    plan.next(Fate::AnswerLost);
    let answer = engine.complete(a.id.clone(), json!({})).await;
    ensure!(
        answer.is_ok() || matches!(answer, Err(EngineError::Store(_))),
        "{answer:?}"
    );
    ensure!(engine.complete(a.id, json!({})).await? == Receipt::AlreadyRecorded);

    ensure!(execution.finished().await?.status == Status::Completed);
    let terminal = |events: &[Event]| {
        events
            .iter()
            .filter(|it| matches!(it.kind, EventKind::WorkflowCompleted(_)))
            .count()
    };
    ensure!(terminal(&log(&execution).await?) == 1);
    ensure!(
        store
            .execution(execution.id())?
            .is_some_and(|it| it.status == Status::Completed)
    );
    for turn in plan.committed() {
        for change in &turn.executions {
            let ends = change
                .events
                .iter()
                .any(|it| matches!(it.event.kind, EventKind::WorkflowCompleted(_)));
            ensure!(
                ends == (change.record.status == Status::Completed),
                "event and status in two commits"
            );
        }
    }
    Ok(())
}

/// `latest + 1`, then append: two writers, one sequence.
#[tokio::test]
async fn fault04_two_writers_one_sequence() -> Result<()> {
    let store = MemoryStore::new();
    let (one, two) = (engine(store.clone()).await?, engine(store.clone()).await?);
    let execution = start(&one, graph("a")).await?;
    let same = two.execution(execution.id());
    for round in 0..50 {
        let (left, right) = (format!("left {round}"), format!("right {round}"));
        let (left, right) = tokio::join!(
            execution.signal(&left, json!(round)),
            same.signal(&right, json!(round))
        );
        left?;
        right?;
    }
    let events = log(&execution).await?;
    let sequences: Vec<u64> = events.iter().map(|it| it.sequence).collect();
    ensure!(
        sequences == (1..=events.len() as u64).collect::<Vec<_>>(),
        "{sequences:?}"
    );
    let signals = events
        .iter()
        .filter(|it| matches!(it.kind, EventKind::ExternalEventReceived(_)))
        .count();
    ensure!(signals == 100, "{signals} of 100 signals are in the log");
    Ok(())
}

/// Only the newest 100 running executions are looked at: older ones starve.
#[tokio::test]
async fn fault05_the_older_of_many_executions_starve() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let mut executions = Vec::new();
    for _ in 0..250 {
        executions.push(start(&engine, graph("a -> b")).await?);
    }
    // The one that waits longest is served first.
    let first = claim_one(&engine).await?;
    ensure!(
        first.id.execution == executions[0].id(),
        "the oldest item is not the first to be claimed"
    );
    engine.complete(first.id, json!({})).await?;
    complete_all(&engine).await?;
    for (place, execution) in executions.iter().enumerate() {
        ensure!(
            execution.record().await?.status == Status::Completed,
            "execution {place} of 250 starved"
        );
    }
    Ok(())
}

/// Every tick scans nodes × edges: cost grows with the square of the graph.
/// Counted in fuel, which is the same on every machine.
#[test]
fn fault06_the_cost_of_a_step_grows_with_the_graph() -> Result<()> {
    let small = refrain_tests::cost::fuel_per_step(50)?;
    let large = refrain_tests::cost::fuel_per_step(2_000)?;
    ensure!(
        large < small * 1.5,
        "a step costs {small:.0} units of fuel among 50 nodes, and {large:.0} among 2,000"
    );
    Ok(())
}

/// Dispatch order follows a hash map: 20 equal runs, 20 orders.
#[tokio::test]
async fn fault07_equal_runs_dispatch_in_different_orders() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let wide = "s -> h, s -> b, s -> g, s -> c, s -> a, s -> f, s -> d, s -> e";
    for _ in 0..20 {
        let execution = start(&engine, graph(wide)).await?;
        complete_all(&engine).await?;
        ensure!(
            scheduled(&log(&execution).await?) == ["s", "a", "b", "c", "d", "e", "f", "g", "h"]
        );
    }
    Ok(())
}

/// Edge conditions are never evaluated: both arms run.
#[tokio::test]
async fn fault08_both_arms_of_a_condition_run() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let execution = start(
        &engine,
        graph("a -> b if state.x == 1, a -> c if state.x != 1"),
    )
    .await?;
    let a = claim_one(&engine).await?;
    engine.complete(a.id, json!({"x": 1})).await?;
    complete_all(&engine).await?;
    let events = log(&execution).await?;
    ensure!(scheduled(&events) == ["a", "b"]);
    ensure!(
        events
            .iter()
            .any(|it| matches!(&it.kind, EventKind::NodeSkipped(it) if it.node_id == "c"))
    );
    Ok(())
}

/// A cycle or an unreachable node: reported *completed* without having run.
#[tokio::test]
async fn fault09_a_cycle_or_an_unreachable_node_completes_unrun() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    for (edges, word) in [
        ("a -> b, b -> c, c -> b", "cycle"),
        ("a -> b, x -> y", "reach"),
    ] {
        let refused = engine
            .register(Workflow::from_json(graph(edges).to_string())?)
            .await;
        let Err(EngineError::InvalidWorkflow(faults)) = refused else {
            bail!("{edges} is accepted: {refused:?}")
        };
        ensure!(
            faults.iter().any(|fault| fault.message.contains(word)),
            "{faults:?}"
        );
    }
    ensure!(
        engine
            .list(ListFilter {
                max: 10,
                ..ListFilter::default()
            })
            .await?
            .is_empty()
    );
    Ok(())
}

/// `start_node` is ignored.
#[tokio::test]
async fn fault10_start_node_is_ignored() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let execution = start(&engine, graph("z -> m, m -> a")).await?;
    ensure!(
        scheduled(&log(&execution).await?) == ["z"],
        "only the start node is ready at once"
    );

    let mut elsewhere = graph("z -> m, m -> a");
    elsewhere["start_node"] = json!("m");
    elsewhere["workflow_id"] = json!("elsewhere");
    let refused = engine
        .register(Workflow::from_json(elsewhere.to_string())?)
        .await;
    ensure!(
        matches!(refused, Err(EngineError::InvalidWorkflow(_))),
        "z cannot be reached from m: {refused:?}"
    );
    Ok(())
}

/// Retry policies in the workflow are ignored; timeouts are never read; the
/// delay in `retry_scheduled` is only decoration; a retryable failure without
/// a schedule runs at once, for ever.
#[tokio::test]
async fn fault11_policies_timeouts_and_delays_are_decoration() -> Result<()> {
    let clock = ManualClock::new(1_000_000);
    let engine = Engine::builder()
        .store(MemoryStore::new())
        .clock(clock.clone())
        .start()
        .await?;
    let mut workflow = graph("a");
    workflow["retry_policies"] = json!({"p": {"max_attempts": 3, "backoff": "fixed", "initial_delay": 7, "max_delay": 7, "jitter": false, "retryable_on": []}});
    workflow["nodes"]["a"]["retry_policy"] = json!("p");
    workflow["nodes"]["a"]["node_timeout_secs"] = json!(5);
    let execution = start(&engine, workflow).await?;

    let first = claim_one(&engine).await?;
    engine.fail(first.id, WorkError::retryable("boom")).await?;
    clock.advance(Duration::from_millis(6_999));
    ensure!(
        claim(&engine).await?.is_empty(),
        "the delay of 7 s is not kept"
    );
    clock.advance(Duration::from_millis(1));
    let second = claim_one(&engine).await?;
    ensure!(second.id.attempt == 2);

    clock.advance(Duration::from_secs(5));
    settle_until(&execution, |events| {
        events
            .iter()
            .any(|it| matches!(it.kind, EventKind::NodeTimedOut(_)))
    })
    .await?;
    ensure!(matches!(
        engine.complete(second.id, json!({})).await,
        Err(EngineError::Stale { .. })
    ));

    clock.advance(Duration::from_secs(7));
    let third = claim_one(&engine).await?;
    engine
        .fail(third.id, WorkError::retryable("boom again"))
        .await?;
    let end = execution.finished().await?;
    ensure!(
        (end.status, end.error.as_deref())
            == (Status::Failed, Some("node(s) failed terminally: a")),
        "{end:?}"
    );
    Ok(())
}

/// A late `node_started` revives a finished node.
#[test]
fn fault12_a_late_start_revives_a_finished_node() -> Result<()> {
    let mut run = refrain_tests::cost::Run::new(&graph("a -> b").to_string())?;
    run.tick()?;
    run.complete("a")?;
    run.tick()?;
    let sequence = run.tape.events.len() as u64 + 1;
    let late = run.tape.fact(EventKind::NodeStarted(NodeStarted {
        node_id: "a".to_owned(),
        worker_id: "late".to_owned(),
        attempt: 1,
        fence: sequence,
    }));
    let refused = run.admit(late);
    ensure!(refused.is_err(), "a finished node was started again");
    Ok(())
}

/// A lease taken over on the fast path spends no attempt: 39 claims with
/// `max_attempts` 3.
#[tokio::test]
async fn fault13_a_lost_lease_spends_no_attempt() -> Result<()> {
    let clock = ManualClock::new(1_000_000);
    let engine = Engine::builder()
        .store(MemoryStore::new())
        .clock(clock.clone())
        .lease(Duration::from_secs(10))
        .start()
        .await?;
    let execution = start(&engine, graph("a")).await?;
    let mut claims = 0;
    for _ in 0..200 {
        claims += claim(&engine).await?.len();
        if execution.record().await?.status == Status::Failed {
            break;
        }
        clock.advance(Duration::from_secs(1));
    }
    ensure!(claims == 3, "{claims} claims with 3 attempts");
    let events = log(&execution).await?;
    let exhausted = events.iter().find_map(|it| match &it.kind {
        EventKind::NodeExhausted(it) => Some(it.error.clone()),
        _ => None,
    });
    ensure!(
        exhausted.as_deref() == Some("exhausted 3 attempts: lease expired"),
        "{exhausted:?}"
    );
    Ok(())
}

/// Two schedulers on one store schedule a node twice and complete a workflow
/// seven times.
#[tokio::test(flavor = "multi_thread")]
async fn fault14_two_schedulers_schedule_twice() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shared.db");
    let (one, two) = (
        engine(SqliteStore::open(&path)?).await?,
        engine(SqliteStore::open(&path)?).await?,
    );
    for each in [&one, &two] {
        each.work("general", |_: WorkItem| async { Ok(json!({})) });
    }
    let mut executions = Vec::new();
    for number in 0..20 {
        let starter = if number % 2 == 0 { &one } else { &two };
        executions.push(start(starter, graph("a -> b, a -> c, b -> d, c -> d")).await?);
    }
    for execution in executions {
        ensure!(execution.finished().await?.status == Status::Completed);
        let events = log(&execution).await?;
        ensure!(
            scheduled(&events) == ["a", "b", "c", "d"],
            "{:?}",
            scheduled(&events)
        );
        ensure!(
            events
                .iter()
                .filter(|it| matches!(it.kind, EventKind::WorkflowCompleted(_)))
                .count()
                == 1
        );
    }
    Ok(())
}

/// A definition can be changed under a running execution.
#[tokio::test]
async fn fault15_a_definition_changes_under_an_execution() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let first = graph("a -> b");
    let execution = start(&engine, first.clone()).await?;
    let mut other = graph("a -> c");
    other["workflow_id"] = first["workflow_id"].clone();
    let refused = engine
        .register(Workflow::from_json(other.to_string())?)
        .await;
    ensure!(
        matches!(refused, Err(EngineError::WorkflowDiffers { .. })),
        "{refused:?}"
    );
    engine
        .register(Workflow::from_json(first.to_string())?)
        .await
        .context("the same text again is no change")?;
    complete_all(&engine).await?;
    ensure!(scheduled(&log(&execution).await?) == ["a", "b"]);
    Ok(())
}

/// Half a second of poll latency per step. Here polling is an hour away, so
/// whatever waits for a poll does not end.
#[tokio::test(flavor = "multi_thread")]
async fn fault16_steps_wait_for_a_poll() -> Result<()> {
    let engine = Engine::builder()
        .store(MemoryStore::new())
        .fallback_poll(Duration::from_secs(3_600))
        .start()
        .await?;
    engine.work("general", |_: WorkItem| async { Ok(json!({})) });
    let chain = (0..20)
        .map(|step| format!("n{step:02} -> n{:02}", step + 1))
        .collect::<Vec<_>>()
        .join(", ");
    let execution = start(&engine, graph(&chain)).await?;
    let end = tokio::time::timeout(Duration::from_secs(60), execution.finished())
        .await
        .context("a step waits for a poll")??;
    ensure!(end.status == Status::Completed);
    Ok(())
}

/// Under load the embedded SQLite answers BUSY and completions are dropped.
#[tokio::test(flavor = "multi_thread")]
async fn fault17_completions_are_dropped_under_load() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("busy.db");
    let (one, two) = (
        engine(SqliteStore::open(&path)?).await?,
        engine(SqliteStore::open(&path)?).await?,
    );
    let fan = (0..30)
        .map(|leaf| format!("s -> n{leaf:02}"))
        .collect::<Vec<_>>()
        .join(", ");
    let mut executions = Vec::new();
    for _ in 0..4 {
        executions.push(start(&one, graph(&fan)).await?);
    }
    let work = |engine: Engine| async move {
        let mut recorded = 0;
        loop {
            let claims = engine.claim("general", 16, "outside").await?;
            let mut answers = tokio::task::JoinSet::new();
            for claim in claims {
                let engine = engine.clone();
                answers.spawn(async move { engine.complete(claim.id, json!({})).await });
            }
            while let Some(answer) = answers.join_next().await {
                ensure!(answer?? == Receipt::Recorded);
                recorded += 1;
            }
            let running = ListFilter {
                status: Some(Status::Running),
                max: 1,
                ..ListFilter::default()
            };
            if engine.list(running).await?.is_empty() {
                return Ok(recorded);
            }
        }
    };
    let (left, right) = tokio::join!(tokio::spawn(work(one)), tokio::spawn(work(two)));
    let (left, right): (usize, usize) = (left??, right??);
    let mut completed = 0;
    for execution in executions {
        completed += log(&execution)
            .await?
            .iter()
            .filter(|it| matches!(it.kind, EventKind::NodeCompleted(_)))
            .count();
    }
    ensure!(
        completed == 4 * 31 && left + right == completed,
        "{left} + {right} acknowledged, {completed} in the logs"
    );
    Ok(())
}

// ---- how they say it ---------------------------------------------------------------

async fn engine(store: impl Store + 'static) -> Result<Engine> {
    Ok(Engine::builder().store(store).start().await?)
}

/// An engine whose commits can be made to fail, and a second look at its store.
async fn engine_that_can_fail() -> Result<(Plan, MemoryStore, Engine)> {
    let (plan, store) = (Plan::default(), MemoryStore::new());
    let engine = engine(FaultyStore::new(store.clone(), &plan)).await?;
    Ok((plan, store, engine))
}

/// A workflow of plain nodes of the queue `general`: `a -> b, a -> c if state.x`.
/// The first node named is the start node. Its id is a digest of the text.
fn graph(text: &str) -> Value {
    let mut nodes = BTreeMap::new();
    let mut edges = Vec::new();
    let mut start_node = None;
    for edge in text.split(", ") {
        let (ends, condition) = edge
            .split_once(" if ")
            .map_or((edge, None), |(ends, condition)| (ends, Some(condition)));
        let ends: Vec<&str> = ends.split(" -> ").collect();
        start_node.get_or_insert(ends[0]);
        for end in &ends {
            nodes.insert(
                *end,
                json!({"id": end, "kind": {"type": "condition", "branches": []}}),
            );
        }
        if let [from, to] = ends[..] {
            edges.push(json!({"from": from, "to": to, "condition": condition}));
        }
    }
    let workflow_id = &refrain::log::digest::digest(text.as_bytes())[..16];
    json!({"workflow_id": workflow_id, "version": "1.0.0", "start_node": start_node, "nodes": nodes, "edges": edges})
}

async fn start(engine: &Engine, workflow: Value) -> Result<Execution> {
    let summary = engine
        .register(Workflow::from_json(workflow.to_string())?)
        .await?;
    Ok(engine
        .start(&summary.workflow_id, &summary.version, json!({}))
        .await?)
}

async fn claim(engine: &Engine) -> Result<Vec<Claim>, EngineError> {
    engine.claim("general", 16, "outside").await
}

async fn claim_one(engine: &Engine) -> Result<Claim> {
    engine
        .claim("general", 1, "outside")
        .await?
        .pop()
        .context("nothing can be claimed")
}

/// Claim and complete until nothing can be claimed.
async fn complete_all(engine: &Engine) -> Result<()> {
    loop {
        let claims = claim(engine).await?;
        if claims.is_empty() {
            return Ok(());
        }
        for claim in claims {
            ensure!(engine.complete(claim.id, json!({})).await? == Receipt::Recorded);
        }
    }
}

async fn log(execution: &Execution) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    loop {
        let page = execution.events(events.len() as u64 + 1, 500).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page.into_iter().map(|stored| stored.event));
    }
}

/// The nodes that were scheduled, in the order of the log.
fn scheduled(events: &[Event]) -> Vec<&str> {
    let decisions = events.iter().filter(|it| it.origin == Origin::Decision);
    decisions
        .filter_map(|it| match &it.kind {
            EventKind::NodeScheduled(it) => Some(it.node_id.as_str()),
            _ => None,
        })
        .collect()
}

/// Follow the log until it says so.
async fn settle_until(execution: &Execution, says_so: impl Fn(&[Event]) -> bool) -> Result<()> {
    let mut committed = execution.subscribe(1);
    let mut events = Vec::new();
    while !says_so(&events) {
        let more = committed
            .next()
            .await?
            .context("the execution ended first")?;
        events.extend(more.into_iter().map(|stored| stored.event));
    }
    Ok(())
}
