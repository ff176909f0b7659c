//! What a log says of its nodes, read without its guest, is what the guest says of them.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::model::NodeState;
use refrain::replay::nodes::Nodes;
use refrain::replay::{Travel, from_export};
use refrain_tests::golden::sets;

#[test]
fn nodes_read_from_a_log_are_where_the_guest_has_them() -> Result<()> {
    let mut compared = 0;
    for set in sets()? {
        let mut library = Library::new(Sandbox::new(CallLimits::default())?);
        library.add(set.component()?)?;
        for entry in &set.logs {
            let text = set.text(entry)?;
            let recording = from_export(text.as_bytes(), &entry.name)?;
            let recording = Arc::new(recording.ok().context("it can be read")?);
            let mut travel = Travel::open(Arc::clone(&recording), library.clone())?;
            let mut nodes = Nodes::default();
            for stored in &recording.events {
                let sequence = stored.event.sequence;
                let Some(read) = nodes.apply(&stored.event) else {
                    continue;
                };
                travel.go(sequence)?;
                let told = travel.explain(&read.id)?.state;
                // Whether a loop goes on after this child, only its guest knows.
                let is_loop = read.child && read.state == NodeState::Completed;
                ensure!(
                    read.state == told || is_loop && told == NodeState::Ready,
                    "{}, behind event {sequence}: {} is {:?}, and the guest says {told:?}",
                    entry.name,
                    read.id,
                    read.state,
                );
                compared += 1;
            }
        }
    }
    ensure!(compared > 300, "{compared}");
    Ok(())
}
