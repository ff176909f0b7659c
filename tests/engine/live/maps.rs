//! Maps (rule R21) in a whole engine: over each store, with retries, failures and a
//! person who mends them.

use std::sync::Arc;

use refrain::model::Status;
use refrain::{WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, log, start, wait_for};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// A map over `input.items`, with these fields and this policy besides.
fn map(mut fields: Value, policy: &str) -> Value {
    fields["type"] = "map".into();
    fields["over"] = "state.items".into();
    fields["body"] = json!({ "type": "tool", "tool_ref": "double" });
    json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "list",
        "nodes": {
            "list": { "kind": { "type": "model", "model_ref": "m", "prompt_ref": "p" } },
            "double": { "kind": fields, "retry_policy": policy },
        },
        "edges": [{ "from": "list", "to": "double" }],
    })
}

/// The element and the index that an instance is given.
fn element(item: &WorkItem) -> (u64, u64) {
    let payload: Value = serde_json::from_str(&item.payload).expect("a payload is JSON");
    let number = |name: &str| payload["input"][name].as_u64().expect("a number");
    (number("item"), number("index"))
}

#[tokio::test]
async fn r21_every_element_is_worked_on_and_the_log_is_what_the_guest_decides() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let items: Vec<u64> = (0..200).map(|number| number * 3).collect();
        let list = json!({ "items": items });
        engine.work("model", move |_: WorkItem| {
            let list = list.clone();
            async move { Ok(list) }
        });
        engine.work("tool", |item: WorkItem| async move {
            let (element, index) = element(&item);
            assert_eq!(element, index * 3);
            match index % 50 {
                7 => Err(WorkError::permanent("no")),
                _ => Ok(json!(element * 2)),
            }
        });
        let fields = json!({ "tolerate": { "failures": 4 }, "output_key": "doubled" });
        let execution = start(&engine, &map(fields, "no_retry")).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        let state: Value = serde_json::from_str(end.final_state.as_str()).expect("JSON");
        let doubled = (0..200).map(|index| match index % 50 {
            7 => Value::Null,
            _ => json!(index * 6),
        });
        assert_eq!(state["doubled"], doubled.collect::<Value>());
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r20_a_failed_map_is_retried_and_its_instances_begin_a_fresh_budget() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("model", |_: WorkItem| async {
            Ok(json!({ "items": [0, 1, 2, 3] }))
        });
        let begun = Arc::new(Notify::new());
        engine.work("tool", move |item: WorkItem| {
            let begun = Arc::clone(&begun);
            async move {
                match (element(&item).1, item.attempt) {
                    (1, 1) => {
                        begun.notified().await;
                        Err(WorkError::permanent("not yet"))
                    }
                    // It is cancelled as its map fails.
                    (2, 1) => {
                        begun.notify_one();
                        std::future::pending().await
                    }
                    (index, attempt) => Ok(json!([index, attempt])),
                }
            }
        });
        // Holds the execution open.
        let mut workflow = map(json!({ "max_concurrent": 2 }), "no_retry");
        workflow["nodes"]["open"] =
            json!({ "kind": { "type": "human_approval", "description": "?" } });
        workflow["edges"]
            .as_array_mut()
            .expect("edges")
            .push(json!({ "from": "list", "to": "open" }));
        let execution = start(&engine, &workflow).await;
        wait_for(&execution, "node_cancelled double[2]", 1).await;
        execution
            .retry("double", None)
            .await
            .expect("it has failed");
        wait_for(&execution, "node_settled double", 1).await;
        execution.skip("open", None).await.expect("it waits");
        let end = execution.finished().await.expect("it ends");
        let expected = r#"{"double":[[0,1],[1,2],[2,2],[3,1]],"items":[0,1,2,3]}"#;
        assert_eq!(end.final_state.as_str(), expected);
        assert!(
            log(&execution)
                .await
                .iter()
                .any(|line| line.contains("map_expanded double"))
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}
