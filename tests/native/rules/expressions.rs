//! Rule R29: expressions in the texts of a kind.

use refrain_tests::notation::check;

#[test]
fn r29_a_worker_is_given_what_expressions_come_to() {
    check(
        r#"
        a -> b -> c
        b: command {"argv":["run","${state.n}","n=${state.n} of ${state.list}","$${state.n}","${node_id}"],"env":{"WHO":"${input.who}"},"cwd":"/srv/${input.who}"}
        c: http {"url":"https://h/${input.who}/${state.n}?q=${state.list}","headers":{"X-N":"${state.n}"},"body":{"all":["${state}",{"n":"${state.n}"}],"size":"${size(state.list)}"}}
        input {"who":"Zoë/x"}
        0000 tick => schedule a
        0010 complete a {"n":1.50,"list":[1,"b"]} => schedule b command
        0010 item b /kind => {"argv":["run",1.5,"n=1.50 of [1,\"b\"]","${state.n}","b"],"cwd":"/srv/Zoë/x","env":{"WHO":"Zoë/x"},"type":"command"}
        0020 complete b {"n":2} => schedule c http
        0020 item c /kind/url => "https://h/Zo%C3%AB%2Fx/2?q=%5B1%2C%22b%22%5D"
        0020 item c /kind/headers => {"X-N":2}
        0020 item c /kind/body => {"all":[{"list":[1,"b"],"n":2},{"n":2}],"size":2}
        0020 item c /input => {"input":{"who":"Zoë/x"},"state":{"list":[1,"b"],"n":2}}
        0030 complete c => completed
        "#,
    );
}

#[test]
fn r29_each_attempt_sees_the_state_of_its_own_time() {
    check(
        r#"
        s -> a, s -> b
        a: command {"argv":["run","${state.n}"]}
        0000 tick => schedule s
        0010 complete s {"n":1} => schedule a, schedule b
        0010 item a /kind/argv/1 => 1
        0020 complete b {"n":2}
        0030 fail a io => retry a @2030
        0030 item a /kind/argv/1 => 2
        2030 complete a => completed
        "#,
    );
}

#[test]
fn r29_null_fails_the_node_for_good_before_any_attempt() {
    check(
        r#"
        s -> a, s -> b
        a: command {"argv":["run","n=${state.gone}"]}
        b: http {"url":"http://h/","body":{"deep":[1,"${state.none}"]}}
        0000 tick => schedule s
        0010 complete s {"none":null} => exhaust a unresolved_expression /kind/argv/1, exhaust b unresolved_expression /kind/body/deep/1, failed
        0010 inspect /nodes/a/attempts => 0
        0010 inspect /nodes/a/failure => {"cause":"unresolved_expression","pointer":"/kind/argv/1"}
        "#,
    );
}

#[test]
fn r29_a_retry_that_has_nothing_to_say_is_the_end_of_the_node() {
    check(
        r#"
        s -> a, s -> b
        a: command retry=hold {"argv":["run","${state.n}"]}
        policy hold {"max_attempts":5,"backoff":"fixed","initial_delay":1,"on_exhausted":"pause"}
        0000 tick => schedule s
        0010 complete s {"n":1} => schedule a, schedule b
        0020 complete b {"n":null}
        0030 fail a => exhaust a unresolved_expression /kind/argv/1, failed
        0030 inspect /nodes/a/attempts => 1
        "#,
    );
}

#[test]
fn r29_an_operator_can_retry_it_when_the_state_has_what_was_missing() {
    check(
        r#"
        s -> a, s -> b
        a: command {"argv":["run","${state.n}"]}
        0000 tick => schedule s
        0010 complete s => exhaust a unresolved_expression /kind/argv/1, schedule b
        0020 retry a => exhaust a unresolved_expression /kind/argv/1
        0030 skip a => skip a by_operator
        0040 complete b => completed
        "#,
    );
    check(
        r#"
        s -> a, s -> b, s -> c
        a: command {"argv":["run","${state.n}"]}
        0000 tick => schedule s
        0010 complete s => exhaust a unresolved_expression /kind/argv/1, schedule b, schedule c
        0020 complete b {"n":1}
        0030 retry a => schedule a
        0030 item a /kind/argv/1 => 1
        0040 complete a
        0050 complete c => completed
        "#,
    );
}

#[test]
fn r29_what_holds_the_execution_holds_such_an_end_too() {
    check(
        r#"
        s -> a, s -> b
        a: command {"argv":["run","${state.n}"]}
        limits 1 8
        0000 tick => schedule s
        0010 claim s; pause
        0020 complete s
        0030 unpause => exhaust a unresolved_expression /kind/argv/1, schedule b
        0040 complete b => failed
        "#,
    );
}

#[test]
fn r29_a_value_too_large_or_too_deep_fails_the_node_for_good() {
    let text = "x".repeat(4 * 1024 * 1024 - 100);
    check(&format!(
        r#"
        s -> a
        a: command {{"argv":["run","${{state.big}}"],"env":{{"B":"${{state.big}}"}}}}
        0000 tick => schedule s
        0010 complete s {{"big":"{text}"}} => exhaust a too_large /kind/env/B, failed
        "#
    ));
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let table = |levels: usize, outcome: &str| {
        format!(
            r#"
            s -> a
            a: http {{"url":"http://h/","body":[["${{state.deep}}"]]}}
            0000 tick => schedule s
            0010 complete s {{"deep":{}}} => {outcome}
            "#,
            deep(levels)
        )
    };
    check(&table(97, "schedule a"));
    check(&table(98, "exhaust a too_large /kind/body/0/0, failed"));
}

#[test]
fn r29_a_wait_takes_its_key_when_it_begins() {
    check(
        r#"
        s -> w, s -> b
        w: wait external_event {"correlation_key":"order-${state.id}"}
        0000 tick => schedule s
        0010 complete s {"id":7} => schedule b, wait w
        0010 inspect /nodes/w/waits_for => "order-7"
        0010 explain w => waiting ~"order-7"
        0020 complete b {"id":8}
        0030 signal order-8 {"no":1}
        0040 signal order-7 {"yes":1} => settle w, completed ~"yes"
        "#,
    );
    // One that came early is there at once.
    check(
        r#"
        s -> w -> v
        w: wait external_event {"correlation_key":"order-${state.id}"}
        v: wait external_event {"correlation_key":"order-${state.id}"}
        0000 signal order-7 {"first":1}; signal order-7 {"second":1} => schedule s
        0010 complete s {"id":7} => settle w, settle v, completed {"first":1,"id":7,"second":1}
        "#,
    );
    // Cancelled after it was answered, it hands the event on.
    check(
        r#"
        s -> w, s -> v
        w: wait external_event {"correlation_key":"${'k'}"}
        v: wait external_event {"correlation_key":"k"}
        0000 tick => schedule s
        0010 complete s => wait v, wait w
        0020 signal k {"a":1}; skip v => cancel v by_operator, settle w, completed {"a":1}
        "#,
    );
}

#[test]
fn r29_a_wait_or_an_approval_that_has_nothing_to_ask_for_fails() {
    check(
        r#"
        s -> w, s -> v, s -> p, s -> l
        w: wait external_event {"correlation_key":"${state.id}"}
        v: wait either {"correlation_key":"${state.empty}","timeout_secs":1}
        p: human_approval {"description":"Pay ${state.sum}?"}
        l: wait external_event {"correlation_key":"${state.long + state.long}"}
        0000 tick => schedule s
        0010 complete s {"empty":"","long":"LONG"} => exhaust l too_large /kind/correlation_key, exhaust p unresolved_expression /kind/description, exhaust v unresolved_expression /kind/correlation_key, exhaust w unresolved_expression /kind/correlation_key, failed
        "#
        .replace("LONG", &"x".repeat(200))
        .as_str(),
    );
}

#[test]
fn r29_an_approval_asks_what_it_asked_when_it_began() {
    check(
        r#"
        s -> p, s -> b
        p: human_approval {"description":"Pay ${state.sum} to ${input.who}?","timeout_secs":60}
        input {"who":"Zoë"}
        0000 tick => schedule s
        0010 complete s {"sum":7.00} => schedule b, interrupt p
        0020 complete b {"sum":8}
        0020 explain p => waiting ~"Pay 7.00 to Zoë?"
        0030 approve p => settle p, completed
        "#,
    );
}

#[test]
fn r29_a_mapping_sees_the_node_too() {
    check(
        r#"
        a -> end
        a: tool {"input_mapping":{"me":"node_id","all":"[node_id, state.gone]"}}
        0000 tick => schedule a
        0000 item a /input => {"all":["a",null],"me":"a"}
        "#,
    );
}

#[test]
fn r29_kinds_of_jamjet_keep_their_texts() {
    check(
        r#"
        a -> end
        a: model {"system_prompt":"Say ${state.x}, $${y}"}
        0000 tick => schedule a model
        0000 item a /kind/system_prompt => "Say ${state.x}, $${y}"
        "#,
    );
}

/// A finalizer that cannot begin ends the execution like one that fails.
#[test]
fn r29_r16_a_finalizer_without_a_value_fails_at_the_end() {
    check(
        r#"
        a -> end
        f: command run_on=always {"argv":["x","${state.nothing}"]}
        g: command run_on=always {"argv":["x","${state.there}"]}
        0000 tick                   => schedule a
        0010 complete a {"there":1} => exhaust f unresolved_expression /kind/argv/1, schedule g
        0020 complete g             => failed "f"
        "#,
    );
}

#[test]
fn r29_any_field_of_a_task_may_hold_expressions() {
    check(
        r#"
        a -> b
        b: task {"queue":"gpu","size":"${state.n}","all":{"names":["x-${state.n}","$${n}"]}}
        0000 tick               => schedule a
        0010 complete a {"n":3} => schedule b gpu
        0010 item b /kind       => {"all":{"names":["x-3","${n}"]},"queue":"gpu","size":3,"type":"task"}
        "#,
    );
}

#[test]
fn r26_expressions_read_the_failures_that_edges_have_handled() {
    check(
        r#"
        s -> a, s -> b, a -> h on failure, b -> i on always, h -> j, i -> j
        a: tool retry=no_retry
        b: limit_exceeded
        h: command {"argv":["tell","${errors.a.class} at ${errors.a.attempts}: ${errors.a.message}","${has(errors.j)}"]}
        i: tool {"input_mapping":{"why":"errors.b.class","all":"size(errors)"}}
        j: command {"argv":["${errors.none}"]}
        0000 tick                 => schedule s
        0010 complete s           => schedule a, exhaust b, schedule i
        0011 item i /input        => {"all":1,"why":"limit_exceeded"}
        0012 inspect /errors      => {"b":{"attempts":0,"class":"limit_exceeded","message":null}}
        0020 fail a io_error      => exhaust a, schedule h
        0021 item h /kind/argv    => ["tell","io_error at 1: boom",false]
        0030 complete h; complete i => exhaust j "unresolved_expression /kind/argv/0", failed j
        "#,
    );
}
