//! A log that diverges becomes a small one that diverges in the same way, and says nothing
//! of those who wrote the first.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use refrain::guest::{CallLimits, InMemoryExecution, Library, MemoryPorts, Sandbox};
use refrain::id::ExecutionId;
use refrain::log::export::{ExportWriter, Header};
use refrain::log::{Head, StoredEvent, kind_name};
use refrain::model::{
    Event, EventKind, ExternalEventReceived, NodeFailed, NodeReleased, NodeStarted, Origin,
};
use refrain::replay::{
    Audit, Auditor, DivergenceCode, MinimizeError, Minimized, Recording, Verdict, Written,
    from_export, minimize,
};
use refrain_guest::strategies::{History, histories, workflows};
use refrain_tests::chained::follow;
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::memory_ports::across;
use refrain_tests::wat_guest::WatGuest;
use refrain_tests::workflows::tools;
use refrain_tests::{notation, runner};
use serde_json::{Value, json};

/// The scheduler of this program, one with another rule, and one that crashes.
struct Guests {
    library: Library,
    ours: String,
    other: String,
    crashing: String,
}

impl Guests {
    fn new() -> Self {
        let mut library =
            Library::new(Sandbox::new(CallLimits::default()).expect("wasmtime runs here"));
        let other = library.add(DIVERGENT.committed().expect("it is committed"));
        let crashing = library.add(WatGuest::default().component().expect("it is one"));
        Self {
            ours: library.built_in().to_owned(),
            other: other.expect("it is a component"),
            crashing: crashing.expect("it is a component"),
            library,
        }
    }

    fn minimize(&mut self, log: &Recording, asked: &str) -> Result<Minimized, MinimizeError> {
        minimize(&mut self.library, log, Some(asked), &mut |_| true)
    }

    /// The audit of what is written of this log.
    fn audit(&mut self, log: &Recording, asked: Option<&str>) -> Audit {
        let export = log.export(Vec::new()).expect("a vector takes it");
        let mut auditor = Auditor::new(&mut self.library);
        if let Some(asked) = asked {
            auditor = auditor.with_guest(asked.to_owned());
        }
        let audit = auditor.audit_export(&export[..], "memory");
        audit.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Makes a log of ours smaller, and holds what came of it against what it says of
    /// itself.
    fn smaller(&mut self, log: &Recording, asked: &str) -> Minimized {
        let small = self.minimize(log, asked);
        let small = small.unwrap_or_else(|error| panic!("{error}"));
        assert!(small.is_complete);
        assert_eq!(small.written, Written::ByItsGuest);
        let own = self.audit(&small.recording, None);
        assert_eq!(own.verdict, Verdict::Clean, "{:?}", own.divergence);
        let before = self.audit(log, Some(asked));
        let after = self.audit(&small.recording, Some(asked));
        let code = |audit: &Audit| {
            audit
                .divergence
                .as_ref()
                .map(|it| (it.code, kind_of(&it.expected)))
        };
        assert_eq!(
            (after.verdict, code(&after)),
            (before.verdict, code(&before))
        );
        let places = [&small.audit, &after].map(|it| it.divergence.as_ref().map(|it| it.sequence));
        assert_eq!(places[0], places[1]);
        assert!(small.after.events <= small.before.events);
        small
    }
}

fn kind_of(event: &Option<Value>) -> Option<String> {
    Some(event.as_ref()?["type"].as_str()?.to_owned())
}

/// An execution of this workflow with the scheduler of this program, and whoever works on it.
struct Run(InMemoryExecution);

impl Run {
    fn new(guests: &mut Guests, workflow: &Value, input: &Value) -> Self {
        let ports = MemoryPorts::new(workflow.to_string(), 1_700_000_000_000);
        let mut started = ports.started(ExecutionId::from_bytes([7; 16]), digest(&guests.ours));
        started.initial_input = input.to_string();
        started.by = Some("alice-secret".to_owned());
        let instance = guests.library.instance(&guests.ours).expect("it runs");
        let run = InMemoryExecution::start(instance, ports, started);
        Self(run.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The item that waits longest is claimed and answered so, until none waits.
    fn work(mut self, mut answer: impl FnMut(&str) -> Value) -> Self {
        while let Some(item) = self.0.ports.items.first() {
            let node = item.node_id.clone();
            let claim = NodeStarted::new(&node, "worker-of-alice-secret", item.attempt);
            self.offer(EventKind::NodeStarted(claim));
            let patch = answer(&node).to_string();
            let done = self
                .0
                .ports
                .completion(&node, &patch)
                .expect("it is claimed");
            self.offer(done);
        }
        self
    }

    fn offer(&mut self, fact: EventKind) {
        self.0.ports.now += 10;
        let offered = self.0.offer(fact);
        offered.unwrap_or_else(|error| panic!("{error}"));
    }

    fn log(self) -> Recording {
        let ports = self.0.ports;
        recording(&ports.workflow, ports.events)
    }
}

fn digest(text: &str) -> refrain::model::Digest {
    text.parse().expect("a digest")
}

/// These events as a log, chained anew.
fn recording(workflow: &str, events: Vec<Event>) -> Recording {
    let mut head = Head::default();
    let events = events.into_iter().map(|event| {
        let stored = follow(&head, event);
        head = stored.head();
        stored
    });
    let events: Vec<StoredEvent> = events.collect();
    let EventKind::WorkflowStarted(started) = &events[0].event.kind else {
        panic!("{:?}", events[0])
    };
    let header = Header {
        execution_id: started.execution_id.clone(),
        workflow: workflow.to_owned(),
        guest_digest: started.guest_digest.to_string(),
        head,
        owed_a_step: false,
        erased: None,
        components: Vec::new(),
    };
    let mut export = ExportWriter::new(Vec::new(), &header).expect("a vector takes it");
    for event in &events {
        export.event(event).expect("a vector takes it");
    }
    let export = export.finish().expect("a vector takes it");
    let reading = from_export(&export[..], "memory").expect("it can be read");
    reading.expect("it is whole")
}

/// The smaller log is a table that our scheduler plays, and says what it decides.
fn plays(small: &Minimized) {
    match &small.table {
        Ok(table) => notation::check(table),
        Err(why) => panic!("there is no table: {why}"),
    }
}

/// A long chain, and a fan behind it: only there two are ready at once.
fn chain(nodes: usize, end: &str) -> Value {
    let name = |n: usize| format!("secret_step_{n:05}");
    let edges = (1..nodes).map(|n| format!("{} -> {}", name(n - 1), name(n)));
    let mut edges: Vec<String> = edges.collect();
    edges.push(end.replace('<', &name(nodes - 1)));
    tools(&edges.join(", "))
}

/// A workflow, its input, and how it is worked on.
type Long = (&'static str, Value, Value, fn(Run) -> Run);

fn worked_on(run: Run) -> Run {
    run.work(|node| json!({ node: "secret answer" }))
}

/// Where the first step was tried, given back and signalled at so often that the log is long.
fn much_ado(mut run: Run) -> Run {
    let item = run.0.ports.items[0].clone();

    for n in 0..1_200 {
        let key = format!("secret key {n}");
        run.offer(EventKind::ExternalEventReceived(
            ExternalEventReceived::new(key, "{}"),
        ));
    }
    for attempt in 1..=600 {
        for is_last in [false, true] {
            let claim = NodeStarted::new(&item.node_id, "secret-worker", attempt);
            run.offer(EventKind::NodeStarted(claim));
            let fence = run.0.ports.last_sequence();
            let mut failed = NodeFailed::new(&item.node_id, attempt, fence, "secret error");
            failed.retryable = true;
            run.offer(match is_last {
                true => EventKind::NodeFailed(failed),
                false => EventKind::NodeReleased(NodeReleased::new(&item.node_id, attempt, fence)),
            });
        }
    }
    worked_on(run)
}

fn long() -> Vec<Long> {
    let of_chain = chain(1_660, "< -> left, < -> right");
    let mut of_map = tools("split -> every, every -> left, every -> right");
    of_map["nodes"]["every"]["kind"] = json!({
        "type": "map", "over": "input.items", "max_concurrent": 1,
        "body": { "type": "tool", "tool_ref": "t" },
    });
    let items: Vec<usize> = (0..1_660).collect();
    let mut of_attempts = tools("again -> left, again -> right");
    of_attempts["nodes"]["again"]["retry_policy"] = json!("often");
    of_attempts["retry_policies"]["often"] = json!({
        "max_attempts": 1_000, "backoff": "fixed", "initial_delay": 0, "jitter": false,
    });
    let secret = json!({ "card": "secret 4111" });
    vec![
        ("chain", of_chain, secret.clone(), worked_on),
        ("map", of_map, json!({ "items": items }), worked_on),
        ("attempts", of_attempts, secret, much_ado),
    ]
}

#[test]
fn a_log_of_5000_events_becomes_one_of_less_than_20() {
    let mut guests = Guests::new();
    for (what, workflow, input, work) in long() {
        let log = work(Run::new(&mut guests, &workflow, &input)).log();
        let other = guests.other.clone();
        let begun = Instant::now();
        let small = guests.smaller(&log, &other);
        println!(
            "{what}: {:?} became {:?}, {} tried in {:?}\n{}",
            small.before,
            small.after,
            small.tried,
            begun.elapsed(),
            small.table.as_deref().unwrap_or_else(|why| why)
        );
        let sizes = (small.before.events, small.after.events);
        assert!(sizes.0 > 4_000 && sizes.1 < 20, "{what}: {sizes:?}");
        plays(&small);
        says_nothing(&small);
    }
}

/// Nothing is left of what people and programs have said.
fn says_nothing(small: &Minimized) {
    let export = small
        .recording
        .export(Vec::new())
        .expect("it can be written");
    let export = String::from_utf8(export).expect("it is text");
    assert!(!export.contains("secret"), "{export}");
}

/// What conditions read stays, and its names do not.
#[test]
fn what_a_condition_reads_is_kept_and_called_otherwise() {
    let mut guests = Guests::new();
    let mut workflow = tools("secret_first -> secret_left, secret_first -> secret_right");
    for edge in workflow["edges"].as_array_mut().expect("a list") {
        edge["condition"] = json!("state.secret_tier == 'secret-gold' && input.secret_limit > 300");
    }
    // Nothing of the shape can be left out, because the other guest fails for what it is.
    let input = json!({ "secret_limit": 5_000, "secret_name": "x" });
    let run = Run::new(&mut guests, &workflow, &input);
    let log = run
        .work(|_| json!({ "secret_tier": "secret-gold", "secret_rest": [1, 2] }))
        .log();
    let other = guests.other.clone();
    let small = guests.smaller(&log, &other);
    says_nothing(&small);
    plays(&small);
}

/// A scheduler that crashes at once needs nothing but a beginning.
#[test]
fn a_log_on_which_a_scheduler_crashes_becomes_the_least_that_it_crashes_on() {
    let mut guests = Guests::new();
    let workflow = tools("a -> b, a -> c, b -> d, c -> d");
    let log = worked_on(Run::new(&mut guests, &workflow, &json!({ "secret": 1 }))).log();
    let crashing = guests.crashing.clone();
    let small = guests.smaller(&log, &crashing);
    let code = small.audit.divergence.as_ref().map(|it| it.code);
    assert_eq!(code, Some(DivergenceCode::GuestFailed));
    assert_eq!(
        (small.after.events, small.after.nodes),
        (2, 1),
        "{:?}",
        small.table
    );
    plays(&small);
}

/// An edit of a log.
type Edit = fn(&mut Vec<Event>);

/// Where the log has what nobody has decided, what is wrong stays in it.
#[test]
fn a_forged_log_becomes_a_small_forged_one() {
    let mut guests = Guests::new();
    let workflow = chain(40, "< -> left, < -> right, left -> last, right -> last");
    let log = worked_on(Run::new(&mut guests, &workflow, &json!({ "secret": 1 }))).log();
    let edits: [(&str, Edit, u64); 5] = [
        (
            "two decisions change places",
            |events| {
                let at = fan(events);
                let (left, right) = events.split_at_mut(at + 1);
                std::mem::swap(&mut left[at].kind, &mut right[0].kind);
            },
            6,
        ),
        (
            "a decision is missing",
            |events| {
                let at = fan(events);
                events.truncate(at + 1);
            },
            6,
        ),
        (
            "a decision that nothing leads to",
            |events| {
                let at = fan(events);
                let kind = events[at].kind.clone();
                events.truncate(at + 2);
                let mut more = events[at].clone();
                more.kind = match kind {
                    EventKind::NodeScheduled(mut it) => {
                        it.node_id = "last".to_owned();
                        EventKind::NodeScheduled(it)
                    }
                    other => panic!("{other:?}"),
                };
                events.push(more);
            },
            8,
        ),
        (
            "a result that nobody asked for",
            |events| {
                let at = fan(events);
                let done = events
                    .iter()
                    .find(|event| matches!(event.kind, EventKind::NodeCompleted(_)));
                let mut again = done.expect("one").clone();
                again.at = events[at].at;
                events.truncate(at + 2);
                events.push(again);
            },
            8,
        ),
        (
            "another digest of an item",
            |events| {
                let at = fan(events);
                if let EventKind::NodeScheduled(it) = &mut events[at].kind {
                    it.item_digest.0[3] ^= 1;
                }
            },
            6,
        ),
    ];
    let ours = guests.ours.clone();
    for (what, edit, events_max) in edits {
        let mut events: Vec<Event> = log.events.iter().map(|it| it.event.clone()).collect();
        edit(&mut events);
        for (event, sequence) in events.iter_mut().zip(1..) {
            event.sequence = sequence;
        }
        let forged = recording(&log.workflow, events);
        let before = guests.audit(&forged, None);
        assert!(!before.verdict.is_good(), "{what}");
        for asked in [None, Some(ours.as_str())] {
            let small = minimize(&mut guests.library, &forged, asked, &mut |_| true);
            let small = small.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(small.written, Written::ByAskedGuest, "{what}");
            let after = guests.audit(&small.recording, None);
            let code = |audit: &Audit| {
                let it = audit.divergence.as_ref().expect("it diverges");
                (audit.verdict, it.code, kind_of(&it.expected))
            };
            assert_eq!(code(&after), code(&before), "{what}");
            assert!(
                small.after.events <= events_max,
                "{what}: {:?}\n{:?}",
                small.after,
                small.table
            );
            says_nothing(&small);
        }
    }
}

/// Where the fan is dispatched.
fn fan(events: &[Event]) -> usize {
    let is_dispatch = |at: usize| matches!(events[at].kind, EventKind::NodeScheduled(_));
    let mut places = 1..events.len() - 1;
    places
        .find(|at| is_dispatch(*at) && is_dispatch(at + 1))
        .expect("a fan")
}

#[test]
fn what_cannot_be_made_smaller_is_refused() {
    let mut guests = Guests::new();
    let workflow = tools("a -> b, a -> c");
    let log = worked_on(Run::new(&mut guests, &workflow, &json!({}))).log();
    let (ours, other) = (guests.ours.clone(), guests.other.clone());
    let refused =
        |guests: &mut Guests, log: &Recording, asked: &str| match guests.minimize(log, asked) {
            Err(error) => error,
            Ok(small) => panic!("{small:?}"),
        };
    let clean = refused(&mut guests, &log, &ours);
    assert!(matches!(clean, MinimizeError::NothingWrong), "{clean:?}");
    let mut changed = log.clone();
    changed.head.hash[0] ^= 1;
    let unsound = refused(&mut guests, &changed, &other);
    assert!(matches!(unsound, MinimizeError::Unsound(_)), "{unsound:?}");
    // One that is cut is another log, which ends earlier.
    let cut = log.until(3).expect("it has three events");
    let nothing = refused(&mut guests, &cut, &other);
    assert!(
        matches!(nothing, MinimizeError::NothingWrong),
        "{nothing:?}"
    );
}

/// It is told how far the search is, and stops when it is told to.
#[test]
fn the_search_ends_when_it_is_told_to() {
    let mut guests = Guests::new();
    let log = worked_on(Run::new(
        &mut guests,
        &chain(30, "< -> left, < -> right"),
        &json!({}),
    ));
    let log = log.log();
    let other = guests.other.clone();
    let mut sizes = Vec::new();
    let small = minimize(&mut guests.library, &log, Some(&other), &mut |progress| {
        sizes.push(progress.size.events);
        progress.tried < 5
    });
    let small = small.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((small.is_complete, small.tried, sizes.len()), (false, 5, 6));
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    let after = guests.audit(&small.recording, Some(&other));
    assert_eq!(after.verdict, Verdict::Divergent);
}

/// Whatever happened: what is left is a log of our scheduler, from which the other one parts
/// in the same way, and a table that ours plays.
#[test]
fn any_history_becomes_a_smaller_one() {
    let guests = RefCell::new(Guests::new());
    let (found, tables) = (RefCell::new(0), RefCell::new(0));
    let tried = runner(150).run(&histories(workflows()), |history| {
        let guests = &mut *guests.borrow_mut();
        let log = played(guests, &history).map_err(TestCaseError::fail)?;
        let other = guests.other.clone();
        let verdicts = [None, Some(other.as_str())].map(|asked| guests.audit(&log, asked).verdict);
        if verdicts != [Verdict::Clean, Verdict::Divergent] {
            return Ok(());
        }
        let small = guests.smaller(&log, &other);
        *found.borrow_mut() += 1;
        prop_assert!(small.after.events < 30, "{:?}", small.table);
        if let Ok(table) = &small.table {
            *tables.borrow_mut() += 1;
            notation::play(table).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    let (found, tables) = (found.into_inner(), tables.into_inner());
    println!("{found} logs, {tables} tables");
    assert!(found > 20 && tables * 10 > found * 9, "{found} {tables}");
}

/// Whatever is decided last of each kind, and is missing in a log or is another's: what is
/// left of that log is as wrong, and small.
#[test]
fn any_forged_history_becomes_a_smaller_one() {
    let guests = RefCell::new(Guests::new());
    let found = RefCell::new(BTreeMap::<&'static str, (u32, u64)>::new());
    let tried = runner(40).run(&histories(workflows()), |history| {
        let guests = &mut *guests.borrow_mut();
        let log = played(guests, &history).map_err(TestCaseError::fail)?;
        if guests.audit(&log, None).verdict != Verdict::Clean {
            return Ok(());
        }
        let mut last = BTreeMap::new();
        for (place, stored) in log.events.iter().enumerate() {
            if stored.event.origin == Origin::Decision {
                last.insert(kind_name(&stored.event.kind), place);
            }
        }
        for (kind, place) in last {
            let mut events: Vec<Event> = log.events.iter().map(|it| it.event.clone()).collect();
            events.truncate(place);
            let forged = recording(&log.workflow, events);
            if guests.audit(&forged, None).verdict == Verdict::Clean {
                // Time had passed before it, and in the log it has not.
                continue;
            }
            let small = minimize(&mut guests.library, &forged, None, &mut |_| true);
            let small = match small {
                Ok(small) => small,
                // A fork is not always what an execution of its own can be.
                Err(MinimizeError::NotReproduced { .. }) if is_fork(&log) => continue,
                Err(error) => return Err(TestCaseError::fail(format!("{kind}: {error}"))),
            };
            let after = guests.audit(&small.recording, None);
            let expected = after
                .divergence
                .as_ref()
                .and_then(|it| kind_of(&it.expected));
            prop_assert_eq!(expected.as_deref(), Some(kind));
            let mut found = found.borrow_mut();
            let (count, most) = found.entry(kind).or_default();
            *count += 1;
            *most = small.after.events.max(*most);
        }
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    let found = found.into_inner();
    println!("kinds, how many, most events of one: {found:?}");
    assert!(found.len() > 10, "{found:?}");
    assert!(found.values().all(|(_, most)| *most <= 20), "{found:?}");
}

fn is_fork(log: &Recording) -> bool {
    let mut kinds = log.events.iter().map(|it| &it.event.kind);
    kinds.any(|kind| matches!(kind, EventKind::ExecutionForked(_)))
}

/// The history with our component: it is offered the same facts in the same turns.
fn played(guests: &mut Guests, history: &History) -> Result<Recording, String> {
    let mut ports = MemoryPorts::new(history.workflow().text(), 0);
    let mut started = None;
    let turns = history.turns().iter().map(|turn| {
        let facts = turn
            .offered()
            .into_iter()
            .map(|fact| ours_in(across(&fact), &guests.ours));
        (turn.at, facts.collect::<Vec<EventKind>>())
    });
    let mut turns: Vec<(u64, Vec<EventKind>)> = turns.collect();
    if let Some((at, facts)) = turns.first_mut() {
        ports.now = *at;
        started = Some(facts.remove(0));
    }
    let Some(EventKind::WorkflowStarted(mut started)) = started else {
        return Err("it does not begin with a start".to_owned());
    };
    started.guest_digest = digest(&guests.ours);
    let instance = guests
        .library
        .instance(&guests.ours)
        .map_err(|error| error.to_string())?;
    let run = InMemoryExecution::start(instance, ports, *started);
    let mut run = run.map_err(|error| error.to_string())?;
    for (at, facts) in turns {
        run.ports.now = at;
        let mut outcome = run.step(&facts).map_err(|error| error.to_string())?;
        while outcome.more {
            outcome = run.step(&[]).map_err(|error| error.to_string())?;
        }
    }
    let events = run.ports.events;
    let is_decided = |event: &Event| event.origin == Origin::Decision;
    if !events.iter().any(is_decided) {
        return Err("nothing is decided in it".to_owned());
    }
    Ok(recording(history.workflow().text(), events))
}

/// The same fact; a child that it names is one of our execution, and so is its scheduler.
fn ours_in(mut fact: EventKind, ours: &str) -> EventKind {
    let parent: ExecutionId = notation::EXECUTION.to_string().parse().expect("an id");
    let child = |node: &str, attempt, iteration| {
        ExecutionId::of_child(parent, node, attempt, iteration).to_string()
    };
    match &mut fact {
        EventKind::ChildStarted(it) => {
            it.child_id = child(&it.node_id, it.attempt, it.iteration);
        }
        EventKind::ChildEnded(it) => it.child_id = child(&it.node_id, it.attempt, it.iteration),
        EventKind::GuestChanged(it) => it.guest_digest = digest(ours),
        _ => {}
    }
    fact
}
