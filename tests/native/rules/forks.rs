//! A fork goes its own way (law 11): what was under way begins anew, and what has come
//! or was asked for stays.

use refrain_tests::notation::check;

#[test]
fn law11_what_was_in_flight_waits_again_and_its_claim_is_void() {
    check(
        r#"
        a -> b -> end
        0000 tick                         => schedule a
        0010 claim a
        0020 complete a {"x":1}           => schedule b
        0030 claim b by=w1
        0040 cut 6; fork by=ada
        0040 inspect /nodes/b/state       => "scheduled"
        0050 complete b attempt=1 fence=6 => refused ~"scheduled"
        0060 claim b by=w2
        0070 complete b attempt=1 fence=6 => refused ~"held by attempt 1"
        0080 complete b {"y":2}           => completed {"x":1,"y":2}
        "#,
    );
}

#[test]
fn law11_what_was_not_decided_at_the_fork_is_decided_there() {
    check(
        r#"
        a -> b -> end
        0000 tick                => schedule a
        0010 claim a
        0020 complete a {"x":1}  => schedule b
        0030 complete b          => completed
        0040 cut 4; fork         => schedule b
        0050 complete b {"y":2}  => completed {"x":1,"y":2}
        "#,
    );
}

#[test]
fn law11_a_result_is_edited_at_the_fork() {
    check(
        r#"
        a -> b if state.x == 2, a -> c if state.x == 1
        0000 tick                                => schedule a
        0010 claim a
        0020 complete a {"x":1}                  => skip b, schedule c
        0030 cut 3; complete a {"x":2} edited=ada; fork by=ada => schedule b, skip c
        0040 complete b                          => completed {"x":2}
        "#,
    );
}

#[test]
fn law11_results_of_several_nodes_that_were_in_flight_are_edited_at_one_fork() {
    check(
        r#"
        s -> a, s -> b, a -> c, b -> c
        0000 tick              => schedule s
        0010 complete s        => schedule a, schedule b
        0020 claim a; claim b
        0030 complete a {"x":1}
        0040 complete b {"y":1} => schedule c
        0050 cut 8; complete a {"x":2} edited=ada; complete a {"x":3} edited=ada; complete b {"y":2} edited=bob; fork => refused ~"completed", schedule c
        0060 complete c        => completed {"x":2,"y":2}
        "#,
    );
}

#[test]
fn law11_r11_a_failure_is_judged_and_a_back_off_goes_on() {
    check(
        r#"
        a -> end
        0000 tick            => schedule a
        0010 fail a          => retry a @2010
        0020 cut 4; fork     => retry a @2020
        0030 claim a         => refused ~"2020"
        0040 cut 6; fork
        2019 claim a         => refused ~"2020"
        2020 complete a      => completed
        "#,
    );
}

#[test]
fn law11_r19_an_open_approval_is_asked_for_anew() {
    check(
        r#"
        h: human_approval {"timeout_secs":1}
        h -> a
        0000 tick        => interrupt h @1000
        0500 cut 2; fork => interrupt h @1500
        1000 tick
        1500 tick        => exhaust h, failed
        "#,
    );
}

#[test]
fn law11_r19_an_approval_that_was_given_counts() {
    check(
        r#"
        h: human_approval
        h -> a
        0000 tick             => interrupt h
        0010 approve h {"x":1} => settle h, schedule a
        0020 cut 3; fork      => settle h {"x":1}, schedule a
        "#,
    );
}

#[test]
fn law11_r19_an_external_event_that_a_wait_was_given_counts() {
    check(
        r#"
        w: wait external_event {"correlation_key":"k"}
        w -> a
        0000 tick             => wait w
        0010 signal k {"x":1} => settle w, schedule a
        0020 cut 3; fork      => settle w {"x":1}, schedule a
        "#,
    );
}

#[test]
fn law11_r19_timers_begin_anew_and_signals_are_kept() {
    check(
        r#"
        p: parallel {"branches":["t","w","a"]}
        t: wait timer {"timeout_secs":5}
        w: wait external_event {"correlation_key":"k"}
        a -> v
        v: wait external_event {"correlation_key":"early"}
        0000 tick               => settle p, schedule a, wait t @5000, wait w
        0010 signal early {"e":1}
        1000 cut 6; fork        => wait t @6000, wait w
        1000 wake               => @6000
        1010 signal k {"k":1}   => settle w {"k":1}
        1020 complete a         => settle v {"e":1}
        6000 tick               => fire t, settle t, completed {"e":1,"k":1}
        "#,
    );
}

#[test]
fn law11_r14_the_time_of_the_workflow_and_of_attempts_counts_from_the_fork() {
    check(
        r#"
        a -> end
        a: tool timeout=2
        timeout 3
        0000 tick        => schedule a
        0010 claim a
        1000 cut 3; fork
        1000 wake        => @4000
        1500 claim a
        1500 wake        => @3500
        4000 tick        => timeout workflow, cancel a, failed
        "#,
    );
}

#[test]
fn law11_r18_a_pause_and_a_stall_stay() {
    check(
        r#"
        a -> b
        0000 tick        => schedule a
        0010 pause
        0020 cut 3; fork
        0020 status      => paused
        0030 claim a     => refused ~"paused"
        0040 unpause
        0050 complete a  => schedule b
        "#,
    );
    check(
        r#"
        a -> b
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        a: tool retry=ask
        0000 tick        => schedule a
        0010 fail a      => stall a
        0020 cut 5; fork
        0020 status      => stalled
        0030 retry a     => retry a @30
        0040 complete a  => schedule b
        "#,
    );
    check(
        r#"
        a -> b
        0000 tick        => schedule a
        0010 claim a; stall
        0020 complete a
        0030 cut 5; fork
        0030 status      => stalled
        0040 lift        => schedule b
        "#,
    );
}

#[test]
fn law11_r17_what_is_being_cancelled_is_cancelled_in_the_fork() {
    check(
        r#"
        a -> end
        f: finalizer always
        0000 tick        => schedule a
        0010 cancel      => cancel a, schedule f
        0020 claim f
        0030 cut 6; fork
        0040 complete f  => cancelled
        "#,
    );
}

#[test]
fn law11_a_fork_is_forked() {
    check(
        r#"
        a -> b -> end
        0000 tick        => schedule a
        0010 claim a
        0020 complete a  => schedule b
        0030 cut 4; fork => schedule b
        0040 claim b
        0050 cut 7; fork
        0060 complete b  => completed
        "#,
    );
}

#[test]
fn law11_a_fork_goes_its_own_way_once_and_in_its_place() {
    check(
        r#"
        a -> b
        0000 tick                        => schedule a
        0010 fork                        => refused ~"only a fork"
        0020 complete a edited=ada       => refused ~"only there a result may be edited"
        0030 cut 3; pause; fork; fork; unpause => refused ~"has to follow", refused ~"only a fork", refused ~"not paused"
        0040 complete a {"x":1} edited=ada => refused ~"only there"
        "#,
    );
}
