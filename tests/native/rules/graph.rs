//! R1 and R2: what a graph may be, and its order.

use refrain_guest::contract::SchedulerError;
use refrain_guest::shell::Scheduler;
use refrain_tests::notation::{Graph, Memory, check, step};

#[test]
fn r01_a_faulty_workflow_is_refused_with_all_its_faults() {
    let faulty = r#"{"workflow_id":"w","version":"1","start_node":"x","nodes":{"a":{"id":"a","kind":{"type":"condition"}}},
        "edges":[{"from":"a","to":"nowhere"}]}"#;
    let faults = Scheduler::validate(faulty).expect_err("a workflow with three faults");
    assert!(faults.len() >= 3, "{faults:#?}");
    assert!(
        faults.iter().all(|fault| !fault.remedy.is_empty()),
        "{faults:#?}"
    );

    let graph = Graph::read(["a -> b"]).expect("a graph");
    let mut world = Memory::new(&graph, 0);
    world.workflow = faulty.to_owned();
    let start = world.start(&graph).kind;
    let begun = step(&mut world, &mut Scheduler::new(), vec![start]);
    assert!(matches!(begun, Err(SchedulerError::InvalidWorkflow(found)) if found == faults));
}

#[test]
fn r01_a_valid_workflow_is_summed_up() {
    let graph = Graph::read([
        "a -> b, a -> c",
        "b: tool",
        "c: condition {\"branches\":[{\"target\":\"d\"}]}",
    ])
    .expect("a graph");
    let summary = Scheduler::validate(&graph.workflow).expect("a valid workflow");
    assert_eq!((summary.nodes, summary.edges), (4, 3));
    assert_eq!(summary.queues, ["general", "tool"]);
}

/// JamJet's compiler writes it whether anything leads to it or not.
#[test]
fn r01_r09_a_limit_that_nothing_leads_to_is_skipped_at_the_start() {
    check(
        r#"
        a -> b
        unused: limit_exceeded
        0000 tick       => schedule a, skip unused
        0010 complete a => schedule b
        0020 complete b => completed
        "#,
    );
    // What follows it is dead, and needs another way.
    check(
        r#"
        a -> b, unused -> b
        unused: limit_exceeded
        0000 tick       => schedule a, skip unused
        0010 complete a => schedule b
        0020 complete b => completed
        "#,
    );
}

#[test]
fn r02_order_is_by_rank_and_then_by_id() {
    check(
        r#"
        s -> z, s -> m -> a, s -> b
        limits 1 8
        0000 tick       => schedule s
        0010 complete s => schedule b
        0020 complete b => schedule m
        0030 complete m => schedule z
        0040 complete z => schedule a
        0050 complete a => completed
        "#,
    );
}
