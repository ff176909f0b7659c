//! R10 to R14: results, failures, retries, timeouts.

use refrain_guest::contract::{EventKind, NodeCompleted, RefusalCode};
use refrain_guest::limits::PAYLOAD_BYTES_MAX;
use refrain_guest::shell::Scheduler;
use refrain_tests::notation::{check, play, step};

#[test]
fn r10_a_later_key_replaces_an_earlier_one_and_text_is_kept() {
    check(
        r#"
        a -> b
        0000 tick                               => schedule a
        0010 complete a {"k":{"old":1},"n":1.0} => schedule b
        0020 complete b {"k":{"new":2}}         => completed {"k":{"new":2},"n":1.0}
        "#,
    );
}

#[test]
fn r10_a_patch_that_is_no_object_is_refused() {
    check(
        r#"
        a -> end
        0000 tick                         => schedule a
        0005 claim a
        0010 complete a [1]               => refused ~"not a JSON object"
        0020 complete a {"x":1,"x":2}     => refused ~"state patch"
        0030 complete a {} output=1.0.0   => refused ~"the output is not JSON"
        0040 complete a {}                => completed {}
        "#,
    );
}

#[test]
fn r10_a_state_may_not_outgrow_its_limit() {
    let text = |key: &str| format!("{{\"{key}\":\"{}\"}}", "x".repeat(PAYLOAD_BYTES_MAX - 100));
    let (a, b, c, d) = (text("a"), text("b"), text("c"), text("d"));
    check(&format!(
        r#"
        s -> n, s -> h, n -> w -> v
        h: human_approval
        w: wait external_event {{"correlation_key":"k"}}
        v: wait external_event {{"correlation_key":"other"}}
        0000 tick         => schedule s
        0010 complete s {a} => interrupt h, schedule n
        0020 claim n
        0030 signal k {b}
        0040 signal other {c}
        0050 signal other {d}
        0060 signal k {a} => refused ~"16777216 are allowed: store what is large elsewhere"
        0070 approve h {b} => refused ~"the state, and the external events kept for it, would come to"
        0080 complete n {b} => refused ~"pass a reference"
        0090 complete n {a} => settle w, settle v
        0095 signal other {a} => refused ~"pass a reference"
        0100 approve h {{"small":1}} => settle h, completed
        "#
    ));
}

#[test]
fn r10_what_a_worker_measured_must_be_what_the_contract_says() {
    let world = play("a -> end\n0000 tick => schedule a\n0010 claim a")
        .expect("the table holds")
        .world;
    let rows = [
        (r#"{"cost_usd":0.25}"#, None),
        (r#"{"cost_usd": -1e3, "provenance":{"by":[]}}"#, None),
        (
            r#"{"cost_usd":"free"}"#,
            Some("the cost (`cost_usd` of the telemetry) is not a JSON number"),
        ),
        (
            r#"{"cost_usd":1.}"#,
            Some("the telemetry is not a JSON object"),
        ),
        ("[]", Some("the telemetry is not a JSON object")),
    ];
    for (telemetry, refused) in rows {
        let mut world = world.clone();
        let fact = EventKind::NodeCompleted(NodeCompleted {
            node_id: "a".to_owned(),
            attempt: 1,
            fence: 3,
            output: "null".to_owned(),
            state_patch: "{}".to_owned(),
            duration_ms: 1,
            chosen_target: None,
            gen_ai: None,
            telemetry: Some(telemetry.to_owned()),
            edited_by: None,
        });
        let outcome = step(&mut world, &mut Scheduler::new(), vec![fact]);
        match (outcome.expect("a step").refused.as_slice(), refused) {
            ([], None) => {}
            ([refusal], Some(why)) => {
                assert_eq!(refusal.code, RefusalCode::Malformed);
                assert!(refusal.message.contains(why), "{}", refusal.message);
            }
            (answer, _) => panic!("{telemetry}: {answer:?}"),
        }
    }
}

#[test]
fn r11_the_class_of_an_error_is_a_code() {
    let (longest, long) = ("x".repeat(64), "x".repeat(65));
    check(&format!(
        r#"
        a -> end
        0000 tick          => schedule a
        0010 claim a
        0020 fail a No     => refused ~"the class of an error has 1 to 64 of a to z"
        0020 fail a no!    => refused ~"the class of an error"
        0020 fail a {long} => refused ~"the class of an error"
        0020 fail a {longest} => retry a
        "#
    ));
}

#[test]
fn r11_only_what_the_policy_retries_is_retried() {
    check(
        r#"
        s -> a, s -> b, s -> c, s -> d
        policy io {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1,"retryable_on":["io_error"]}
        a: tool retry=io
        b: tool retry=io
        c: tool retry=io
        d: tool retry=io
        0000 tick              => schedule s
        0010 complete s        => schedule a, schedule b, schedule c, schedule d
        0020 fail a io_error   => retry a @1020
        0030 fail b other      => exhaust b boom
        0040 fail c io_error fatal => exhaust c
        0050 fail d            => exhaust d
        1020 fail a io_error   => exhaust a boom, failed "a, b, c, d"
        "#,
    );
}

#[test]
fn r11_a_policy_may_stall_the_execution_until_an_operator_acts() {
    check(
        r#"
        s -> a, s -> b, a -> c, b -> d
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        a: tool retry=ask
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 claim b
        0030 fail a     => stall a boom
        0030 status     => stalled
        0040 complete b
        0050 explain d  => ready "stalled on a (retry a, skip a, cancel)"
        0060 lift       => refused ~"retry or skip it"
        0070 retry a    => retry a @70, schedule d
        0080 complete a => schedule c
        0090 complete d; complete c => completed
        "#,
    );
}

#[test]
fn r11_a_stalled_node_can_be_skipped_or_the_execution_cancelled() {
    let table = |ending: &str| {
        format!(
            r#"
            a -> b
            policy ask {{"max_attempts":1,"on_exhausted":"pause"}}
            a: tool retry=ask
            0000 tick   => schedule a
            0010 fail a => stall a
            0020 {ending}
            "#
        )
    };
    check(&table("skip a => skip a by_operator, schedule b"));
    check(&table("cancel => cancel a, cancelled"));
}

#[test]
fn r11_a_finalizer_may_stall_a_cancellation_and_cancel_is_no_remedy_then() {
    check(
        r#"
        a -> end
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        f: finalizer always retry=ask
        0000 tick   => schedule a
        0010 cancel => cancel a, schedule f
        0020 fail f => stall f boom
        0020 status => stalled
        0020 explain f => failing "attempt 1 of 1: boom | stalled on f (retry f, skip f) | being cancelled"
        0030 cancel => refused ~"already being cancelled"
        "#,
    );
    check(
        r#"
        a -> end
        policy ask {"max_attempts":1,"on_exhausted":"pause"}
        f: finalizer always retry=ask
        0000 tick   => schedule a
        0010 cancel => cancel a, schedule f
        0020 fail f => stall f
        0030 retry f => retry f @30
        0040 fail f => stall f
        0050 skip f => skip f by_operator, cancelled
        "#,
    );
}

#[test]
fn r12_delays_double_to_64_seconds_without_a_policy() {
    check(
        r#"
        a -> end
        policy many {"max_attempts":9}
        a: tool retry=many
        000000 tick   => schedule a
        000000 fail a => retry a @2000
        002000 fail a => retry a @6000
        006000 fail a => retry a @14000
        014000 fail a => retry a @30000
        030000 fail a => retry a @62000
        062000 fail a => retry a @126000
        126000 fail a => retry a @190000
        190000 fail a => retry a @254000
        254000 fail a => exhaust a, failed
        "#,
    );
}

#[test]
fn r12_attempts_count_from_one_and_none_named_has_three() {
    check(
        r#"
        a -> end
        0000 tick           => schedule a
        0000 fail a         => retry a @2000
        1999 claim a        => refused ~"may not be claimed before 2000 ms"
        2000 fail a         => retry a @6000
        2000 inspect /nodes/a/attempts => 3
        6000 fail a         => exhaust a, failed
        6000 inspect /nodes/a/max_attempts => 3
        "#,
    );
}

#[test]
fn r12_jitter_comes_from_the_seed() {
    let delay = |seed: u64| {
        let table = format!(
            "a -> end\nseed {seed}\na: tool retry=io_default\n0000 tick => schedule a\n0000 fail a => retry a"
        );
        let played = play(&table).expect("the table holds");
        match &played.world.events.last().expect("an event").kind {
            EventKind::RetryScheduled(retry) => retry.delay_ms,
            other => panic!("a retry was expected, not {other:?}"),
        }
    };
    assert_eq!(delay(1), delay(1));
    assert_ne!(delay(1), delay(2));
    assert!((500..=1000).contains(&delay(3)), "{}", delay(3));
}

#[test]
fn r13_an_expired_lease_spends_an_attempt_whatever_the_policy_retries() {
    check(
        r#"
        a -> end
        policy io {"max_attempts":2,"backoff":"fixed","initial_delay":9,"max_delay":9,"retryable_on":["io_error"]}
        a: tool retry=io
        0000 tick     => schedule a
        0010 expire a => retry a @2010
        2010 expire a => exhaust a lease_expired, failed
        "#,
    );
}

#[test]
fn r14_a_nodes_timeout_counts_from_its_start() {
    check(
        r#"
        a -> end
        node_timeout 5
        00000 tick       => schedule a
        09000 claim a
        09000 wake       => @14000
        13999 tick
        14000 tick       => timeout a, retry a @16000
        14000 wake       => never
        14001 complete a attempt=1 fence=3 => refused ~"node `a` is backing_off"
        16000 claim a
        21000 tick       => timeout a, retry a @25000
        25000 claim a
        30000 tick       => timeout a, exhaust a "timeout 5000", failed
        "#,
    );
}

#[test]
fn r14_a_policy_can_retry_timeouts_or_not() {
    check(
        r#"
        a -> end
        policy io {"max_attempts":2,"retryable_on":["io_error"]}
        a: tool retry=io timeout=1
        0000 tick    => schedule a
        0000 claim a
        1000 tick    => timeout a, exhaust a, failed
        "#,
    );
}

#[test]
fn r14_the_workflows_timeout_cancels_and_fails() {
    check(
        r#"
        s -> a, s -> w, a -> f, a -> g
        w: wait external_event {"correlation_key":"k"}
        f: finalizer failure
        g: finalizer success
        timeout 3
        0000 tick       => schedule s
        0000 complete s => schedule a, wait w
        0000 wake       => @3000
        3000 tick       => timeout workflow, cancel a, cancel w, schedule f, skip g run_on
        3010 complete f => failed "timeout 3000"
        "#,
    );
}

#[test]
fn r14_after_the_workflows_timeout_nothing_else_is_dispatched() {
    check(
        r#"
        s -> a, s -> b
        limits 1 8
        f: finalizer failure
        timeout 3
        0000 tick       => schedule s
        0000 complete s => schedule a
        3000 tick       => timeout workflow, cancel a, schedule f
        3010 complete f => failed "timeout 3000"
        "#,
    );
}

#[test]
fn r14_nothing_wakes_an_execution_that_ended_or_that_its_host_stalled() {
    check(
        r#"
        a -> end
        timeout 5
        0000 tick       => schedule a
        0000 wake       => @5000
        0010 stall
        0010 wake       => never
        0020 lift
        0020 wake       => @5000
        0030 complete a => completed
        0030 wake       => never
        "#,
    );
}
