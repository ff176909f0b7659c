//! R26: edges that handle a failure.

use refrain_tests::notation::check;

#[test]
fn r26_an_edge_on_failure_handles_it() {
    check(
        r#"
        a -> b, a -> c on failure, b -> d, c -> d
        a: tool retry=no_retry
        0000 tick        => schedule a
        0010 fail a      => exhaust a, skip b, schedule c
        0020 explain a   => failed ~"attempt 1 of 1: boom"
        0020 explain b   => skipped "needs a, failed boom"
        0020 inspect /nodes/a/handled => true
        0020 retry a     => refused ~"an edge has handled that"
        0020 skip a      => refused ~"an edge has handled that"
        0030 complete c  => schedule d
        0040 complete d  => completed
        "#,
    );
}

#[test]
fn r26_what_succeeds_takes_no_edge_on_failure() {
    check(
        r#"
        a -> b, a -> c on failure, a -> d on always
        0000 tick        => schedule a
        0010 complete a  => schedule b, skip c, schedule d
        0020 explain c   => skipped "dead edge from a"
        0020 complete b; complete d => completed
        "#,
    );
}

#[test]
fn r26_conditions_see_the_failure() {
    check(
        r#"
        a -> b on failure if error.class == "io_error" && error.attempts == 2, a -> c on failure if error.message == "boom" && state.x == null, a -> d on always if has(error.class)
        policy twice {"max_attempts":2,"backoff":"fixed","initial_delay":0}
        a: tool retry=twice
        0000 tick            => schedule a
        0010 fail a io_error => retry a @10
        0020 fail a rate_limit fatal => exhaust a, skip b, schedule c, schedule d
        0020 explain b       => skipped ~"error.attempts = 2)"
        0030 complete c; complete d => completed
        "#,
    );
}

#[test]
fn r26_on_a_success_there_is_no_failure_to_see() {
    check(
        r#"
        a -> b on always if has(error.class), a -> c on always if error == null
        0000 tick       => schedule a
        0010 complete a => skip b, schedule c
        0020 explain b  => skipped "a: not has(error.class) (error.class missing)"
        "#,
    );
}

#[test]
fn r26_where_no_edge_is_live_the_node_blocks_and_is_judged_anew() {
    check(
        r#"
        s -> a, s -> w, a -> b on failure if error.class == "io_error", a -> c
        a: tool retry=no_retry
        s: parallel
        w: human_approval
        0000 tick            => settle s, schedule a, interrupt w
        0010 fail a other    => exhaust a
        0010 explain b       => pending ~"needs a, failed boom (retry a, skip a)"
        0020 retry a         => retry a @20
        0030 fail a io_error => exhaust a, schedule b, skip c
        0040 complete b; approve w => settle w, completed
        "#,
    );
}

#[test]
fn r26_unhandled_it_fails_the_workflow() {
    check(
        r#"
        a -> b on failure if error.class == "io_error"
        a: tool retry=no_retry
        f: finalizer failure
        0000 tick       => schedule a
        0010 fail a     => exhaust a, schedule f
        0020 complete f => failed a
        "#,
    );
}

#[test]
fn r26_an_edge_to_the_end_handles_it_too() {
    check(
        r#"
        a -> b, a -> end on failure if error.class == "io_error"
        a: tool retry=no_retry
        f: finalizer success
        0000 tick            => schedule a
        0010 fail a io_error => exhaust a, skip b, schedule f
        0020 complete f      => completed
        "#,
    );
    check(
        r#"
        a -> b, a -> end on failure if error.class == "io_error"
        a: tool retry=no_retry
        0000 tick         => schedule a
        0010 fail a other => exhaust a, failed a
        "#,
    );
}

#[test]
fn r26_a_finalizers_failure_can_be_handled_by_the_end() {
    check(
        r#"
        a -> end, f -> end on failure, f -> g
        f: finalizer always retry=no_retry
        g: finalizer always
        0000 tick       => schedule a
        0010 complete a => schedule f
        0020 fail f     => exhaust f, schedule g
        0030 complete g => completed
        "#,
    );
}

#[test]
fn r26_rejections_and_timeouts_of_approvals_can_be_caught() {
    check(
        r#"
        h -> b, h -> c on failure if error.class == "rejected", h -> d on failure if error.class == "approval_timeout"
        h: human_approval {"timeout_secs":5}
        0000 tick     => interrupt h
        0010 reject h why=no => exhaust h, skip b, schedule c, skip d
        0020 explain d => skipped ~"(error.class = "
        0030 complete c => completed
        "#,
    );
    check(
        r#"
        h -> b, h -> c on failure if error.class == "rejected", h -> d on failure if error.class == "approval_timeout" && error.attempts == 0
        h: human_approval {"timeout_secs":5}
        0000 tick       => interrupt h
        5000 tick       => exhaust h, skip b, skip c, schedule d
        5010 complete d => completed
        "#,
    );
}

#[test]
fn r26_leases_timeouts_and_waits_have_classes() {
    check(
        r#"
        a -> b on failure if error.class == "lease_expired" && error.message == null
        a: tool retry=no_retry
        0000 tick     => schedule a
        0010 expire a => exhaust a, schedule b
        "#,
    );
    check(
        r#"
        a -> b on failure if error.class == "timeout"
        a: tool retry=no_retry timeout=1
        0000 tick    => schedule a
        0010 claim a
        1010 tick    => timeout a, exhaust a, schedule b
        "#,
    );
    check(
        r#"
        w -> b on failure if error.class == "event_timeout"
        w: wait external_event {"correlation_key":"k","timeout_secs":1}
        0000 tick => wait w
        1000 tick => exhaust w, schedule b
        "#,
    );
}

/// Retries come first: an edge is judged when the node has failed for good.
#[test]
fn r26_attempts_are_spent_before() {
    check(
        r#"
        a -> b on failure
        0000 tick       => schedule a
        0000 fail a     => retry a @2000
        2000 complete a => skip b, completed
        "#,
    );
}

/// A kind's own targets stay choices, and the edge that is written for one of them
/// says what follows a failure all the same.
#[test]
fn r26_targets_of_a_kind_stay_what_they_are() {
    check(
        r#"
        h -> f on always, h -> b
        h: human_approval {"fallback_node":"f","timeout_secs":5}
        0000 tick      => interrupt h
        0010 approve h => settle h, schedule b, skip f
        "#,
    );
    check(
        r#"
        h -> f on always, h -> b
        h: human_approval {"fallback_node":"f","timeout_secs":5}
        0000 tick     => interrupt h
        0010 reject h => exhaust h, skip b, schedule f
        "#,
    );
}

#[test]
fn r26_a_worker_cannot_choose_an_edge_on_failure() {
    check(
        r#"
        a -> b, a -> c on failure
        a: policy
        0000 tick                => schedule a
        0010 complete a choose=c => refused ~"has no edge to `c`"
        0020 complete a choose=b => schedule b, skip c
        "#,
    );
}

#[test]
fn r26_a_skipped_node_has_not_failed() {
    check(
        r#"
        a -> b, a -> c on failure
        a: tool retry=no_retry
        0000 tick   => schedule a
        0010 skip a => cancel a by_operator, schedule b, skip c
        "#,
    );
}
