//! R7 to R9: edges, branches, and what they leave out.

use refrain_tests::notation::check;

#[test]
fn r07_conditions_see_the_state_just_after_their_source() {
    check(
        r#"
        a -> b if state.x == 1, a -> c if state.x != 1, b -> d
        0000 tick               => schedule a
        0010 complete a {"x":1} => schedule b, skip c
        0010 explain c          => skipped "a: not state.x != 1 (state.x = 1)"
        0020 complete b {"x":2} => schedule d
        0030 complete d         => completed
        "#,
    );
}

#[test]
fn r07_a_condition_takes_its_first_true_branch() {
    let table = |input: &str, output: &str| {
        format!(
            r#"
            c -> z
            c: condition {{"branches":[{{"condition":"input.n > 9","target":"big"}},{{"condition":"input.n > 4","target":"mid"}},{{"condition":"input.n > 1","target":"end"}}]}}
            input {input}
            0000 tick => {output}
            "#
        )
    };
    check(&table(
        r#"{"n":10}"#,
        "settle c -> big, schedule big, skip mid, skip z",
    ));
    check(&table(
        r#"{"n":5}"#,
        "settle c -> mid, skip big, schedule mid, skip z",
    ));
    check(&table(
        r#"{"n":2}"#,
        "settle c -> end, skip big, skip mid, skip z, completed {}",
    ));
    check(&table(
        r#"{"n":0}"#,
        "settle c, skip big, skip mid, skip z, completed {}",
    ));
}

#[test]
fn r07_a_worker_chooses_a_target() {
    check(
        r#"
        a -> b, a -> c if state.never
        0000 tick                => schedule a
        0010 claim a
        0011 complete a choose=x => refused ~"no edge to `x`"
        0012 complete a choose=c => skip b, schedule c
        0012 explain b           => skipped ~"a chose c"
        0020 complete c          => completed
        "#,
    );
}

#[test]
fn r08_truthiness_decides_an_edge() {
    for (value, live) in [
        ("0", false),
        ("\"\"", false),
        ("[]", false),
        ("null", false),
        ("\"x\"", true),
        ("[0]", true),
        ("1", true),
    ] {
        let then = if live {
            "schedule b"
        } else {
            "skip b, completed"
        };
        check(&format!(
            r#"
            a -> b if state.v
            0000 tick                       => schedule a
            0010 complete a {{"v":{value}}} => {then}
            "#
        ));
    }
}

#[test]
fn r08_a_relation_holds_below_at_or_above_its_bound() {
    for (relation, live) in [
        ("<", [true, false, false]),
        ("<=", [true, true, false]),
        ("==", [false, true, false]),
        ("!=", [true, false, true]),
        (">=", [false, true, true]),
        (">", [false, false, true]),
    ] {
        for (value, live) in [9, 10, 11].into_iter().zip(live) {
            let then = if live {
                "schedule b"
            } else {
                "skip b, completed"
            };
            check(&format!(
                r#"
                a -> b if state.v {relation} 10
                0000 tick                       => schedule a
                0010 complete a {{"v":{value}}} => {then}
                "#
            ));
        }
    }
}

#[test]
fn r09_dead_edges_skip_all_the_way_down() {
    check(
        r#"
        a -> b if state.go, b -> c -> d, a -> e
        0000 tick       => schedule a
        0010 complete a => skip b, schedule e, skip c, skip d
        0010 explain d  => skipped ~"after c, skipped"
        0020 complete e => completed
        "#,
    );
}

#[test]
fn r09_what_an_operator_skips_counts_as_completed() {
    check(
        r#"
        a -> b -> c, a -> x
        0000 tick               => schedule a
        0005 claim a
        0010 skip b             => skip b by_operator, schedule c
        0020 skip a             => cancel a by_operator, schedule x
        0021 explain a          => cancelled "by operator"
        0030 complete a fence=3 => refused ~"node `a` is cancelled"
        0040 complete c; complete x => completed
        "#,
    );
}
