//! R21: maps.

use refrain_guest::contract::{CancelRequested, EventKind};
use refrain_guest::limits::{BATCH_DECISIONS_MAX, MAP_ITEMS_MAX};
use refrain_guest::shell::Scheduler;
use refrain_tests::notation::{Graph, Memory, check, step};

#[test]
fn r21_each_element_has_an_instance_and_the_outputs_stand_in_their_order() {
    check(
        r#"
        a -> m -> b
        m: map {"over":"state.urls"}
        0000 tick                       => schedule a
        0010 complete a {"urls":["x", {"y":1}, 3.0]} => expand m 3, schedule m[0], schedule m[1], schedule m[2]
        0011 item m[1] /kind            => {"tool_ref":"t","type":"tool"}
        0011 item m[1] /input           => {"index":1,"item":{"y":1}}
        0011 item m[2] /node_id         => "m[2]"
        0020 complete m[2] {"ignored":1} output=30
        0030 complete m[0] output={"a":1}
        0040 complete m[1] output="b"   => settle m, schedule b
        0041 inspect /state             => {"m":[{"a":1},"b",30],"urls":["x",{"y":1},3.0]}
        0050 complete b                 => completed {"m":[{"a":1},"b",30],"urls":["x", {"y":1}, 3.0]}
        "#,
    );
}

#[test]
fn r21_an_empty_list_completes_at_once() {
    check(
        r#"
        m -> b
        m: map {"output_key":"found"}
        input {"items":[]}
        0000 tick       => expand m 0, settle m, schedule b
        0010 complete b => completed {"found":[]}
        "#,
    );
}

#[test]
fn r21_what_is_no_list_or_too_long_a_one_fails_for_good() {
    check(
        r#"
        m -> end
        m: map
        0000 tick      => exhaust m not_a_list, failed
        "#,
    );
    check(
        r#"
        m -> end
        m: map {"max_items":2}
        input {"items":[1,2,3]}
        0000 tick      => exhaust m ~"3", failed
        "#,
    );
}

#[test]
fn r21_a_failed_map_without_instances_is_expanded_when_it_is_retried() {
    check(
        r#"
        a -> m, a -> h
        h: human_approval
        m: map {"over":"state.xs"}
        0000 tick              => schedule a
        0010 complete a        => interrupt h, exhaust m not_a_list
        0020 retry m[0]        => refused ~"has no instances now"
        0030 retry m           => exhaust m not_a_list
        0040 approve h {"xs":[1]} => settle h, failed
        "#,
    );
}

#[test]
fn r21_instances_are_dispatched_in_their_order_inside_both_windows() {
    check(
        r#"
        a -> m, a -> z
        m: map {"max_concurrent":2}
        limits 16 3
        input {"items":[0,1,2,3,4]}
        0000 tick          => schedule a
        0010 complete a    => expand m 5, schedule m[0], schedule m[1], schedule z
        0011 explain m[2]  => ready
        0020 complete m[1] => schedule m[2]
        0030 fail m[0] io  => retry m[0] @2030
        0035 complete m[2] => schedule m[3]
        0040 complete m[3]; complete z => schedule m[4]
        2030 complete m[0]
        2040 complete m[4] => settle m, completed
        "#,
    );
    check(
        r#"
        s -> m, s -> n
        m: map
        s: parallel
        limits 2 8
        input {"items":[0,1,2]}
        0000 tick          => settle s, expand m 3, schedule m[0], schedule m[1]
        0020 complete m[0] => schedule m[2]
        0030 complete m[2] => schedule n
        0040 complete n
        0050 complete m[1] => settle m, completed
        "#,
    );
}

#[test]
fn r21_more_than_are_tolerated_fail_the_map_and_the_rest_is_cancelled() {
    check(
        r#"
        m -> b
        m: map {"max_concurrent":3} retry=no_retry
        input {"items":[0,1,2,3,4]}
        0000 tick          => expand m 5, schedule m[0], schedule m[1], schedule m[2]
        0010 complete m[0] => schedule m[3]
        0020 fail m[1] io  => exhaust m[1], exhaust m ~"m[1]", cancel m[2], cancel m[3], failed
        "#,
    );
    check(
        r#"
        m -> b
        m: map {"tolerate":{"percent":50}} retry=no_retry
        input {"items":[0,1,2,3]}
        0000 tick          => expand m 4, schedule m[0], schedule m[1], schedule m[2], schedule m[3]
        0010 fail m[1] io  => exhaust m[1]
        0020 fail m[0] io  => exhaust m[0]
        0030 complete m[2] output=2
        0040 fail m[3] io  => exhaust m[3], exhaust m ~"3", failed
        "#,
    );
    check(
        r#"
        m -> b
        m: map {"tolerate":{"failures":1}} retry=no_retry
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 fail m[1] io  => exhaust m[1]
        0030 complete m[0] output=2 => settle m, schedule b
        0040 complete b    => completed {"m":[2,null]}
        "#,
    );
}

#[test]
fn r21_enough_complete_it_and_what_is_under_way_goes_on_or_is_cancelled() {
    check(
        r#"
        m -> b
        m: map {"complete_after":1,"max_concurrent":2} retry=io_default
        input {"items":[0,1,2]}
        0000 tick          => expand m 3, schedule m[0], schedule m[1]
        0010 complete m[1] {"x":1} output=1 => settle m, schedule b
        0020 fail m[0] io  => exhaust m[0]
        0025 skip m[2]     => refused ~"the map `m` is settled"
        0026 retry m[0]    => refused ~"the map `m` is settled"
        0027 explain m[2]  => cancelled
        0030 complete b    => completed {"m":[null,1,null]}
        "#,
    );
    check(
        r#"
        m -> end
        m: map {"complete_after":1,"max_concurrent":2,"cancel_rest":true}
        input {"items":[0,1,2]}
        0000 tick          => expand m 3, schedule m[0], schedule m[1]
        0010 complete m[0] output=1 => settle m, cancel m[1], completed {"m":[1,null,null]}
        "#,
    );
    check(
        r#"
        m -> end
        m: map {"complete_after":9}
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 complete m[0]
        0020 complete m[1] => settle m, completed
        "#,
    );
}

#[test]
fn r21_the_execution_does_not_end_before_what_is_under_way() {
    check(
        r#"
        m -> end
        m: map {"complete_after":1}
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 complete m[0] => settle m
        0020 complete m[1] output=7 => completed {"m":[null,null]}
        "#,
    );
}

#[test]
fn r21_instances_are_skipped_and_retried_while_the_map_is_open() {
    check(
        r#"
        m -> end
        m: map {"max_concurrent":1,"tolerate":{"failures":1}} retry=no_retry
        input {"items":[0,1,2,3]}
        0000 tick          => expand m 4, schedule m[0]
        0010 skip m[2]     => skip m[2] by_operator
        0011 skip m[2]     => refused ~"skipped already"
        0012 skip m[4]     => refused ~"4 instances, from 0"
        0013 skip m[01]    => refused ~"has no node"
        0020 fail m[0] io  => exhaust m[0], schedule m[1]
        0030 retry m[0]
        0040 skip m[1]     => cancel m[1] by_operator, retry m[0] @40
        0050 complete m[0] output=5 => schedule m[3]
        0060 complete m[3] => settle m, completed {"m":[5,null,null,null]}
        "#,
    );
}

#[test]
fn r20_a_retry_of_a_failed_map_reopens_what_failed_and_what_was_stopped() {
    check(
        r#"
        a -> m, a -> h
        h: human_approval
        m: map {"max_concurrent":2} retry=no_retry
        input {"items":[0,1,2,3]}
        0000 tick          => schedule a
        0001 complete a    => interrupt h, expand m 4, schedule m[0], schedule m[1]
        0010 complete m[0] output=10 => schedule m[2]
        0020 fail m[1] io  => exhaust m[1], exhaust m, cancel m[2]
        0025 explain m     => failed
        0030 retry m       => retry m[1] @30, retry m[2] @30
        0040 fail m[1] io  => exhaust m[1], exhaust m, cancel m[2]
        0050 retry m       => retry m[1] @50, retry m[2] @50
        0060 complete m[1] output=11 => schedule m[3]
        0070 complete m[2] output=12
        0080 complete m[3] output=13 => settle m
        0090 approve h     => settle h, completed {"m":[10,11,12,13]}
        "#,
    );
}

#[test]
fn r17_a_cancel_and_r14_a_timeout_stop_the_map_and_then_its_instances() {
    check(
        r#"
        m -> end
        m: map
        input {"items":[0,1,2]}
        limits 2 8
        0000 tick          => expand m 3, schedule m[0], schedule m[1]
        0005 complete m[0] => schedule m[2]
        0010 cancel        => cancel m, cancel m[1], cancel m[2], cancelled
        "#,
    );
    check(
        r#"
        m -> end
        timeout 1
        m: map timeout=5
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0500 claim m[0]
        1000 tick          => timeout workflow, cancel m, cancel m[0], cancel m[1], failed
        "#,
    );
    check(
        r#"
        m -> end
        m: map timeout=1 retry=no_retry {"tolerate":{"percent":100}}
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0100 claim m[1]
        0100 claim m[0]
        1100 tick          => timeout m[0], timeout m[1], exhaust m[0], exhaust m[1], settle m, completed {"m":[null,null]}
        "#,
    );
}

#[test]
fn r09_a_map_that_an_operator_skips_counts_as_completed_and_its_rest_is_stopped() {
    check(
        r#"
        m -> b
        m: map
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 complete m[0] output=1; skip m[1]; skip m => cancel m[1] by_operator, cancel m by_operator, schedule b
        0020 complete b    => completed {}
        "#,
    );
    check(
        r#"
        m -> b
        m: map
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 skip m; skip m[1] => cancel m by_operator, cancel m[0], cancel m[1], schedule b
        0020 complete b    => completed {}
        "#,
    );
}

#[test]
fn r11_a_policy_stalls_on_an_instance() {
    check(
        r#"
        m -> end
        policy p {"max_attempts":1,"on_exhausted":"pause"}
        m: map retry=p
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 fail m[1] io  => stall m[1]
        0011 status        => stalled
        0020 complete m[0] => refused ~"is stalled", refused ~"cannot be completed"
        0030 retry m[1]    => retry m[1] @30
        0035 complete m[0] output=0
        0040 complete m[1] output=1 => settle m, completed {"m":[0,1]}
        "#,
    );
}

#[test]
fn r11_a_stall_on_an_instance_ends_as_its_map_is_settled() {
    check(
        r#"
        m -> b
        policy p {"max_attempts":1,"on_exhausted":"pause"}
        m: map retry=p {"complete_after":1}
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 complete m[0]; fail m[1] io => stall m[1], settle m, exhaust m[1], schedule b
        0011 status        => running
        0020 complete b    => completed
        "#,
    );
}

#[test]
fn r18_a_paused_map_is_expanded_and_settled_but_dispatches_nothing() {
    check(
        r#"
        a -> m -> b
        m: map {"over":"state.xs"}
        0000 tick                          => schedule a
        0010 claim a
        0020 pause
        0030 complete a {"xs":[1]}         => expand m 1
        0040 unpause                       => schedule m[0]
        0050 claim m[0]
        0060 pause
        0070 complete m[0]                 => settle m
        0080 unpause                       => schedule b
        "#,
    );
}

#[test]
fn r21_a_body_maps_its_input_from_item_and_index() {
    check(
        r#"
        m -> end
        m: map {"body":{"type":"tool","tool_ref":"t","input_mapping":{"url":"item.url","at":"index","all":"input.base"}}}
        input {"items":[{"url":"u0"},{"url":"u1"},7],"base":"b"}
        0000 tick             => expand m 3, schedule m[0], schedule m[1], schedule m[2]
        0001 item m[1] /input => {"all":"b","at":1,"url":"u1"}
        0001 item m[2] /input => {"all":"b","at":2,"url":null}
        "#,
    );
}

#[test]
fn law11_a_fork_keeps_the_elements_and_begins_its_instances_anew() {
    check(
        r#"
        m -> b
        m: map
        input {"items":[0,1]}
        0000 tick          => expand m 2, schedule m[0], schedule m[1]
        0010 complete m[0] output=1
        0020 claim m[1]
        0030 cut 7; fork
        0040 complete m[1] fence=7 => refused ~"cannot be completed"
        0050 complete m[1] output=2 => settle m, schedule b
        0060 complete b    => completed {"m":[1,2]}
        "#,
    );
}

#[test]
fn r21_an_instance_chooses_no_target() {
    check(
        r#"
        m -> b
        m: map
        input {"items":[0]}
        0000 tick                    => expand m 1, schedule m[0]
        0010 complete m[0] choose=b  => refused ~"it cannot choose a target"
        0020 complete m[0]           => settle m, schedule b
        "#,
    );
}

/// A host takes so many decisions from one step, and not without end: the rest follows in
/// the next, and nothing has to happen in between.
#[test]
fn r21_the_largest_map_is_dispatched_and_cancelled_in_several_batches() {
    const { assert!(MAP_ITEMS_MAX as usize > 2 * BATCH_DECISIONS_MAX) };
    let items = vec!["0"; MAP_ITEMS_MAX as usize].join(",");
    let limits = format!("limits {MAP_ITEMS_MAX} {MAP_ITEMS_MAX}");
    let input = format!("input {{\"items\":[{items}]}}");
    let lines = ["m -> end", "m: map", &limits, &input];
    let graph = Graph::read(lines).expect("a graph");
    let mut world = Memory::new(&graph, 0);
    world.append_fact(world.start(&graph));
    let mut scheduler = Scheduler::new();
    let all = MAP_ITEMS_MAX as usize;
    let cancel = EventKind::CancelRequested(CancelRequested {
        reason: None,
        by: None,
    });
    for (facts, in_flight) in [(vec![], all), (vec![cancel], 0)] {
        let mut more = step(&mut world, &mut scheduler, facts)
            .expect("a step")
            .more;
        let mut steps = 1;
        while more {
            more = step(&mut world, &mut scheduler, vec![])
                .expect("a step")
                .more;
            steps += 1;
        }
        let batches = all.div_ceil(BATCH_DECISIONS_MAX);
        assert_eq!((steps, world.in_flight().len()), (batches, in_flight));
    }
}
