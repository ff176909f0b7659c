//! A guest decides when, the workflow says what: an order that the workflow does
//! not hold stalls the execution of the guest that gave it.
//!
//! The guests here decide to schedule a node, and order what each row of the
//! table says. They need not know SHA-256: the host answers the digest that a
//! decision must have.

pub(crate) mod logs;

use refrain::model::{EventKind, Status, WorkItem};
use refrain::{Engine, Execution, WorkError, Workflow};
use refrain_tests::engines::{Place, audit_all, log, wait_for};
use refrain_tests::ordering_guest::{
    KIND, TEMPLATES, WORKFLOW, guest, lawful, of_expressions, of_secrets, of_undo, payload, with,
};
use serde_json::json;

/// The execution whose guest ordered this item.
async fn ordered(place: &Place, item: &WorkItem) -> (Engine, Execution) {
    let honest = Engine::builder().boxed_store(place.store()).start().await;
    let honest = honest.expect("the engine starts");
    let workflow = Workflow::from_json(WORKFLOW).expect("JSON");
    honest.register(workflow).await.expect("it is valid");
    honest.shutdown().await;
    let engine = Engine::builder().boxed_store(place.store());
    let engine = engine.guest(guest(item)).start().await;
    let engine = engine.expect("the engine starts");
    let execution = engine.start("w", "1.0.0", json!({})).await;
    (engine, execution.expect("it starts"))
}

/// The guest of this table can order, and what the workflow holds is taken.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_workflow_holds_is_taken() {
    let spelt = format!(" {}", payload("\\u0061", KIND, " "));
    let unreached = with(|item| {
        item.node_id = "b".to_owned();
        item.max_attempts = 1;
        item.queue = "command".to_owned();
        item.payload = payload("b", r#"{"type":"command","argv":["true"]}"#, "");
    });
    let rows = [
        lawful(),
        with(|item| item.payload = spelt),
        // When a node is reached is the guest's to say.
        unreached,
        // What expressions come to, too (rule R29).
        of_expressions(r#"{"type":"command","argv":["echo","Hi ; rm -rf /!",[1]],"cwd":"/tmp"}"#),
        // And when what was done is undone (rule R27).
        of_undo("b!undo", r#"{"type":"http","url":"http://h/7"}"#),
        // A text that is not listed names no secret.
        of_secrets(
            "http://h/${secret.X}",
            "${secret.KEY} $${secret.X}",
            TEMPLATES,
        ),
    ];
    for item in rows {
        let place = Place::memory();
        let (engine, execution) = ordered(&place, &item).await;
        assert_eq!(
            log(&execution).await,
            [
                "workflow_started".to_owned(),
                format!("node_scheduled {}", item.node_id)
            ],
            "{item:?}"
        );
        let items = execution.items().await.expect("items").found;
        assert_eq!(items.len(), 1, "{item:?}");
        assert_eq!(items[0].item.payload, item.payload);
        engine.shutdown().await;
    }
}

/// Each of these items stalls the execution of the guest that orders it, which says what is
/// wrong with it.
async fn stall(table: Vec<(WorkItem, &str)>) {
    for (item, fault) in table {
        let place = Place::memory();
        let (engine, execution) = ordered(&place, &item).await;
        assert_eq!(
            log(&execution).await,
            ["workflow_started", "host_stalled"],
            "{item:?}"
        );
        assert_eq!(
            execution.items().await.expect("items").found,
            [],
            "{item:?}"
        );
        let record = execution.record().await.expect("a record");
        assert_eq!(record.status, Status::Stalled);
        let events = execution.events(2, 1).await.expect("an event");
        match &events[0].event.kind {
            EventKind::HostStalled(stalled) => {
                assert!(
                    stalled.reason.contains(fault),
                    "{fault}: {}",
                    stalled.reason
                );
            }
            other => panic!("{other:?}"),
        }
        engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_queue_or_node_is_none_that_the_workflow_holds() {
    let sh = r#"{"type":"command","argv":["sh","-c","id"]}"#;
    let with_payload = |text: String| with(|item| item.payload = text);
    stall(vec![
        (
            with_payload(payload("a", sh, "")),
            "has a `kind` in its payload",
        ),
        (
            with_payload(payload("a", r#"{"type":"tool","tool_ref":"harmful"}"#, "")),
            "has a `kind` in its payload",
        ),
        (
            with(|item| {
                item.queue = "command".to_owned();
                item.payload = payload("a", sh, "");
            }),
            "is for the queue \"command\", and the node belongs on \"tool\"",
        ),
        (
            with(|item| item.node_id = "b".to_owned()),
            "the node belongs on \"command\"",
        ),
        (
            with_payload(payload("b", KIND, "")),
            "has a `node_id` in its payload",
        ),
        (
            with_payload(payload("a", KIND, &format!(r#","kind":{sh}"#))),
            "duplicate field `kind`",
        ),
        (
            with_payload(payload("a", KIND, &format!(r#","\u006bind":{sh}"#))),
            "duplicate field `kind`",
        ),
        (
            with_payload(format!(r#"["w","1.0.0","a",{KIND},{{}}]"#)),
            "it is a list",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_what_workers_put_in_is_where_the_workflow_has_it() {
    let with_payload = |text: String| with(|item| item.payload = text);
    let listed = |text: &str| format!(r#","templates":["/kind/headers/A","{text}"]"#);
    stall(vec![
        (
            of_secrets(
                "http://h/${secret.X}",
                "${secret.KEY} y",
                &listed("/kind/url"),
            ),
            "has a `templates` in its payload",
        ),
        (
            of_secrets("http://h/", "${secret.KEY} y", &listed("/input")),
            "has a `templates` in its payload",
        ),
        (
            of_secrets("http://h/", "${secret.KEY} y", ""),
            "has a `templates` in its payload",
        ),
        (
            of_secrets("http://h/", "${secret.KEY} ${secret.X}", TEMPLATES),
            "has a `kind` in its payload",
        ),
        (
            of_secrets("http://h/", "${secret.X} y", TEMPLATES),
            "has a `kind` in its payload",
        ),
        (
            with_payload(payload("a", KIND, r#","templates":["/kind/tool_ref"]"#)),
            "has a `templates` in its payload",
        ),
    ])
    .await;
}

/// A literal beside an expression, a text without one, a field more, an argument more, and no
/// value at all.
#[tokio::test(flavor = "multi_thread")]
async fn r29_only_expressions_come_to_something_else() {
    stall(vec![
        (
            of_expressions(r#"{"type":"command","argv":["echo","Bye Zoë!",{}],"cwd":"/tmp"}"#),
            "has a `kind` in its payload",
        ),
        (
            of_expressions(r#"{"type":"command","argv":["rm","Hi Zoë!",{}],"cwd":"/tmp"}"#),
            "has a `kind` in its payload",
        ),
        (
            of_expressions(
                r#"{"type":"command","argv":["echo","Hi Zoë!",{}],"cwd":"/tmp","env":{}}"#,
            ),
            "has a `kind` in its payload",
        ),
        (
            of_expressions(r#"{"type":"command","argv":["echo","Hi Zoë!",{},"-n"],"cwd":"/tmp"}"#),
            "has a `kind` in its payload",
        ),
        (
            of_expressions(r#"{"type":"command","argv":["echo","Hi Zoë!",null],"cwd":"/tmp"}"#),
            "has a `kind` in its payload",
        ),
    ])
    .await;
}

/// It is no other node's, is of no other kind, and is not undone.
#[tokio::test(flavor = "multi_thread")]
async fn r27_what_undoes_a_node_is_its_own() {
    stall(vec![
        (
            of_undo("b!undo", r#"{"type":"http","url":"http://other/7"}"#),
            "has a `kind` in its payload",
        ),
        (
            of_undo("b!undo", r#"{"type":"command","argv":["true"]}"#),
            "has a `kind` in its payload",
        ),
        (
            of_undo("a!undo", r#"{"type":"http","url":"http://h/7"}"#),
            "is of a node that the workflow does not have",
        ),
        (
            of_undo("b!undo!undo", r#"{"type":"http","url":"http://h/7"}"#),
            "is of a node that the workflow does not have",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_priority_and_tenant_are_those_that_the_workflow_holds() {
    stall(vec![
        (with(|item| item.max_attempts = 1000), "until attempt 1000"),
        (
            with(|item| item.priority = 9),
            "is of priority 9, and the node's is 5",
        ),
        (with(|item| item.attempt = 2), "should be of attempt 1"),
        (
            with(|item| item.tenant = "another".to_owned()),
            "is not this execution's",
        ),
    ])
    .await;
}

/// Rule R20: after an operator's retry the attempts are counted from there, and
/// the host knows.
#[tokio::test(flavor = "multi_thread")]
async fn r20_a_fresh_budget_is_taken_where_an_operator_gave_it() {
    for place in Place::each() {
        let engine = Engine::builder().boxed_store(place.store()).start().await;
        let engine = engine.expect("the engine starts");
        let text = WORKFLOW.replace(r#""retry_policy":"no_retry""#, r#""retry_policy":"p""#);
        let own = r#""retry_policies":{"p":{"max_attempts":2,"backoff":"fixed","initial_delay":0,"on_exhausted":"pause"}},"nodes""#;
        let text = text
            .replace(r#""nodes""#, own)
            .replace(r#""start_node":"a""#, r#""start_node":"b""#)
            .replace(r#"{"from":"a","to":"b"}"#, r#"{"from":"b","to":"a"}"#)
            .replace(r#"["true"]"#, r#"["false"]"#);
        engine
            .register(Workflow::from_json(text).expect("JSON"))
            .await
            .expect("it is valid");
        engine.work("command", |_: WorkItem| async move {
            Err::<serde_json::Value, _>(WorkError::retryable("it never works"))
        });
        let execution = engine
            .start("w", "1.0.0", json!({}))
            .await
            .expect("it starts");
        for (round, budget) in [(1, 2), (2, 4), (3, 6)] {
            wait_for(&execution, "stalled b", round).await;
            let items = execution.items().await.expect("items").found;
            let attempts = |it: &WorkItem| (it.attempt, it.max_attempts);
            assert_eq!(attempts(&items[0].item), (budget, budget), "{round}");
            if round < 3 {
                execution.retry("b", None).await.expect("it can be retried");
            }
        }
        engine.shutdown().await;
        audit_all(&place, "after two retries");
    }
}
