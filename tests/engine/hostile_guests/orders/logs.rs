//! Logs of hosts that took what they should not have taken.

use refrain::ExecutionId;
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::ChainedEvent;
use refrain::log::digest::{digest, work_item_digest};
use refrain::model::{
    Digest, Event, EventKind, NodeScheduled, Origin, Status, WorkItem, WorkflowStarted,
};
use refrain::replay::{Auditor, Verdict};
use refrain::store::{
    ComponentRecord, ExecutionChange, ExecutionRecord, Head, ItemChange, MemoryStore, Store, Turn,
    WorkflowRecord,
};
use refrain_tests::chained::chained;
use refrain_tests::ordering_guest::{WORKFLOW, guest, lawful, payload, with};

/// A host that took what it should not have taken: an audit says so.
#[test]
fn an_audit_finds_an_order_that_the_workflow_does_not_hold() {
    let sh = r#"{"type":"command","argv":["sh","-c","id"]}"#;
    let table = [
        (lawful(), None),
        (
            with(|item| item.payload = payload("a", sh, "")),
            Some("has a `kind` in its payload"),
        ),
        (
            with(|item| item.max_attempts = 1000),
            Some("until attempt 1000"),
        ),
        (
            with(|item| item.tenant = "another".to_owned()),
            Some("is not this execution's"),
        ),
    ];
    for (item, fault) in table {
        let id = ExecutionId::from_bytes([7; 16]);
        let mut item = item;
        item.execution_id = id.to_string();
        let mut store = MemoryStore::new();
        store.begin().expect("a turn");
        store
            .commit(&taken(id, &item, guest(&item)))
            .expect("it is written");
        let sandbox = Sandbox::new(CallLimits::default()).expect("wasmtime runs here");
        let mut library = Library::new(sandbox);
        let audit = Auditor::new(&mut library).audit_stored(&mut store, id);
        let audit = audit.expect("it can be done").expect("it is there");
        let message = audit.divergence.map(|it| it.message).unwrap_or_default();
        match fault {
            None => assert_eq!(audit.verdict, Verdict::Clean, "{message}"),
            Some(fault) => {
                assert_eq!(audit.verdict, Verdict::Divergent, "{fault}: {message}");
                assert!(
                    message.contains("what the workflow does not hold") && message.contains(fault),
                    "{message}"
                );
            }
        }
    }
}

/// The turn of a host that took this order of this guest.
pub(crate) fn taken(id: ExecutionId, item: &WorkItem, guest: Vec<u8>) -> Turn {
    const AT: u64 = 1_700_000_000_000;
    let guest_digest = digest(&guest);
    let workflow = ("w", "1.0.0", Digest::of(WORKFLOW.as_bytes()));
    let mut started = WorkflowStarted::new(id.to_string(), workflow, Digest::of(&guest));
    started.seed = 7;
    let mut scheduled = NodeScheduled::default();
    scheduled.node_id.clone_from(&item.node_id);
    scheduled.queue.clone_from(&item.queue);
    scheduled.attempt = item.attempt;
    scheduled.item_digest = work_item_digest(item);
    let kinds = [
        (Origin::Fact, EventKind::WorkflowStarted(Box::new(started))),
        (Origin::Decision, EventKind::NodeScheduled(scheduled)),
    ];
    let mut events: Vec<ChainedEvent> = Vec::new();
    for (sequence, (origin, kind)) in (1..).zip(kinds) {
        let head = events.last().map(|last| last.head()).unwrap_or_default();
        let event = Event {
            sequence,
            at: AT,
            origin,
            kind,
        };
        events.push(chained(&head, event));
    }
    let record = ExecutionRecord {
        id,
        workflow_id: "w".to_owned(),
        workflow_version: "1.0.0".to_owned(),
        guest_digest: guest_digest.clone().into(),
        tenant: "default".to_owned(),
        key: None,
        priority: 5,
        status: Status::Running,
        head: events.last().map(|last| last.head()).unwrap_or_default(),
        started_at: AT,
        last_at: AT,
        next_wake: None,
        tampering: None,
        erased: None,
    };
    let items = vec![ItemChange::Enqueue {
        item: item.clone(),
        at: AT,
        lease: None,
    }];
    Turn {
        workflows: vec![WorkflowRecord {
            tenant: "default".to_owned(),
            workflow_id: "w".to_owned(),
            version: "1.0.0".to_owned(),
            text: WORKFLOW.to_owned(),
            digest: digest(WORKFLOW.as_bytes()),
        }],
        components: vec![ComponentRecord {
            digest: guest_digest,
            bytes: guest,
        }],
        executions: vec![ExecutionChange {
            expected: Head::default(),
            events,
            record,
            items,
        }],
        snapshots: Vec::new(),
        erasures: Vec::new(),
        children: Vec::new(),
        outputs: Vec::new(),
        reading: None,
    }
}
