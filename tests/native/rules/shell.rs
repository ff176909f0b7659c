//! The shell: what it does when the world is not as it should be.

use refrain_guest::contract::{
    AppendError, Event, EventKind, SchedulerError, Snapshot, Status, WorkItem,
};
use refrain_guest::notation::facts;
use refrain_guest::shell::{Scheduler, World};
use refrain_guest::time::Timestamp;
use refrain_tests::notation::{Action, EXECUTION, Graph, Memory};

/// A world that refuses what it is told to.
struct Refusing {
    world: Memory,
    append: Option<AppendError>,
    queue: Option<String>,
}

impl World for Refusing {
    fn load_workflow(&mut self) -> String {
        self.world.load_workflow()
    }

    fn load_snapshot(&mut self) -> Option<Snapshot> {
        self.world.load_snapshot()
    }

    fn read_events(&mut self, first: u64, max: u32) -> Vec<Event> {
        self.world.read_events(first, max)
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), AppendError> {
        match self.append.take() {
            Some(error) => Err(error),
            None => self.world.append_events(expected, events),
        }
    }

    fn now(&mut self) -> Timestamp {
        self.world.now()
    }

    fn enqueue(&mut self, item: &WorkItem) -> Result<(), String> {
        match self.queue.take() {
            Some(reason) => Err(reason),
            None => self.world.enqueue(item),
        }
    }

    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        self.world.cancel(node_id, attempt)
    }
}

fn started() -> Memory {
    let graph = Graph::read(["a -> b"]).expect("a graph");
    let mut world = Memory::new(&graph, 0);
    world.append_fact(world.start(&graph));
    world
}

fn refusal(error: &SchedulerError) -> &str {
    match error {
        SchedulerError::Illegal(illegal) => &illegal.reason,
        other => panic!("an illegal event was expected, not {other:?}"),
    }
}

#[test]
fn law3_a_tick_that_the_world_refuses_leaves_nothing_in_the_scheduler() {
    let refusals = [
        (
            Some(AppendError::Conflict(7)),
            None,
            SchedulerError::Append(AppendError::Conflict(7)),
        ),
        (
            None,
            Some("no such queue".to_owned()),
            SchedulerError::Queue("no such queue".to_owned()),
        ),
    ];
    for (append, queue, expected) in refusals {
        let mut scheduler = Scheduler::new();
        let mut refusing = Refusing {
            world: started(),
            append,
            queue,
        };
        assert_eq!(scheduler.tick(&mut refusing, EXECUTION, 1), Err(expected));

        // The host commits nothing of the refused tick, and asks again.
        let mut world = started();
        let outcome = scheduler.tick(&mut world, EXECUTION, 1).expect("a tick");
        assert_eq!(
            (outcome.status, outcome.last_sequence, outcome.more),
            (Status::Running, 2, false)
        );
        assert_eq!(world.in_flight(), ["a"]);
    }
}

#[test]
fn law4_event_1_must_bind_this_execution_and_this_workflow() {
    type Change = fn(&mut EventKind);
    let changes: [(Change, &str); 5] = [
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
    ];
    for (change, why) in changes {
        let mut world = started();
        let mut first = world.events.remove(0);
        change(&mut first.kind);
        let mut scheduler = Scheduler::new();
        let error = scheduler
            .admit(&mut world, EXECUTION, &first)
            .expect_err("an illegal start");
        assert!(refusal(&error).contains(why), "{}", refusal(&error));
        let error = scheduler
            .tick(&mut world, EXECUTION, 0)
            .expect_err("an empty log");
        assert!(
            refusal(&error).contains("the log is empty"),
            "{}",
            refusal(&error)
        );
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
    Scheduler::new()
        .tick(&mut world, EXECUTION, 1)
        .expect("a tick");
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
        let outcome = scheduler
            .tick(&mut world, EXECUTION, 1)
            .expect("the log is read instead");
        let without = Scheduler::new()
            .tick(&mut started(), EXECUTION, 1)
            .expect("a tick");
        assert_eq!(outcome, without);
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
        .tick(&mut world, "exec_00000000000000000000000000000002", 1)
        .expect_err("another execution's log");
    assert!(matches!(error, SchedulerError::Illegal(_)), "{error:?}");
}

/// A world that counts what it is asked for.
struct Counting {
    world: Memory,
    workflows: u32,
    snapshots: u32,
    pages: u32,
}

impl World for Counting {
    fn load_workflow(&mut self) -> String {
        self.workflows += 1;
        self.world.load_workflow()
    }

    fn load_snapshot(&mut self) -> Option<Snapshot> {
        self.snapshots += 1;
        self.world.load_snapshot()
    }

    fn read_events(&mut self, first: u64, max: u32) -> Vec<Event> {
        self.pages += 1;
        self.world.read_events(first, max)
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), AppendError> {
        self.world.append_events(expected, events)
    }

    fn now(&mut self) -> Timestamp {
        self.world.now()
    }

    fn enqueue(&mut self, item: &WorkItem) -> Result<(), String> {
        self.world.enqueue(item)
    }

    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        self.world.cancel(node_id, attempt)
    }
}

/// What is asked for is what has not been seen: of a log that goes on in the
/// same turn nothing, of one that others have written to that page, and of a
/// workflow that another execution has brought nothing.
#[test]
fn law10_only_what_has_not_been_seen_is_asked_for() {
    let graph = Graph::read(["a -> b"]).expect("a graph");
    let mut world = Counting {
        world: Memory::new(&graph, 0),
        workflows: 0,
        snapshots: 0,
        pages: 0,
    };
    let mut scheduler = Scheduler::new();
    let asked = |world: &Counting| (world.workflows, world.snapshots, world.pages);

    let start = world.world.start(&graph);
    let begun = scheduler.admit(&mut world, EXECUTION, &start);
    assert!(begun.expect("a start").more);
    world.world.append_fact(start);
    let ticked = scheduler.tick(&mut world, EXECUTION, 1).expect("a tick");
    assert_eq!((ticked.last_sequence, asked(&world)), (2, (1, 0, 0)));

    let action = Action::read("pause").expect("an action");
    let pause = facts(&world.world, &action).expect("a fact").remove(0);
    let pause = world.world.fact(pause);
    world.world.append_fact(pause);
    let ticked = scheduler.tick(&mut world, EXECUTION, 3).expect("a tick");
    assert_eq!((ticked.status, asked(&world)), (Status::Paused, (1, 0, 1)));

    scheduler.forget(EXECUTION);
    scheduler.tick(&mut world, EXECUTION, 3).expect("a tick");
    assert_eq!(asked(&world), (1, 1, 2));
}

#[test]
fn an_id_that_is_none_is_refused() {
    let mut world = started();
    let error = Scheduler::new()
        .tick(&mut world, "exec_1", 1)
        .expect_err("no id");
    assert!(
        refusal(&error).contains("`exec_1` is no execution id"),
        "{}",
        refusal(&error)
    );
}
