//! Law 9: what `explain` says, word for word where words could mislead.

use refrain_guest::contract::{NodeState, Reason};
use refrain_guest::explain::explain;
use refrain_tests::notation::{check, play};

use crate::rules::transitions::Replay;

/// How many edges are told one by one.
const TOLD: usize = 20;

/// What is said of a node at the end of a table.
fn said(table: &str, node_id: &str) -> (NodeState, Vec<String>) {
    let world = play(table).unwrap_or_else(|error| panic!("{error}")).world;
    let machine = Replay::of(&world, world.events.len()).machine;
    let explained = explain(&machine, node_id).expect("there is such a node");
    let message = |reason: Reason| reason.message;
    (
        explained.state,
        explained.reasons.into_iter().map(message).collect(),
    )
}

/// A node `z` after so many that failed and so many that are under way.
fn crowd(failed: usize, open: usize) -> String {
    let (mut graph, mut edges, mut fails) = (String::new(), Vec::new(), String::new());
    let failing = (0..failed).map(|at| format!("f{at:02}"));
    for id in failing
        .clone()
        .chain((0..open).map(|at| format!("o{at:02}")))
    {
        edges.extend([format!("s -> {id}"), format!("{id} -> z")]);
    }
    for id in failing {
        graph += &format!("{id}: tool retry=no_retry\n");
        fails += &format!("fail {id}; ");
    }
    let (edges, limits) = (edges.join(", "), "limits 100 100");
    let scheduled = |prefix: &str, count: usize| -> Vec<String> {
        (0..count)
            .map(|at| format!("schedule {prefix}{at:02}"))
            .collect()
    };
    let orders = [scheduled("f", failed), scheduled("o", open)]
        .concat()
        .join(", ");
    let exhausted: Vec<String> = (0..failed).map(|at| format!("exhaust f{at:02}")).collect();
    format!(
        "{edges}\n{graph}{limits}\n0 tick => schedule s\n0 complete s => {orders}\n0 {fails}tick => {}",
        exhausted.join(", ")
    )
}

#[test]
fn law9_of_many_predecessors_some_are_told_and_the_rest_is_counted() {
    let rows = [
        (TOLD, TOLD, 2 * TOLD, None),
        (
            TOLD + 3,
            1,
            TOLD + 2,
            Some("3 more predecessors are not settled"),
        ),
        (
            1,
            TOLD + 2,
            TOLD + 2,
            Some("2 more predecessors are not settled"),
        ),
        (
            TOLD + 3,
            TOLD + 2,
            2 * TOLD + 1,
            Some("5 more predecessors are not settled"),
        ),
    ];
    for (failed, open, reasons, more) in rows {
        let (state, said) = said(&crowd(failed, open), "z");
        assert_eq!(
            (state, said.len()),
            (NodeState::Pending, reasons),
            "{said:?}"
        );
        assert!(said[0].contains("which failed for good: boom"), "{said:?}");
        let counted = said.iter().find(|it| it.contains("more predecessors"));
        assert_eq!(counted.map(String::as_str), more);
    }
}

#[test]
fn law9_of_many_dead_edges_some_are_told_and_the_rest_is_counted() {
    for (dead, more) in [
        (TOLD, None),
        (TOLD + 1, Some("1 more incoming edges are dead")),
    ] {
        let arms: Vec<String> = (0..dead)
            .map(|at| format!("s -> a{at:02} if state.x, a{at:02} -> z"))
            .collect();
        let skips: Vec<String> = (0..dead).map(|at| format!("skip a{at:02}")).collect();
        let table = format!(
            "{}\n0 tick => schedule s\n0 complete s => {}, skip z, completed",
            arms.join(", "),
            skips.join(", ")
        );
        let (state, said) = said(&table, "z");
        assert_eq!(state, NodeState::Skipped);
        assert_eq!(said.len(), dead.min(TOLD) + usize::from(more.is_some()));
        assert_eq!(
            said[0],
            "node `z` comes after node `a00`, which was skipped"
        );
        let counted = said.iter().find(|it| it.contains("more incoming"));
        assert_eq!(counted.map(String::as_str), more);
    }
}

#[test]
fn law9_an_edge_is_dead_for_what_made_it_so() {
    let table = "
        s -> a -> b if state.x
        0 tick => schedule s
        0 skip a => skip a by_operator, skip b
        0 complete s => completed
        ";
    let (_, said) = said(table, "b");
    let expected = "the condition `state.x` from `a` to `b` was false when node `a` was settled";
    assert_eq!(said, [expected]);
}

#[test]
fn law9_each_reason_is_said_in_full_and_no_other() {
    check(
        r#"
        s -> h, s -> a, s -> b
        limits 1 8
        h: human_approval {"description":"May it?"}
        a: tool retry=no_retry
        f: finalizer always
        0 tick       => schedule s
        0 explain s  => scheduled "attempt 1 of node `s` waits on the queue `general` for a worker, since 0 ms"
        0 complete s => schedule a, interrupt h
        0 explain h  => waiting "node `h` waits for a person to decide on "May it?": `refrain approve exec_00000000000000000000000000000001 h`"
        0 explain b  => ready "node `b` could run, but 1 of 1 nodes (max_concurrent_nodes) are in flight"
        1 cancel     => cancel a, cancel h, schedule f
        1 explain b  => ready "the execution is being cancelled"
        "#,
    );
}
