//! Snapshots that cannot be read or do not fit: each is dropped, and the log is read.

use std::num::NonZeroU64;
use std::time::Duration;

use refrain::model::Status;
use refrain::{Approval, Engine};
use refrain_tests::engines::{Place, audit_all, engine, start, wait_for};
use rusqlite::Connection;
use serde_json::json;

/// What becomes of the stored snapshot.
const DAMAGE: [&str; 7] = [
    "state = CAST(x'ff' || substr(state, 2) AS BLOB)",
    "state = x''",
    "sequence = sequence - 1",
    "sequence = -1",
    "head = 'another'",
    "digest = zeroblob(32)",
    "digest = x'00'",
];

/// A snapshot is a cache. An execution whose snapshot is damaged goes on as if it had
/// none; its guest is not to blame, and nobody is told of an error.
#[tokio::test]
async fn law10_an_execution_whose_snapshot_is_damaged_goes_on_by_its_log() {
    let gate = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "before",
        "nodes": {
            "before": {"kind": {"type": "tool", "tool_ref": "t"}},
            "gate": {"kind": {"type": "human_approval", "description": "may it?"}},
            "after": {"kind": {"type": "tool", "tool_ref": "t"}},
        },
        "edges": [{"from": "before", "to": "gate"}, {"from": "gate", "to": "after"}],
    });
    for damage in DAMAGE {
        let place = Place::file();
        let builder = Engine::builder()
            .boxed_store(place.store())
            .events_per_snapshot(NonZeroU64::MIN);
        let first = builder.start().await.expect("it starts");
        first.work("tool", |item| async move { Ok(json!({ item.node_id: 1 })) });
        let execution = start(&first, &gate).await;
        wait_for(&execution, "interrupt_raised gate", 1).await;
        first.shutdown().await;
        let Place::File(folder) = &place else {
            panic!("it is a file");
        };
        let file = Connection::open(folder.path().join("refrain.db")).expect("it opens");
        let changed = file.execute(&format!("UPDATE snapshots SET {damage}"), []);
        assert_eq!(changed.expect("it is done"), 1, "{damage}");

        let second = engine(&place).await;
        second.work("tool", |item| async move { Ok(json!({ item.node_id: 2 })) });
        let execution = second.execution(execution.id());
        let approved = execution.approve("gate", Approval::approved("ada")).await;
        approved.unwrap_or_else(|error| panic!("{damage}: {error}"));
        let end = tokio::time::timeout(Duration::from_secs(20), execution.finished()).await;
        let end = end.unwrap_or_else(|_| panic!("{damage}: it stands still"));
        let end = end.unwrap_or_else(|error| panic!("{damage}: {error}"));
        assert_eq!(end.status, Status::Completed, "{damage}");
        assert!(
            end.final_state.as_str().contains(r#""before":1"#),
            "{damage}"
        );
        second.shutdown().await;
        audit_all(&place, damage);
    }
}
