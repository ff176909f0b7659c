//! Another guest's decisions are found: by an audit of a log that it did not
//! write, whichever of the two guests wrote it.

use refrain::guest::{InMemoryExecution, Library, MemoryPorts};
use refrain::id::ExecutionId;
use refrain::model::{Event, EventKind, Origin, Status};
use refrain::replay::{Audit, Auditor, Divergence, Recording, Verdict};
use refrain_tests::chained;
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::engines::library;
use refrain_tests::wat_guest::WatGuest;

/// Two nodes that are ready at once.
const WORKFLOW: &str = r#"{
    "workflow_id": "fork", "version": "1.0.0", "start_node": "start",
    "nodes": {
        "start": { "id": "start", "kind": { "type": "parallel", "branches": ["left", "right"] } },
        "left":  { "id": "left",  "kind": { "type": "tool", "tool_ref": "any" } },
        "right": { "id": "right", "kind": { "type": "tool", "tool_ref": "any" } }
    },
    "edges": []
}"#;

#[test]
fn law2_an_audit_finds_another_guests_decisions() {
    let mut library = library();
    let ours = library.built_in().to_owned();
    let other = library
        .add(DIVERGENT.committed().expect("it is committed"))
        .expect("it is a component");

    for (author, order, stranger) in [
        (&ours, ["left", "right"], &other),
        (&other, ["right", "left"], &ours),
    ] {
        let log = log(&mut library, author);
        assert_eq!(dispatched(&log), order);

        let own = audit(&mut library, &log, author);
        assert_eq!(
            (own.verdict, own.decisions),
            (Verdict::Clean, 4),
            "{:?}",
            own.divergence
        );

        let foreign = audit(&mut library, &log, stranger);
        let divergence = foreign.divergence.expect("the order is another");
        assert_eq!(
            (foreign.verdict, divergence.sequence),
            (Verdict::Divergent, 3),
            "{}",
            divergence.message
        );
        assert!(
            divergence
                .difference
                .iter()
                .any(|difference| difference.pointer.ends_with("/node_id")),
            "{divergence:?}"
        );
        is_one_report(&divergence);
    }
}

/// The same report for people and for programs: what is at the place, the state before, the
/// rule that the guest goes by, and what to do next.
fn is_one_report(divergence: &Divergence) {
    let json = serde_json::to_value(divergence).expect("it is JSON");
    for (pointer, value) in [
        ("/code", "other_decision"),
        ("/rule", "R2"),
        ("/advice", "keep_guest"),
        ("/compared", "guest_with_log"),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value.into()), "{json}");
    }
    let hash = json["state_hash"].as_str().expect("the state is known");
    let text = divergence.to_string();
    for line in [
        "the guest decides otherwise, at event 3\n",
        "\n  the guest decides  {",
        "\n  the log has        {",
        "\n  at \"/node_id\": the guest decides \"",
        "\n  rule: R2\n",
        &format!("\n  state before: {hash}\n"),
        "\n  the guest on node \"",
        "\n  next: leave the execution with its own scheduler",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

/// An auditor goes from log to log with the same instance. This one fails the
/// second time that it is asked, whatever it is asked; a fresh one does not.
#[test]
fn law2_a_fault_is_believed_only_of_a_fresh_guest() {
    let once = |times: u32| {
        WatGuest {
            step: &format!(
                "(global.set $asked (i32.add (global.get $asked) (i32.const 1)))
            (if (i32.gt_u (global.get $asked) (i32.const {times})) (then unreachable))
            (i32.const 128)"
            ),
            rest: "(global $asked (mut i32) (i32.const 0))",
            ..WatGuest::default()
        }
        .component()
        .expect("it is of the contract's world")
    };
    for (times, verdict) in [(1, Verdict::Clean), (0, Verdict::Divergent)] {
        let mut library = library();
        let guest = library.add(once(times)).expect("it is a component");
        let begun = Event {
            sequence: 1,
            at: 1000,
            origin: Origin::Fact,
            kind: started(&guest),
        };
        let export = chained::export(WORKFLOW, [begun]).expect("it is of an execution");
        let mut auditor = Auditor::new(&mut library);
        for _ in 0..3 {
            let audit = auditor.audit_export(export.as_bytes(), "memory");
            let audit = audit.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(audit.verdict, verdict, "{:?}", audit.divergence);
        }
    }
}

/// What this guest makes of the workflow, from its start to its end.
fn log(library: &mut Library, guest: &str) -> Recording {
    let broken = |error: &dyn std::fmt::Display| -> ! { panic!("{error}") };
    let instance = library
        .instance(guest)
        .unwrap_or_else(|error| broken(&error));
    let ports = MemoryPorts::new(WORKFLOW, 1000);
    let started = ports.started(execution(), guest.parse().expect("a digest"));
    let mut run =
        InMemoryExecution::start(instance, ports, started).unwrap_or_else(|error| broken(&error));
    let mut status = Status::Running;
    for item in run.ports.items.clone() {
        let outcome = run.complete(&item.node_id, "{}");
        let outcome = outcome.unwrap_or_else(|error| broken(&error));
        status = outcome.expect("it has an item").status;
    }
    assert_eq!(status, Status::Completed);
    chained::recording(WORKFLOW, run.ports.events).expect("it is of an execution")
}

fn dispatched(log: &Recording) -> Vec<&str> {
    let scheduled = log
        .events
        .iter()
        .filter_map(|stored| match &stored.event.kind {
            EventKind::NodeScheduled(scheduled) => Some(scheduled.node_id.as_str()),
            _ => None,
        });
    scheduled.collect()
}

/// The audit of the log's export, with this guest.
fn audit(library: &mut Library, log: &Recording, guest: &str) -> Audit {
    let export = log.export(Vec::new()).expect("a vector takes it");
    Auditor::new(library)
        .with_guest(guest.to_owned())
        .audit_export(&export[..], "memory")
        .unwrap_or_else(|error| panic!("{error}"))
}

fn execution() -> ExecutionId {
    ExecutionId::from_bytes([7; 16])
}

fn started(guest: &str) -> EventKind {
    let guest = guest.parse().expect("a digest");
    let started = MemoryPorts::new(WORKFLOW, 1000).started(execution(), guest);
    EventKind::WorkflowStarted(Box::new(started))
}
