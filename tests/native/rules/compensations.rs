//! R27: compensations.

use refrain_tests::notation::check;

#[test]
fn r27_what_was_completed_is_undone_the_latest_first() {
    check(
        r#"
        a -> b -> c -> d
        a: tool undo=tool
        c: tool undo={"type":"http","url":"http://localhost/${output.id}"}
        d: tool retry=no_retry undo=tool
        0000 tick                         => schedule a
        0010 complete a {"x":1} output=7  => schedule b
        0020 complete b                   => schedule c
        0030 complete c output={"id":"i"} => schedule d
        0040 fail d                       => exhaust d, schedule c!undo http
        0041 item c!undo /kind            => {"type":"http","url":"http://localhost/i"}
        0042 item c!undo /input           => {"input":{},"output":{"id":"i"},"state":{"x":1}}
        0042 item c!undo /node_id         => "c!undo"
        0050 complete c!undo {"x":2}      => schedule a!undo tool
        0051 item a!undo /input           => {"input":{},"output":7,"state":{"x":1}}
        0060 complete a!undo              => failed d
        0061 inspect /state               => {"x":1}
        0061 inspect /nodes/a/undo        => {"completed":4,"output":7,"run":{"attempts":1,"ended_at":60,"kind":"tool","max_attempts":3,"queue":"tool","scheduled_at":50,"started_at":60,"state":"completed","worker_id":"w1"}}
        "#,
    );
}

#[test]
fn r27_nothing_is_undone_where_all_went_well() {
    check(
        r#"
        a -> b
        a: tool undo=tool
        f: finalizer always
        0000 tick            => schedule a
        0010 complete a      => schedule b
        0020 explain a!undo  => pending ~"not at the end"
        0020 complete b      => schedule f
        0030 complete f      => completed
        0040 explain a!undo  => pending "ended completed"
        "#,
    );
}

#[test]
fn r27_what_no_worker_completed_is_not_undone() {
    check(
        r#"
        s -> a, s -> b, s -> c, s -> d -> e if state.never, d -> g
        s: parallel
        a: tool retry=no_retry undo=tool
        b: tool undo=tool
        c: tool undo=tool
        e: tool undo=tool
        g: tool retry=no_retry undo=tool
        0000 tick       => settle s, schedule a, schedule b, schedule c, schedule d
        0010 fail a     => exhaust a
        0020 skip b     => cancel b by_operator
        0030 complete c
        0040 complete d => skip e, schedule g
        0050 fail g     => exhaust g, schedule c!undo
        0051 skip a!undo => refused ~"no worker and no child has completed `a`"
        0051 skip a!undo!undo => refused ~"has no compensation"
        0051 skip s!undo => refused ~"`s` has no compensation"
        0051 claim e!undo => refused ~"no worker and no child has completed `e`"
        0060 complete c!undo => failed ~"a, g"
        "#,
    );
}

#[test]
fn r27_a_compensation_is_retried_and_its_failure_is_recorded() {
    check(
        r#"
        a -> b -> c
        policy two {"max_attempts":2,"backoff":"fixed","initial_delay":5,"max_delay":5,"on_exhausted":"pause"}
        a: tool undo=tool
        b: tool retry=two timeout=10 undo=tool
        c: tool retry=no_retry
        f: finalizer failure
        0000 tick             => schedule a
        0010 complete a       => schedule b
        0020 complete b       => schedule c
        0030 fail c           => exhaust c, schedule b!undo
        0040 claim b!undo
        0041 wake             => @10040
        10040 tick            => timeout b!undo, retry b!undo @15040
        15040 fail b!undo io  => exhaust b!undo, schedule a!undo
        15041 explain b!undo  => failed ~"(retry b!undo, skip b!undo)"
        15042 explain f       => pending ~"a!undo"
        15050 complete a!undo => schedule f
        15060 complete f      => failed c
        "#,
    );
}

#[test]
fn r27_a_cancel_and_a_timeout_undo_too_and_do_not_stop_what_has_begun() {
    check(
        r#"
        a -> b -> c
        timeout 60
        a: tool undo=tool
        b: tool undo=tool
        f: finalizer always
        g: finalizer failure
        0000 tick             => schedule a
        0010 complete a       => schedule b
        0020 complete b       => schedule c
        60000 tick            => timeout workflow, cancel c, schedule b!undo
        60010 claim b!undo
        60020 cancel why=enough
        60030 complete b!undo => schedule a!undo
        60040 complete a!undo => schedule f, skip g run_on
        60050 complete f      => cancelled enough
        "#,
    );
}

#[test]
fn r27_a_terminate_that_fails_and_a_spent_budget_undo() {
    check(
        r#"
        a -> b -> t
        a: tool undo=tool
        t: terminate failed {"reason":"no stock"}
        0000 tick            => schedule a
        0010 complete a      => schedule b
        0020 complete b      => settle t, schedule a!undo
        0030 complete a!undo => failed "terminated no stock"
        "#,
    );
    check(
        r#"
        a -> b
        budget {"token_budget":10}
        a: tool undo=tool
        0000 tick                        => schedule a
        0010 complete a tokens=11+0      => schedule a!undo
        0030 complete a!undo tokens=90+0 => failed
        "#,
    );
    check(
        r#"
        a -> b -> t
        a: tool undo=tool
        t: terminate completed
        0000 tick            => schedule a
        0010 complete a      => schedule b
        0020 complete b      => settle t, completed
        "#,
    );
}

#[test]
fn r27_each_instance_of_a_map_is_undone() {
    check(
        r#"
        m -> b
        input {"items":["x","y","z"]}
        m: map undo={"type":"command","argv":["undo","${item}","${index}","${output}"]} queue=q priority=7
        b: tool retry=no_retry
        0000 tick                => expand m 3, schedule m[0] q, schedule m[1], schedule m[2]
        0010 complete m[2] output="c"
        0020 complete m[0] output="a"
        0030 complete m[1] output="b" => settle m, schedule b
        0040 fail b              => exhaust b, schedule m[1]!undo q
        0041 item m[1]!undo /kind/argv => ["undo","y",1,"b"]
        0042 item m[1]!undo /input => {"input":{"items":["x","y","z"]},"output":"b","state":{"m":["a","b","c"]}}
        0050 complete m[1]!undo  => schedule m[0]!undo
        0060 complete m[0]!undo  => schedule m[2]!undo
        0061 inspect /nodes/m/instances/runs/2/run/undo/run/state => "scheduled"
        0070 complete m[2]!undo  => failed b
        "#,
    );
}

#[test]
fn r27_instances_that_completed_before_their_map_failed_and_behind_it_are_undone() {
    check(
        r#"
        m -> b
        input {"items":[0,1,2]}
        m: map undo=tool retry=no_retry {"max_concurrent":2}
        0000 tick           => expand m 3, schedule m[0], schedule m[1]
        0010 complete m[1]  => schedule m[2]
        0020 fail m[0]      => exhaust m[0], exhaust m, cancel m[2], schedule m[1]!undo
        0030 complete m[1]!undo => failed m
        "#,
    );
    check(
        r#"
        m -> b
        input {"items":[0,1]}
        m: map undo=tool {"complete_after":1}
        b: tool retry=no_retry
        0000 tick           => expand m 2, schedule m[0], schedule m[1]
        0010 complete m[1]  => settle m, schedule b
        0020 fail b         => exhaust b
        0030 complete m[0]  => schedule m[0]!undo
        0040 complete m[0]!undo => schedule m[1]!undo
        0050 complete m[1]!undo => failed b
        "#,
    );
}

#[test]
fn r27_a_child_is_undone_by_its_final_state() {
    check(
        r#"
        s -> t -> m -> c
        input {"items":[1]}
        s: subgraph {"merge":true} undo={"type":"tool","tool_ref":"u","input_mapping":{"n":"output.n","id":"node_id"}}
        t: subgraph {"repeat":{"while":"last.n < 2","max":9}} undo=tool
        m: map {"body":{"type":"subgraph","workflow_id":"w","version":"1.0.0"}} undo=tool
        c: tool retry=no_retry
        0000 tick                => request s 1/0
        0010 end s {"n":1}       => request t 1/0
        0020 end t {"n":1}       => request t 1/1
        0030 end t {"n":2}       => expand m 1, request m[0] 1/0
        0040 end m[0] {"n":3}    => settle m, schedule c
        0050 fail c              => exhaust c, schedule m[0]!undo
        0051 item m[0]!undo /input/output => {"n":3}
        0060 complete m[0]!undo  => schedule t!undo
        0061 item t!undo /input/output => {"n":2}
        0070 complete t!undo     => schedule s!undo
        0071 item s!undo /input  => {"id":"s!undo","n":1}
        0080 complete s!undo     => failed c
        "#,
    );
}

#[test]
fn r27_a_pause_holds_compensations_and_nobody_else_waits_for_them() {
    check(
        r#"
        a -> b
        a: tool undo=tool
        b: tool retry=no_retry
        0000 tick             => schedule a
        0010 complete a       => schedule b
        0020 pause
        0030 fail b           => refused ~"paused", refused
        0040 unpause
        0050 claim b
        0060 pause
        0070 fail b           => exhaust b
        0080 explain a!undo   => pending ~"paused"
        0090 unpause          => schedule a!undo
        0100 claim a!undo
        0110 pause
        0120 complete a!undo
        0130 unpause          => failed b
        "#,
    );
}

#[test]
fn r27_an_operator_retries_or_skips_a_compensation_until_the_end() {
    check(
        r#"
        a -> b -> c -> d
        a: tool undo=tool
        b: tool retry=no_retry undo=tool
        c: tool retry=no_retry undo=tool
        d: tool retry=no_retry
        0000 tick             => schedule a
        0010 complete a       => schedule b
        0020 complete b       => schedule c
        0030 complete c; skip a!undo => refused ~"no compensation has begun", schedule d
        0040 fail d           => exhaust d, schedule c!undo
        0050 fail c!undo      => exhaust c!undo, schedule b!undo
        0051 explain c!undo   => failed ~"retry"
        0060 retry c!undo; skip a!undo => skip a!undo by_operator
        0061 explain c!undo   => ready ~"b!undo"
        0070 complete b!undo  => retry c!undo @70
        0080 skip c!undo      => cancel c!undo by_operator, failed d
        "#,
    );
}

#[test]
fn r27_a_finalizer_that_fails_undoes_what_was_completed() {
    check(
        r#"
        a -> b
        a: tool undo=tool
        f: finalizer always retry=no_retry
        g: finalizer success
        h: finalizer failure
        f -> g -> h
        0000 tick            => schedule a
        0010 complete a      => schedule b
        0020 complete b      => schedule f
        0030 fail f          => exhaust f, schedule a!undo
        0040 retry f         => refused ~"being undone"
        0040 skip f          => refused ~"being undone"
        0050 complete a!undo => skip g run_on, schedule h
        0060 complete h      => failed f
        "#,
    );
}

#[test]
fn r27_a_compensation_chooses_no_target_and_reads_what_is_there() {
    check(
        r#"
        a -> b -> c
        a: tool undo={"type":"command","argv":["undo","${output.id}"]}
        b: tool undo=tool
        c: tool retry=no_retry
        0000 tick            => schedule a
        0010 complete a      => schedule b
        0020 complete b      => schedule c
        0030 fail c          => exhaust c, schedule b!undo
        0040 claim b!undo
        0050 complete b!undo choose=c => refused ~"leads nowhere"
        0060 complete b!undo => exhaust a!undo "unresolved_expression /compensate/argv/1", failed c
        "#,
    );
}

#[test]
fn r27_a_fork_begins_a_compensation_anew() {
    check(
        r#"
        a -> b
        a: tool undo=tool
        b: tool retry=no_retry
        0000 tick            => schedule a
        0010 complete a      => schedule b
        0020 fail b          => exhaust b, schedule a!undo
        0030 claim a!undo
        0040 cut 10; fork
        0050 complete a!undo => failed b
        "#,
    );
    check(
        r#"
        a -> b
        a: tool undo=tool
        b: tool retry=no_retry
        0000 tick            => schedule a
        0010 claim a
        0020 complete a output=1 => schedule b
        0030 cut 3; complete a {} output=2 edited=ada; fork => schedule b
        0040 fail b          => exhaust b, schedule a!undo
        0041 item a!undo /input/output => 2
        0050 complete a!undo => failed b
        "#,
    );
}

#[test]
fn r27_what_was_given_back_or_expired_spends_what_it_spends() {
    check(
        r#"
        a -> b
        a: tool undo=tool
        b: tool retry=no_retry
        0000 tick            => schedule a
        0010 complete a      => schedule b
        0020 fail b          => exhaust b, schedule a!undo
        0030 release a!undo
        0040 expire a!undo   => retry a!undo @2040
        2050 complete a!undo => failed b
        "#,
    );
}

#[test]
fn r27_outputs_that_are_kept_count_as_the_state_does() {
    let large = "x".repeat(3_900_000);
    check(&format!(
        r#"
        a -> b -> c -> d -> e
        a: tool undo=tool
        b: tool undo=tool
        c: tool undo=tool
        d: tool undo=tool
        e: tool
        0000 tick            => schedule a
        0010 complete a output="{large}" => schedule b
        0020 complete b output="{large}" => schedule c
        0030 complete c output="{large}" => schedule d
        0040 claim d
        0050 complete d {{"x":"{large}"}} output="{large}" => refused ~"would come to"
        0050 complete d output="{large}" => schedule e
        0060 complete e output="{large}" => completed
        "#
    ));
    check(&format!(
        r#"
        m -> end
        input {{"items":[0,1,2,3,4]}}
        m: map undo=tool retry=no_retry {{"body":{{"type":"subgraph","workflow_id":"w","version":"1.0.0"}},"tolerate":{{"failures":1}}}}
        0000 tick            => expand m 5, request m[0], request m[1], request m[2], request m[3], request m[4]
        0010 end m[0] {{"x":"{large}"}}
        0010 end m[1] {{"x":"{large}"}}
        0010 end m[2] {{"x":"{large}"}}
        0010 end m[3] {{"x":"{large}"}}
        0020 end m[4] {{"x":"{large}"}} => exhaust m[4] "too_large /compensate", exhaust m "too_large /kind/output_key", schedule m[3]!undo
        "#
    ));
}
