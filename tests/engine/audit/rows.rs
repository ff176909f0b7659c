//! What is done to the rows of a store's children, and what the audits of the parent and of
//! the child say; and that an engine does not believe such rows.

use refrain::model::Status;
use refrain::replay::{Audit, Auditor, Verdict};
use refrain::{Approval, Engine, ExecutionId, ManualClock, Steps};
use refrain_tests::engines::{BEGIN, Place, library, rest, start_stepped};
use rusqlite::Connection;
use serde_json::json;

/// A file with a parent, its children, and another execution.
struct Family {
    place: Place,
    clock: ManualClock,
    parent: ExecutionId,
    /// The children that wait for a person; the third one has ended.
    children: [ExecutionId; 3],
    other: ExecutionId,
}

fn open(place: &Place, clock: &ManualClock) -> (Engine, Steps) {
    Engine::builder()
        .boxed_store(place.store())
        .clock(clock.clone())
        .stepped()
        .expect("it can be put together")
}

fn approve((engine, steps): &mut (Engine, Steps), id: ExecutionId) {
    let execution = engine.execution(id);
    let approved = steps.until(execution.approve("x", Approval::approved("p")));
    approved.expect("it is answered").expect("it is taken");
}

impl Family {
    fn new() -> Self {
        let gate = json!({ "type": "human_approval", "description": "?" });
        let body = json!({ "start_node": "x", "nodes": { "x": { "kind": gate } } });
        let map = json!({
            "type": "map", "over": "[1,2,3]", "body": { "type": "subgraph", "body": body },
        });
        let parent = json!({
            "workflow_id": "parent", "version": "1.0.0", "start_node": "m",
            "nodes": { "m": { "kind": map } },
        });
        let other = json!({
            "workflow_id": "other", "version": "1.0.0", "start_node": "x",
            "nodes": { "x": { "kind": gate } },
        });
        let place = Place::file();
        let clock = ManualClock::new(BEGIN);
        let mut host = open(&place, &clock);
        let parent = start_stepped(&host.0, &mut host.1, &parent);
        let other = start_stepped(&host.0, &mut host.1, &other);
        rest(&mut host.1);
        let children = [0, 1, 2].map(|i| ExecutionId::of_child(parent, &format!("m[{i}]"), 1, 0));
        approve(&mut host, children[2]);
        rest(&mut host.1);
        Self {
            place,
            clock,
            parent,
            children,
            other,
        }
    }

    fn sql(&self, sql: &str) {
        let Place::File(folder) = &self.place else {
            panic!("it is a file");
        };
        let file = Connection::open(folder.path().join("refrain.db")).expect("a database");
        file.execute_batch(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn audit(&self, id: ExecutionId) -> Audit {
        let mut library = library();
        let audit = Auditor::new(&mut library).audit_stored(self.place.store().as_mut(), id);
        audit.expect("it can be audited").expect("it is there")
    }

    fn status(&self, id: ExecutionId) -> Status {
        let record = self.place.store().execution(id).expect("read");
        record.expect("there").status
    }
}

#[test]
fn law3_rows_of_children_that_the_logs_contradict_are_named() {
    // What is done to the row of the first child, or of the one that has ended; and whether
    // the child's own audit finds it, too.
    for (sql, is_found_by_child) in [
        ("DELETE FROM children WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET state = 'settled' WHERE node_id = 'm[0]'", false),
        ("UPDATE children SET state = 'cancelled' WHERE node_id = 'm[0]'", false),
        ("UPDATE children SET state = 'ended' WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET state = 'requested', input = '1' WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET state = 'melted' WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET attempt = 2 WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET iteration = 1 WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET sequence = 1 WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET root = child WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET parent = child WHERE node_id = 'm[0]'", true),
        ("UPDATE children SET node_id = 'm' WHERE node_id = 'm[0]'", true),
        (
            "UPDATE children SET node_id = 'm' WHERE node_id = 'm[0]';
             UPDATE children SET node_id = 'm[0]' WHERE node_id = 'm[1]';
             UPDATE children SET node_id = 'm[1]' WHERE node_id = 'm'",
            true,
        ),
        (
            "INSERT INTO children SELECT 'exec_' || hex(randomblob(16)), parent, root, 'm[3]', 1, 0, sequence, 'settled', NULL, NULL, NULL FROM children WHERE node_id = 'm[0]';
             UPDATE children SET child = lower(child)",
            false,
        ),
    ] {
        let family = Family::new();
        for id in [family.parent, family.children[0]] {
            let whole = family.audit(id);
            assert_eq!(whole.verdict, Verdict::Clean, "{:?}", whole.divergence);
        }
        family.sql(sql);
        let parent = family.audit(family.parent);
        assert_eq!(parent.verdict, Verdict::Divergent, "{sql}: {parent:?}");
        let child = family.audit(family.children[0]);
        let is_found = child.verdict == Verdict::Divergent;
        assert_eq!(is_found, is_found_by_child, "{sql}: {child:?}");
        let other = family.audit(family.other);
        assert_eq!(other.verdict, Verdict::Clean, "{sql}: {other:?}");
    }
    for (sql, verdict) in [
        (
            "UPDATE children SET state = 'awaited' WHERE node_id = 'm[2]'",
            Verdict::Divergent,
        ),
        (
            "UPDATE children SET state = 'ended' WHERE node_id = 'm[2]'",
            Verdict::Divergent,
        ),
        (
            "DELETE FROM executions WHERE workflow_id = 'parent/m'",
            Verdict::Divergent,
        ),
    ] {
        let family = Family::new();
        family.sql(sql);
        let parent = family.audit(family.parent);
        assert_eq!(parent.verdict, verdict, "{sql}: {parent:?}");
    }
    let family = Family::new();
    let row = format!(
        "INSERT INTO children SELECT '{}', parent, root, 'm[3]', 1, 0, sequence, 'settled', NULL, NULL, NULL FROM children WHERE node_id = 'm[0]'",
        family.other
    );
    family.sql(&row);
    let other = family.audit(family.other);
    assert_eq!(
        other.verdict,
        Verdict::Divergent,
        "who is no child has no row"
    );
}

/// Rows that say that something is owed which the logs contradict: nothing is told of it, and
/// all others go on.
#[test]
fn law3_an_engine_does_not_carry_out_what_the_logs_contradict() {
    for sql in [
        "UPDATE children SET state = 'ended' WHERE node_id = 'm[0]'",
        "UPDATE children SET state = 'cancelled' WHERE node_id = 'm[0]'",
        "UPDATE children SET state = 'requested', input = '1' WHERE node_id = 'm[0]'",
        "UPDATE children SET state = 'requested', input = NULL WHERE node_id = 'm[0]'",
        "UPDATE children SET state = 'ended', sequence = 1 WHERE node_id = 'm[2]'",
        "UPDATE children SET state = 'ended', parent = child WHERE node_id = 'm[0]'",
        "UPDATE children SET state = 'requested', input = NULL, parent = 'junk' WHERE node_id = 'm[0]'",
    ] {
        let family = Family::new();
        family.sql(sql);
        let logs = |family: &Family| {
            let ids = [family.parent, family.children[0]];
            ids.map(|id| {
                family
                    .place
                    .store()
                    .execution(id)
                    .expect("read")
                    .map(|it| it.head)
            })
        };
        let before = logs(&family);
        let mut host = open(&family.place, &family.clock);
        approve(&mut host, family.other);
        rest(&mut host.1);
        assert_eq!(family.status(family.other), Status::Completed, "{sql}");
        assert_eq!(logs(&family), before, "{sql}: nothing is told of it");
        assert_eq!(family.status(family.parent), Status::Running, "{sql}");
    }
}

/// A row that cannot be read when the child ends: the child is set aside, and all others go
/// on.
#[test]
fn law3_a_row_that_cannot_be_read_holds_up_its_child_alone() {
    let family = Family::new();
    family.sql("UPDATE children SET state = 'melted' WHERE node_id = 'm[0]'");
    let mut host = open(&family.place, &family.clock);
    let child = host.0.execution(family.children[0]);
    let approved = host.1.until(child.approve("x", Approval::approved("p")));
    let refused = approved
        .expect("it is answered")
        .expect_err("it is damaged");
    assert!(refused.to_string().contains("children"), "{refused}");
    for id in [family.children[1], family.other] {
        approve(&mut host, id);
    }
    rest(&mut host.1);
    for id in [family.children[1], family.other] {
        assert_eq!(family.status(id), Status::Completed);
    }
    assert_eq!(family.status(family.children[0]), Status::Running);
}

/// Who takes up an execution that waits for a child of which no row says so is told so: it
/// would wait for ever.
#[test]
fn law9_an_execution_that_nobody_would_tell_of_its_child_is_set_aside() {
    for sql in [
        "UPDATE children SET state = 'settled' WHERE node_id = 'm[0]'",
        "DELETE FROM children WHERE node_id = 'm[0]'",
        "UPDATE children SET state = 'melted' WHERE node_id = 'm[0]'",
        "DELETE FROM executions WHERE workflow_id = 'parent/m'",
    ] {
        let family = Family::new();
        family.sql(sql);
        let mut host = Engine::builder()
            .boxed_store(family.place.store())
            .clock(family.clock.clone())
            .only([family.parent, family.other])
            .stepped()
            .expect("it can be put together");
        approve(&mut host, family.other);
        rest(&mut host.1);
        let (engine, steps) = &mut host;
        let set_aside = steps.until(engine.set_aside());
        let set_aside = set_aside.expect("it is answered").expect("it lives");
        assert!(
            set_aside.contains_key(&family.parent),
            "{sql}: {set_aside:?}"
        );
        assert_eq!(family.status(family.other), Status::Completed, "{sql}");
    }
}

/// Rows that lead in a circle are followed to an end.
#[test]
fn law3_rows_that_lead_in_a_circle_keep_no_engine() {
    let family = Family::new();
    family.sql("UPDATE children SET parent = child");
    let mut host = Engine::builder()
        .boxed_store(family.place.store())
        .clock(family.clock.clone())
        .only([family.children[0], family.other])
        .stepped()
        .expect("it can be put together");
    approve(&mut host, family.other);
    rest(&mut host.1);
    assert_eq!(family.status(family.other), Status::Completed);
}
