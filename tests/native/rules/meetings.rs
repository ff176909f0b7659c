//! What happens when two rules meet: in one turn, or one inside the other.

use refrain_tests::notation::check;

#[test]
fn r17_r18_a_cancel_while_paused_stops_at_once_and_ends_later() {
    check(
        r#"
        s -> a, s -> b
        f: finalizer always
        limits 1 8
        0000 tick       => schedule s
        0010 complete s => schedule a
        0020 pause
        0030 cancel     => cancel a
        0030 status     => paused
        0030 explain f  => pending ~"paused (unpause)"
        0040 unpause    => schedule f
        0050 complete f => cancelled
        "#,
    );
}

#[test]
fn r14_r18_the_workflows_time_runs_while_it_is_paused() {
    check(
        r#"
        a -> end
        timeout 3
        0000 tick    => schedule a
        0010 pause
        0010 wake    => @3000
        3000 tick    => timeout workflow, cancel a
        3000 wake    => never
        4000 unpause => failed "timeout 3000"
        "#,
    );
}

#[test]
fn r14_r16_the_workflows_time_runs_while_finalizers_do() {
    check(
        r#"
        a -> end
        f: finalizer success
        g: finalizer always
        h: finalizer failure
        timeout 3
        0000 tick       => schedule a
        0010 complete a => schedule f, schedule g, skip h run_on
        3000 tick       => timeout workflow, cancel f
        3010 complete g => failed "timeout 3000"
        "#,
    );
}

#[test]
fn r14_r17_a_finalizers_own_timeout_and_retries_hold_during_a_cancel() {
    check(
        r#"
        a -> end
        f: finalizer always timeout=1
        00000 tick    => schedule a
        00010 cancel  => cancel a, schedule f
        00020 claim f
        00020 wake    => @1020
        01020 tick    => timeout f, retry f @3020
        03020 fail f  => retry f @7020
        07020 fail f  => exhaust f, cancelled
        "#,
    );
}

#[test]
fn r14_an_answer_in_the_turn_of_the_deadline_counts() {
    check(
        r#"
        a -> h, a -> w
        a: tool timeout=1
        h: human_approval {"timeout_secs":1}
        w: wait either {"correlation_key":"k","timeout_secs":1}
        0000 tick       => schedule a
        0000 claim a
        1000 complete a => interrupt h @2000, wait w @2000
        2000 approve h; signal k {"came":1} => settle h, settle w {"came":1}, completed
        "#,
    );
}

#[test]
fn r06_r15_a_first_join_passes_by_a_failed_predecessor() {
    check(
        r#"
        s -> a, s -> b, a -> j, b -> j, j -> z, z -> k, b -> k
        a: tool retry=no_retry
        j: join first
        k: join
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 fail a     => exhaust a
        0020 explain j  => pending ~"needs a, failed"
        0030 complete b => settle j, schedule z
        0040 retry a    => retry a @40
        0050 complete a
        0060 complete z => settle k, completed
        "#,
    );
}

#[test]
fn r06_r20_a_first_join_can_be_skipped_before_its_edges_come() {
    check(
        r#"
        s -> a, a -> j, s -> j if state.never, j -> z
        j: join first
        0000 tick       => schedule s
        0010 complete s => schedule a
        0020 skip j     => skip j by_operator, schedule z
        0030 complete a
        0040 complete z => completed
        "#,
    );
}

#[test]
fn r09_a_result_in_the_turn_of_a_skip_wins_and_a_failure_does_not() {
    check(
        r#"
        s -> a -> c, s -> b -> d
        a: tool retry=no_retry
        b: tool retry=no_retry
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 claim a; claim b
        0030 skip a; complete a {"x":1} => schedule c
        0040 skip b; fail b => skip b by_operator, schedule d
        0050 skip b     => refused ~"skipped already"
        0060 complete c; complete d => completed {"x":1}
        "#,
    );
}

#[test]
fn r20_a_node_is_not_skipped_and_retried_at_once() {
    check(
        r#"
        s -> a, s -> b
        a: tool retry=no_retry
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 fail a     => exhaust a
        0030 skip a; retry a => refused ~"cannot be retried as well", skip a by_operator
        0040 complete b => completed
        "#,
    );
}

#[test]
fn r11_r18_stalled_on_one_node_the_next_waits_for_its_turn() {
    check(
        r#"
        s -> a, s -> b, s -> c
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        a: tool retry=ask
        b: tool retry=ask
        limits 2 8
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0015 claim b
        0020 fail a     => stall a
        0030 expire b
        0040 skip a     => skip a by_operator, stall b lease_expired
        0040 explain c  => ready ~"stalled on"
        0050 retry b    => retry b @50, schedule c
        0060 complete b; complete c => completed
        "#,
    );
}

#[test]
fn r19_r20_a_wait_that_is_skipped_leaves_the_event_to_the_next() {
    check(
        r#"
        s -> a, s -> b
        a: wait external_event {"correlation_key":"k"}
        b: wait external_event {"correlation_key":"k"}
        0000 tick       => schedule s
        0010 complete s => wait a, wait b
        0020 skip a     => cancel a by_operator
        0030 signal k 1 => settle b {"b":1}, completed
        "#,
    );
}

#[test]
fn r19_r20_what_a_skipped_wait_had_goes_to_the_next_and_the_order_stays() {
    let graph = r#"
        s -> a, s -> b, s -> c, a -> d
        a: wait external_event {"correlation_key":"k"}
        b: wait external_event {"correlation_key":"k"}
        c: wait external_event {"correlation_key":"k"}
        d: wait external_event {"correlation_key":"k"}
        0000 tick       => schedule s
        0010 complete s => wait a, wait b, wait c
    "#;
    let check = |rows: &str| check(&format!("{graph}\n{rows}"));
    check(
        r#"
        0020 signal k 1; skip a           => cancel a by_operator, settle b {"b":1}, wait d
        0030 signal k 2; signal k 3       => settle c {"c":2}, settle d {"d":3}, completed
        "#,
    );
    check(
        r#"
        0020 signal k 1; signal k 2; skip a => cancel a by_operator, settle b {"b":1}, settle c {"c":2}, wait d
        0030 signal k 3                     => settle d {"d":3}, completed
        "#,
    );
    check(
        r#"
        0020 signal k 1; signal k 2; signal k 3; signal k 4; skip b => cancel b by_operator, settle a {"a":1}, settle c {"c":2}, settle d {"d":3}, completed
        "#,
    );
    check(
        r#"
        0020 signal k 1; signal k 2; signal k 3; skip a; skip b => cancel a by_operator, cancel b by_operator, settle c {"c":1}, settle d {"d":2}, completed
        "#,
    );
}
