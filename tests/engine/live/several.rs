//! Several engines on one store, and guests that fail.

use std::time::Duration;

use refrain::model::Status;
use refrain::{Approval, Engine, WorkItem, Workflow};
use refrain_tests::engines::{Place, audit_all, engine, log, start, wait_for};
use refrain_tests::wat_guest::WatGuest;
use refrain_tests::workflows::{single, tool, tools};
use serde_json::json;

#[tokio::test]
async fn seed_14_two_engines_share_the_work_and_count_it_once() {
    for place in Place::each() {
        let (one, two) = (engine(&place).await, engine(&place).await);
        for engine in [&one, &two] {
            engine.work("tool", |item: WorkItem| async move {
                Ok(json!({ item.node_id: 1 }))
            });
        }
        let workflow = tools("a -> b, a -> c, b -> d, c -> d").to_string();
        one.register(Workflow::from_json(workflow).expect("JSON"))
            .await
            .expect("valid");
        let mut executions = Vec::new();
        for place in 0..20 {
            let engine = if place % 2 == 0 { &one } else { &two };
            executions.push(
                engine
                    .start("w", "1.0.0", json!({}))
                    .await
                    .expect("it starts"),
            );
        }
        for execution in &executions {
            // The engine that did not start it is asked, too.
            let other = two.execution(execution.id());
            let (here, there) = tokio::join!(execution.finished(), other.finished());
            assert_eq!(here.expect("it ends").status, Status::Completed);
            let state = there.expect("it ends").final_state;
            assert_eq!(state.as_str(), r#"{"a":1,"b":1,"c":1,"d":1}"#);
            assert_eq!(log(execution).await.len(), 14, "each result counts once");
        }
        one.shutdown().await;
        two.shutdown().await;
        audit_all(&place, "");
    }
}

/// Polling is an hour away: what waits for a poll does not end.
#[tokio::test]
async fn an_approval_from_another_engine_is_noticed_without_polling() {
    let place = Place::file();
    let runs = Engine::builder()
        .boxed_store(place.store())
        .fallback_poll(Duration::from_secs(3_600));
    let runs = runs.start().await.expect("the engine starts");
    let approves = engine(&place).await;
    runs.work("tool", |_| async move { Ok(json!({ "paid": true })) });
    let mut workflow =
        single(json!({ "kind": { "type": "human_approval", "description": "Pay?" } }));
    workflow["nodes"]["b"] = tool();
    workflow["edges"] = json!([{ "from": "a", "to": "b" }]);
    let execution = start(&runs, &workflow).await;
    wait_for(&execution, "interrupt_raised a", 1).await;
    let there = approves.execution(execution.id());
    there
        .approve("a", Approval::approved("ada"))
        .await
        .expect("it waits");
    wait_for(&execution, "node_completed b", 1).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
    runs.shutdown().await;
    approves.shutdown().await;
}

#[tokio::test]
async fn law9_a_hostile_guest_stalls_only_its_own_executions() {
    for place in Place::each() {
        // It never ends a step.
        let hostile = WatGuest {
            step: "(loop $again br $again) unreachable",
            ..WatGuest::default()
        };
        let hostile = hostile.component().expect("a component");
        let builder = Engine::builder().boxed_store(place.store()).guest(hostile);
        let (bad, good) = (
            builder.start().await.expect("it starts"),
            engine(&place).await,
        );
        good.work("tool", |_| async move { Ok(json!({})) });
        let workflow = tools("a -> b").to_string();
        good.register(Workflow::from_json(workflow).expect("JSON"))
            .await
            .expect("valid");
        let stalled = bad
            .start("w", "1.0.0", json!({}))
            .await
            .expect("the start is a fact");
        assert_eq!(log(&stalled).await, ["workflow_started", "host_stalled"]);
        assert_eq!(
            stalled.record().await.expect("a record").status,
            Status::Stalled
        );
        let runs = good
            .start("w", "1.0.0", json!({}))
            .await
            .expect("it starts");
        assert_eq!(
            runs.finished().await.expect("it ends").status,
            Status::Completed
        );
        // Law 10: the good engine finds the hostile guest in the store, and asks it.
        let there = good.execution(stalled.id());
        there
            .lift_stall(Some("again"))
            .await
            .expect("it is the host's stall");
        let told = [
            "workflow_started",
            "host_stalled",
            "stall_lifted",
            "host_stalled",
        ];
        assert_eq!(log(&stalled).await, told);
        bad.shutdown().await;
        good.shutdown().await;
    }
}

#[tokio::test]
async fn law9_a_damaged_execution_says_so_and_the_others_go_on() {
    let event = "UPDATE events SET plain = x'00' WHERE sequence = 2";
    let lease = "UPDATE items SET state = 'leased', worker_id = 'w', fence = 1, expires_at = 0";
    // What the log itself holds against is a mark; nothing is appended to it.
    for (case, damage, tampered) in [
        ("an event, before a claim", vec![event], Some(2)),
        (
            "an event, before a lease's end",
            vec![event, lease],
            Some(2),
        ),
        ("an item", vec!["UPDATE items SET attempt = 2"], None),
        ("a lease that no claim made", vec![lease], None),
    ] {
        let place = Place::file();
        let first = engine(&place).await;
        let damaged = start(&first, &tools("a -> b")).await.id();
        first.shutdown().await;
        change(&place, &damage);

        let second = engine(&place).await;
        second.work("tool", |_| async move { Ok(json!({})) });
        let whole = second.start("w", "1.0.0", json!({})).await;
        let whole = whole.expect("it is not held up");
        let end = tokio::time::timeout(Duration::from_secs(20), whole.finished()).await;
        let end = end.unwrap_or_else(|_| panic!("{case}: the others are held up"));
        assert_eq!(end.expect("it ends").status, Status::Completed, "{case}");
        let record = second.execution(damaged).record().await.expect("a record");
        let marked = record.tampering.map(|found| found.sequence);
        assert_eq!(marked, tampered, "{case}");
        match marked {
            Some(_) => assert_eq!(record.head.sequence, 2, "{case}"),
            None => assert_eq!(record.status, Status::Stalled, "{case}"),
        }
        second.shutdown().await;
    }
}

/// Change the database by hand.
fn change(place: &Place, statements: &[&str]) {
    let Place::File(folder) = place else {
        panic!("only a file can be changed by hand");
    };
    let database = rusqlite::Connection::open(folder.path().join("refrain.db"));
    let database = database.expect("the database opens");
    for statement in statements {
        database
            .execute(statement, [])
            .expect("the statement is right");
    }
}
