//! R21 where it meets other rules: expressions in a body, fields of the node, failures that
//! edges handle, joins that cancel the rest, budgets.

use refrain_tests::notation::{check, play};

#[test]
fn r29_a_body_reads_its_element_and_its_index() {
    check(
        r#"
        m -> b
        input {"items":["a b",{"n":1.25}],"who":"Zoë"}
        m: map {"body":{"type":"http","url":"http://h/${index}?q=${item}","headers":{"X-Node":"${node_id}"},"body":["${item}","${input.who}","$${item}"]}}
        0000 tick => expand m 2, schedule m[0] http, schedule m[1] http
        0001 item m[0] /kind/url => "http://h/0?q=a%20b"
        0001 item m[0] /kind/headers => {"X-Node":"m[0]"}
        0001 item m[1] /kind/body => [{"n":1.25},"Zoë","${item}"]
        0001 item m[1] /input => {"index":1,"item":{"n":1.25}}
        0010 complete m[0]; complete m[1] => settle m, schedule b
        "#,
    );
}

#[test]
fn r29_an_instance_whose_text_comes_to_null_fails_for_good_and_counts_as_failed() {
    check(
        r#"
        m -> b
        input {"items":[{"name":"a"},{},{"name":"c"}]}
        m: map {"body":{"type":"command","argv":["run","${item.name}"]},"max_concurrent":1,"tolerate":{"failures":1}}
        0000 tick          => expand m 3, schedule m[0]
        0010 complete m[0] output=1 => exhaust m[1] unresolved_expression /kind/body/argv/1, schedule m[2]
        0020 complete m[2] output=3 => settle m {"m":[1,null,3]}, schedule b
        "#,
    );
}

#[test]
fn r05_queue_and_priority_of_a_map_are_those_of_its_instances() {
    let played = play(
        r#"
        m -> b
        input {"items":[1]}
        m: map queue=gpu priority=9
        0000 tick          => expand m 1, schedule m[0] gpu
        0010 complete m[0] => settle m, schedule b
        "#,
    )
    .expect("the table holds");
    let item = played.world.last_item("m[0]").expect("an item");
    assert_eq!(item.item.priority, 9);
}

#[test]
fn r26_an_edge_handles_that_a_map_has_failed() {
    check(
        r#"
        m -> b, m -> c on failure if error.class == "instances_failed" && error.attempts == 0
        input {"items":[1,2]}
        m: map retry=no_retry
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 fail m[1]     => exhaust m[1], exhaust m, cancel m[0], skip b, schedule c
        0020 retry m       => refused ~"an edge has handled that"
        0020 retry m[1]    => refused ~"the map `m` is settled"
        0030 complete c    => completed
        "#,
    );
}

#[test]
fn r24_a_join_that_cancels_the_rest_stops_a_map_and_its_instances() {
    check(
        r#"
        s -> a, s -> m, a -> j, m -> j, j -> d
        s: parallel
        j: join first cancel_rest
        input {"items":[1,2,3]}
        m: map {"max_concurrent":2}
        0000 tick       => settle s, schedule a, expand m 3, schedule m[0], schedule m[1]
        0010 complete a => settle j, cancel m join_satisfied, cancel m[0], cancel m[1], schedule d
        0020 complete d => completed
        "#,
    );
}

#[test]
fn r28_what_instances_use_up_counts() {
    check(
        r#"
        m -> b
        input {"items":[1,2]}
        budget {"token_budget":100}
        m: map
        0000 tick                        => expand m 2, schedule m[0], schedule m[1]
        0010 complete m[0] tokens=60+41  => cancel m budget_exceeded, cancel m[1] budget_exceeded, failed "tokens 101 of 100"
        "#,
    );
}
