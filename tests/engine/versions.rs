//! Several versions of the contract side by side: one host runs and audits guests of
//! each on one store, and what a guest cannot know is never handed to it.
//!
//! The second version is the tests' own ([`refrain_tests::few`]): the host is told of
//! it, and has no line about it.

use std::sync::LazyLock;

use refrain::guest::{
    CallError, CallLimits, GuestFailure, InMemoryExecution, Library, MemoryPorts, Sandbox,
};
use refrain::limits::FUEL_PER_IMPORT;
use refrain::log::digest::digest;
use refrain::model::{Digest, Event, EventKind, GuestChanged, Origin, RefusalCode, Status};
use refrain::replay::{Audit, Auditor, Verdict};
use refrain::store::{ComponentRecord, ExecutionChange, ListFilter, StoreError, Turn, ended};
use refrain::{Answer, Claim, Engine, EngineError, ExecutionId, Receipt, WorkItem};
use refrain_tests::chained::chained;
use refrain_tests::component::product::FEW;
use refrain_tests::engines::{self, BEGIN, Place, log, start};
use refrain_tests::few;
use refrain_tests::workflows::tools;
use serde_json::json;

/// A library that speaks both versions, and has a guest of each.
static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let sandbox = Sandbox::new(CallLimits::default()).expect("wasmtime runs here");
    let mut library = Library::new(sandbox.speaking(few::contract()));
    library.add(few()).expect("it is a component");
    library
});

fn few() -> Vec<u8> {
    FEW.committed().expect("it is committed")
}

fn few_digest() -> String {
    digest(&few())
}

/// An engine that speaks both, and whose executions begin with the built-in guest.
async fn engine(place: &Place) -> Engine {
    let builder = Engine::builder().boxed_store(place.store());
    let engine = builder.library(LIBRARY.clone()).start().await;
    engine.expect("the engine starts")
}

/// The same, whose executions begin with the other.
async fn engine_of_few(place: &Place) -> Engine {
    let builder = Engine::builder().boxed_store(place.store());
    let builder = builder.library(LIBRARY.clone()).guest(few());
    builder.start().await.expect("the engine starts")
}

/// An execution of the one guest, and one of the other.
async fn one_of_each(place: &Place) -> [ExecutionId; 2] {
    let both = engine(place).await;
    let ours = start(&both, &tools("a")).await.id();
    both.shutdown().await;
    let other = engine_of_few(place).await;
    let theirs = other.start("w", "1.0.0", json!({})).await;
    let theirs = theirs.expect("it starts").id();
    other.shutdown().await;
    [ours, theirs]
}

async fn claim(engine: &Engine) -> Claim {
    let claims = engine.claim("tool", 1, "worker").await;
    let mut claims = claims.expect("it can be claimed");
    claims.pop().expect("something waits")
}

fn audit(place: &Place, id: ExecutionId) -> Audit {
    let mut library = LIBRARY.clone();
    let audit = Auditor::new(&mut library).audit_stored(place.store().as_mut(), id);
    audit.expect("it can be audited").expect("it is there")
}

/// All of them go on to their ends, and audit clean.
async fn all_end(place: &Place, context: &str) {
    let engine = engine(place).await;
    engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
    let all = engine.list(ListFilter {
        max: 100,
        ..ListFilter::default()
    });
    for record in all.await.expect("a list").found {
        let execution = engine.execution(record.id);
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed, "{context}");
    }
    engine.shutdown().await;
    let mut store = place.store();
    let all = store.list(&ListFilter {
        max: 100,
        ..ListFilter::default()
    });
    for record in all.expect("a list").found {
        assert!(ended(record.status));
        let audit = audit(place, record.id);
        let found = audit.divergence;
        assert_eq!(audit.verdict, Verdict::Clean, "{context}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_of_two_versions_run_and_are_audited_on_one_store() {
    for place in Place::each() {
        let [ours, theirs] = one_of_each(&place).await;
        all_end(&place, "of two versions").await;
        let engine = engines::engine(&place).await;
        let expected = [
            "workflow_started",
            "node_scheduled a",
            "node_started a",
            "node_completed a",
            "workflow_completed",
        ];
        for (id, guest) in [(ours, LIBRARY.built_in()), (theirs, &*few_digest())] {
            let execution = engine.execution(id);
            assert_eq!(log(&execution).await, expected);
            let record = execution.record().await.expect("a record");
            assert_eq!(*record.guest_digest, *guest);
        }
        engine.shutdown().await;
    }
}

/// Neither a kind of event nor a field that the guest does not know is left out.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_cannot_know_is_refused_and_nothing_changes() {
    for place in Place::each() {
        let [ours, theirs] = one_of_each(&place).await;
        let engine = engine(&place).await;
        let paused = engine.execution(ours).pause(None).await;
        paused.expect("the built-in one knows a pause");
        let execution = engine.execution(theirs);
        let held = claim(&engine).await;
        assert_eq!(held.id.execution, theirs);
        let before = execution.record().await.expect("a record");
        let measured = Answer::output(json!({})).telemetry(json!({ "cost_usd": 1 }));
        let answers = [
            execution.pause(None).await.map(|()| Receipt::Recorded),
            engine.complete(held.id.clone(), measured).await,
        ];
        for (answer, what) in answers.into_iter().zip(["ExecutionPaused", "telemetry"]) {
            let Err(EngineError::Refused { code, reason, .. }) = answer else {
                panic!("{what}: {answer:?}");
            };
            assert_eq!(code, RefusalCode::Unsupported, "{reason}");
            assert!(
                reason.contains(what) && reason.contains(few::VERSION),
                "{reason}"
            );
        }
        let after = execution.record().await.expect("a record");
        assert_eq!(after, before);
        let set_aside = engine.set_aside().await.expect("it lives");
        assert!(set_aside.is_empty(), "{set_aside:?}");
        let unpaused = engine.execution(ours).unpause(None).await;
        unpaused.expect("it is paused");
        let counts = engine.complete(held.id, json!({})).await;
        assert_eq!(counts.expect("it knows that"), Receipt::Recorded);
        engine.shutdown().await;
        all_end(&place, "refused what it cannot know").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law10_an_execution_goes_from_one_version_to_the_other_and_back() {
    for place in Place::each() {
        let [ours, theirs] = one_of_each(&place).await;
        let engine = engine(&place).await;
        for (id, guest) in [(ours, &*few_digest()), (theirs, LIBRARY.built_in())] {
            let handed = engine.upgrade(id, guest).await;
            assert_eq!(handed.expect("it knows the log"), Receipt::Recorded);
        }
        engine.shutdown().await;
        all_end(&place, "handed to the other version").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law10_who_cannot_know_the_log_does_not_get_it() {
    for place in Place::each() {
        let both = engine(&place).await;
        let execution = start(&both, &tools("a")).await;
        execution.pause(None).await.expect("it lives");
        execution.unpause(None).await.expect("it is paused");
        let before = execution.record().await.expect("a record");
        let handed = execution.upgrade(&few_digest()).await;
        let Err(EngineError::Store(error)) = handed else {
            panic!("{handed:?}");
        };
        assert_eq!(error.code(), "log_newer_than_guest", "{error}");
        assert!(error.to_string().contains("event 3"), "{error}");
        let after = execution.record().await.expect("a record");
        assert_eq!(after, before);
        let set_aside = both.set_aside().await.expect("it lives");
        assert!(set_aside.is_empty(), "{set_aside:?}");
        both.shutdown().await;
        all_end(&place, "not handed over").await;
    }
}

/// A host that asks nobody hands an execution to a guest that cannot know its log.
fn handed_over_unasked(place: &Place, id: ExecutionId) {
    let mut store = place.store();
    let record = store.execution(id).expect("a store").expect("it is there");
    let guest: Digest = few_digest().parse().expect("a digest");
    let event = Event {
        sequence: record.head.sequence + 1,
        at: record.last_at,
        origin: Origin::Fact,
        kind: EventKind::GuestChanged(GuestChanged::new(guest)),
    };
    let stored = chained(&record.head, event);
    let mut changed = record.clone();
    changed.head = stored.head();
    changed.guest_digest = few_digest().into();
    store.begin().expect("a turn");
    let turn = Turn {
        components: vec![ComponentRecord {
            digest: few_digest(),
            bytes: few(),
        }],
        executions: vec![ExecutionChange {
            expected: record.head,
            events: vec![stored],
            record: changed,
            items: Vec::new(),
        }],
        ..Turn::default()
    };
    store.commit(&turn).expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn law3_a_log_that_its_guest_cannot_know_is_set_aside_and_the_others_go_on() {
    for place in Place::each() {
        let first = engine(&place).await;
        let execution = start(&first, &tools("a")).await;
        let id = execution.id();
        let early = execution.signal("early", json!({})).await;
        early.expect("it may come before anyone waits");
        first.shutdown().await;
        handed_over_unasked(&place, id);
        let before = place.store().execution(id).expect("a store");

        // Its item waits for a worker, and the guest would have to know the log.
        let engine = engine(&place).await;
        let claims = engine.claim("tool", 1, "worker").await;
        assert!(claims.expect("it can be asked for").is_empty());
        let set_aside = engine.set_aside().await.expect("it lives");
        assert_eq!(set_aside.keys().collect::<Vec<_>>(), [&id]);
        let StoreError::NewerThanGuest {
            sequence, version, ..
        } = &*set_aside[&id]
        else {
            panic!("{set_aside:?}");
        };
        assert_eq!((*sequence, *version), (3, few::VERSION));
        engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
        let other = engine.start("w", "1.0.0", json!({})).await;
        let end = other.expect("it starts").finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        engine.shutdown().await;
        assert_eq!(place.store().execution(id).expect("a store"), before);
        let audit = audit(&place, id);
        let found = audit.divergence.map(|found| found.sequence);
        assert_eq!((audit.verdict, found), (Verdict::Newer, Some(3)));
    }
}

/// A program that does not speak a version cannot go on with its executions, and says so. The
/// remedy is to hand them over.
#[tokio::test(flavor = "multi_thread")]
async fn law9_who_does_not_speak_a_version_says_so() {
    for place in Place::each() {
        let [_, theirs] = one_of_each(&place).await;
        let plain = engines::engine(&place).await;
        let execution = plain.execution(theirs);
        let answer = execution.cancel(None).await;
        let Err(EngineError::Guest { reason, .. }) = &answer else {
            panic!("{answer:?}");
        };
        assert!(
            reason.contains(
                "was built for version 0.1.0-few of the contract, and this program speaks 0.2.0; "
            ),
            "{reason}"
        );
        let record = execution.record().await.expect("a record");
        assert_eq!(record.status, Status::Stalled);
        let handed = execution.upgrade(plain.guest_digest()).await;
        assert_eq!(handed.expect("the other is not asked"), Receipt::Recorded);
        let lifted = execution.lift_stall(Some("handed over")).await;
        lifted.expect("it is stalled");
        plain.shutdown().await;
        all_end(&place, "handed to a guest that it knows").await;
    }
}

/// An execution in memory, of a guest of the version that was brought, whose calls keep
/// to these limits.
fn in_memory(limits: CallLimits) -> Result<InMemoryExecution, CallError> {
    let mut library = LIBRARY.clone().with_limits(limits);
    let ports = MemoryPorts::new(tools("a").to_string(), BEGIN);
    let digest = few_digest();
    let started = ports.started(ExecutionId::random(), digest.parse().expect("a digest"));
    let instance = library.instance(&digest).expect("it is a guest");
    InMemoryExecution::start(instance, ports, started)
}

/// Its calls burn the host's fuel, and each of its imports costs what those of the
/// built-in guest do, though its adapter has no line about fuel.
#[test]
fn a_guest_of_a_brought_version_burns_what_the_host_gives_it() {
    let mut execution = in_memory(CallLimits::default()).expect("it begins");
    let begun = execution.take_fuel_burnt();
    // A page, an order, a decision.
    assert!(begun > 3 * FUEL_PER_IMPORT, "{begun}");
    let fuel = begun / 2;
    let short = CallLimits {
        fuel: Some(fuel),
        fuel_per_byte: 0,
        ..CallLimits::default()
    };
    let answer = in_memory(short).map(|_| "it begins");
    let out_of_fuel = CallError::Guest(GuestFailure::OutOfFuel { fuel });
    assert_eq!(
        format!("{answer:?}"),
        format!("{:?}", Err::<&str, _>(out_of_fuel))
    );
    let enough = CallLimits {
        fuel: Some(begun),
        fuel_per_byte: 0,
        ..CallLimits::default()
    };
    in_memory(enough).expect("it begins with what it burnt before");
}

/// Its memory counts as that of any guest.
#[test]
fn a_guest_of_a_brought_version_holds_no_more_memory_than_the_host_lets_it() {
    let limits = CallLimits {
        memory_bytes_max: 64 << 10,
        ..CallLimits::default()
    };
    let mut library = LIBRARY.clone().with_limits(limits);
    let answer = library.instance::<MemoryPorts>(&few_digest());
    let refused = answer.expect_err("its memory is larger from the start");
    assert!(refused.to_string().contains("memory"), "{refused}");
}

/// Where nobody counts, its calls burn nothing and are cut off by nobody.
#[test]
fn a_guest_of_a_brought_version_runs_without_a_meter() {
    let unmetered = CallLimits {
        fuel: None,
        ..CallLimits::default()
    };
    let sandbox = Sandbox::new(unmetered).expect("wasmtime runs here");
    let mut library = Library::new(sandbox.speaking(few::contract()));
    let digest = library.add(few()).expect("it is a component");
    let ports = MemoryPorts::new(tools("a").to_string(), BEGIN);
    let started = ports.started(ExecutionId::random(), digest.parse().expect("a digest"));
    let instance = library.instance(&digest).expect("it is a guest");
    let mut execution = InMemoryExecution::start(instance, ports, started).expect("it begins");
    assert_eq!(execution.take_fuel_burnt(), 0);
    let outcome = execution.complete("a", "{}").expect("it decides");
    assert_eq!(outcome.expect("it has an item").status, Status::Completed);
}
