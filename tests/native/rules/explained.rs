//! Law 9: what `explain` says, in codes and data.

use refrain_guest::contract::{NodeFailure, NodeState, Reason, ReasonCause, Seen};
use refrain_guest::limits::SEEN_BYTES_MAX;
use refrain_guest::shell::Scheduler;
use refrain_tests::notation::{EXECUTION, check, play};

/// How many edges are told one by one.
const TOLD: usize = 20;

/// What is said of a node at the end of a table.
fn said(table: &str, node_id: &str) -> (NodeState, Vec<ReasonCause>) {
    let mut world = play(table).unwrap_or_else(|error| panic!("{error}")).world;
    let explained = Scheduler::new().explain(&mut world, EXECUTION, node_id);
    let explained = explained.expect("there is such a node");
    let cause = |reason: Reason| reason.cause;
    (
        explained.state,
        explained.reasons.into_iter().map(cause).collect(),
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
        (TOLD + 3, 1, TOLD + 2, Some(3)),
        (1, TOLD + 2, TOLD + 2, Some(2)),
        (TOLD + 3, TOLD + 2, 2 * TOLD + 1, Some(5)),
    ];
    for (failed, open, reasons, more) in rows {
        let (state, said) = said(&crowd(failed, open), "z");
        assert_eq!(
            (state, said.len()),
            (NodeState::Pending, reasons),
            "{said:?}"
        );
        let boom = NodeFailure::AttemptFailed("boom".to_owned());
        assert!(
            matches!(&said[0], ReasonCause::FailedPredecessor(it) if it.cause.as_ref() == Some(&boom)),
            "{said:?}"
        );
        let counted = said.iter().find_map(|it| match it {
            ReasonCause::MorePredecessors(more) => Some(*more),
            _ => None,
        });
        assert_eq!(counted, more);
    }
}

#[test]
fn law9_of_many_dead_edges_some_are_told_and_the_rest_is_counted() {
    for (dead, more) in [(TOLD, None), (TOLD + 1, Some(1))] {
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
        let first = ReasonCause::SkippedPredecessor("a00".to_owned());
        assert_eq!(said[0], first);
        let counted = said.iter().find_map(|it| match it {
            ReasonCause::MoreDeadEdges(more) => Some(*more),
            _ => None,
        });
        assert_eq!(counted, more);
    }
}

#[test]
fn law9_an_edge_is_dead_for_what_made_it_so() {
    check(
        r#"
        s -> a -> b if state.x
        0 tick => schedule s
        0 skip a => skip a by_operator, skip b
        0 explain b => skipped "a: not state.x (state.x missing)"
        0 complete s {"x":1} => completed
        "#,
    );
}

/// What a condition saw is what it saw when it was judged, whatever the state has
/// become since; and each path of it is told once, in its order.
#[test]
fn r7_what_a_condition_saw_can_be_asked_for_later() {
    check(
        r#"
        s -> a, a -> b if state.x > input.least && state.x < 9 && has(state["a b"]), a -> c, c -> d
        input {"least":1.50}
        0 tick => schedule s
        1 complete s {"x":1} => schedule a
        2 complete a {"y":[1]} => skip b, schedule c
        3 explain b => skipped "a: not state.x > input.least && state.x < 9 && has(state["a b"]) (state.x = 1, input.least = 1.50, state["a b"] missing)"
        4 complete c {"x":5} => schedule d
        5 explain b => skipped "a: not state.x > input.least && state.x < 9 && has(state["a b"]) (state.x = 1, input.least = 1.50, state["a b"] missing)"
        "#,
    );
}

#[test]
fn r7_what_the_branches_before_the_chosen_one_saw_can_be_asked_for_later() {
    check(
        r#"
        s -> c
        c: condition {"branches":[{"condition":"state.n == 1","target":"a"},{"condition":"state.n == 2","target":"b"},{"condition":"state.n == 3","target":"d"}]}
        0 tick => schedule s
        1 complete s {"n":2} => settle c -> b, skip a, schedule b, skip d
        2 explain a => skipped "c chose b | c: not state.n == 1 (state.n = 2)"
        2 explain d => skipped "c chose b"
        "#,
    );
}

/// A branch that is not taken was either false, or comes behind the one that is taken
/// and was not asked for.
#[test]
fn r7_a_branch_before_the_chosen_one_was_false_and_none_behind_it() {
    let table = |n: u32, settled: &str, a: &str, b: &str| {
        format!(
            r#"
            s -> c
            c: condition {{"branches":[{{"condition":"state.n == 1","target":"a"}},{{"condition":"state.n == 2","target":"end"}},{{"condition":"state.n == 3","target":"b"}}]}}
            0 tick => schedule s
            1 complete s {{"n":{n}}} => {settled}
            2 explain a => {a}
            2 explain b => {b}
            "#
        )
    };
    check(&table(
        2,
        "settle c -> end, skip a, skip b, completed",
        r#"skipped "c chose end | c: not state.n == 1 (state.n = 2)""#,
        r#"skipped "c chose end""#,
    ));
    check(&table(
        4,
        "settle c, skip a, skip b, completed",
        r#"skipped "c chose nothing | c: not state.n == 1 (state.n = 4)""#,
        r#"skipped "c chose nothing | c: not state.n == 3 (state.n = 4)""#,
    ));
    check(&table(
        3,
        "settle c -> b, skip a, schedule b",
        r#"skipped "c chose b | c: not state.n == 1 (state.n = 3)""#,
        r#"scheduled "attempt 1 waits on general since 1 (work general)""#,
    ));
}

#[test]
fn r7_paths_within_brackets_are_told_too() {
    check(
        r#"
        s -> a if state[input.k] == 2 && [1, 2][state.n] == 9
        input {"k":"x"}
        0 tick => schedule s
        1 complete s {"x":2,"n":1} => skip a, completed
        2 explain a => skipped "s: not state[input.k] == 2 && [1, 2][state.n] == 9 (state[input.k] = 2, input.k = "x", state.n = 1)"
        "#,
    );
}

#[test]
fn r7_a_value_that_is_long_is_told_by_its_length() {
    // With its quotes a text is two bytes longer.
    for (letters, is_long) in [(SEEN_BYTES_MAX - 2, false), (SEEN_BYTES_MAX - 1, true)] {
        let text = "x".repeat(letters);
        let table = format!(
            "s -> a if state.t == 1\n0 tick => schedule s\n1 complete s {{\"t\":\"{text}\"}} => skip a, completed"
        );
        let (_, said) = said(&table, "a");
        let [ReasonCause::FalseCondition(condition)] = &said[..] else {
            panic!("{said:?}");
        };
        let expected = match is_long {
            true => Seen::TooLong(SEEN_BYTES_MAX as u64 + 1),
            false => Seen::Value(format!("\"{text}\"")),
        };
        assert_eq!(condition.seen[0].value, expected);
    }
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
        0 explain s  => scheduled "attempt 1 waits on general since 0 (work general)"
        0 complete s => schedule a, interrupt h
        0 explain h  => waiting "waits for approval: May it? (approve h)"
        0 explain b  => ready "1 of 1 in flight"
        1 cancel     => cancel a, cancel h, schedule f
        1 explain b  => ready "being cancelled"
        "#,
    );
}

#[test]
fn law9_a_node_that_failed_says_by_which_attempt_and_why() {
    check(
        r#"
        s -> a
        a: tool retry=no_retry
        b: tool
        s -> b
        0 tick       => schedule s
        0 complete s => schedule a, schedule b
        1 fail a; tick => exhaust a
        1 explain a  => failed "attempt 1 of 1: boom (retry a, skip a)"
        "#,
    );
}

/// A failure that no edge handles: which of its edges were judged, and what they saw then,
/// not what is there now.
#[test]
fn law9_r26_an_unhandled_failure_tells_what_its_failure_edges_saw() {
    check(
        r#"
        s -> a, s -> c, a -> b on failure if error.attempts == state.n, a -> d on always if state.no
        a: tool retry=no_retry
        0000 tick                              => schedule s
        0000 complete s {"n":2}                => schedule a, schedule c
        0010 fail a net                        => exhaust a
        0020 complete c {"n":3}                => failed
        0020 explain b => pending ~"a: not error.attempts == state.n (error.attempts = 1, state.n = 2)"
        0020 explain d => pending ~"a: not state.no (state.no missing)"
        "#,
    );
}

/// Why a child was not repeated, and what was no list.
#[test]
fn law9_r21_r23_a_node_tells_what_its_own_expression_read() {
    check(
        r#"
        r -> end
        r: subgraph {"repeat":{"while":"last.mroe","max":5}}
        0000 tick                 => request r
        0020 end r {"more":true}  => completed
        0020 explain r            => completed ~"r: not last.mroe (last.mroe missing)"
        "#,
    );
    check(
        r#"
        m -> end
        m: map {"over":"state.ress","body":{"type":"tool","tool_ref":"t"}}
        0000 tick      => exhaust m, failed
        0000 explain m => failed ~"m: not state.ress (state.ress missing)"
        "#,
    );
}
