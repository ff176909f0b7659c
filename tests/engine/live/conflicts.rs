//! A conflict of one execution is a matter of that execution, and of those that are
//! linked with it: nobody else waits or fails.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use refrain::limits::{CONFLICTS_IN_A_ROW_MAX, STORE_RETRY_PAUSE, TurnLimits};
use refrain::model::Status;
use refrain::store::{CommitError, Store, StoreError, Turn};
use refrain::{
    Approval, Engine, EngineError, Execution, ExecutionId, Fork, ManualClock, Next, Steps,
    WorkItem, Workflow,
};
use refrain_tests::engines::{BEGIN, Place, audit_all, log, start};
use refrain_tests::meddled_store::{MeddledStore, Meddler, conflict, written};
use refrain_tests::workflows::{single, tools};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Whose writes conflict.
type Contended = Arc<Mutex<Option<ExecutionId>>>;

/// The executions that each commit was to write, in the order in which they were tried.
#[derive(Clone, Default)]
pub(super) struct Tries(Arc<Mutex<Vec<Vec<ExecutionId>>>>);

impl Tries {
    pub(super) fn push(&self, turn: &Turn) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.push(written(turn));
    }

    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn take(&self) -> Vec<Vec<ExecutionId>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A workflow that waits for a person and ends then.
fn asks() -> Value {
    single(json!({ "kind": { "type": "human_approval", "description": "may it?" } }))
}

fn sorted<const N: usize>(executions: [&Execution; N]) -> Vec<ExecutionId> {
    let mut ids = executions.map(Execution::id).to_vec();
    ids.sort_unstable();
    ids
}

/// An engine that is stepped, whose commits are meddled with.
pub(super) fn stepped(place: &Place, clock: &ManualClock, meddler: Meddler) -> (Engine, Steps) {
    let store = MeddledStore::new(place.store(), meddler);
    let builder = Engine::builder().boxed_store(Box::new(store));
    let stepped = builder.clock(clock.clone()).stepped();
    stepped.expect("it can be put together")
}

/// So many executions that wait for a person.
fn started<const N: usize>(engine: &Engine, steps: &mut Steps) -> [Execution; N] {
    let workflow = Workflow::from_json(asks().to_string()).expect("JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
    [(); N].map(|()| {
        let started = steps.until(engine.start("w", "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts")
    })
}

/// Approves, and says after how many tries of a commit that was answered.
async fn approve(execution: &Execution, tries: &Tries) -> (Result<(), EngineError>, usize) {
    let answer = execution.approve("a", Approval::approved("ada")).await;
    (answer, tries.count())
}

/// Notes what is to be committed. Commits of what is contended conflict.
fn contending(tries: &Tries, contended: &Contended) -> Meddler {
    let (tries, contended) = (tries.clone(), Arc::clone(contended));
    Box::new(move |turn, _| {
        tries.push(turn);
        let id = *contended.lock().unwrap_or_else(PoisonError::into_inner);
        match id.filter(|id| written(turn).contains(id)) {
            Some(id) => Err(conflict(vec![id])),
            None => Ok(()),
        }
    })
}

fn contend(contended: &Contended, id: Option<ExecutionId>) {
    *contended.lock().unwrap_or_else(PoisonError::into_inner) = id;
}

/// Another engine writes to one of three executions of a turn, just before that is
/// committed.
#[test]
fn law3_a_conflict_of_one_execution_holds_up_no_other() {
    let runtime = Runtime::new().expect("a runtime");
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let rival = Engine::builder().boxed_store(place.store());
        let rival = runtime.block_on(rival.clock(clock.clone()).start());
        let rival = rival.expect("it starts");
        let (tries, contended) = (Tries::default(), Contended::default());
        let (other, handle) = (rival.clone(), runtime.handle().clone());
        let (tried, next) = (tries.clone(), Arc::clone(&contended));
        let meddler = move |turn: &Turn, store: &mut dyn Store| {
            tried.push(turn);
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(id) = next.take_if(|id| written(turn).contains(id)) {
                store.rollback();
                let paused = handle.block_on(other.execution(id).pause(None));
                paused.expect("the lock is free");
                store.begin().map_err(CommitError::Failed)?;
            }
            Ok(())
        };
        let (engine, mut steps) = stepped(&place, &clock, Box::new(meddler));
        let [one, two, three] = started(&engine, &mut steps);
        tries.take();
        contend(&contended, Some(two.id()));
        let calls_before = steps.guest_calls();
        let answers = steps.until(async {
            tokio::join!(
                approve(&one, &tries),
                approve(&two, &tries),
                approve(&three, &tries)
            )
        });
        let (first, second, third) = answers.expect("all are answered");
        for (answer, after) in [(first, 2), (second, 3), (third, 2)] {
            answer.0.expect("it is taken");
            assert_eq!(answer.1, after);
        }
        // A guest that still had what was not written would fail, and be asked anew.
        assert_eq!(steps.guest_calls() - calls_before, 6);
        let tries = tries.take();
        let [all, without, alone] = &tries[..] else {
            panic!("{tries:?}");
        };
        assert_eq!(*all, sorted([&one, &two, &three]));
        assert_eq!(*without, sorted([&one, &three]));
        assert_eq!(*alone, sorted([&two]));
        let names = runtime.block_on(log(&rival.execution(two.id())));
        let last = &names[names.len() - 3..];
        assert_eq!(
            last,
            ["execution_paused", "approval_received a", "node_settled a"]
        );
        drop(steps);
        runtime.block_on(rival.shutdown());
        audit_all(&place, "two engines");
    }
}

#[test]
fn law9_what_conflicts_for_ever_is_told_its_callers_and_no_others() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let (tries, contended) = (Tries::default(), Contended::default());
        let (engine, mut steps) = stepped(&place, &clock, contending(&tries, &contended));
        let [one, two, three, four] = started(&engine, &mut steps);
        tries.take();
        contend(&contended, Some(two.id()));
        let answers = steps.until(async {
            tokio::join!(
                approve(&one, &tries),
                approve(&two, &tries),
                approve(&three, &tries)
            )
        });
        let (first, second, third) = answers.expect("all are answered");
        assert_eq!((first.1, third.1), (2, 2));
        first.0.and(third.0).expect("they are not concerned");
        let is_contended = |answer: Result<(), EngineError>| match answer {
            Err(EngineError::Store(error)) => {
                matches!(&*error, StoreError::Contended { execution, .. } if *execution == two.id())
            }
            _ => false,
        };
        assert!(is_contended(second.0));
        let tried = CONFLICTS_IN_A_ROW_MAX as usize + 1;
        assert_eq!(second.1, tried);
        // It rests: nothing of it is tried, and its callers are told at once.
        let Next::At(again_at) = steps.step() else {
            panic!("nothing is to be done now");
        };
        let pause_ms = u64::try_from(STORE_RETRY_PAUSE.as_millis()).expect("it is short");
        assert_eq!(again_at, BEGIN + pause_ms);
        let again = steps.until(approve(&two, &tries)).expect("it is answered");
        assert!(is_contended(again.0));
        assert_eq!(again.1, tried);
        let others = steps.until(approve(&four, &tries)).expect("it is answered");
        others.0.expect("it is not concerned");
        // When it has rested, it is tried again.
        contend(&contended, None);
        clock.advance(STORE_RETRY_PAUSE);
        let rested = steps.until(approve(&two, &tries)).expect("it is answered");
        rested.0.expect("nobody contends any longer");
        let record = steps.until(two.record()).expect("it is answered");
        assert_eq!(record.expect("a record").status, Status::Completed);
        drop(steps);
        audit_all(&place, "contended");
    }
}

/// A fork begins in the very turn in which something is written to its origin, and one of
/// the two conflicts.
#[test]
fn law3_what_is_linked_is_left_out_together() {
    for fork_conflicts in [false, true] {
        for place in Place::each() {
            is_left_out_together(&place, fork_conflicts);
        }
    }
}

fn is_left_out_together(place: &Place, fork_conflicts: bool) {
    let clock = ManualClock::new(BEGIN);
    let (tries, contended) = (Tries::default(), Contended::default());
    let (tried, once) = (tries.clone(), Arc::clone(&contended));
    let meddler = move |turn: &Turn, _: &mut dyn Store| {
        tried.push(turn);
        let mut once = once.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(origin) = once.take_if(|id| written(turn).contains(id)) else {
            return Ok(());
        };
        let mut begins = turn.executions.iter();
        let fork = begins.find(|change| change.expected.sequence == 0);
        let fork = fork.expect("it begins in this turn").record.id;
        Err(conflict(vec![if fork_conflicts { fork } else { origin }]))
    };
    let (engine, mut steps) = stepped(place, &clock, Box::new(meddler));
    let [origin, other] = started(&engine, &mut steps);
    tries.take();
    contend(&contended, Some(origin.id()));
    // A fork is planned outside of a turn first.
    let planned = || {
        let mut is_planned = false;
        poll_fn(move |_| match std::mem::replace(&mut is_planned, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
    };
    let late = async |execution: &Execution| {
        planned().await;
        approve(execution, &tries).await
    };
    let answers = steps.until(async {
        tokio::join!(
            engine.fork(Fork::of(origin.id())),
            late(&origin),
            late(&other)
        )
    });
    let (forked, of_origin, of_other) = answers.expect("all are answered");
    let forked = forked.expect("it begins").execution;
    of_origin.0.expect("it is taken");
    of_other.0.expect("it is taken");
    assert_eq!((of_origin.1, of_other.1), (3, 2));
    let tries = tries.take();
    let [all, without, linked] = &tries[..] else {
        panic!("{tries:?}");
    };
    assert_eq!(*all, sorted([&origin, &other, &forked]));
    assert_eq!(*without, sorted([&other]));
    assert_eq!(*linked, sorted([&origin, &forked]));
    drop(steps);
    audit_all(place, "linked");
}

/// What waits for a worker or for a time, of an execution that rests, goes on when that
/// has rested, though nobody asks for anything.
#[test]
fn law9_what_has_rested_goes_on_by_itself() {
    let timer = json!({ "kind": { "type": "wait", "condition": "timer", "timeout_secs": 5 } });
    for workflow in [tools("a"), single(timer)] {
        for place in Place::each() {
            goes_on_by_itself(&place, &workflow);
        }
    }
}

fn goes_on_by_itself(place: &Place, workflow: &Value) {
    let clock = ManualClock::new(BEGIN);
    let (tries, contended) = (Tries::default(), Contended::default());
    let (engine, mut steps) = stepped(place, &clock, contending(&tries, &contended));
    let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
    let execution = steps.until(engine.start("w", "1.0.0", json!({})));
    let execution = execution.expect("it is answered").expect("it starts");
    contend(&contended, Some(execution.id()));
    engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
    clock.advance(Duration::from_secs(5));
    while steps.step() == Next::Now {}
    assert!(tries.take().contains(&vec![execution.id()]));
    assert!(matches!(steps.step(), Next::At(_)), "it rests");
    assert_eq!(tries.count(), 0);
    contend(&contended, None);
    clock.advance(STORE_RETRY_PAUSE);
    let end = steps.until(execution.finished()).expect("it ends");
    assert_eq!(end.expect("its end can be read").status, Status::Completed);
    drop(steps);
    audit_all(place, "rested");
}

/// A turn wakes one execution, which conflicts, and then another one instead: the next
/// turn wakes the first, and waits for nothing.
#[test]
fn law3_what_conflicts_is_woken_in_the_next_turn() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let contended = Contended::default();
        let once = Arc::clone(&contended);
        let meddler: Meddler = Box::new(move |turn, _| {
            let mut id = once.lock().unwrap_or_else(PoisonError::into_inner);
            match id.take_if(|id| written(turn).contains(id)) {
                Some(id) => Err(conflict(vec![id])),
                None => Ok(()),
            }
        });
        let store = MeddledStore::new(place.store(), meddler);
        let one_wake = TurnLimits {
            wakes: 1,
            ..TurnLimits::default()
        };
        let builder = Engine::builder().boxed_store(Box::new(store));
        let builder = builder.clock(clock.clone()).turn_limits(one_wake);
        let (engine, mut steps) = builder.stepped().expect("it can be put together");
        let timer = json!({ "kind": { "type": "wait", "condition": "timer", "timeout_secs": 5 } });
        let workflow = Workflow::from_json(single(timer).to_string()).expect("JSON");
        let registered = steps.until(engine.register(workflow));
        registered.expect("it is answered").expect("it is valid");
        let mut all = [(); 3].map(|()| {
            let started = steps.until(engine.start("w", "1.0.0", json!({})));
            started.expect("it is answered").expect("it starts")
        });
        all.sort_by_key(Execution::id);
        while steps.step() == Next::Now {}
        contend(&contended, Some(all[0].id()));
        clock.advance(Duration::from_secs(5));
        while steps.step() == Next::Now {}
        for execution in &all {
            let record = steps.until(execution.record()).expect("it is answered");
            assert_eq!(record.expect("a record").status, Status::Completed);
        }
        drop(steps);
        audit_all(&place, "woken");
    }
}

/// What an own worker has done is not lost, however long its execution is contended.
#[tokio::test]
async fn law9_an_own_workers_answer_outlasts_conflicts() {
    for place in Place::each() {
        let contended = Arc::new(AtomicU32::new(0));
        let left = Arc::clone(&contended);
        let meddler = move |turn: &Turn, _: &mut dyn Store| {
            let one_less = |left: u32| left.checked_sub(1);
            match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
                Ok(_) => Err(conflict(written(turn))),
                Err(_) => Ok(()),
            }
        };
        let store = MeddledStore::new(place.store(), Box::new(meddler));
        let builder = Engine::builder().boxed_store(Box::new(store));
        let engine = builder.start().await.expect("the engine starts");
        let worked = Arc::new(AtomicU32::new(0));
        let times = Arc::clone(&worked);
        engine.work("tool", move |item: WorkItem| {
            times.fetch_add(1, Ordering::SeqCst);
            contended.store(2 * CONFLICTS_IN_A_ROW_MAX, Ordering::SeqCst);
            async move { Ok(json!({ item.node_id: 1 })) }
        });
        let execution = start(&engine, &tools("a")).await;
        let end = tokio::time::timeout(Duration::from_secs(30), execution.finished());
        let end = end.await.expect("it ends").expect("it can be read");
        assert_eq!(end.status, Status::Completed);
        assert_eq!(worked.load(Ordering::SeqCst), 1);
        engine.shutdown().await;
        audit_all(&place, "answers");
    }
}
