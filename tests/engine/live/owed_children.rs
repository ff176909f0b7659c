//! What is owed between parents and children (law 3) is never left lying: not after a turn
//! that reached only a part of it, and not where another engine left it.

use refrain::erase::{EraseError, Erased, Eraser, erase};
use refrain::limits::TurnLimits;
use refrain::model::Status;
use refrain::store::ChildState;
use refrain::{Approval, Builder, Engine, ExecutionId, ManualClock, Steps};
use refrain_tests::engines::{BEGIN, Place, audit_all, library, rest, start_stepped};
use serde_json::json;

fn open(
    place: &Place,
    clock: &ManualClock,
    like: impl FnOnce(Builder) -> Builder,
) -> (Engine, Steps) {
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(clock.clone());
    like(builder).stepped().expect("it can be put together")
}

fn status(place: &Place, id: ExecutionId) -> Status {
    let record = place.store().execution(id).expect("read");
    record.expect("there").status
}

/// Whether it rests or not, nothing may be owed then.
#[test]
fn law3_a_turn_that_starts_one_of_two_children_leaves_the_other_to_the_next() {
    let leaf = json!({ "start_node": "x", "nodes": { "x": { "kind": { "type": "parallel" } } } });
    let map = json!({
        "type": "map", "over": "[1,2]", "body": { "type": "subgraph", "body": leaf },
    });
    let workflow = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "m", "nodes": { "m": { "kind": map } },
    });
    // As much as some of the steps take, so that turns end between any two of them.
    for part in 1..=50 {
        for place in Place::each() {
            let clock = ManualClock::new(BEGIN);
            let limits = TurnLimits {
                fuel: 25_000 * part,
                ..TurnLimits::default()
            };
            let mut host = open(&place, &clock, |builder| builder.turn_limits(limits));
            let id = start_stepped(&host.0, &mut host.1, &workflow);
            rest(&mut host.1);
            assert_eq!(place.store().owed_children(9).expect("read").found, []);
            assert_eq!(status(&place, id), Status::Completed);
            audit_all(&place, "");
        }
    }
}

/// Somebody approves in a child by a program that works on nothing: it ends there. The
/// engine that works on its parent was at rest, and nothing else is due.
#[test]
fn law3_an_end_that_another_engine_brought_about_is_told() {
    let waits = json!({ "type": "human_approval", "description": "?" });
    let body = json!({ "start_node": "x", "nodes": { "x": { "kind": waits } } });
    let workflow = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "s",
        "nodes": { "s": { "kind": { "type": "subgraph", "body": body } } },
    });
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut host = open(&place, &clock, |builder| builder.seed(1));
        let id = start_stepped(&host.0, &mut host.1, &workflow);
        rest(&mut host.1);
        let child = ExecutionId::of_child(id, "s", 1, 0);
        let (engine, mut steps) = open(&place, &clock, |builder| builder.only([]).seed(2));
        let approved = engine.execution(child);
        let approved = steps.until(approved.approve("x", Approval::approved("ada")));
        approved.expect("it is answered").expect("it waits");
        rest(&mut steps);
        let row = place.store().child(child).expect("read").expect("there");
        assert_eq!(row.state, ChildState::Ended, "the program works on nothing");
        // Of what is erased nobody could tell its parent any more.
        let refused = erased(&place, child).expect_err("its parent waits");
        assert_eq!(refused.code(), "parent_not_told", "{refused}");
        rest(&mut host.1);
        assert_eq!(status(&place, id), Status::Completed);
        audit_all(&place, "");
        erased(&place, child).expect("its parent has heard");
    }
}

fn erased(place: &Place, id: ExecutionId) -> Result<Erased, EraseError> {
    let mut library = library();
    let eraser = Eraser {
        by: "ada",
        at: BEGIN,
        signer: None,
    };
    let each = erase(place.store().as_mut(), &mut library, &[id], &eraser);
    let mut each = each.into_iter();
    each.next().expect("one was asked for").1
}
