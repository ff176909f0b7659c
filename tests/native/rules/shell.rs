//! The shell: what it does when the world is not as it should be.

use refrain_guest::contract::{
    EventKind, ExecutionId, ItemDigest, RefusalCode, SchedulerError, StallAuthor, Status,
    StorageError,
};
use refrain_guest::notation::facts;
use refrain_guest::shell::Scheduler;
use refrain_tests::notation::{Action, EXECUTION, Graph, Memory, play, step};

use super::failing_world::{FailingWorld, Failures};

/// Event 1 stands, and nothing has been decided.
fn started() -> Memory {
    let graph = Graph::read(["a -> b"]).expect("a graph");
    let mut world = Memory::new(&graph, 0);
    world.append_fact(world.start(&graph));
    world
}

fn fact(world: &Memory, action: &str) -> EventKind {
    let action = Action::read(action).expect("an action");
    facts(world, &action).expect("a fact").remove(0)
}

fn refusal(error: &SchedulerError) -> &str {
    match error {
        SchedulerError::Illegal(illegal) => &illegal.reason,
        other => panic!("an illegal event was expected, not {other:?}"),
    }
}

#[test]
fn law3_a_step_that_the_world_does_not_take_leaves_nothing_in_the_scheduler() {
    let failed = || StorageError::Failed("the disk is gone".to_owned());
    let rows: [(Failures, SchedulerError); 8] = [
        (
            Failures {
                load_workflow: Some(failed()),
                ..Failures::default()
            },
            SchedulerError::Storage(failed()),
        ),
        (
            Failures {
                load_snapshot: Some(failed()),
                ..Failures::default()
            },
            SchedulerError::Storage(failed()),
        ),
        (
            Failures {
                read_events: Some(failed()),
                ..Failures::default()
            },
            SchedulerError::Storage(failed()),
        ),
        (
            Failures {
                append_events: Some(StorageError::Conflict(7)),
                ..Failures::default()
            },
            SchedulerError::Storage(StorageError::Conflict(7)),
        ),
        (
            Failures {
                append_events: Some(failed()),
                ..Failures::default()
            },
            SchedulerError::Storage(failed()),
        ),
        (
            Failures {
                order: Some(Err("no such queue".to_owned())),
                ..Failures::default()
            },
            SchedulerError::Queue("no such queue".to_owned()),
        ),
        (
            Failures {
                order: Some(Ok(Vec::new())),
                ..Failures::default()
            },
            SchedulerError::Queue(
                "1 work items were enqueued, and the queue answered 0 digests".to_owned(),
            ),
        ),
        (
            Failures {
                order: Some(Ok(vec![ItemDigest::default(); 2])),
                ..Failures::default()
            },
            SchedulerError::Queue(
                "1 work items were enqueued, and the queue answered 2 digests".to_owned(),
            ),
        ),
    ];
    for (failures, expected) in rows {
        let mut scheduler = Scheduler::new();
        let mut failing = FailingWorld::new(started(), failures);
        let failure = step(&mut failing, &mut scheduler, Vec::new());
        assert_eq!(failure, Err(expected));

        // The host commits nothing of the step, and asks again.
        let mut world = FailingWorld::sound(started());
        let outcome = step(&mut world, &mut scheduler, Vec::new()).expect("a step");
        assert_eq!(
            (outcome.status, outcome.last_sequence, outcome.more),
            (Status::Running, 2, false)
        );
        assert_eq!(world.world.in_flight(), ["a"]);
        assert_eq!(world.loads().1, 1, "it was forgotten");
    }
}

/// The host offered facts, and did not append them; it did not say so either.
#[test]
fn law10_what_was_not_appended_is_not_remembered() {
    let mut scheduler = Scheduler::new();
    let mut world = started();
    step(&mut world, &mut scheduler, Vec::new()).expect("a step");
    let kept = world.clone();
    let pause = fact(&world, "pause");
    let paused = step(&mut world, &mut scheduler, vec![pause]).expect("a step");
    assert_eq!(paused.status, Status::Paused);

    let mut world = kept;
    let outcome = step(&mut world, &mut scheduler, Vec::new()).expect("a step");
    assert_eq!(
        (outcome.status, outcome.last_sequence),
        (Status::Running, 2)
    );
}

#[test]
fn law1_a_log_that_is_shorter_or_longer_than_it_is_said_to_be_is_refused() {
    let mut world = started();
    let longer = Scheduler::new().step(&mut world, EXECUTION, 2, Vec::new());
    let longer = longer.expect_err("there is no event 2");
    assert_eq!(
        refusal(&longer),
        "it is not in the log, whose last event is said to be 2"
    );
    step(&mut world, &mut Scheduler::new(), Vec::new()).expect("a step");
    let shorter = Scheduler::new().step(&mut world, EXECUTION, 1, Vec::new());
    let conflict = StorageError::Conflict(2);
    assert_eq!(shorter, Err(SchedulerError::Storage(conflict)));
}

#[test]
fn law7_facts_are_refused_one_by_one_with_a_code() {
    let mut world = started();
    let mut scheduler = Scheduler::new();
    step(&mut world, &mut scheduler, Vec::new()).expect("a step");
    let facts = vec![
        fact(&world, "unpause"),
        fact(&world, "complete nobody"),
        fact(&world, "claim a"),
        fact(&world, "claim a"),
        EventKind::WorkflowTimedOut,
        fact(&world, "complete a fence=7"),
        fact(&world, "signal k [1"),
        fact(&world, "pause"),
        fact(&world, "pause"),
        fact(&world, "lift"),
    ];
    let outcome = step(&mut world, &mut scheduler, facts).expect("a step");
    let refused: Vec<_> = outcome
        .refused
        .iter()
        .map(|it| (it.index, it.code))
        .collect();
    assert_eq!(
        refused,
        [
            (0, RefusalCode::NotHeld),
            (1, RefusalCode::UnknownNode),
            (3, RefusalCode::WrongState),
            (4, RefusalCode::WrongAuthor),
            (5, RefusalCode::Stale),
            (6, RefusalCode::Malformed),
            (8, RefusalCode::Repeated),
            (9, RefusalCode::NotHeld),
        ]
    );
    assert_eq!((outcome.last_sequence, outcome.status), (4, Status::Paused));
    assert!(outcome.refused.iter().all(|it| !it.message.is_empty()));
}

#[test]
fn law4_event_1_must_bind_this_execution_and_this_workflow() {
    type Change = fn(&mut EventKind);
    let changes: [(Change, &str); 8] = [
        (
            |kind| *kind = EventKind::WorkflowTimedOut,
            "event 1 must be workflow_started",
        ),
        (
            |kind| change(kind, |start| start.execution_id = "exec_2".to_owned()),
            "it starts exec_2",
        ),
        (
            |kind| change(kind, |start| start.workflow_digest = "0".repeat(64)),
            "the registered text is another one",
        ),
        (
            |kind| change(kind, |start| start.workflow_version = "2.0.0".to_owned()),
            "the workflow at hand is w 1.0.0",
        ),
        (
            |kind| change(kind, |start| start.initial_input = "{".to_owned()),
            "the initial input is not JSON",
        ),
        (
            |kind| change(kind, |start| start.seed = 1 << 53),
            "its seed has more than 53 bits",
        ),
        (
            |kind| change(kind, |start| start.priority = 10),
            "its priority is more than 9",
        ),
        (
            |kind| {
                change(kind, |start| {
                    start.parent = Some(refrain_guest::contract::ParentOrigin {
                        execution_id: "exec_2".to_owned(),
                        node_id: "a".to_owned(),
                        attempt: 1,
                        iteration: 0,
                        sequence: 2,
                        root: "exec_2".to_owned(),
                        depth: 1,
                    });
                });
            },
            "its parent names no event that asks for a child",
        ),
    ];
    for (change, why) in changes {
        let mut world = started();
        let mut first = world.events.remove(0);
        change(&mut first.kind);
        let mut scheduler = Scheduler::new();
        let error = step(&mut world, &mut scheduler, vec![first.kind]).expect_err("no start");
        assert!(refusal(&error).contains(why), "{}", refusal(&error));
        let error = step(&mut world, &mut scheduler, Vec::new()).expect_err("an empty log");
        assert!(
            refusal(&error).contains("the log is empty"),
            "{}",
            refusal(&error)
        );
    }
}

#[test]
fn law4_event_1_may_have_the_greatest_seed_and_priority() {
    let mut world = started();
    let mut first = world.events.remove(0);
    change(&mut first.kind, |start| {
        (start.seed, start.priority) = ((1 << 53) - 1, 9);
    });
    step(&mut world, &mut Scheduler::new(), vec![first.kind]).expect("a start");
}

#[test]
fn law9_who_stalls_an_execution_is_told() {
    let rows = [
        ("0 tick => schedule a", None),
        ("0 stall", Some(StallAuthor::Host)),
        (
            "0 tick => schedule a\n1 fail a => stall a",
            Some(StallAuthor::Policy),
        ),
        (
            "0 tick => schedule a\n1 fail a => stall a\n2 stall",
            Some(StallAuthor::Host),
        ),
        (
            "0 tick => schedule a\n1 fail a => stall a\n2 cancel => cancel a, cancelled",
            None,
        ),
    ];
    for (table, author) in rows {
        let graph =
            "a -> b\npolicy ask {\"max_attempts\":1,\"on_exhausted\":\"pause\"}\na: tool retry=ask";
        let played = play(&format!("{graph}\n{table}"));
        let mut world = played.unwrap_or_else(|error| panic!("{error}")).world;
        let outcome = step(&mut world, &mut Scheduler::new(), Vec::new()).expect("a step");
        assert_eq!(outcome.stalled_by, author, "{table}");
    }
}

fn change(
    kind: &mut EventKind,
    change: impl FnOnce(&mut refrain_guest::contract::WorkflowStarted),
) {
    if let EventKind::WorkflowStarted(start) = kind {
        change(start);
    }
}

#[test]
fn law1_a_log_with_a_gap_is_named_by_its_sequence() {
    let mut world = started();
    step(&mut world, &mut Scheduler::new(), Vec::new()).expect("a step");
    world.events[1].sequence = 3;
    let error = Scheduler::new()
        .inspect(&mut world, EXECUTION)
        .expect_err("a gap");
    assert!(matches!(&error, SchedulerError::Illegal(illegal) if illegal.sequence == 3));
    assert_eq!(refusal(&error), "the next sequence is 2, not 3");
}

#[test]
fn law10_a_damaged_snapshot_is_not_missed() {
    for damage in [
        (|state: &mut Vec<u8>| state.truncate(state.len() - 1)) as fn(&mut Vec<u8>),
        |state| state[40] ^= 1,
        |state| state.truncate(3),
        Vec::clear,
    ] {
        let mut world = started();
        let mut scheduler = Scheduler::new();
        let mut snapshot = scheduler
            .snapshot(&mut world, EXECUTION)
            .expect("a snapshot");
        damage(&mut snapshot.state);
        world.snapshot = Some(snapshot);
        scheduler.forget(EXECUTION);
        let outcome = step(&mut world, &mut scheduler, Vec::new());
        let without = step(&mut started(), &mut Scheduler::new(), Vec::new());
        assert_eq!(
            outcome.expect("the log is read instead"),
            without.expect("a step")
        );
    }
}

#[test]
fn law10_a_snapshot_of_another_execution_is_not_believed() {
    let mut world = started();
    let snapshot = Scheduler::new()
        .snapshot(&mut world, EXECUTION)
        .expect("a snapshot");
    world.snapshot = Some(snapshot);
    let error = Scheduler::new()
        .step(&mut world, ExecutionId { high: 0, low: 2 }, 1, Vec::new())
        .expect_err("another execution's log");
    assert!(matches!(error, SchedulerError::Illegal(_)), "{error:?}");
}

/// What is asked for is what has not been seen: of a log that goes on in the
/// same turn nothing, of one that others have written to that page, and of a
/// workflow that another execution has brought nothing.
#[test]
fn law10_only_what_has_not_been_seen_is_asked_for() {
    let graph = Graph::read(["a -> b"]).expect("a graph");
    let mut world = FailingWorld::sound(Memory::new(&graph, 0));
    let mut scheduler = Scheduler::new();

    let start = world.world.start(&graph).kind;
    let begun = step(&mut world, &mut scheduler, vec![start]).expect("a step");
    assert_eq!((begun.last_sequence, world.loads()), (2, (1, 0, 0)));

    let pause = fact(&world.world, "pause");
    world.world.append_fact(world.world.fact(pause));
    let paused = step(&mut world, &mut scheduler, Vec::new()).expect("a step");
    assert_eq!((paused.status, world.loads()), (Status::Paused, (1, 0, 1)));

    scheduler.forget(EXECUTION);
    step(&mut world, &mut scheduler, Vec::new()).expect("a step");
    assert_eq!(world.loads(), (1, 1, 2));
}
