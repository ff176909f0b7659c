//! The laws, as far as the core alone can keep them.

use std::sync::Arc;

use refrain_guest::apply::digest_of_text;
use refrain_guest::contract::{Event, Origin, Snapshot, Status};
use refrain_guest::machine::Machine;
use refrain_guest::time::Timestamp;
use refrain_guest::workflow;
use refrain_tests::notation::{Graph, Memory, check, play};

#[test]
fn law9_a_stall_by_the_host_decides_nothing_until_it_is_lifted() {
    check(
        r#"
        a -> b
        0000 tick       => schedule a
        0010 claim a
        0020 stall
        0020 status     => stalled
        0020 wake       => never
        0030 complete a
        0040 explain b  => ready ~"the guest failed twice"
        0050 lift       => schedule b
        0060 lift       => refused ~"not stalled"
        "#,
    );
}

#[test]
fn law6_nothing_follows_an_end() {
    check(
        r#"
        a -> end
        0000 tick       => schedule a
        0010 complete a => completed
        0020 signal k 1 => refused ~"nothing follows an end"
        0030 cancel     => refused
        0040 complete a => refused
        "#,
    );
}

#[test]
fn law7_late_and_stale_answers_are_refused() {
    check(
        r#"
        a -> b
        0000 tick                            => schedule a
        0010 claim a by=w1
        0020 claim a by=w2                   => refused ~"node `a` is running"
        0030 complete a fence=99             => refused ~"comes too late"
        0040 expire a                        => retry a @2040
        2040 claim a by=w2
        2050 complete a attempt=1 fence=3    => refused ~"held by attempt 2"
        2060 complete a                      => schedule b
        2070 complete a attempt=2 fence=6    => refused ~"node `a` is completed"
        "#,
    );
}

/// Everything that can happen, in one execution: a log worth mistreating.
const EVENTFUL: &str = r#"
    s -> a, s -> c, s -> h, s -> w, s -> t, a -> j, c -> j, h -> j, w -> j, t -> j, j -> z, s -> x if state.never, z -> f
    policy ask {"max_attempts":1,"on_exhausted":"pause"}
    a: tool timeout=5
    h: human_approval {"timeout_secs":60,"fallback_node":"b"}
    w: wait external_event {"correlation_key":"k"}
    t: wait timer {"timeout_secs":1}
    z: tool retry=ask
    j: join
    f: finalizer always
    00000 tick                    => schedule s
    00010 complete s {"go":true}  => schedule a, schedule c, interrupt h, wait t, wait w, skip x
    00020 claim a by=w1
    00030 signal k {"k":1}; pause => settle w
    00040 approve h               => settle h, skip b
    01010 unpause                 => fire t, settle t
    05020 tick                    => timeout a, retry a @7020
    07020 expire a                => retry a @11020
    07030 skip c                  => cancel c by_operator
    11020 complete a              => settle j, schedule z
    11030 fail z                  => stall z
    11040 retry z                 => retry z @11040
    11050 fail z                  => stall z
    11060 skip z                  => skip z by_operator, schedule f
    11070 complete f              => completed {"go":true,"k":1}
"#;

#[test]
fn law3_a_snapshot_and_the_rest_is_the_whole_log() {
    let world = play(EVENTFUL).expect("the table holds").world;
    let plan = Arc::new(workflow::parse(&world.workflow).expect("a valid workflow"));
    let digest = digest_of_text(&world.workflow);
    let start = |events: &[Event]| {
        let mut machine = Machine::start(plan.clone(), &digest, &events[0]).expect("a legal start");
        events[1..]
            .iter()
            .for_each(|event| machine.apply(event).expect("a legal event"));
        machine
    };
    let whole = start(&world.events).inspect();
    for length in 1..=world.events.len() {
        let (seen, rest) = world.events.split_at(length);
        let snapshot = start(seen).snapshot();
        let mut machine =
            Machine::restore(plan.clone(), &digest, &snapshot).expect("a snapshot of our own");
        assert_eq!(
            machine.inspect(),
            start(seen).inspect(),
            "restored at {length}"
        );
        assert_eq!(
            machine.decide(Timestamp(99_999), 8),
            start(seen).decide(Timestamp(99_999), 8),
            "restored at {length}"
        );
        rest.iter()
            .for_each(|event| machine.apply(event).expect("a legal event"));
        assert_eq!(machine.inspect(), whole, "restored at {length}");
    }
}

#[test]
fn law10_a_snapshot_that_is_not_what_it_says_is_refused() {
    let world = play(EVENTFUL).expect("the table holds").world;
    let (plan, digest) = (
        Arc::new(workflow::parse(&world.workflow).expect("a valid workflow")),
        digest_of_text(&world.workflow),
    );
    let snapshot = Machine::start(plan.clone(), &digest, &world.events[0])
        .expect("a legal start")
        .snapshot();
    let refused = |change: &dyn Fn(&mut Snapshot), why: &str| {
        let mut snapshot = snapshot.clone();
        change(&mut snapshot);
        let reason =
            Machine::restore(plan.clone(), &digest, &snapshot).expect_err("a bad snapshot");
        assert!(reason.contains(why), "{reason}");
    };
    refused(&|snapshot| snapshot.state.truncate(5), "too few");
    refused(
        &|snapshot| snapshot.state[40] ^= 1,
        "not those that were written",
    );
    refused(
        &|snapshot| snapshot.guest_digest = "1".repeat(64),
        "says to be of guest 1111",
    );
    refused(&|snapshot| snapshot.sequence = 9, "at sequence 9");
    let other = Machine::restore(plan.clone(), &"2".repeat(64), &snapshot)
        .expect_err("another workflow's snapshot");
    assert_eq!(other, "it is of another workflow");
}

/// Each event dropped, doubled, swapped, of another author, time, sequence,
/// attempt or node, alone and together with a wrong neighbour: refused with its
/// sequence or taken, and always answered.
#[test]
fn law1_no_log_makes_the_machine_panic() {
    let world = play(EVENTFUL).expect("the table holds").world;
    let (plan, digest) = (
        Arc::new(workflow::parse(&world.workflow).expect("a valid workflow")),
        digest_of_text(&world.workflow),
    );
    let (mut refused, mut taken) = (0, 0);
    let mut read = |log: &[Event]| {
        let applied = Machine::start(plan.clone(), &digest, &log[0]).and_then(|mut machine| {
            for event in &log[1..] {
                machine.apply(event)?;
                let _ = machine.decide(Timestamp(event.at), 1);
            }
            Ok(machine.inspect())
        });
        match applied {
            Ok(_) => taken += 1,
            Err(illegal) => {
                assert!(
                    log.iter().any(|event| event.sequence == illegal.sequence)
                        && !illegal.reason.is_empty()
                );
                refused += 1;
            }
        }
    };
    let renumbered = |mut log: Vec<Event>| {
        (1..)
            .zip(&mut log)
            .for_each(|(sequence, event)| event.sequence = sequence);
        log
    };
    let events = &world.events;
    for at in 0..events.len() {
        for other in 0..events.len() {
            let mut log = events.clone();
            log[at].kind = events[other].kind.clone();
            log[at].origin = events[other].origin;
            read(&log);
            log.remove(other);
            if !log.is_empty() {
                read(&renumbered(log));
            }
            let mut log = events.clone();
            log.insert(at, events[other].clone());
            read(&log);
            read(&renumbered(log));
        }
        let mut log = events.clone();
        log[at].origin = if log[at].origin == Origin::Fact {
            Origin::Decision
        } else {
            Origin::Fact
        };
        read(&log);
        log[at].at = 0;
        read(&log);
    }
    assert!(
        refused > 1000 && taken > 0,
        "{refused} refused, {taken} taken"
    );
}

/// The cost of a run is that of its edges: ten times the graph, about ten times
/// the time. The bound is wide, because machines are busy; a scan per decision
/// would need a hundred times.
#[test]
fn r04_a_large_graph_costs_its_own_edges() {
    let run = |layers: usize| {
        let node = |layer: usize, at: usize| {
            format!("{{\"id\":\"n{layer:05}_{at}\",\"kind\":{{\"type\":\"parallel\"}}}}")
        };
        let id = |layer: usize, at: usize| format!("n{layer:05}_{at}");
        let mut nodes = vec!["\"s\":{\"kind\":{\"type\":\"parallel\"}}".to_owned()];
        let mut edges: Vec<String> = (0..10)
            .map(|at| format!("{{\"from\":\"s\",\"to\":\"{}\"}}", id(0, at)))
            .collect();
        for layer in 0..layers {
            for at in 0..10 {
                nodes.push(format!("\"{}\":{}", id(layer, at), node(layer, at)));
                if layer > 0 {
                    let from = [at, (at + 1) % 10, (at + 2) % 10];
                    edges.extend(from.map(|from| {
                        format!(
                            "{{\"from\":\"{}\",\"to\":\"{}\"}}",
                            id(layer - 1, from),
                            id(layer, at)
                        )
                    }));
                }
            }
        }
        let workflow = format!(
            "{{\"workflow_id\":\"w\",\"version\":\"1.0.0\",\"start_node\":\"s\",\"nodes\":{{{}}},\"edges\":[{}]}}",
            nodes.join(","),
            edges.join(",")
        );
        let mut graph = Graph::read(["a -> b"]).expect("a graph");
        graph.workflow = workflow;
        let mut world = Memory::new(&graph, 0);
        world.append_fact(world.start(&graph));
        let plan = Arc::new(workflow::parse(&world.workflow).expect("a valid workflow"));
        let mut machine = Machine::start(plan, &digest_of_text(&world.workflow), &world.events[0])
            .expect("a legal start");
        let begun = std::time::Instant::now();
        let batch = machine.drain(Timestamp(0)).expect("legal decisions");
        let needed = begun.elapsed();
        assert_eq!(batch.events.len(), layers * 10 + 2);
        assert_eq!(machine.status(), Status::Completed);
        needed
    };
    let (small, large) = (run(100), run(1000));
    assert!(
        large < small * 40 + std::time::Duration::from_millis(200),
        "1,001 nodes took {small:?}, 10,001 nodes {large:?}"
    );
}
