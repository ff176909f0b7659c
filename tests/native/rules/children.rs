//! R22: children.

use refrain_tests::notation::check;

#[test]
fn r22_a_node_completes_with_its_child() {
    check(
        r#"
        a -> s -> b
        s: subgraph
        input {"n":1}
        0000 tick                     => schedule a
        0010 complete a {"x":1}       => request s 1/0
        0011 child s                  => {"input":{"n":1},"state":{"x":1}}
        0011 explain s                => waiting " at attempt 1 since 10"
        0011 wake                     => never
        0020 begin s
        0021 inspect /nodes/s/state   => "waiting"
        0030 end s {"y":2}            => schedule b
        0031 inspect /state           => {"s":{"y":2},"x":1}
        0040 complete b               => completed {"s":{"y":2},"x":1}
        "#,
    );
}

#[test]
fn r22_the_final_state_stands_under_a_key_or_its_keys_are_merged() {
    check(
        r#"
        s -> end
        s: subgraph {"output_key":"out"}
        0000 tick         => request s
        0010 end s {"y":2} => completed {"out":{"y":2}}
        "#,
    );
    check(
        r#"
        a -> s
        s: subgraph {"merge":true}
        0000 tick               => schedule a
        0010 complete a {"y":1} => request s
        0020 end s {"y":2,"z":3} => completed {"y":2,"z":3}
        "#,
    );
}

#[test]
fn r22_the_input_may_be_mapped() {
    check(
        r#"
        s -> end
        s: subgraph {"input_mapping":{"a":"input.n","b":"node_id"}}
        input {"n":1}
        0000 tick    => request s
        0001 child s => {"a":1,"b":"s"}
        0010 end s   => completed
        "#,
    );
}

#[test]
fn r22_a_failed_child_is_tried_again_by_the_policy_after_its_delay() {
    check(
        r#"
        s -> end
        policy two {"max_attempts":2,"backoff":"fixed","initial_delay":5,"max_delay":5}
        s: subgraph retry=two
        0000 tick                     => request s 1/0
        0010 end s failed why="boom"
        0011 wake                     => @5010
        0011 explain s                => failing ~"child_failed boom"
        5000 tick
        5010 tick                     => request s 2/0
        5020 end s failed             => exhaust s child_failed, failed ~"s"
        "#,
    );
}

#[test]
fn r22_while_it_is_paused_no_further_child_is_asked_for() {
    check(
        r#"
        s -> end
        policy two {"max_attempts":2,"backoff":"fixed","initial_delay":5,"max_delay":5}
        s: subgraph retry=two
        0000 tick                     => request s 1/0
        0010 end s failed; pause
        0011 wake                     => never
        6000 tick
        7000 unpause                  => request s 2/0
        7010 pause
        7020 end s                    
        7030 unpause                  => completed
        "#,
    );
}

#[test]
fn r22_a_cancelled_or_refused_child_is_final() {
    check(
        r#"
        s -> end
        s: subgraph
        0000 tick                     => request s
        0010 end s cancelled          => exhaust s child_cancelled, failed
        "#,
    );
    check(
        r#"
        s -> end, s -> c on failure if error.class == "child_refused"
        s: subgraph
        0000 tick                     => request s
        0010 deny s unknown_workflow  => exhaust s ~"child_refused", schedule c
        0020 complete c               => completed
        "#,
    );
}

#[test]
fn r22_an_operator_retries_the_child_that_failed() {
    check(
        r#"
        a -> s, a -> b
        s: subgraph retry=no_retry
        0000 tick                     => schedule a
        0005 complete a               => schedule b, request s 1/0
        0010 end s failed             => exhaust s
        0020 retry s                  => request s 2/0
        0030 end s                    
        0040 complete b               => completed
        "#,
    );
}

#[test]
fn r22_a_stopped_node_has_its_child_cancelled_and_hears_no_more_of_it() {
    check(
        r#"
        s -> b
        s: subgraph
        0000 tick               => request s
        0010 begin s
        0020 skip s             => cancel s by_operator, schedule b
        0030 end s attempt=1    => refused, 
        "#,
    );
    check(
        r#"
        s -> b
        s: subgraph
        0000 tick               => request s
        0020 cancel             => cancel s, cancelled
        "#,
    );
}

#[test]
fn r14_a_child_has_the_time_of_its_node_from_when_it_was_asked_for() {
    check(
        r#"
        s -> end
        node_timeout 2
        s: subgraph timeout=10 retry=no_retry
        00000 tick              => request s
        00001 wake              => @10000
        10000 tick              => timeout s, exhaust s "timeout 10000", failed
        "#,
    );
    check(
        r#"
        s -> end
        node_timeout 2
        s: subgraph
        00000 tick              => request s
        00001 wake              => never
        "#,
    );
}

#[test]
fn r22_a_detached_child_is_not_waited_for() {
    check(
        r#"
        s -> b
        s: subgraph {"detached":true}
        0000 tick               => request s
        0010 begin s            => schedule b
        0020 end s              => refused
        0030 complete b         => completed {}
        "#,
    );
}

#[test]
fn r04_children_are_not_in_flight_and_count_in_what_a_step_orders() {
    check(
        r#"
        a -> b, a -> c, a -> d
        limits 1 2
        b: subgraph
        c: subgraph
        d: subgraph
        0000 tick               => schedule a
        0010 complete a         => request b, request c, more, request d
        "#,
    );
    check(
        r#"
        p -> b, p -> c, p -> d
        p: parallel
        limits 1 8
        c: subgraph
        0000 tick               => settle p, schedule b, request c
        "#,
    );
}

#[test]
fn r21_the_body_of_a_map_may_be_a_child() {
    check(
        r#"
        m -> b
        m: map {"body":{"type":"subgraph","workflow_id":"child","version":"1.0.0"},"max_concurrent":2}
        input {"items":[1,2,3]}
        0000 tick               => expand m 3, request m[0], request m[1]
        0001 child m[1]         => {"index":1,"item":2}
        0010 end m[1] {"a":1}   => request m[2]
        0020 end m[0] {"a":0}
        0030 end m[2] {"a":2}   => settle m, schedule b
        0040 complete b         => completed {"m":[{"a":0},{"a":1},{"a":2}]}
        "#,
    );
}

#[test]
fn r22_a_fork_asks_for_its_own_child() {
    check(
        r#"
        s -> b
        s: subgraph
        0000 tick               => request s 1/0
        0010 begin s
        0020 cut 3; fork        => request s 1/0
        0030 end s              => schedule b
        0040 complete b         => completed
        "#,
    );
}

#[test]
fn r22_what_is_said_of_another_child_is_refused() {
    check(
        r#"
        s -> b, s -> t
        s: subgraph
        0000 tick                    => request s
        0010 end b                   => refused
        0011 begin s attempt=2       => refused
        0012 begin s iteration=1     => refused
        0013 begin s child=exec_1    => refused
        0014 begin s
        0015 begin s                 => refused
        0016 deny s too_deep         => refused
        0017 end s child=exec_00000000000000000000000000000009 => refused
        0018 end s [1]               => refused
        0018 end s last=1            => refused
        0018 end s {} why="no"       => refused
        0018 end s failed {}         => refused
        0018 end s cancelled {}      => refused
        0018 end s cancelled why="no" => refused
        0019 end s                   => schedule b, schedule t
        0020 end s                   => refused
        "#,
    );
}

#[test]
fn r23_a_child_is_repeated_as_long_as_its_condition_holds() {
    check(
        r#"
        s -> end
        s: subgraph {"repeat":{"while":"last.n < 2 && iteration < 5","max":9},"input_mapping":{"last":"last","i":"iteration"}}
        0000 tick            => request s 1/0
        0001 child s         => {"i":0,"last":null}
        0010 end s {"n":1}   => request s 1/1
        0011 child s         => {"i":1,"last":{"n":1}}
        0011 inspect /state  => {}
        0020 end s {"n":2}   => completed {"s":{"n":2}}
        "#,
    );
}

#[test]
fn r23_at_its_most_it_fails_or_completes() {
    check(
        r#"
        s -> end
        s: subgraph {"repeat":{"while":"true","max":2}}
        0000 tick            => request s 1/0
        0010 end s {"n":1}   => request s 1/1
        0020 end s {"n":2}   => exhaust s ~"repeat_limit", failed
        "#,
    );
    check(
        r#"
        s -> end
        s: subgraph {"repeat":{"while":"true","max":1,"on_max":"complete"}}
        0000 tick            => request s 1/0
        0010 end s {"n":1}   => completed {"s":{"n":1}}
        "#,
    );
}

#[test]
fn r23_each_iteration_has_fresh_attempts_and_the_one_that_failed_is_retried() {
    check(
        r#"
        p -> s, p -> w
        p: parallel
        policy two {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1}
        s: subgraph retry=two {"repeat":{"while":"last.more","max":9}}
        w: wait timer {"timeout_secs":100}
        0000 tick                   => settle p, request s 1/0, wait w
        0010 end s failed
        1010 tick                   => request s 2/0
        1020 end s {"more":true}    => request s 1/1
        1030 end s failed
        2030 tick                   => request s 2/1
        2040 end s failed           => exhaust s
        2050 retry s                => request s 3/1
        2060 end s {"n":3}
        2061 inspect /state         => {"s":{"n":3}}
        "#,
    );
}

#[test]
fn r22_host_and_scheduler_know_one_depth() {
    let of_host = refrain::limits::CHILD_DEPTH_MAX;
    assert_eq!(of_host, refrain_guest::limits::CHILD_DEPTH_MAX);
}
