//! What is asked for before somebody goes there.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use refrain::guest::{CallLimits, InMemoryExecution, Library, MemoryPorts, Sandbox};
use refrain::id::ExecutionId;
use refrain::log::{ChainedEvent, Head};
use refrain::model::{EventKind, OperatorNote};
use refrain::replay::{Claimed, Recording, Travel};
use serde_json::json;

use super::app::App;
use super::level::Level;
use super::seen::Answer;
use super::tests::{key, logs, said, with, with_level};

/// Nodes of the long log.
const NODES: usize = 300;

/// Steps between two rests, in a log that is longer than what is asked for at once.
const STEPS: usize = 60;

#[test]
fn a_step_about_the_place_of_a_rest_needs_no_guest() -> Result<()> {
    let count = logs(|name| {
        for from in [2, 5, u64::MAX] {
            with(name, |app| {
                app.level_mut().go(from);
                app.level_mut().choose_node_of_event();
                rest(app);
                known(app, "hhlhhhlljhljlhhhhhhhllllllllhllllllllllllll")
                    .with_context(|| format!("{name}, {from}"))
            })?;
        }
        Ok(())
    })?;
    ensure!(count > 30, "{count} logs");
    Ok(())
}

#[test]
fn what_is_kept_of_a_long_log_goes_with_the_place() -> Result<()> {
    let library = Library::new(Sandbox::new(CallLimits::default())?);
    let travel = Travel::open(Arc::new(long_log(&library)?), library)?;
    let last = travel.last();
    ensure!(last > 1000, "{last} events");
    with_level(Level::of(travel, "long".to_owned(), None), |app| {
        rest(app);
        for _ in 0..8 {
            known(app, &"h".repeat(STEPS))?;
            rest(app);
        }
        known(app, &"hhl".repeat(STEPS / 3))?;
        rest(app);
        for _ in 0..8 {
            known(app, &"l".repeat(STEPS))?;
            rest(app);
        }
        Ok(())
    })
}

/// Else the screen would say that it asks until the next key is pressed.
#[test]
fn what_comes_from_ahead_is_news_at_the_place_where_it_is_waited_for() -> Result<()> {
    let library = Library::new(Sandbox::new(CallLimits::default())?);
    let travel = Travel::open(Arc::new(long_log(&library)?), library)?;
    with_level(Level::of(travel, "long".to_owned(), None), |app| {
        ensure!(app.ask(), "the place of the beginning is asked for");
        key(app, 'h');
        ensure!(!app.level().state().1, "the place before is not known yet");
        while !app.level().is_answered_ahead() {
            std::thread::yield_now();
        }
        ensure!(app.ask(), "its answer has come from ahead");
        ensure!(app.level().state().1);
        rest(app);
        ensure!(!app.ask(), "there is nothing new");
        Ok(())
    })
}

#[test]
fn the_node_that_is_kept_is_asked_about_at_all_places() -> Result<()> {
    for name in ["joins", "compensated", "expanded"] {
        with(name, |app| {
            app.level_mut().choose_node_of_event();
            app.ask();
            key(app, 'p');
            rest(app);
            known(app, "hhhhhhllhhhh").context(name)?;
            let kept = app.level().node.clone();
            ensure!(kept.is_some(), "{name}");
            key(app, 'j');
            rest(app);
            known(app, "hhlll").context(name)
        })?;
    }
    Ok(())
}

/// Nobody presses a key until all is known.
fn rest(app: &mut App<'_>) {
    app.ask();
    while app.level_mut().wait() {
        app.ask();
    }
}

/// Presses these keys. Behind each, all is known without asking, and is what a guest says that
/// comes there from the beginning.
fn known(app: &mut App<'_>, keys: &str) -> Result<()> {
    let mut seen = Vec::new();
    for pressed in keys.chars() {
        key(app, pressed);
        let level = app.level();
        let place = level.sequence();
        let is_explained = place == 0 || level.explanation().is_some();
        // Who chooses another node asks about it.
        let is_move = "hl".contains(pressed);
        ensure!(
            !is_move || (level.state().1 && is_explained),
            "{place}, {:?}: {}",
            level.node,
            said(level)
        );
        if !is_move {
            rest(app);
        }
        let level = app.level();
        seen.push((place, level.node.clone(), said(level)));
    }
    let mut travel = app.level().travel.another();
    seen.sort_by_key(|(place, _, _)| *place);
    for (place, node, found) in seen {
        travel.go(place)?;
        let answer = Answer::at(&mut travel, None, node.as_slice());
        let node = node.unwrap_or_default();
        let expected = format!(
            "true {:?} {:?}",
            Some(&*answer.state),
            answer.explanation(&node)
        );
        ensure!(found == expected, "{place}: {found}, not {expected}");
    }
    Ok(())
}

/// The log of a chain, whose nodes put something into the state, with pauses between them.
fn long_log(library: &Library) -> Result<Recording> {
    let name = |n: usize| format!("n{n}");
    let tool = json!({ "kind": { "type": "tool", "tool_ref": "t" } });
    let nodes: serde_json::Map<_, _> = (0..NODES).map(|n| (name(n), tool.clone())).collect();
    let edges = (1..NODES).map(|n| json!({ "from": name(n - 1), "to": name(n) }));
    let edges: Vec<_> = edges.collect();
    let workflow = json!({
        "workflow_id": "long", "version": "1.0.0", "start_node": name(0),
        "nodes": nodes, "edges": edges,
    });
    let workflow = workflow.to_string();
    let id = ExecutionId::from_bytes([7; 16]);
    let ports = MemoryPorts::new(workflow.as_str(), 1_000);
    let started = ports.started(id, library.built_in().parse()?);
    let instance = library.clone().instance(library.built_in())?;
    let mut execution = InMemoryExecution::start(instance, ports, started)?;
    for n in 0..NODES {
        let patch = json!({ format!("key{}", n % 5): n }).to_string();
        let done = execution.complete(&name(n), &patch)?;
        done.context("it has an item")?;
        if n % 3 == 0 && n + 1 < NODES {
            let note = OperatorNote::default();
            execution.offer(EventKind::ExecutionPaused(note.clone()))?;
            execution.offer(EventKind::ExecutionUnpaused(note))?;
        }
    }
    let mut head = Head::default();
    let events = std::mem::take(&mut execution.ports.events);
    let events = events.into_iter().map(|event| {
        let stored = ChainedEvent::new(&head, event, [7; 16]).into_stored();
        head = stored.head();
        stored
    });
    Ok(Recording {
        events: events.collect(),
        execution_id: id,
        head,
        erased: Vec::new(),
        broken_link: None,
        broken_off: None,
        workflow: workflow.into(),
        claimed: Claimed::Header {
            guest_digest: library.built_in().to_owned(),
            owed_a_step: false,
            erased: None,
        },
        components: Vec::new(),
    })
}
