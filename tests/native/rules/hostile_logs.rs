//! Logs that no guest and no honest host wrote: refused at an event or taken,
//! and never a panic.

use std::sync::Arc;

use refrain_guest::apply::{apply, start};
use refrain_guest::contract::{Event, Origin};
use refrain_guest::decide::decide;
use refrain_guest::explain::{Seen, explain};
use refrain_guest::inspect::inspect;
use refrain_guest::time::Timestamp;
use refrain_guest::workflow::Plan;
use refrain_tests::notation::play;
use serde_json::{Value, json};

use crate::rules::laws::{EVENTFUL, planned};

/// Each event dropped, doubled, swapped, of another author, time, sequence,
/// attempt or node, alone and together with a wrong neighbour: refused with its
/// sequence or taken, and always answered.
#[test]
fn law1_no_log_makes_the_machine_panic() {
    no_log_makes_it_panic(EVENTFUL);
}

#[test]
fn law1_r27_no_log_with_compensations_makes_the_machine_panic() {
    no_log_makes_it_panic(UNDONE);
}

/// Maps and children that are undone, with a retry, a timeout and an expression that comes to
/// nothing.
const UNDONE: &str = r#"
    a -> m -> c -> h on failure, h -> d
    policy two {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1,"on_exhausted":"pause"}
    input {"items":["x","y"]}
    a: subgraph undo={"type":"command","argv":["undo","${output.n}"]} timeout=50
    m: map undo={"type":"task","queue":"q","of":"${item}"} retry=two timeout=5
    c: tool retry=no_retry
    h: tool retry=no_retry undo={"type":"http","url":"http://h/${output.never}"}
    d: tool retry=no_retry
    f: finalizer failure
    00000 tick                => request a 1/0
    00010 end a {"n":1}       => expand m 2, schedule m[0], schedule m[1]
    00020 complete m[1] output=1
    00030 complete m[0] {"x":1} output=2 => settle m, schedule c
    00040 fail c              => exhaust c, schedule h
    00050 complete h          => schedule d
    00060 fail d              => exhaust d, exhaust h!undo, schedule m[0]!undo
    00070 claim m[0]!undo
    05070 tick                => timeout m[0]!undo, retry m[0]!undo @6070
    06070 expire m[0]!undo    => exhaust m[0]!undo, schedule m[1]!undo
    06080 retry h!undo; skip m[1]!undo => cancel m[1]!undo by_operator, exhaust h!undo, schedule a!undo
    06090 release a!undo
    06100 pause
    06110 unpause
    06120 complete a!undo {"y":1} => schedule f
    06130 complete f          => failed d
"#;

fn no_log_makes_it_panic(table: &str) {
    let world = play(table).expect("the table holds").world;
    let (plan, digest) = planned(&world);
    let (mut refused, mut taken) = (0, 0);
    let mut read = |log: &[Event]| {
        let applied = start(plan.clone(), &digest, &log[0]).and_then(|mut machine| {
            for event in &log[1..] {
                apply(&mut machine, event)?;
                let _ = decide(&machine, Timestamp(event.at), 1);
            }
            Ok(inspect(&machine))
        });
        match applied {
            Ok(_) => taken += 1,
            Err(illegal) => {
                assert!(
                    log.iter().any(|event| event.sequence == illegal.sequence)
                        && !illegal.reason.is_empty()
                );
                refused += 1;
            }
        }
    };
    let renumbered = |mut log: Vec<Event>| {
        (1..)
            .zip(&mut log)
            .for_each(|(sequence, event)| event.sequence = sequence);
        log
    };
    let events = &world.events;
    for at in 0..events.len() {
        for other in 0..events.len() {
            let mut log = events.clone();
            log[at].kind = events[other].kind.clone();
            log[at].origin = events[other].origin;
            read(&log);
            log.remove(other);
            if !log.is_empty() {
                read(&renumbered(log));
            }
            let mut log = events.clone();
            log.insert(at, events[other].clone());
            read(&log);
            read(&renumbered(log));
        }
        let mut log = events.clone();
        log[at].origin = if log[at].origin == Origin::Fact {
            Origin::Decision
        } else {
            Origin::Fact
        };
        read(&log);
        log[at].at = 0;
        read(&log);
    }
    assert!(
        refused > 1000 && taken > 0,
        "{refused} refused, {taken} taken"
    );
}

/// Each number and text of each event, one after the other, as small, as large
/// and as wrong as its type allows: refused or taken, and always answered.
#[test]
fn law1_no_value_in_a_log_makes_the_machine_panic() {
    no_value_makes_it_panic(EVENTFUL);
}

#[test]
fn law1_r27_no_value_in_a_log_with_compensations_makes_the_machine_panic() {
    no_value_makes_it_panic(UNDONE);
}

fn no_value_makes_it_panic(table: &str) {
    let world = play(table).expect("the table holds").world;
    let (plan, digest) = planned(&world);
    let wrong = [
        json!(0),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(""),
        json!("a"),
        json!("end"),
        json!("{}"),
        json!("[1"),
        json!("\u{0}"),
        json!("m[1]!undo"),
        json!("a!undo!undo"),
        json!(null),
    ];
    let (mut refused, mut taken) = (0, 0);
    for (at, event) in world.events.iter().enumerate() {
        let written = serde_json::to_value(event).expect("an event is written");
        for (pointer, value) in leaves(&written)
            .iter()
            .flat_map(|leaf| wrong.iter().map(move |value| (leaf, value)))
        {
            let mut written = written.clone();
            *written.pointer_mut(pointer).expect("a leaf") = value.clone();
            let Ok(event) = serde_json::from_value::<Event>(written) else {
                continue;
            };
            let mut log = world.events.clone();
            log[at] = event;
            match answered(&plan, &digest, &log) {
                true => taken += 1,
                false => refused += 1,
            }
        }
    }
    assert!(
        refused > 300 && taken > 100,
        "{refused} refused, {taken} taken"
    );
}

/// Whether the whole log is taken; what it leads to is asked for all along.
fn answered(plan: &Arc<Plan>, digest: &str, log: &[Event]) -> bool {
    let Ok(mut machine) = start(plan.clone(), digest, &log[0]) else {
        return false;
    };
    log[1..].iter().all(|event| {
        let _ = decide(&machine, Timestamp(event.at), 1);
        let _ = decide(&machine, Timestamp(u64::MAX), 1);
        for id in ["a", "a!undo", "m[0]!undo"] {
            let _ = explain(&machine, id, &Seen::default());
        }
        apply(&mut machine, event).is_ok()
    })
}

/// The pointers of all values that hold no others.
fn leaves(json: &Value) -> Vec<String> {
    let below = |key: &str, value: &Value| -> Vec<String> {
        leaves(value)
            .into_iter()
            .map(|leaf| format!("/{key}{leaf}"))
            .collect()
    };
    match json {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| below(key, value))
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .flat_map(|(index, value)| below(&index.to_string(), value))
            .collect(),
        _ => vec![String::new()],
    }
}
