//! What hosts write: simulated time, stalls, another guest, forks.

use anyhow::Result;
use refrain::Start;
use refrain::model::{
    Digest, EventKind, ExecutionForked, ForkOrigin, GuestChanged, HostStalled, OperatorNote,
};
use serde_json::json;

use super::super::hand::Hand;
use super::super::stage::{Props, Stage};
use super::Cast;

pub(super) fn simulated(cast: &Cast<'_>) -> Result<String> {
    let workflow = r#"{"workflow_id":"w","version":"1.0.0","start_node":"a","nodes":{
        "a":{"kind":{"type":"tool","tool_ref":"t"},"labels":{"simulate_ms":"1500"}},
        "b":{"kind":{"type":"wait","condition":"timer","timeout_secs":86400}}},
        "edges":[{"from":"a","to":"b"}]}"#;
    let mut stage = Stage::set(Props {
        tenant: "default",
        library: cast.library,
        seed: cast.seed,
        workflow,
        start: Start::new("w", "1.0.0", json!({})),
        simulated: true,
    })?;
    stage.export()
}

pub(super) fn stalled(cast: &Cast<'_>) -> Result<String> {
    let mut hand = begin(cast)?;
    let stalled = HostStalled::new("the guest ran out of fuel, twice");
    hand.unasked(EventKind::HostStalled(stalled))?;
    let lifted = OperatorNote::new(Some("more fuel".to_owned()));
    hand.unasked(EventKind::StallLifted(lifted))?;
    hand.complete("a")?;
    hand.complete("b")?;
    hand.export()
}

pub(super) fn guest_changed(cast: &Cast<'_>) -> Result<String> {
    let mut hand = begin(cast)?;
    hand.complete("a")?;
    let changed = GuestChanged::new(hand.guest());
    hand.unasked(EventKind::GuestChanged(changed))?;
    hand.complete("b")?;
    hand.export()
}

pub(super) fn forked(cast: &Cast<'_>) -> Result<String> {
    let workflow = super::workflow("a -> b")?;
    let origin = ForkOrigin {
        execution_id: "exec_00000000000000000000000000000001".to_owned(),
        sequence: 4,
        head: Digest([0x9f; 32]),
    };
    let mut hand = Hand::start(
        &mut cast.library.clone(),
        number(cast),
        &workflow,
        |started| {
            started.forked_from = Some(origin);
        },
    )?;
    hand.complete("a")?;
    let mut forked = ExecutionForked::default();
    forked.by = Some("ada".to_owned());
    hand.fact(EventKind::ExecutionForked(forked))?;
    hand.complete("b")?;
    hand.export()
}

fn begin(cast: &Cast<'_>) -> Result<Hand> {
    let workflow = super::workflow("a -> b")?;
    Hand::start(&mut cast.library.clone(), number(cast), &workflow, |_| {})
}

/// A small number for the execution's id.
fn number(cast: &Cast<'_>) -> u8 {
    (cast.seed / 100) as u8
}
