//! A guest that answers out of its contract: what it says of a step is held
//! against what it did in it, and a difference is its execution's stall.

use refrain::model::{EventKind, Status, WorkItem};
use refrain::store::ListFilter;
use refrain::{Engine, EngineError, Execution, Workflow};
use refrain_tests::engines::{Place, audit_all, log};
use refrain_tests::ordering_guest::{IMPORTS, decision, lawful, order, payload, with};
use refrain_tests::wat_guest::{TAKE_ALL, WatGuest};
use refrain_tests::workflows::tools;
use serde_json::json;

/// Refuse the facts of these places, of a list at 1100.
pub(super) fn refuse(places: &[u32]) -> String {
    let list = (0..).zip(places);
    let stores: String = list
        .map(|(nth, place)| {
            format!(
                "(i32.store (i32.const {}) (i32.const {place}))",
                1100 + 16 * nth
            )
        })
        .collect();
    format!(
        "{stores} (i32.store (i32.const 1068) (i32.const 1100))
        (i32.store (i32.const 1072) (i32.const {}))",
        places.len()
    )
}

/// The answer that the log ends with this event.
pub(super) fn ends_at(last: &str) -> String {
    format!("(i64.store (i32.const 1040) {last}) (i32.const 1024)")
}

/// Append the decision at 2048 after this event.
pub(super) fn append_after(last: &str) -> String {
    format!(
        "(i64.store (i32.const 2048) (i64.add {last} (i64.const 1)))
        (call $append {last} (i32.const 2048) (i32.const 1) (i32.const 784))"
    )
}

/// `workflow_timed_out` at 2048, with the sequence still to be written.
pub(super) const TIMED_OUT: &str = "(i64.store (i32.const 2056) (call $now))
    (i32.store8 (i32.const 2064) (i32.const 1)) (i32.store8 (i32.const 2072) (i32.const 4))";

/// The digest that the queue answered is written into the decision at 2048.
const NAME_IT: &str = "(memory.copy (i32.const 2104) (i32.load (i32.const 772)) (i32.const 32))";

pub(super) fn component(step: &str, item: &WorkItem) -> Vec<u8> {
    let (_, texts) = order(item);
    let guest = WatGuest {
        imports: IMPORTS,
        step,
        rest: &texts,
        ..WatGuest::default()
    };
    guest.component().expect("a component")
}

async fn engine(place: &Place, guest: Vec<u8>) -> Engine {
    let honest = Engine::builder().boxed_store(place.store()).start().await;
    let honest = honest.expect("the engine starts");
    let workflow = Workflow::from_json(tools("a -> b").to_string()).expect("JSON");
    honest.register(workflow).await.expect("it is valid");
    honest.shutdown().await;
    let engine = Engine::builder().boxed_store(place.store()).guest(guest);
    engine.start().await.expect("the engine starts")
}

async fn stall_of(execution: &Execution) -> String {
    let record = execution.record().await.expect("a record");
    assert_eq!(record.status, Status::Stalled);
    let events = execution.events(1, 100).await.expect("the log");
    let stalls = events
        .iter()
        .rev()
        .find_map(|stored| match &stored.event.kind {
            EventKind::HostStalled(stalled) => Some(stalled.reason.clone()),
            _ => None,
        });
    stalls.expect("it says so")
}

/// The last event before the step, and none.
const ALL: &str = "(local.get $last)";
const NONE: &str = "(i64.const 0)";

fn then(parts: &[&str]) -> String {
    parts.join(" ")
}

/// Each of these steps stalls the execution, and for this reason.
async fn stall(item: &WorkItem, table: Vec<(String, &str)>) {
    for (step, reason) in table {
        let place = Place::memory();
        let engine = engine(&place, component(&step, item)).await;
        let execution = engine.start("w", "1.0.0", json!({})).await;
        let execution = execution.expect("what begins it is taken all the same");
        assert_eq!(
            log(&execution).await,
            ["workflow_started", "host_stalled"],
            "{reason}"
        );
        let said = stall_of(&execution).await;
        assert!(said.contains(reason), "{reason}: {said}");
        assert_eq!(
            execution.items().await.expect("items").found,
            [],
            "{reason}"
        );
        engine.shutdown().await;
        audit_all(&place, reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law3_facts_that_a_step_did_not_get_stall_the_execution() {
    let item = with(|item| item.payload = of_the_workflow());
    let table = vec![
        (
            then(&[&refuse(&[7]), &ends_at(ALL)]),
            "refuses fact 7 out of place",
        ),
        (
            then(&[&refuse(&[0, 0]), &ends_at(NONE)]),
            "refuses fact 0 out of place",
        ),
        (
            // A thousand times fact 0, in memory that is all zeros.
            then(&[
                "(i32.store (i32.const 1068) (i32.const 40000)) (i32.store (i32.const 1072) (i32.const 1000))",
                &ends_at(NONE),
            ]),
            "refuses fact 0 out of place",
        ),
    ];
    stall(&item, table).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law3_another_end_of_the_log_than_the_step_comes_to_stalls_the_execution() {
    let item = with(|item| item.payload = of_the_workflow());
    let table = vec![
        (
            ends_at("(i64.const 6)"),
            "says that the log ends at event 6, and it ends at 1",
        ),
        (
            then(&[TIMED_OUT, &append_after(NONE), &ends_at("(i64.const 2)")]),
            "appended after event 0, and with the facts that it took the log ends at event 1",
        ),
        (
            then(&[TIMED_OUT, &append_after(ALL), &refuse(&[0]), &ends_at(ALL)]),
            "appended after event 1, and with the facts that it took the log ends at event 0",
        ),
        (
            then(&[
                TIMED_OUT,
                &append_after("(i64.const 2)"),
                &ends_at("(i64.const 3)"),
            ]),
            "says that the log ends at event 3, and it ends at 1",
        ),
        (
            then(&["(i32.store8 (i32.const 1064) (i32.const 1))", &ends_at(ALL)]),
            "there is more to be decided, and decides nothing",
        ),
    ];
    stall(&item, table).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law3_a_decision_without_its_order_or_an_order_without_its_decision_stalls_the_execution() {
    let item = with(|item| item.payload = of_the_workflow());
    let (ordered, _) = order(&item);
    let decided = decision(&item);
    let wrong_digest = "(i64.store (i32.const 2104) (i64.const 1))";
    let wrong_queue = "(i32.store (i32.const 2092) (i32.const 3))";
    let cancel =
        "(i32.store8 (i32.const 2200) (i32.const 1)) (i32.store (i32.const 2208) (i32.const 3000))
        (i32.store (i32.const 2212) (i32.const 1)) (i32.store (i32.const 2216) (i32.const 1))
        (call $order (i32.const 2200) (i32.const 1) (i32.const 768))";
    let table = vec![
        (
            then(&[
                &ordered,
                &decided,
                wrong_digest,
                &append_after(ALL),
                &ends_at("(i64.const 2)"),
            ]),
            "was decided with the digest 0000",
        ),
        (
            then(&[
                &ordered,
                &decided,
                NAME_IT,
                wrong_queue,
                &append_after(ALL),
                &ends_at("(i64.const 2)"),
            ]),
            "was decided for another queue than \"tool\"",
        ),
        (
            then(&[
                &decided,
                wrong_digest,
                &append_after(ALL),
                &ends_at("(i64.const 2)"),
            ]),
            "was decided, and its work item not ordered",
        ),
        (
            then(&[&ordered, &ends_at(ALL)]),
            "of node \"a\" was ordered without a decision",
        ),
        (
            then(&[cancel, &ends_at(ALL)]),
            "of node \"a\" was cancelled without a decision",
        ),
    ];
    stall(&item, table).await;
}

fn of_the_workflow() -> String {
    let workflow = tools("a -> b");
    let kind = &workflow["nodes"]["a"]["kind"];
    payload("a", &kind.to_string(), "")
}

/// The item of this table is one that the workflow holds.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_guest_that_keeps_to_the_contract_goes_on() {
    let item = with(|item| item.payload = of_the_workflow());
    let once = format!(
        "(if (i64.eq (local.get $last) (i64.const 1)) (then {} {} {NAME_IT} {} (local.set $last (i64.const 2))))
        {TAKE_ALL}",
        order(&item).0,
        decision(&item),
        append_after("(local.get $last)"),
    );
    let place = Place::memory();
    let engine = engine(&place, component(&once, &item)).await;
    let execution = engine
        .start("w", "1.0.0", json!({}))
        .await
        .expect("it starts");
    assert_eq!(
        log(&execution).await,
        ["workflow_started", "node_scheduled a"]
    );
    engine.shutdown().await;
}

/// More executions than these tests begin.
pub(super) fn a_few() -> ListFilter {
    ListFilter {
        max: 10,
        ..ListFilter::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_take_event_1_starts_nothing() {
    let step = format!("{} {}", refuse(&[0]), ends_at("(i64.const 0)"));
    let place = Place::memory();
    let engine = engine(&place, component(&step, &lawful())).await;
    let started = engine.start("w", "1.0.0", json!({})).await;
    assert!(
        matches!(&started, Err(EngineError::Refused { .. })),
        "{:?}",
        started.err()
    );
    let all = engine.list(a_few()).await;
    assert!(all.expect("a list").found.is_empty());
    engine.shutdown().await;
}

/// The guest fails at a fact: the host stalls the execution, and the fact, which
/// is then offered once more, is not lost. And what a guest decides in an
/// execution that the host stalls is not taken.
#[tokio::test(flavor = "multi_thread")]
async fn law9_a_fact_at_which_the_guest_fails_is_taken_behind_the_stall() {
    // The second event makes it crash; from the fourth on it decides something.
    let step = format!(
        "(if (i64.eq (local.get $last) (i64.const 2)) (then unreachable))
        (if (i64.gt_u (local.get $last) (i64.const 3)) (then
            {TIMED_OUT} {} (local.set $last (i64.add (local.get $last) (i64.const 1)))))
        {TAKE_ALL}",
        append_after("(local.get $last)")
    );
    let place = Place::memory();
    let engine = engine(&place, component(&step, &lawful())).await;
    let execution = engine
        .start("w", "1.0.0", json!({}))
        .await
        .expect("it starts");
    execution.pause(None).await.expect("it is taken");
    let expected = ["workflow_started", "host_stalled", "execution_paused"];
    assert_eq!(log(&execution).await, expected);
    assert!(stall_of(&execution).await.contains("crashed"));
    let refused = execution.unpause(None).await;
    let Err(EngineError::Guest { reason, .. }) = &refused else {
        panic!("{refused:?}")
    };
    assert!(
        reason.contains("decides something while the host stalls the execution"),
        "{reason}"
    );
    assert_eq!(log(&execution).await, expected);
    engine.shutdown().await;
}

/// Law 6: nothing follows an end, not even that the guest fails behind it.
#[tokio::test(flavor = "multi_thread")]
async fn law6_a_guest_that_fails_behind_the_end_stalls_nothing() {
    // It cancels the execution as it begins, and crashes from then on.
    let step = format!(
        "(if (i64.gt_u (local.get $last) (i64.const 1)) (then unreachable))
        {TIMED_OUT} (i32.store8 (i32.const 2072) (i32.const 3)) {}
        (i32.store8 (i32.const 1032) (i32.const 5)) {}",
        append_after("(local.get $last)"),
        ends_at("(i64.const 2)"),
    );
    let place = Place::memory();
    let engine = engine(&place, component(&step, &lawful())).await;
    let execution = engine.start("w", "1.0.0", json!({})).await;
    let execution = execution.expect("it starts");
    let paused = execution.pause(None).await;
    let crashed =
        matches!(&paused, Err(EngineError::Guest { reason, .. }) if reason.contains("crashed"));
    assert!(crashed, "{paused:?}");
    let expected = ["workflow_started", "workflow_cancelled"];
    assert_eq!(log(&execution).await, expected);
    engine.shutdown().await;
}
