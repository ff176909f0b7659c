//! R25: workers that shut down give their work back.

use refrain_tests::notation::check;

#[test]
fn r25_what_is_given_back_waits_again_and_spends_no_attempt() {
    check(
        r#"
        a -> b
        a: tool retry=no_retry
        0000 tick                         => schedule a
        0010 claim a by=w1
        0020 release a by=ada
        0020 inspect /nodes/a/state       => "scheduled"
        0020 inspect /nodes/a/releases    => 1
        0020 explain a                    => scheduled ~"attempt 1 waits on tool"
        0030 complete a attempt=1 fence=3 => refused ~"node `a` is scheduled"
        0040 claim a by=w2
        0040 inspect /nodes/a/attempts    => 1
        0050 complete a                   => schedule b
        0060 complete b                   => completed
        "#,
    );
}

#[test]
fn r25_only_who_holds_it_gives_it_back() {
    check(
        r#"
        a -> end
        0000 tick                        => schedule a
        0010 release a attempt=1 fence=2 => refused ~"node `a` is scheduled: it cannot be given back"
        0020 claim a by=w1
        0030 release a
        0040 release a attempt=1 fence=3 => refused ~"node `a` is scheduled"
        0050 claim a by=w2
        0060 release a attempt=1 fence=3 => refused ~"held by attempt 1 with fence 5"
        0070 release a attempt=2 fence=5 => refused ~"held by attempt 1 with fence 5"
        0080 complete a                  => completed
        0090 release a attempt=1 fence=5 => refused ~"has ended"
        "#,
    );
}

#[test]
fn r25_a_back_off_is_not_waited_for_twice() {
    check(
        r#"
        a -> end
        0000 tick      => schedule a
        0000 fail a    => retry a @2000
        2000 claim a
        2010 release a
        2010 claim a
        2020 fail a    => retry a @6020
        "#,
    );
}

#[test]
fn r25_the_eleventh_release_of_an_attempt_is_an_expired_lease() {
    check(
        r#"
        a -> end
        policy io {"max_attempts":2,"backoff":"fixed","initial_delay":9,"max_delay":9,"retryable_on":["io_error"]}
        a: tool retry=io
        0000 tick                      => schedule a
        0010 release a times=10
        0010 inspect /nodes/a/releases => 10
        0020 release a                 => retry a @2020
        2020 release a times=10
        2030 claim a
        2040 release a                 => exhaust a lease_expired, failed
        "#,
    );
}

#[test]
fn r25_the_eleventh_release_of_the_last_attempt_fails_or_stalls() {
    check(
        r#"
        s -> a, s -> b
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        a: tool retry=no_retry
        b: tool retry=ask
        0000 tick               => schedule s
        0010 complete s         => schedule a, schedule b
        0020 release a times=11 => exhaust a lease_expired
        0030 release b times=11 => stall b lease_expired
        0040 retry b            => retry b @40
        0050 release b times=10
        0060 complete b         => failed a
        "#,
    );
}

#[test]
fn r25_r18_a_paused_execution_takes_work_back_and_hands_none_out() {
    check(
        r#"
        a -> end
        0000 tick                   => schedule a
        0010 claim a; pause
        0020 release a
        0030 claim a                => refused ~"paused"
        0040 unpause
        0050 release a times=9
        0060 claim a; pause
        0070 release a
        0070 inspect /nodes/a/state => "failing"
        0080 unpause                => retry a @2080
        "#,
    );
}

#[test]
fn r25_an_execution_that_its_host_stalls_takes_work_back() {
    check(
        r#"
        a -> end
        0000 tick                   => schedule a
        0010 claim a; stall
        0020 release a
        0020 inspect /nodes/a/state => "scheduled"
        0030 lift
        0040 complete a             => completed
        "#,
    );
}

#[test]
fn r25_r17_what_is_given_back_can_be_cancelled() {
    check(
        r#"
        a -> end
        f: finalizer always
        0000 tick                        => schedule a
        0010 claim a
        0020 release a; cancel           => cancel a, schedule f
        0030 release a attempt=1 fence=3 => refused ~"node `a` is cancelled"
        0040 release f times=10
        0050 complete f                  => cancelled
        "#,
    );
}

/// The timeout counts from the latest claim (R14), and a fact that comes at its very
/// end is taken before it is decided.
#[test]
fn r25_r14_no_time_runs_while_nobody_has_it() {
    check(
        r#"
        a -> end
        node_timeout 5
        00000 tick      => schedule a
        09000 claim a
        14000 release a
        14000 wake      => never
        20000 tick
        21000 claim a
        21000 wake      => @26000
        26000 tick      => timeout a, retry a @28000
        "#,
    );
}

#[test]
fn r25_r04_what_is_given_back_is_in_flight() {
    check(
        r#"
        s -> a, s -> b
        limits 1 8
        0000 tick       => schedule s
        0010 complete s => schedule a
        0020 release a
        0030 complete a => schedule b
        "#,
    );
}

#[test]
fn r25_r20_what_is_given_back_can_be_skipped() {
    check(
        r#"
        a -> b
        0000 tick      => schedule a
        0010 release a
        0020 skip a    => cancel a by_operator, schedule b
        "#,
    );
}
