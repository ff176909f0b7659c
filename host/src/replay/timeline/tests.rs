//! Timelines of logs that are written as tables.

use super::{PathStep, Timeline, Track};
use crate::model::{
    Event, EventKind, InterruptRaised, MapExpanded, NodeCompleted, NodeExhausted, NodeFailed,
    NodeFailure, NodeScheduled, NodeSettled, NodeStarted, Origin, RetryScheduled, TimerCreated,
    WorkflowCompleted,
};

/// The event of a line: its time, what happens, and to which node.
fn event(sequence: u64, line: &str) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    let node_id = words.get(2).copied().unwrap_or_default().to_owned();
    let number = || words[3].parse().expect("a number");
    let kind = match words[1] {
        "schedule" => EventKind::NodeScheduled(NodeScheduled {
            node_id,
            attempt: 1,
            ..NodeScheduled::default()
        }),
        "start" => EventKind::NodeStarted(NodeStarted::new(node_id, "w", 1)),
        "complete" => EventKind::NodeCompleted(NodeCompleted::new(node_id, 1, 1).into()),
        "settle" => EventKind::NodeSettled(NodeSettled {
            node_id,
            ..NodeSettled::default()
        }),
        "fail" => EventKind::NodeFailed(NodeFailed::new(node_id, 1, 1, "no").into()),
        "retry" => EventKind::RetryScheduled(RetryScheduled {
            node_id,
            attempt: 2,
            delay_ms: number(),
            ..RetryScheduled::default()
        }),
        "exhaust" => {
            EventKind::NodeExhausted(NodeExhausted::new(node_id, 1, NodeFailure::LeaseExpired))
        }
        "ask" => EventKind::InterruptRaised(InterruptRaised {
            node_id,
            ..InterruptRaised::default()
        }),
        "wait" => EventKind::TimerCreated(TimerCreated {
            node_id,
            fire_at: Some(number()),
            ..TimerCreated::default()
        }),
        "expand" => EventKind::MapExpanded(MapExpanded {
            node_id,
            count: u32::try_from(number()).expect("a small number"),
        }),
        "end" => EventKind::WorkflowCompleted(WorkflowCompleted::default()),
        other => panic!("{other}"),
    };
    Event {
        sequence,
        at: words[0].parse().expect("a time"),
        origin: Origin::Fact,
        kind,
    }
}

fn spans(track: &Track) -> String {
    let spans = track.spans.iter();
    let spans = spans.map(|it| format!("{} {}-{}", it.activity.word(), it.from, it.until));
    format!("{}: {}", track.id, spans.collect::<Vec<_>>().join(", "))
}

fn step(step: &PathStep) -> String {
    let held = match step.held_ms {
        0 => String::new(),
        held_ms => format!("after {held_ms}: "),
    };
    format!("{held}{} {}-{}", step.node_id, step.from, step.until)
}

/// Checks the spans of all nodes, and the critical path, of this log in a workflow with these
/// edges.
#[track_caller]
fn check(edges: &[(&str, &str)], log: &str, tracks: &[&str], path: &str, now: Option<u64>) {
    let edges = edges
        .iter()
        .map(|(from, to)| serde_json::json!({ "from": from, "to": to }));
    let workflow = serde_json::json!({ "edges": edges.collect::<Vec<_>>() });
    let lines = log.lines().map(str::trim).filter(|line| !line.is_empty());
    let events: Vec<Event> = (1..).zip(lines).map(|(n, line)| event(n, line)).collect();
    let events: Vec<&Event> = events.iter().collect();
    let timeline = Timeline::of(&events, &workflow.to_string(), now);
    let found: Vec<String> = timeline.tracks.iter().map(spans).collect();
    assert_eq!(found, tracks);
    let found: Vec<String> = timeline.critical_path.iter().map(step).collect();
    assert_eq!(found.join("; "), path);
    let held: u64 = timeline.critical_path.iter().map(|it| it.held_ms).sum();
    let spent: u64 = timeline.spent().values().sum();
    assert_eq!(spent + timeline.idle_ms(), timeline.until - timeline.from);
    assert!(timeline.idle_ms() >= held, "{} {held}", timeline.idle_ms());
}

#[test]
fn each_moment_of_a_node_is_one_of_its_states() {
    check(
        &[("a", "b")],
        "0 schedule a
         10 start a
         30 fail a
         30 retry a 50
         90 start a
         120 complete a
         120 ask b
         200 settle b
         200 end",
        &[
            "a: queue 0-10, work 10-30, back_off 30-80, queue 80-90, work 90-120",
            "b: person 120-200",
        ],
        "a 0-120; b 120-200",
        None,
    );
}

#[test]
fn the_path_goes_back_over_the_predecessor_that_ended_last() {
    check(
        &[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")],
        "0 schedule a
         0 start a
         10 complete a
         10 schedule b
         10 schedule c
         10 start b
         10 start c
         20 complete b
         70 complete c
         70 settle d
         70 end",
        &["a: work 0-10", "b: work 10-20", "c: work 10-70", "d: "],
        "a 0-10; c 10-70; d 70-70",
        None,
    );
}

#[test]
fn what_made_room_for_a_node_is_on_the_path_in_the_place_of_its_predecessor() {
    // Only one may be in flight: `c` could begin with `b`, and waits for its end.
    check(
        &[("a", "b"), ("a", "c")],
        "0 schedule a
         0 start a
         10 complete a
         10 schedule b
         10 start b
         40 complete b
         40 schedule c
         40 start c
         50 complete c
         50 end",
        &["a: work 0-10", "b: work 10-40", "c: work 40-50"],
        "a 0-10; b 10-40; c 40-50",
        None,
    );
    // A pause held it: nothing ended when it began.
    check(
        &[("a", "b")],
        "0 schedule a
         0 start a
         10 complete a
         60 schedule b
         60 start b
         70 complete b
         70 end",
        &["a: work 0-10", "b: work 60-70"],
        "a 0-10; after 50: b 60-70",
        None,
    );
}

#[test]
fn in_the_place_of_a_map_stand_the_instances_that_it_waited_for() {
    check(
        &[("m", "z")],
        "0 expand m 3
         0 schedule m[0]
         0 schedule m[1]
         0 start m[0]
         0 start m[1]
         10 complete m[0]
         10 schedule m[2]
         10 start m[2]
         30 complete m[1]
         90 complete m[2]
         90 settle m
         90 schedule z
         95 start z
         99 complete z
         99 end",
        &[
            "m: instances 0-90",
            "m[0]: work 0-10",
            "m[1]: work 0-30",
            "m[2]: work 10-90",
            "z: queue 90-95, work 95-99",
        ],
        "m[0] 0-10; m[2] 10-90; z 90-99",
        None,
    );
}

#[test]
fn what_is_under_way_lasts_until_now() {
    check(
        &[("a", "b")],
        "0 schedule a
         0 start a
         10 complete a
         10 wait b 500",
        &["a: work 0-10", "b: time 10-100"],
        "a 0-10; b 10-100",
        Some(100),
    );
    check(&[], "5 end", &[], "", None);
    check(
        &[("a", "b")],
        "0 schedule a
         0 start a
         10 fail a
         10 exhaust a",
        &["a: work 0-10"],
        "a 0-10",
        None,
    );
}
