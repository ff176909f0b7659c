//! Forks: another execution goes on from a place in a log (law 11).

mod cut;
mod edited;
mod going_on;
mod of_child;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use refrain::replay::{Audit, Auditor, LinkState};
use refrain::store::StoredEvent;
use refrain::{Engine, EngineError, Execution, Fork, Forked, WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, library};
use refrain_tests::workflows::tools;
use serde_json::{Value, json};

/// `n01 -> n02 -> … `, so many.
fn chain(nodes: usize) -> Value {
    let names: Vec<String> = (1..=nodes).map(|number| format!("n{number:02}")).collect();
    let edges: Vec<String> = names.windows(2).map(|pair| pair.join(" -> ")).collect();
    tools(&edges.join(", "))
}

/// Workers that complete everything with `{NODE: true}`, but for this node, at which
/// they fail for good until they are told to be willing.
fn workers(engine: &Engine, fails_at: &'static str) -> Arc<AtomicBool> {
    let willing = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&willing);
    engine.work("tool", move |item: WorkItem| {
        let fails = item.node_id == fails_at && !asked.load(Ordering::SeqCst);
        async move {
            match fails {
                true => Err(WorkError::permanent("not today")),
                false => Ok(json!({ item.node_id: true })),
            }
        }
    });
    willing
}

async fn events(execution: &Execution) -> Vec<StoredEvent> {
    execution.events(1, 1000).await.expect("a log")
}

/// What the audit of an execution says.
fn audit(place: &Place, execution: &Execution) -> Audit {
    let mut library = library();
    let mut store = place.store();
    let audit = Auditor::new(&mut library).audit_stored(store.as_mut(), execution.id());
    audit.expect("it can be audited").expect("it is there")
}

/// Both audit clean, and their logs are linked.
fn are_linked(place: &Place, origin: &Execution, forked: &Forked) {
    audit_all(place, "forks");
    let link = audit(place, &forked.execution).forked_from;
    let link = link.expect("it names its origin");
    assert_eq!(link.link, LinkState::Linked);
    assert_eq!(
        (link.execution_id, link.sequence),
        (origin.id().to_string(), forked.common)
    );
}

async fn refused(engine: &Engine, fork: Fork) -> String {
    match engine.fork(fork).await {
        Ok(forked) => panic!("it was forked at {}", forked.common),
        Err(EngineError::NotForked { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
    }
}
