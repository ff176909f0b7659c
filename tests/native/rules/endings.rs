//! R15 to R20: endings, operators, waits.

use refrain_guest::contract::EventKind;
use refrain_tests::notation::{check, play};

#[test]
fn r15_a_failed_node_blocks_its_own_and_no_other() {
    check(
        r#"
        s -> a, s -> b, a -> c, b -> d
        a: tool retry=no_retry
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 fail a     => exhaust a
        0030 complete b => schedule d
        0040 complete d => failed a
        "#,
    );
}

#[test]
fn r16_finalizers_run_in_the_order_of_their_edges() {
    check(
        r#"
        a -> z, z -> y -> x, a -> f
        z: finalizer always
        y: finalizer success
        x: finalizer always retry=no_retry
        f: finalizer failure
        0000 tick       => schedule a
        0005 explain z  => pending ~"not at the end"
        0010 complete a => skip f run_on, schedule z
        0020 complete z => schedule y
        0030 complete y => schedule x
        0040 fail x     => exhaust x, failed x
        "#,
    );
}

/// Any node that a worker does may be a finalizer; `finalizer` is one spelling of it.
#[test]
fn r16_any_work_may_run_at_the_end() {
    check(
        r#"
        a -> z, z -> y, y -> x
        z: task mail run_on=always
        y: http run_on=success
        x: command run_on=failure retry=no_retry
        0000 tick       => schedule a
        0005 explain z  => pending ~"not at the end"
        0010 complete a => schedule z mail
        0020 complete z => schedule y
        0030 complete y => skip x run_on, completed
        "#,
    );
}

#[test]
fn r16_whatever_becomes_of_a_finalizer_the_next_has_its_turn() {
    check(
        r#"
        a -> end
        f: finalizer always retry=no_retry
        g: finalizer always
        f -> g
        0000 tick       => schedule a
        0010 complete a => schedule f
        0020 fail f     => exhaust f, schedule g
        0030 complete g => failed f
        "#,
    );
    check(
        r#"
        a -> end
        f: finalizer failure
        g: finalizer success
        f -> g
        0000 tick       => schedule a
        0010 complete a => skip f run_on, schedule g
        0020 complete g => completed
        "#,
    );
    check(
        r#"
        a -> end
        a: tool retry=no_retry
        f: finalizer failure
        g: finalizer always
        f -> g
        0000 tick       => schedule a
        0010 fail a     => exhaust a, schedule f
        0020 cancel     => cancel f, schedule g
        0030 complete g => cancelled
        "#,
    );
}

#[test]
fn r16_failed_nodes_are_named_sorted() {
    check(
        r#"
        s -> b, s -> c -> a
        a: tool retry=no_retry
        b: tool retry=no_retry
        0000 tick       => schedule s
        0010 complete s => schedule b, schedule c
        0020 fail b     => exhaust b
        0030 complete c => schedule a
        0040 fail a     => exhaust a, failed "a, b"
        "#,
    );
}

#[test]
fn r17_a_cancel_stops_what_is_under_way_and_runs_always() {
    check(
        r#"
        s -> a, s -> b, s -> w, a -> c, c -> f, c -> g
        w: human_approval
        f: finalizer always
        g: finalizer success
        0000 tick                => schedule s
        0010 complete s          => schedule a, schedule b, interrupt w
        0020 claim a
        0030 cancel why=enough   => cancel a, cancel b, cancel w, schedule f, skip g run_on
        0031 cancel              => refused ~"already being cancelled"
        0032 complete a fence=5  => refused ~"node `a` is cancelled"
        0033 retry a             => refused
        0034 skip c              => refused ~"being cancelled"
        0040 complete f          => cancelled enough
        0050 pause               => refused ~"has ended (cancelled)"
        "#,
    );
}

#[test]
fn r17_cancel_goes_before_timeout_before_failure_before_completion() {
    let graph = "a -> end\na: tool retry=no_retry\ntimeout 1\n0000 tick => schedule a\n";
    check(&format!(
        "{graph}1000 fail a; cancel => cancel a, cancelled"
    ));
    check(&format!(
        "{graph}1000 fail a => timeout workflow, cancel a, failed \"timeout 1000\""
    ));
    check(&format!(
        "{graph}1000 complete a => timeout workflow, failed ~timeout"
    ));
    check(&format!("{graph}0999 fail a => exhaust a, failed a"));
    check(&format!("{graph}1000 complete a; cancel => cancelled"));
}

#[test]
fn r17_a_graver_ending_replaces_the_one_under_way() {
    check(
        r#"
        a -> f, a -> g
        f: finalizer always
        g: finalizer success
        0000 tick       => schedule a
        0010 complete a => schedule f, schedule g
        0020 cancel     => cancel g
        0030 complete f => cancelled
        "#,
    );
}

#[test]
fn r18_a_pause_holds_new_items_and_endings_and_records_the_rest() {
    check(
        r#"
        s -> a, s -> b, s -> t, a -> p, p -> c, b -> d
        p: parallel
        b: tool timeout=1
        t: wait timer {"timeout_secs":2}
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b, wait t
        0020 claim a; claim b
        0030 pause
        0030 status     => paused
        0031 pause      => refused ~"paused already"
        0040 complete a => settle p
        0050 explain c  => ready ~"paused (unpause)"
        1020 tick       => timeout b
        2010 tick       => fire t, settle t
        2020 unpause    => retry b @4020, schedule c
        2030 complete c
        2040 pause
        4020 claim b    => refused ~paused
        4030 unpause
        4040 complete b => schedule d
        4050 pause; claim d => refused
        4060 unpause
        4070 complete d => completed
        "#,
    );
}

#[test]
fn r18_no_ending_while_paused() {
    check(
        r#"
        a -> end
        0000 tick       => schedule a
        0010 claim a
        0020 pause
        0030 complete a
        0040 unpause    => completed
        "#,
    );
}

#[test]
fn r19_a_timer_fires() {
    check(
        r#"
        w -> a
        w: wait timer {"timeout_secs":5}
        0000 tick => wait w @5000
        0000 wake => @5000
        4999 tick
        5000 tick => fire w, settle w, schedule a
        "#,
    );
}

#[test]
fn r19_external_events_are_kept_and_consumed_once_first_come_first_served() {
    check(
        r#"
        s -> a, s -> b, s -> c
        a: wait external_event {"correlation_key":"k"}
        b: wait external_event {"correlation_key":"k"}
        c: wait either {"correlation_key":"k","timeout_secs":9}
        0000 tick               => schedule s
        0010 signal k {"n":1}
        0020 complete s         => settle a {"n":1}, wait b, wait c @9020
        0030 signal k [2]       => settle b {"b":[2]}
        0040 explain c          => waiting ~"(signal "
        9020 tick               => fire c, settle c, completed {"b":[2],"n":1}
        "#,
    );
}

#[test]
fn r19_an_external_event_with_an_id_counts_once() {
    check(
        r#"
        s -> a, s -> b
        a: wait external_event {"correlation_key":"k"}
        b: wait external_event {"correlation_key":"k"}
        0000 tick                     => schedule s
        0010 complete s               => wait a, wait b
        0020 signal k {"n":1} id=e1   => settle a {"n":1}
        0030 signal k {"n":2} id=e1   => refused ~"`e1` is already recorded"
        0030 signal other id=e1       => refused ~"already recorded"
        0040 signal k {"n":1} id=e2   => settle b {"n":1}, completed
        0050 signal k {"n":1} id=e2   => refused ~"already recorded"
        0050 signal k {"n":1} id=e3   => refused ~"nothing follows an end"
        "#,
    );
}

#[test]
fn r19_an_external_event_that_does_not_come_fails_its_wait() {
    check(
        r#"
        w -> a
        w: wait external_event {"correlation_key":"k","timeout_secs":5}
        0000 tick     => wait w @5000
        5000 tick     => exhaust w "event_timeout k 5000", failed
        "#,
    );
}

#[test]
fn r19_a_person_approves_or_rejects() {
    let table = |ending: &str| {
        format!(
            "h -> a\nh: human_approval\n0000 tick => interrupt h\n0005 approve a => refused\n0010 {ending}"
        )
    };
    check(&table(
        r#"approve h by=ada {"ok":1} => settle h {"ok":1}, schedule a"#,
    ));
    check(&table(
        r#"approve h {"ok":1} ; approve h => refused ~"decided on already", settle h, schedule a"#,
    ));
    check(&table(
        r#"reject h by=bob why="too dear" => exhaust h "rejected bob too dear", failed"#,
    ));
    check(&table("approve h [1] => refused ~\"not a JSON object\""));
    let played =
        play(&table("approve h by=ada why=fine => settle h, schedule a")).expect("the table holds");
    let settled = played
        .world
        .events
        .iter()
        .find_map(|event| match &event.kind {
            EventKind::NodeSettled(settled) => Some(settled.output.as_str()),
            _ => None,
        });
    assert_eq!(
        settled,
        Some(r#"{"decision":"approved","user_id":"ada","comment":"fine"}"#)
    );
}

#[test]
fn r19_an_approval_that_times_out_falls_back_or_fails() {
    check(
        r#"
        h -> a
        h: human_approval {"timeout_secs":60,"fallback_node":"f"}
        00000 tick => interrupt h @60000
        60000 tick => settle h -> f, skip a, schedule f
        "#,
    );
    check(
        r#"
        h -> a
        h: human_approval {"timeout_secs":60}
        00000 tick => interrupt h @60000
        60000 tick => exhaust h "approval_timeout 60000", failed
        "#,
    );
}

#[test]
fn r20_a_failed_node_is_retried_with_a_fresh_budget() {
    check(
        r#"
        s -> a, s -> b
        a: tool retry=no_retry
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 retry a    => refused ~"only a failed node"
        0030 fail a     => exhaust a
        0040 retry a    => retry a @40
        0040 inspect /nodes/a/max_attempts => 2
        0050 complete a
        0060 complete b => completed
        0070 retry a    => refused ~"fork it"
        "#,
    );
}

#[test]
fn r20_a_node_without_work_items_is_retried_too() {
    check(
        r#"
        s -> h, s -> b
        h: human_approval
        0000 tick       => schedule s
        0010 complete s => schedule b, interrupt h
        0020 reject h   => exhaust h "rejected ada"
        0030 retry h    => interrupt h
        0040 approve h  => settle h
        0050 complete b => completed
        "#,
    );
}
