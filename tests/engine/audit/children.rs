//! What is done to a child's log, and what an audit says that has its parent's too (law
//! 11). Each log is whole in itself: it is chained anew.

use refrain::log::{ChainedEvent, Head, Salt};
use refrain::model::{Digest, Event, EventKind, NodeFailure};
use refrain::replay::{Audit, Auditor, LinkState, Recording, Verdict};
use refrain::store::{ExecutionChange, MemoryStore, Store, Turn};
use refrain::{ExecutionId, WorkItem, Workflow};
use refrain_tests::engines::{Place, engine, library, start};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::linked::{audit_with, changed, recording, started};

/// Two parents, each with its child.
pub(super) async fn families() -> [(Recording, Recording); 2] {
    let place = Place::memory();
    let engine = engine(&place).await;
    engine.work("tool", |item: WorkItem| async move {
        Ok(json!({ item.node_id: item.execution_id }))
    });
    let mut child = tools("a -> b");
    child["workflow_id"] = "child".into();
    let child = Workflow::from_json(child.to_string()).expect("JSON");
    engine.register(child).await.expect("it is valid");
    let mut parent = tools("a -> s");
    parent["nodes"]["s"]["kind"] =
        json!({ "type": "subgraph", "workflow_id": "child", "version": "1.0.0" });
    let mut ids = Vec::new();
    for _ in 0..2 {
        let execution = start(&engine, &parent).await;
        execution.finished().await.expect("it ends");
        ids.push(execution.id());
    }
    let found = [ids[0], ids[1]].map(|id| {
        let child = ExecutionId::of_child(id, "s", 1, 0);
        (recording(&place, id), recording(&place, child))
    });
    engine.shutdown().await;
    found
}

/// The audit of the child's log after this was done to its events.
fn audit(
    parent: &Recording,
    child: &Recording,
    deed: impl FnOnce(&mut Vec<(Event, Salt)>),
) -> Audit {
    let mut child = changed(child, deed);
    if let EventKind::WorkflowStarted(started) = &child.events[0].event.kind {
        child.execution_id = started.execution_id.parse().expect("an id");
    }
    audit_with(parent, &child)
}

fn parent(events: &mut [(Event, Salt)]) -> &mut refrain::model::ParentOrigin {
    started(events).parent.as_mut().expect("it is a child")
}

type Deed = fn(&mut Vec<(Event, Salt)>);

#[tokio::test]
async fn law11_a_child_that_is_not_of_its_parent_is_named() {
    let [(own, child), (other, others)] = families().await;
    let clean = audit(&own, &child, |_| {});
    assert_eq!(clean.verdict, Verdict::Clean, "{:?}", clean.divergence);
    let link = clean.child_of.expect("it is a child");
    assert_eq!((link.link, link.sequence), (LinkState::Linked, 5));

    // Found in the child's log alone.
    let deeds: [(&str, Deed); 6] = [
        ("itself", |events| {
            let own = started(events).execution_id.clone();
            parent(events).execution_id = own;
        }),
        ("another iteration", |events| parent(events).iteration = 1),
        ("another node", |events| {
            parent(events).node_id = "a".to_owned();
        }),
        ("another attempt", |events| parent(events).attempt = 2),
        ("another depth", |events| parent(events).depth = 2),
        ("another root", |events| {
            let root = ExecutionId::from_bytes([7; 16]);
            parent(events).root = root.to_string();
        }),
    ];
    for (what, deed) in deeds {
        for known in [&own, &other] {
            let audit = audit(known, &child, deed);
            assert_eq!(audit.verdict, Verdict::Illegal, "{what}");
        }
    }

    let deeds: [(&str, Deed); 3] = [
        ("another event", |events| parent(events).sequence = 4),
        ("another input", |events| {
            started(events).initial_input = "7".to_owned();
        }),
        ("an edited result", |events| {
            let place = events
                .iter_mut()
                .find_map(|(event, _)| match &mut event.kind {
                    EventKind::NodeCompleted(it) => Some(it),
                    _ => None,
                });
            place.expect("it has one").output = "7".to_owned();
        }),
    ];
    for (what, deed) in deeds {
        let audit = audit(&own, &child, deed);
        assert_eq!(audit.verdict, Verdict::Tampered, "{what}");
        let link = audit.child_of.expect("it is a child");
        assert_eq!(link.link, LinkState::Broken, "{what}");
    }

    // The child of another execution, made out to be this one's.
    let id = child.execution_id.to_string();
    let EventKind::WorkflowStarted(first) = &child.events[0].event.kind else {
        panic!("it starts");
    };
    let origin = first.parent.clone();
    let swapped = audit(&own, &others, |events| {
        started(events).execution_id = id;
        started(events).parent = origin;
    });
    assert_eq!(swapped.verdict, Verdict::Tampered);
    assert_eq!(swapped.child_of.map(|it| it.link), Some(LinkState::Broken));

    let alone = audit(&other, &child, |_| {});
    assert_eq!(alone.verdict, Verdict::Clean);
    assert_eq!(
        alone.child_of.map(|it| it.link),
        Some(LinkState::OriginMissing)
    );
}

/// What its parent was told of a child, edited: found in the parent's log alone where the id
/// is another one's, from the child's where it is the end.
#[tokio::test]
async fn law11_what_a_parent_says_of_its_children_is_held_against_them() {
    let [(own, child), (_, others)] = families().await;
    let id = others.execution_id.to_string();
    let renamed = changed(&own, |events| {
        for (event, _) in events {
            match &mut event.kind {
                EventKind::ChildStarted(it) => it.child_id.clone_from(&id),
                EventKind::ChildEnded(it) => it.child_id.clone_from(&id),
                _ => {}
            }
        }
    });
    let audit = audit_with(&child, &renamed);
    assert_eq!(audit.verdict, Verdict::Illegal);
    let message = audit.divergence.expect("it is told").message;
    assert!(message.contains("is another one's id"), "{message}");

    let retold = changed(&own, |events| {
        for (event, _) in events {
            if let EventKind::ChildEnded(it) = &mut event.kind {
                it.output = Some(r#"{"a":"another"}"#.to_owned());
            }
        }
    });
    let audit = audit_with(&retold, &child);
    assert_eq!(audit.verdict, Verdict::Tampered);
    let message = audit.divergence.expect("it is told").message;
    assert!(message.contains("tells another end"), "{message}");
}

/// The parent's log after it was told of this end of its child.
fn told(parent: &Recording, child: &Recording) -> Recording {
    changed(parent, |events| {
        for (event, _) in events {
            if let EventKind::ChildEnded(it) = &mut event.kind {
                (it.sequence, it.head) = (child.head.sequence, Digest(child.head.hash));
            }
        }
    })
}

/// A child that began otherwise than its parent's guest ordered, and the parent's log told of
/// that child: each log is whole, and its guest decides the same again.
#[tokio::test]
async fn r22_a_child_that_began_otherwise_is_found_from_either_side() {
    let [(own, child), _] = families().await;
    let deeds: [(&str, Deed, &str); 8] = [
        (
            "input",
            |events| started(events).initial_input = "7".to_owned(),
            "another input",
        ),
        (
            "limits",
            |events| started(events).limits.max_concurrent_nodes = 1,
            "other values",
        ),
        (
            "priority",
            |events| started(events).priority = 9,
            "other values",
        ),
        (
            "key",
            |events| started(events).key = Some("k".to_owned()),
            "other values",
        ),
        (
            "by",
            |events| started(events).by = Some("ada".to_owned()),
            "other values",
        ),
        (
            "guest",
            |events| started(events).guest_digest = Digest([7; 32]),
            "other values",
        ),
        (
            "an early start",
            |events| events.iter_mut().for_each(|(event, _)| event.at -= 100_000),
            "before it is asked for",
        ),
        (
            "a late end",
            |events| events.last_mut().expect("it ends").0.at += 100_000,
            "before it was so",
        ),
    ];
    for (what, deed, part) in deeds {
        let forged = changed(&child, deed);
        let parent = told(&own, &forged);
        for (log, at_hand) in [(&parent, &forged), (&forged, &parent)] {
            let audit = audit_with(at_hand, log);
            assert_eq!(
                audit.verdict,
                Verdict::Tampered,
                "{what}: {:?}",
                audit.divergence
            );
            let message = audit.divergence.expect("it is told").message;
            assert!(message.contains(part), "{what}: {message}");
        }
        let alone = audit_with(&parent, &parent);
        assert_eq!(
            alone.verdict,
            Verdict::Clean,
            "{what}: {:?}",
            alone.divergence
        );
    }
}

/// A parent with a body in place that fails, and its child.
async fn failed_family() -> (Recording, Recording) {
    let place = Place::memory();
    let engine = engine(&place).await;
    let end = json!({ "type": "terminate", "status": "failed", "reason": "no money" });
    let body = json!({ "start_node": "x", "nodes": { "x": { "kind": end } } });
    let parent = json!({
        "workflow_id": "parent", "version": "1.0.0", "start_node": "s",
        "nodes": { "s": { "kind": { "type": "subgraph", "body": body }, "retry_policy": "no_retry" } },
    });
    let execution = start(&engine, &parent).await;
    execution.finished().await.expect("it ends");
    let id = execution.id();
    engine.shutdown().await;
    let child = ExecutionId::of_child(id, "s", 1, 0);
    (recording(&place, id), recording(&place, child))
}

#[tokio::test]
async fn r22_the_reason_of_a_child_s_failure_is_the_child_s() {
    let (own, child) = failed_family().await;
    let said = || Some("the customer asked for it".to_owned());
    let retold = changed(&own, |events| {
        for (event, _) in events {
            match &mut event.kind {
                EventKind::ChildEnded(it) => it.error = said(),
                EventKind::NodeExhausted(it) => it.cause = NodeFailure::ChildFailed(said()),
                _ => {}
            }
        }
    });
    for (log, at_hand, verdict) in [
        (&own, &child, Verdict::Clean),
        (&child, &own, Verdict::Clean),
        (&retold, &own, Verdict::Clean),
        (&retold, &child, Verdict::Tampered),
        (&child, &retold, Verdict::Tampered),
    ] {
        let audit = audit_with(at_hand, log);
        assert_eq!(audit.verdict, verdict, "{:?}", audit.divergence);
    }
}

#[tokio::test]
async fn r22_a_body_in_place_has_the_digest_of_its_text() {
    let (own, _) = failed_family().await;
    let other = changed(&own, |events| {
        for (event, _) in events {
            if let EventKind::ChildStarted(it) = &mut event.kind {
                it.workflow_digest = Digest([0; 32]);
            }
        }
    });
    let audit = audit_with(&other, &other);
    assert_eq!(audit.verdict, Verdict::Illegal, "{:?}", audit.divergence);
    let message = audit.divergence.expect("it is told").message;
    assert!(message.contains("another workflow text"), "{message}");
}

/// The parent's audit compares the heads of the children that its store has.
#[tokio::test]
async fn law11_a_parent_whose_child_has_another_end_in_its_store_is_tampered() {
    let place = Place::memory();
    let engine = engine(&place).await;
    let leaf = json!({ "start_node": "x", "nodes": { "x": { "kind": { "type": "parallel" } } } });
    let parent = json!({
        "workflow_id": "parent", "version": "1.0.0", "start_node": "s",
        "nodes": { "s": { "kind": { "type": "subgraph", "body": leaf } } },
    });
    let execution = start(&engine, &parent).await;
    execution.finished().await.expect("it ends");
    let id = execution.id();
    engine.shutdown().await;
    let mut library = library();
    let mut audit = |store: &mut dyn Store| {
        let audit = Auditor::new(&mut library).audit_stored(store, id);
        audit.expect("it can be audited").expect("it is there")
    };
    let whole = audit(place.store().as_mut());
    assert_eq!(whole.verdict, Verdict::Clean, "{:?}", whole.divergence);

    // The same log, told of another head: whole in itself.
    let mut store = place.store();
    let own = recording(&place, id);
    let retold = changed(&own, |events| {
        for (event, _) in events {
            if let EventKind::ChildEnded(it) = &mut event.kind {
                it.head = Digest([7; 32]);
            }
        }
    });
    let mut other = MemoryStore::new();
    other.begin().expect("a turn");
    let mut turn = Turn::default();
    for (log, record) in [
        (retold, store.execution(id)),
        (
            recording(&place, ExecutionId::of_child(id, "s", 1, 0)),
            store.execution(ExecutionId::of_child(id, "s", 1, 0)),
        ),
    ] {
        let mut record = record.expect("read").expect("there");
        record.head = log.head;
        let mut head = Head::default();
        let events = log.events.iter().map(|stored| {
            let event = ChainedEvent::new(&head, stored.event.clone(), stored.salt);
            head = event.head();
            event
        });
        turn.executions.push(ExecutionChange {
            expected: Head::default(),
            events: events.collect(),
            record,
            items: Vec::new(),
        });
    }
    for name in ["parent", "parent/s"] {
        let workflow = store.workflow("default", name, "1.0.0").expect("read");
        turn.workflows.extend(workflow);
    }
    other.commit(&turn).expect("it is written");
    let found = audit(&mut other);
    assert_eq!(found.verdict, Verdict::Tampered, "{:?}", found.divergence);
    let message = found.divergence.expect("it is told").message;
    assert!(message.contains("names another last event"), "{message}");
}
