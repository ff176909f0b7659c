//! A cursor over golden logs: whichever way it comes to a place, its guest says the same
//! there as one that has seen nothing but the events before it.

use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, ensure};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::digest::work_item_digest;
use refrain::model::{Event, EventKind, Origin};
use refrain::replay::{
    Conditions, Origins, Player, Recording, Seek, Travel, TravelError, from_export,
};
use refrain_tests::golden::sets;

/// All golden logs with what their travel needs.
pub(crate) fn all() -> Result<Vec<(String, Arc<Recording>, Library)>> {
    let mut all = Vec::new();
    for set in sets()? {
        let mut library = library()?;
        library.add(set.component()?)?;
        for entry in &set.logs {
            let text = set.text(entry)?;
            let recording = from_export(text.as_bytes(), &entry.name)?;
            let recording = recording.ok().context("it can be read")?;
            all.push((entry.name.clone(), Arc::new(recording), library.clone()));
        }
    }
    ensure!(!all.is_empty(), "there are no golden logs");
    Ok(all)
}

fn library() -> Result<Library> {
    Ok(Library::new(Sandbox::new(CallLimits::default())?))
}

fn events(recording: &Recording) -> Vec<Event> {
    let events = recording.events.iter();
    events.map(|stored| stored.event.clone()).collect()
}

#[test]
fn the_way_to_a_place_changes_nothing() -> Result<()> {
    for (name, recording, mut library) in all()? {
        let last = recording.events.len();
        let mut travel = Travel::open(Arc::clone(&recording), library.clone())?;
        ensure!(travel.sequence() == last as u64, "it begins at the end");
        let mut backwards = Vec::new();
        while travel.sequence() > 0 {
            backwards.push(travel.inspect()?);
            travel.back();
        }
        ensure!(matches!(travel.inspect(), Err(TravelError::Nothing)));
        let mut forwards = Vec::new();
        while travel.step().is_some() {
            forwards.push(travel.inspect()?);
        }
        backwards.reverse();
        ensure!(forwards == backwards, "{name}");
        let digest = recording.guests().last().context("a guest")?;
        let mut player = Player::new(&mut library, &digest, Arc::clone(&recording))?;
        player.reveal_all();
        ensure!(forwards.last() == Some(&player.inspect()?), "{name}");
    }
    Ok(())
}

#[test]
fn another_cursor_says_the_same_on_another_thread() -> Result<()> {
    for (name, recording, library) in all()? {
        let mut travel = Travel::open(recording, library)?;
        travel.go(travel.last() / 2 + 1)?;
        let (place, expected) = (travel.sequence(), travel.inspect()?);
        let mut other = travel.another();
        let found = thread::spawn(move || -> Result<_> {
            let found = (other.sequence(), other.inspect()?);
            other.go(1)?;
            other.inspect()?;
            Ok(found)
        });
        travel.back();
        travel.inspect()?;
        let found = found.join().ok().context("it ends")??;
        ensure!(found == (place, expected), "{name}");
        ensure!(travel.sequence() == place - 1, "{name}");
    }
    Ok(())
}

#[test]
fn law2_the_next_step_is_the_batch_that_stands_there() -> Result<()> {
    let mut batches = 0;
    for (name, recording, library) in all()? {
        let all = events(&recording);
        let mut travel = Travel::open(recording, library)?;
        let mut place = 1;
        while let Some(next) = all.get(place) {
            if next.origin == Origin::Fact {
                place += 1;
                continue;
            }
            travel.go(place as u64)?;
            let step = travel.next_step(next.at)?;
            ensure!(!step.decisions.is_empty(), "{name}, {place}");
            let end = place + step.decisions.len();
            ensure!(
                step.decisions == all[place..end],
                "{name}, {place}: {step:?}"
            );
            batches += 1;
            place = end;
        }
        travel.go(travel.last())?;
        let ended = travel.event().is_some_and(|event| event.kind.is_terminal());
        let step = travel.next_step(travel.at());
        ensure!(
            !ended || step?.decisions.is_empty(),
            "{name}: ended is ended"
        );
    }
    ensure!(batches > 100, "{batches}");
    Ok(())
}

#[test]
fn each_item_is_found_again_by_its_digest() -> Result<()> {
    let mut items = 0;
    for (name, recording, library) in all()? {
        let all = events(&recording);
        let mut travel = Travel::open(recording, library)?;
        for event in &all {
            let (node, attempt, digest) = match &event.kind {
                EventKind::NodeScheduled(it) => (&it.node_id, it.attempt, it.item_digest),
                EventKind::RetryScheduled(it) => (&it.node_id, it.attempt, it.item_digest),
                _ => continue,
            };
            travel.go(event.sequence)?;
            let item = Origins::of(&mut travel)
                .item(node, attempt)?
                .context("it was ordered")?;
            ensure!(
                work_item_digest(&item) == digest,
                "{name}, {}",
                event.sequence
            );
            ensure!(travel.sequence() == event.sequence, "the cursor stays");
            items += 1;
        }
        ensure!(Origins::of(&mut travel).item("nobody", 1)?.is_none());
    }
    ensure!(items > 100, "{items}");
    Ok(())
}

#[test]
fn r10_a_value_comes_from_the_event_that_set_it_last() -> Result<()> {
    let mut origins = 0;
    for (name, recording, library) in all()? {
        let last = recording.events.len() as u64;
        let mut travel = Travel::open(recording, library)?;
        let state: serde_json::Map<String, serde_json::Value> = travel.state()?.parse()?;
        for key in state.keys() {
            let value = travel.value(key)?;
            let origin = Origins::of(&mut travel).state_key(key)?;
            ensure!(travel.sequence() == last, "the cursor stays");
            let origin = origin.with_context(|| format!("{name}: {key} comes from nowhere"))?;
            travel.go(origin.sequence)?;
            ensure!(travel.value(key)? == value, "{name}: {key}");
            travel.back();
            ensure!(travel.value(key)? != value, "{name}: {key} was so before");
            // And nothing behind it has changed it.
            travel.go(origin.sequence)?;
            ensure!(travel.next(Seek::Key(key))?.is_none(), "{name}: {key}");
            travel.go(last)?;
            origins += 1;
        }
        ensure!(Origins::of(&mut travel).state_key("nothing")?.is_none());
    }
    ensure!(origins > 30, "{origins}");
    Ok(())
}

#[test]
fn what_is_looked_for_is_found_in_both_directions() -> Result<()> {
    for (name, recording, library) in all()? {
        let all = events(&recording);
        let node = all.iter().find_map(|event| match &event.kind {
            EventKind::NodeScheduled(it) => Some(it.node_id.clone()),
            _ => None,
        });
        let node = node.unwrap_or_default();
        let mut travel = Travel::open(recording, library)?;
        for seek in [Seek::Decision, Seek::Fact, Seek::Failure, Seek::Node(&node)] {
            travel.go(0)?;
            let mut forwards = Vec::new();
            while let Some(sequence) = travel.next(seek)? {
                forwards.push(sequence);
            }
            travel.go(travel.last())?;
            let mut backwards = Vec::new();
            if forwards.last() == Some(&travel.last()) {
                backwards.push(travel.last());
            }
            while let Some(sequence) = travel.previous(seek)? {
                backwards.push(sequence);
            }
            backwards.reverse();
            ensure!(forwards == backwards, "{name}: {seek:?}");
            let of_log = all.iter().filter(|event| match seek {
                Seek::Decision => event.origin == Origin::Decision,
                Seek::Fact => event.origin == Origin::Fact,
                _ => false,
            });
            let of_log: Vec<u64> = of_log.map(|event| event.sequence).collect();
            ensure!(of_log.is_empty() || of_log == forwards, "{name}: {seek:?}");
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_travelled_is_told() -> Result<()> {
    let (_, recording, library) = all()?.into_iter().next().context("a log")?;
    let mut travel = Travel::open(Arc::clone(&recording), library.clone())?;
    let last = travel.last();
    let error = travel.go(last + 1).expect_err("there is no such event");
    ensure!(
        error.to_string().contains(&format!("has {last} events")),
        "{error}"
    );
    ensure!(travel.sequence() == last, "it stays");
    let mut headless = Recording::clone(&recording);
    headless.events.remove(0);
    let error = Travel::open(Arc::new(headless), library.clone()).expect_err("no beginning");
    ensure!(matches!(error, TravelError::NoBeginning(_)), "{error}");
    // A forged fact is told where it stands, and what is before it can be seen.
    let mut forged = Recording::clone(&recording);
    let place = forged.events.len() - 1;
    forged.events[place].event.kind = EventKind::WorkflowTimedOut;
    let mut travel = Travel::open(Arc::new(forged), library)?;
    let error = travel.inspect().expect_err("it may not stand there");
    ensure!(matches!(error, TravelError::Call { .. }), "{error}");
    travel.back();
    travel.inspect()?;
    Ok(())
}

/// Conditions about a key, and one that reads keys by a computed name.
fn conditions(key: &str) -> [String; 3] {
    [
        format!("state.{key} != null"),
        format!("state.{key} == 1 || state.{key} == true"),
        format!("size(state[\"{key}\"]) > 1"),
    ]
}

/// The places behind which a condition holds, and does not one event before: each place
/// asked by itself.
fn rising(travel: &mut Travel, condition: &str) -> Result<Vec<u64>> {
    let mut rising = Vec::new();
    let mut held = false;
    for place in 1..=travel.last() {
        travel.go(place)?;
        let holds = Conditions::of(travel).holds(condition)?;
        if holds && !held {
            rising.push(place);
        }
        held = holds;
    }
    Ok(rising)
}

#[test]
fn r8_a_condition_is_found_wherever_it_comes_to_hold() -> Result<()> {
    let (mut asked, mut found) = (0, 0);
    for (name, recording, library) in all()? {
        let mut travel = Travel::open(recording, library)?;
        let state: serde_json::Value = serde_json::from_str(travel.state()?.as_str())?;
        let keys = state.as_object().into_iter().flat_map(|it| it.keys());
        let is_word =
            |key: &&String| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic());
        for key in keys.filter(is_word).take(2) {
            for condition in conditions(key) {
                let expected = rising(&mut travel, &condition)?;
                travel.go(0)?;
                let mut on = Vec::new();
                while let Some(place) = Conditions::of(&mut travel).next(&condition)? {
                    ensure!(travel.sequence() == place, "{name}: {condition}");
                    on.push(place);
                }
                ensure!(
                    on == expected,
                    "{name}: {condition}: {on:?}, not {expected:?}"
                );
                travel.go(travel.last())?;
                let mut back = Vec::new();
                if expected.last() == Some(&travel.last()) {
                    back.push(travel.last());
                }
                while let Some(place) = Conditions::of(&mut travel).previous(&condition)? {
                    back.push(place);
                }
                back.reverse();
                ensure!(
                    back == expected,
                    "{name}: {condition}: {back:?}, not {expected:?}"
                );
                (asked, found) = (asked + 1, found + expected.len());
            }
        }
    }
    ensure!(asked > 50 && found > 25, "{asked} asked, {found} found");
    Ok(())
}

#[test]
fn r8_a_condition_that_is_none_is_refused_and_the_place_stays() -> Result<()> {
    let (name, recording, library) = all()?.into_iter().next().context("a log")?;
    let mut travel = Travel::open(recording, library)?;
    travel.go(2)?;
    let refused = Conditions::of(&mut travel).next("state. ==");
    ensure!(
        matches!(refused, Err(TravelError::Condition { .. })),
        "{name}: {refused:?}"
    );
    ensure!(travel.sequence() == 2);
    Ok(())
}
