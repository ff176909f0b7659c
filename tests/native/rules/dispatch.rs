//! R3 to R6: what is ready, dispatched, or settled without a worker.

use refrain_bench::start;
use refrain_guest::contract::{EventKind, NodeSettled, WorkItem};
use refrain_guest::digest::digest_of_text;
use refrain_guest::limits::BATCH_BYTES_MAX;
use refrain_guest::notation::item_digest;
use refrain_guest::shell::Scheduler;
use refrain_tests::notation::{Graph, Memory, check, play, step};
use sha2::{Digest as _, Sha256};

#[test]
fn r03_ready_when_every_edge_is_settled_and_one_is_live() {
    check(
        r#"
        a -> b, a -> c if state.go, b -> d, c -> d
        0000 tick       => schedule a
        0010 complete a => schedule b, skip c
        0020 explain d  => pending ~"needs b, scheduled"
        0030 complete b => schedule d
        0040 complete d => completed
        "#,
    );
}

#[test]
fn r04_concurrency_holds_ready_nodes_back() {
    check(
        r#"
        s -> a, s -> b, s -> c
        limits 2 8
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 explain c  => ready "2 of 2 in flight"
        0030 complete a => schedule c
        0040 complete b; complete c => completed
        "#,
    );
}

#[test]
fn r04_a_node_in_back_off_is_in_flight_and_a_waiting_one_is_not() {
    check(
        r#"
        s -> a, s -> b, s -> w
        w: wait timer {"timeout_secs":1}
        limits 1 8
        0000 tick       => schedule s
        0010 complete s => schedule a, wait w @1010
        0020 fail a     => retry a @2020
        1010 tick       => fire w, settle w
        2020 complete a => schedule b
        2030 complete b => completed
        "#,
    );
}

#[test]
fn r04_the_dispatch_limit_cuts_a_step_and_more_follows() {
    check(
        r#"
        s -> a, s -> b, s -> c, s -> j, s -> p, p -> x
        p: parallel
        limits 16 2
        own_limits 99 99
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b, settle p, more, schedule c, schedule j, more, schedule x
        0020 complete a; complete b; complete c; complete j; complete x => completed
        "#,
    );
}

#[test]
fn r04_the_workflows_own_limits_narrow() {
    check(
        r#"
        s -> a, s -> b
        own_limits 1 1
        0000 tick       => schedule s
        0010 complete s => schedule a
        0020 complete a => schedule b
        0030 complete b => completed
        "#,
    );
}

#[test]
fn r05_queues_by_kind() {
    let queues = [
        ("model", "model"),
        ("tool", "tool"),
        ("mcp_tool", "tool"),
        ("a2a_task", "tool"),
        ("python_fn", "python_tool"),
        ("java_fn", "java_tool"),
        ("memory_retrieval", "retrieval"),
        ("command", "command"),
        ("http", "http"),
        ("agent", "general"),
        ("policy", "general"),
        ("condition", "general"),
    ];
    for (kind, queue) in queues {
        assert_eq!(
            refrain::queues::of_kind(kind),
            queue,
            "as the host has it: {kind}"
        );
        check(&format!(
            "a -> end\na: {kind}\n0000 tick => schedule a {queue}\n0010 complete a => completed"
        ));
    }
}

#[test]
fn r05_a_node_may_name_its_queue_and_its_priority() {
    let played = play(
        r#"
        a -> b -> c
        a: task gpu {"steps":[1, "two"]} priority=9
        b: http queue=mail lease=60
        0000 tick       => schedule a gpu
        0005 explain a  => scheduled ~"gpu"
        0010 complete a => schedule b mail
        0020 complete b => schedule c general
        "#,
    )
    .expect("the table holds");
    let item = |node: &str| played.world.last_item(node).expect("an item").item.clone();
    assert_eq!([item("a").priority, item("b").priority], [9, 5]);
    let payload = &item("a").payload;
    let kind = r#"{"node_id":"a","kind":{"queue":"gpu","steps":[1,"two"],"type":"task"},"input":"#;
    assert!(payload.starts_with(kind), "{payload}");
}

#[test]
fn r05_the_payload_is_exact_and_the_kind_is_verbatim() {
    let played = play(
        r#"
        a -> b
        input {"n":1.50}
        0000 tick => schedule a
        0010 complete a {"x":[1, 2]} => schedule b
        "#,
    )
    .expect("the table holds");
    let payload = &played.world.last_item("b").expect("an item").item.payload;
    assert_eq!(
        payload,
        r#"{"node_id":"b","kind":{"branches":[],"type":"condition"},"input":{"state":{"x":[1, 2]},"input":{"n":1.50}}}"#
    );
}

#[test]
fn r05_a_mapping_is_resolved_with_sorted_keys() {
    check(
        r#"
        a -> b
        b: tool {"input_mapping":{"z":"state.x","n":"input.n","gone":"state.gone.deep","is":"state.x == 2"}}
        input {"n":15}
        0000 tick               => schedule a
        0010 complete a {"x":2} => schedule b
        0010 item b /input      => {"gone":null,"is":true,"n":15,"z":2}
        0020 complete b         => completed
        "#,
    );
}

/// Each of the twelve items holds the whole input, and a host does not take all of them
/// in one batch: the rest follows in the next, and nothing has to happen in between.
#[test]
fn r04_a_batch_that_has_become_large_ends_and_the_next_goes_on() {
    const INPUT_BYTES: usize = 4_000_000;
    let enough = BATCH_BYTES_MAX.div_ceil(INPUT_BYTES);
    let edges = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let edges = edges.map(|to| format!("p -> {to}")).join(", ");
    let input = format!("input {{\"long\":\"{}\"}}", "x".repeat(INPUT_BYTES));
    let lines = [&edges, "p: parallel", "limits 20 20", &input];
    let graph = Graph::read(lines).expect("a graph");
    let mut world = Memory::new(&graph, 0);
    world.append_fact(world.start(&graph));
    let mut scheduler = Scheduler::new();
    for (in_flight, more) in [(enough, true), (12, false)] {
        let outcome = step(&mut world, &mut scheduler, Vec::new()).expect("a step");
        assert_eq!((world.in_flight().len(), outcome.more), (in_flight, more));
    }
}

#[test]
fn r06_what_needs_no_worker_is_settled_in_the_same_step() {
    check(
        r#"
        p -> j, p -> c, c -> j, j -> l
        p: parallel
        j: join
        c: condition {"branches":[{"condition":"state.none","target":"x"},{"target":"j"}]}
        l: limit_exceeded
        0000 tick => settle p, settle c -> j, settle j, skip x, exhaust l ~limit_exceeded, failed l
        "#,
    );
}

#[test]
fn r06_a_first_join_runs_at_its_first_live_edge() {
    check(
        r#"
        s -> a, s -> b, a -> j, b -> j, j -> z
        j: join first
        0000 tick       => schedule s
        0010 complete s => schedule a, schedule b
        0020 complete b => settle j, schedule z
        0030 complete z
        0040 complete a => completed
        "#,
    );
}

#[test]
fn r06_a_first_join_without_a_live_edge_is_skipped() {
    check(
        r#"
        s -> j if state.x, s -> k if state.y, j -> z, k -> j
        j: join first
        0000 tick       => schedule s
        0010 complete s => skip k, skip j, skip z, completed
        "#,
    );
}

#[test]
fn r04_retries_count_against_the_dispatch_limit_too() {
    check(
        r#"
        s -> a, s -> b
        limits 16 1
        0000 tick           => schedule s
        0010 complete s     => schedule a, more, schedule b
        0020 claim a; claim b
        0030 fail a; fail b => retry a @2030, more, retry b @2030
        "#,
    );
}

/// The digest as `work-item` in the contract defines it, computed from there.
#[test]
fn r05_an_items_digest_is_what_the_contract_says() {
    let item = WorkItem {
        node_id: "größe".to_owned(),
        attempt: 2,
        max_attempts: 3,
        queue: "tool".to_owned(),
        tenant: String::new(),
        priority: 5,
        not_before: 1_700_000_000_000,
        payload: "{}".to_owned(),
    };
    let mut bytes = Vec::new();
    bytes.extend(("größe".len() as u64).to_le_bytes());
    bytes.extend("größe".as_bytes());
    bytes.extend([2_u64, 3].map(u64::to_le_bytes).concat());
    for text in ["tool", ""] {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend([5_u64, 1_700_000_000_000].map(u64::to_le_bytes).concat());
    bytes.extend([&2_u64.to_le_bytes()[..], b"{}"].concat());
    let digest: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(item_digest(&item).to_string(), digest);
    assert_eq!(
        digest_of_text("{}"),
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
}

#[test]
fn r06_what_the_guest_settles_has_no_output() {
    let table = "p: parallel\np -> a\n0000 tick => settle p {}, schedule a";
    let world = play(table).unwrap_or_else(|error| panic!("{error}")).world;
    let EventKind::NodeSettled(settled) = &world.events[1].kind else {
        panic!("{:?}", world.events[1]);
    };
    let expected = NodeSettled {
        node_id: "p".to_owned(),
        output: "null".to_owned(),
        state_patch: "{}".to_owned(),
        chosen_target: None,
    };
    assert_eq!(*settled, expected);
}

/// The cost of a run is that of its edges: ten times the graph, ten times the
/// fuel. A scan per decision would need a hundred times.
#[test]
fn r04_a_large_graph_costs_its_own_edges() {
    let (small, large) = (fuel_to_settle(100), fuel_to_settle(1000));
    assert!(
        large < small * 13,
        "1,001 nodes burn {small} units of fuel, 10,001 nodes {large}"
    );
}

/// The fuel that one step burns for a graph of `layers` times ten nodes that
/// need no worker: it is parsed, and settled.
fn fuel_to_settle(layers: usize) -> u64 {
    let mut run = start(&layered(layers)).expect("a valid workflow");
    assert_eq!(run.ports.events.len(), layers * 10 + 3);
    run.take_fuel_burnt()
}

/// A start node, and layers of ten nodes with three edges into each.
fn layered(layers: usize) -> String {
    let id = |layer: usize, at: usize| format!("n{layer}_{}", at % 10);
    let mut nodes = vec![r#""s":{"kind":{"type":"parallel"}}"#.to_owned()];
    let mut edges = Vec::new();
    for (layer, at) in (0..layers).flat_map(|layer| (0..10).map(move |at| (layer, at))) {
        let to = id(layer, at);
        nodes.push(format!(r#""{to}":{{"kind":{{"type":"parallel"}}}}"#));
        let from = match layer {
            0 => vec!["s".to_owned()],
            _ => (at..at + 3).map(|at| id(layer - 1, at)).collect(),
        };
        edges.extend(
            from.iter()
                .map(|from| format!(r#"{{"from":"{from}","to":"{to}"}}"#)),
        );
    }
    let (nodes, edges) = (nodes.join(","), edges.join(","));
    format!(
        r#"{{"workflow_id":"w","version":"1.0.0","start_node":"s","nodes":{{{nodes}}},"edges":[{edges}]}}"#
    )
}
