//! R24: joins of some edges, and endings that are fixed.

use refrain_tests::notation::check;

#[test]
fn r24_a_join_of_a_number_is_ready_at_so_many_live_edges() {
    check(
        r#"
        s -> a, s -> b, s -> c, a -> j, b -> j, c -> j, j -> d
        s: parallel
        j: join count=2
        0000 tick       => settle s, schedule a, schedule b, schedule c
        0010 complete a
        0010 explain j  => pending ~"needs b, scheduled"
        0020 complete c => settle j, schedule d
        0030 complete b
        0040 complete d => completed
        "#,
    );
}

#[test]
fn r24_it_is_skipped_when_there_cannot_be_so_many() {
    check(
        r#"
        s -> a, s -> b, s -> c, a -> j if state.never, b -> j if state.never, c -> j, j -> d
        s: parallel
        j: join count=2
        0000 tick       => settle s, schedule a, schedule b, schedule c
        0010 complete a
        0020 complete b => skip j, skip d
        0030 explain j  => skipped "a: not state.never (state.never missing) | b: not state.never (state.never missing)"
        0040 complete c => completed
        "#,
    );
}

/// A failure that nothing handles may be retried: the join waits for it.
#[test]
fn r24_a_failure_counts_as_not_settled() {
    check(
        r#"
        s -> a, s -> b, a -> j, b -> j, j -> d
        s: parallel
        j: join count=2
        a: tool retry=no_retry
        0000 tick       => settle s, schedule a, schedule b
        0010 fail a     => exhaust a
        0020 explain j  => pending ~"needs a, failed boom (retry a, skip a)"
        0030 retry a    => retry a @30
        0040 complete a; complete b => settle j, schedule d
        "#,
    );
    check(
        r#"
        s -> a, s -> b, a -> j, b -> j, j -> d, a -> end on failure
        s: parallel
        j: join count=2
        a: tool retry=no_retry
        0000 tick       => settle s, schedule a, schedule b
        0010 fail a     => exhaust a, skip j, skip d
        0020 complete b => completed
        "#,
    );
}

#[test]
fn r24_the_rest_is_stopped_or_left_out() {
    check(
        r#"
        s -> a, s -> b, s -> w, a -> j, b -> c, c -> j, w -> x, x -> y, y -> j, j -> d
        s: parallel
        j: join first cancel_rest
        w: wait external_event {"correlation_key":"k"}
        0000 tick       => settle s, schedule a, schedule b, wait w
        0005 claim b
        0010 complete a => settle j, cancel b join_satisfied, cancel w join_satisfied, skip c not_needed, skip x not_needed, skip y not_needed, schedule d
        0020 explain b  => cancelled "stopped: CancelReason::JoinSatisfied"
        0020 explain c  => skipped "not needed"
        0020 inspect /nodes/c/reason => "not_needed"
        0020 complete b => refused ~"cancelled"
        0020 retry b    => refused ~"cancelled"
        0030 complete d => completed
        "#,
    );
}

/// Who leads elsewhere too, be it to the end or on a failure alone, goes on.
#[test]
fn r24_the_rest_is_exactly_who_leads_to_the_join_alone() {
    check(
        r#"
        s -> a, s -> b, s -> c, s -> e, s -> f, s -> g, a -> j, b -> j, b -> end, c -> j, c -> x on failure, e -> h, h -> j, h -> x, f -> k, k -> j, g -> j, g -> fin, j -> d, x -> end
        s: parallel
        j: join first cancel_rest
        fin: finalizer always
        0000 tick       => settle s, schedule a, schedule b, schedule c, schedule e, schedule f, schedule g
        0010 complete a => settle j, cancel f join_satisfied, cancel g join_satisfied, skip k not_needed, schedule d
        0020 complete b; complete c => 
        0030 complete e => schedule h
        0040 complete h => schedule x
        0050 complete d; complete x => schedule fin
        "#,
    );
}

#[test]
fn r24_without_cancel_rest_the_others_go_on() {
    check(
        r#"
        s -> a, s -> b, a -> j, b -> c, c -> j, j -> d
        s: parallel
        j: join first
        0000 tick       => settle s, schedule a, schedule b
        0010 complete a => settle j, schedule d
        0020 complete b => schedule c
        0030 complete c; complete d => completed
        "#,
    );
}

/// What waits between two attempts, or for what follows a failure, is under way too.
#[test]
fn r24_back_offs_and_stalls_are_under_way() {
    check(
        r#"
        s -> a, s -> b, s -> c, a -> j, b -> j, c -> j, j -> d
        policy held {"max_attempts":1,"on_exhausted":"pause"}
        s: parallel
        c: tool retry=held
        j: join first cancel_rest
        0000 tick       => settle s, schedule a, schedule b, schedule c
        0005 claim a
        0010 fail b     => retry b @2010
        0020 fail c     => stall c
        0030 complete a => settle j, cancel b join_satisfied, cancel c join_satisfied, schedule d
        0030 status     => running
        0040 complete d => completed
        "#,
    );
}

/// What has come already is not stopped: it is settled before the join, by rule R2.
#[test]
fn r24_a_wait_whose_event_has_come_is_settled_first() {
    check(
        r#"
        s -> a, s -> w, a -> j, w -> j, j -> d
        s: parallel
        j: join first cancel_rest
        w: wait external_event {"correlation_key":"k"}
        0000 tick        => settle s, schedule a, wait w
        0005 claim a
        0010 stall
        0020 signal k {"n":1}; complete a; lift => settle w {"n":1}, settle j, schedule d
        "#,
    );
}

#[test]
fn r24_terminate_completes() {
    check(
        r#"
        s -> a, s -> b, a -> t, b -> c
        s: parallel
        b: tool retry=no_retry
        t: terminate completed
        f: finalizer success
        g: finalizer failure
        0000 tick            => settle s, schedule a, schedule b
        0010 complete a {"x":1} => settle t, cancel b terminated, schedule f, skip g run_on
        0020 explain b       => cancelled "stopped: CancelReason::Terminated"
        0020 explain c       => pending ~"needs b, cancelled"
        0030 complete f      => completed {"x":1}
        "#,
    );
}

#[test]
fn r24_terminate_fails_with_its_reason() {
    check(
        r#"
        s -> a, s -> h, a -> t, h -> c
        s: parallel
        h: human_approval
        t: terminate failed {"reason":"no stock"}
        f: finalizer success
        g: finalizer failure
        0000 tick       => settle s, schedule a, interrupt h
        0010 complete a => settle t, cancel h terminated, skip f run_on, schedule g
        0020 complete g => failed "terminated no stock"
        "#,
    );
}

#[test]
fn r24_failed_nodes_do_not_change_what_terminate_says() {
    check(
        r#"
        s -> a, s -> b, a -> t
        s: parallel
        b: tool retry=no_retry
        t: terminate completed
        0000 tick       => settle s, schedule a, schedule b
        0010 fail b     => exhaust b
        0020 complete a => settle t, completed
        "#,
    );
}

#[test]
fn r24_a_failed_finalizer_turns_completed_into_failed() {
    check(
        r#"
        s -> a, s -> b, a -> t
        s: parallel
        b: tool retry=no_retry
        t: terminate completed
        f: finalizer success retry=no_retry
        0000 tick       => settle s, schedule a, schedule b
        0010 fail b     => exhaust b
        0020 complete a => settle t, schedule f
        0030 fail f     => exhaust f, failed f
        "#,
    );
}

#[test]
fn r24_timeout_and_cancel_are_graver() {
    check(
        r#"
        a -> t
        timeout 5
        t: terminate completed
        f: finalizer always
        g: finalizer success
        0000 tick       => schedule a
        0010 complete a => settle t, schedule f, schedule g
        0020 complete g
        5000 tick       => timeout workflow
        5010 complete f => failed "timeout 5000"
        "#,
    );
    check(
        r#"
        a -> t
        t: terminate failed {"reason":"no stock"}
        f: finalizer always
        0000 tick       => schedule a
        0010 complete a => settle t, schedule f
        0020 cancel why=enough
        0030 complete f => cancelled enough
        "#,
    );
}

/// Of several the first in the order of rule R2 counts; the others stay as they are.
#[test]
fn r24_of_several_the_first_counts() {
    check(
        r#"
        s -> t, s -> u
        s: parallel
        t: terminate failed {"reason":"first"}
        u: terminate completed
        0000 tick => settle s, settle t, failed "terminated first"
        0000 inspect /nodes/u/state => "ready"
        "#,
    );
}

#[test]
fn r24_paused_it_ends_once_that_is_lifted() {
    check(
        r#"
        s -> a, s -> b, a -> t
        s: parallel
        t: terminate completed
        0000 tick       => settle s, schedule a, schedule b
        0005 claim a; pause
        0010 complete a => settle t, cancel b terminated
        0010 status     => paused
        0010 retry b    => refused ~"cancelled"
        0020 unpause    => completed
        "#,
    );
}
