//! What wrong hosts answer.

use refrain::model::{Event, EventKind, NodeCompleted, NodeStarted, Origin};
use refrain::store::{ExecutionChange, ItemChange, ItemState, Lease, ListFilter, Store, Turn};
use refrain::{Claim, ClaimId};
use refrain_tests::chained::chained;
use refrain_tests::checkers::{Offer, Receipt};

/// How a host answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Door {
    /// As a right one does.
    #[default]
    Right,
    /// An item that one worker holds is granted to another, too.
    GrantsWhatIsHeld,
    /// No fence is looked at: a stale answer is recorded.
    TakesTheStale,
    /// A stale answer is said to be recorded, and is not.
    FlattersTheStale,
    /// A repeated answer is said to be new.
    CallsItNew,
    /// A recorded answer is said to be stale.
    CallsItStale,
}

/// What this host says of an answer that a right one has judged.
pub(crate) fn answer(
    door: Door,
    mut store: Box<dyn Store>,
    claim: &ClaimId,
    offer: &Offer,
    receipt: Receipt,
) -> Receipt {
    match (door, receipt) {
        (Door::TakesTheStale, Receipt::Stale) => {
            record(store.as_mut(), claim, offer);
            Receipt::Recorded
        }
        (Door::FlattersTheStale, Receipt::Stale) => Receipt::Recorded,
        (Door::CallsItNew, Receipt::AlreadyRecorded) => Receipt::Recorded,
        (Door::CallsItStale, Receipt::Recorded) => Receipt::Stale,
        _ => receipt,
    }
}

/// Writes a completion into the log, no matter who holds the item.
fn record(store: &mut dyn Store, claim: &ClaimId, offer: &Offer) {
    let Offer::Completed { output, .. } = offer else {
        return;
    };
    let mut completed = NodeCompleted::new(&claim.node_id, claim.attempt, claim.fence);
    completed.output.clone_from(output);
    completed.state_patch.clone_from(output);
    append(
        store,
        claim,
        EventKind::NodeCompleted(completed),
        Vec::new(),
    );
}

/// Claim an item that another worker holds.
pub(crate) fn grant_what_is_held(store: &mut dyn Store, worker_id: &str) -> Option<Claim> {
    let all = ListFilter {
        max: 100,
        ..ListFilter::default()
    };
    let executions = store.list(&all).ok()?.found;
    let id = executions.first()?.id;
    let record = store
        .items(id)
        .ok()?
        .found
        .into_iter()
        .find(|record| matches!(record.state, ItemState::Leased(_)))?;
    let fence = executions.first()?.head.sequence + 1;
    let claim = ClaimId {
        execution: id,
        node_id: record.item.node_id.clone(),
        attempt: record.item.attempt,
        fence,
    };
    let started = NodeStarted::new(&claim.node_id, worker_id, claim.attempt);
    let ItemState::Leased(Lease { expires_at, .. }) = record.state else {
        return None;
    };
    let lease = Lease {
        worker_id: worker_id.to_owned(),
        fence,
        expires_at,
        request_id: None,
    };
    let leased = ItemChange::Lease {
        node_id: claim.node_id.clone(),
        lease,
    };
    append(store, &claim, EventKind::NodeStarted(started), vec![leased]);
    Some(Claim {
        id: claim,
        item: record.item,
        workflow_id: executions.first()?.workflow_id.clone(),
        workflow_version: executions.first()?.workflow_version.clone(),
        expires_at,
    })
}

/// A commit of the wrong host's own: one fact, well chained.
fn append(store: &mut dyn Store, claim: &ClaimId, kind: EventKind, items: Vec<ItemChange>) {
    store.begin().expect("nobody else writes");
    let record = store
        .execution(claim.execution)
        .expect("a record")
        .expect("it is there");
    let fact = Event {
        sequence: record.head.sequence + 1,
        at: record.last_at,
        origin: Origin::Fact,
        kind,
    };
    let expected = record.head;
    let stored = chained(&expected, fact);
    let mut record = record;
    record.head = stored.head();
    let change = ExecutionChange {
        expected,
        events: vec![stored],
        record,
        items,
    };
    let turn = Turn {
        executions: vec![change],
        ..Turn::default()
    };
    store.commit(&turn).expect("the store takes it");
}
