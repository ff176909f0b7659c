//! R19: waits until a time, and for events that come while they wait.

use refrain_tests::notation::check;

#[test]
fn r19_a_wait_until_a_time() {
    check(
        r#"
        a -> w -> b
        w: wait timer {"until":"1970-01-01T01:00:05.5+01:00"}
        0000 tick       => schedule a
        1000 complete a => wait w @5500
        1000 explain w  => waiting ~"wait ends at 5500"
        5499 tick
        5500 tick       => fire w, settle w, schedule b
        "#,
    );
}

#[test]
fn r19_a_time_that_has_passed_ends_the_wait_at_once() {
    check(
        r#"
        a -> w -> b
        w: wait either {"until":"1970-01-01T00:00:01Z","correlation_key":"k"}
        0000 tick       => schedule a
        2000 complete a => wait w @1000, fire w, settle w, schedule b
        "#,
    );
}

#[test]
fn r19_an_event_can_be_waited_for_until_a_time() {
    check(
        r#"
        a -> w -> b
        w: wait external_event {"until":"1970-01-01T00:00:05Z","correlation_key":"k"}
        0000 tick       => schedule a
        2000 complete a => wait w @5000
        5000 tick       => exhaust w "event_timeout k 3000", failed w
        "#,
    );
}

/// A host cannot be asked to wake it then. Others go on.
#[test]
fn r19_a_time_too_far_ahead_fails_its_node() {
    check(
        r#"
        a -> w, a -> b
        w: wait timer {"until":"${state.t}"}
        0000 tick => schedule a
        0010 complete a {"t":"2069-12-01T00:00:00Z"} => schedule b, wait w @3153081600000
        "#,
    );
    check(
        r#"
        a -> w, a -> b
        w: wait timer {"until":"${state.t}"}
        0000 tick => schedule a
        0010 complete a {"t":"2200-01-01T00:00:00Z"} => schedule b, exhaust w too_large /kind/until
        0020 complete b => failed w
        "#,
    );
    check(
        r#"
        a -> w
        w: wait timer {"until":"2100-01-01T00:00:00Z"}
        0000 tick       => schedule a
        0010 complete a => exhaust w too_large /kind/until, failed w
        "#,
    );
}

/// A fork waits until the same time; a span would begin anew.
#[test]
fn law11_a_fork_waits_until_the_same_time() {
    check(
        r#"
        w -> b
        w: wait timer {"until":"1970-01-01T00:00:05Z"}
        0000 tick         => wait w @5000
        1000 cut 2; fork  => wait w @5000
        5000 tick         => fire w, settle w, schedule b
        "#,
    );
}

#[test]
fn r19_what_comes_before_a_fresh_wait_does_not_count() {
    check(
        r#"
        a -> w -> b
        w: wait external_event {"correlation_key":"k","keep":false}
        0000 tick             => schedule a
        0010 signal k {"n":1}
        0020 complete a       => wait w
        0030 signal k {"n":2} => settle w {"n":2}, schedule b
        0040 complete b       => completed {"n":2}
        "#,
    );
}

/// Another wait of the same key keeps them, and takes what the fresh one leaves.
#[test]
fn r19_a_fresh_wait_leaves_what_was_kept_to_others() {
    check(
        r#"
        a -> w -> v
        w: wait external_event {"correlation_key":"k","keep":false}
        v: wait external_event {"correlation_key":"k"}
        0000 tick             => schedule a
        0010 signal k {"n":1}
        0020 complete a       => wait w
        0030 signal k {"m":2} => settle w {"m":2}, settle v {"n":1}, completed {"m":2,"n":1}
        "#,
    );
}
