//! What a log says of its execution and its nodes, read without its guest, is what the guest
//! says of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::model::{Event, NodeState};
use refrain::names;
use refrain::replay::nodes::Nodes;
use refrain::replay::timeline::Timeline;
use refrain::replay::{LogStore, Travel, from_export};
use refrain::store::Reader;
use refrain_tests::golden::sets;
use serde_json::Value;

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

#[test]
fn an_execution_read_from_a_log_has_the_status_that_the_guest_gives_it() -> Result<()> {
    let mut seen = BTreeSet::new();
    for set in sets()? {
        let mut library = Library::new(Sandbox::new(CallLimits::default())?);
        library.add(set.component()?)?;
        for entry in &set.logs {
            let text = set.text(entry)?;
            let recording = from_export(text.as_bytes(), &entry.name)?;
            let recording = recording.ok().context("it can be read")?;
            let id = recording.execution_id;
            let mut travel = Travel::open(Arc::new(recording.clone()), library.clone())?;
            for sequence in 1..=recording.head.sequence {
                let first = recording
                    .clone()
                    .until(sequence)
                    .context("so many events")?;
                let mut store = LogStore::new(Arc::new(first), &entry.name);
                let record = store.execution(id)?.context("a beginning")?;
                travel.go(sequence)?;
                let told: Value = travel.inspect()?.state.parse()?;
                let read = names::status(record.status);
                ensure!(
                    told["status"] == read && record.tampering.is_none(),
                    "{}, behind event {sequence}: it is {read}, and the guest says {}; {:?}",
                    entry.name,
                    told["status"],
                    record.tampering,
                );
                seen.insert(read);
                let events = store.events(id, 1, u32::MAX)?;
                ensure!(
                    events[..] == recording.events[..events.len()],
                    "{}",
                    entry.name
                );
                ensure!(
                    events.len() as u64 == sequence.min(1024),
                    "{}",
                    events.len()
                );
            }
            ensure!(recording.clone().until(0).is_none());
            ensure!(
                recording
                    .clone()
                    .until(recording.head.sequence + 1)
                    .is_none()
            );
        }
    }
    ensure!(seen.len() == 6, "{seen:?}");
    Ok(())
}

#[test]
fn the_time_of_nodes_and_the_critical_path_lie_within_the_execution() -> Result<()> {
    let (mut spans, mut steps) = (0, 0);
    for set in sets()? {
        for entry in &set.logs {
            let text = set.text(entry)?;
            let recording = from_export(text.as_bytes(), &entry.name)?;
            let recording = recording.ok().context("it can be read")?;
            let events: Vec<&Event> = recording.events.iter().map(|it| &it.event).collect();
            let timeline = Timeline::of(&events, &recording.workflow, None);
            let name = &entry.name;
            for track in &timeline.tracks {
                let mut before = timeline.from;
                for span in &track.spans {
                    ensure!(
                        before <= span.from && span.from < span.until,
                        "{name}: {track:?}"
                    );
                    before = span.until;
                    spans += 1;
                }
                ensure!(before <= timeline.until, "{name}: {track:?}");
            }
            let mut before = timeline.from;
            for step in &timeline.critical_path {
                ensure!(
                    before + step.held_ms == step.from && step.from <= step.until,
                    "{name}: {:?}",
                    timeline.critical_path
                );
                before = step.until;
                steps += 1;
            }
            ensure!(before <= timeline.until, "{name}: {before}");
        }
    }
    ensure!(spans > 100 && steps > 50, "{spans} {steps}");
    Ok(())
}
