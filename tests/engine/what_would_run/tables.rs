//! A table for each kind of what makes nodes run.

use anyhow::{Context, Result, ensure};
use refrain::replay::{Assumption, NeededAct, NeededFact, Needs, Prospect, Prospects, Travel};
use refrain_guest::notation::play;

use super::{library, travel};
use crate::travel::all;

/// A table in the notation of the rules; and for nodes at its end what would make them run.
const TABLES: &[(&str, &[(&str, &str)])] = &[
    // Work, in its order.
    (
        "a -> b -> c
         0000 tick => schedule a",
        &[
            ("a", "begun"),
            ("b", "complete a"),
            ("c", "complete a, complete b"),
        ],
    ),
    // All that a join waits for; and of one that waits for some, just enough.
    (
        "s -> a, s -> b, a -> j, b -> j
         0000 tick => schedule s
         0010 complete s => schedule a, schedule b
         0020 complete a",
        &[("a", "settled"), ("j", "complete b")],
    ),
    (
        "s -> a, s -> b, s -> c, a -> j, b -> j, c -> j
         s: parallel
         j: join count=2
         0000 tick => settle s, schedule a, schedule b, schedule c",
        &[("j", "complete a, complete b")],
    ),
    (
        "s -> a, s -> b, a -> j, b -> j
         s: parallel
         j: join first
         0000 tick => settle s, schedule a, schedule b",
        &[("j", "complete a")],
    ),
    // A failure that an edge handles.
    (
        "a -> b, a -> h on failure if error.class == \"io\"
         0000 tick => schedule a",
        &[
            ("b", "complete a"),
            ("h", "fail a | a -> h if error.class == \"io\""),
        ],
    ),
    // Conditions that are not judged yet, and those that are.
    (
        "a -> b if state.x == 1, a -> c if state.x != 1, b -> d, c -> d
         0000 tick => schedule a",
        &[
            ("b", "complete a | a -> b if state.x == 1"),
            ("c", "complete a | a -> c if state.x != 1"),
            (
                "d",
                "complete a, complete b | a -> b if state.x == 1, a -> c unless state.x != 1",
            ),
        ],
    ),
    (
        "a -> b if state.x == 1, a -> c if state.x != 1, b -> d, c -> d
         0000 tick => schedule a
         0010 complete a {\"x\":2} => skip b, schedule c",
        &[("b", "settled"), ("d", "complete c")],
    ),
    // People.
    (
        "h -> b, h -> c on failure, h -> e
         h: human_approval {\"timeout_secs\":2,\"fallback_node\":\"e\"}
         0000 tick => interrupt h",
        &[
            ("h", "approve h"),
            ("b", "approve h"),
            ("c", "fail h"),
            ("e", "time 2000 h"),
        ],
    ),
    // Events, and times.
    (
        "s -> w, s -> t, s -> e, w -> a, t -> b, e -> c, a -> d, b -> d
         s: parallel
         w: wait external_event {\"correlation_key\":\"k\"}
         t: wait timer {\"timeout_secs\":5}
         e: wait either {\"correlation_key\":\"q\",\"timeout_secs\":9}
         0000 tick => settle s, wait e, wait t, wait w",
        &[
            ("w", "signal k w"),
            ("a", "signal k w"),
            ("b", "time 5000 t"),
            ("c", "signal q e"),
            ("d", "signal k w, complete a, time 5000 t, complete b"),
        ],
    ),
    // A wait that has not begun.
    (
        "a -> w -> b
         w: wait timer {\"timeout_secs\":5}
         0010 tick => schedule a",
        &[("b", "complete a, time 5010 w")],
    ),
    // Back-off.
    (
        "a -> b
         0000 tick => schedule a
         0000 fail a => retry a",
        &[("a", "time 2000 a"), ("b", "time 2000 a, complete a")],
    ),
    // Room.
    (
        "s -> a, s -> b, s -> c
         limits 2 8
         0000 tick => schedule s
         0010 complete s => schedule a, schedule b",
        &[("c", "complete a")],
    ),
    // A pause holds back work, and not what settles itself.
    (
        "a -> p, a -> b
         p: parallel
         0000 tick => schedule a
         0010 claim a; pause",
        &[("p", "complete a"), ("b", "unpause, complete a")],
    ),
    (
        "a -> b
         0000 tick => schedule a
         0010 pause",
        &[("a", "unpause"), ("b", "unpause, complete a")],
    ),
    // What has failed for good is tried again by an operator.
    (
        "s -> a, s -> b, a -> c
         a: tool retry=no_retry
         0000 tick => schedule s
         0010 complete s => schedule a, schedule b
         0020 fail a => exhaust a",
        &[("a", "retry a"), ("c", "retry a, complete a")],
    ),
    (
        "s -> a, s -> b, a -> c, b -> d
         s: parallel
         policy held {\"max_attempts\":1,\"on_exhausted\":\"pause\"}
         a: tool retry=held
         0000 tick => settle s, schedule a, schedule b
         0020 fail a => stall a",
        &[
            ("a", "retry a"),
            ("c", "retry a, complete a"),
            ("d", "retry a, complete b"),
        ],
    ),
    // Maps, and their instances.
    (
        "m -> b
         input {\"items\":[1,2,3]}
         m: map {\"max_concurrent\":2}
         0000 tick => expand m 3, schedule m[0], schedule m[1]",
        &[
            ("m", "begun"),
            ("m[2]", "complete m[0]"),
            ("b", "complete m[0], complete m[1], complete m[2]"),
        ],
    ),
    (
        "a -> m -> b, m -> h on failure
         m: map {\"over\":\"state.urls\"}
         0000 tick => schedule a",
        &[
            ("m", "complete a | m/kind/over"),
            ("b", "complete a, complete m[0] | m/kind/over"),
            ("h", "complete a, fail m[0] | m/kind/over"),
        ],
    ),
    // Children, and loops.
    (
        "s -> b, s -> h on failure
         s: subgraph
         0000 tick => request s 1/0",
        &[("s", "begun"), ("b", "complete s"), ("h", "fail s")],
    ),
    (
        "s -> b
         s: subgraph {\"detached\":true}
         0000 tick => request s 1/0",
        &[("b", "complete s")],
    ),
    (
        "s -> b
         s: subgraph {\"repeat\":{\"while\":\"last.n < 2\",\"max\":9}}
         0000 tick => request s 1/0
         0010 end s {\"n\":1} => request s 1/1",
        &[("b", "complete s | s ends last.n < 2")],
    ),
    // What runs at the end.
    (
        "a -> b
         f: finalizer success
         g: finalizer failure
         h: finalizer always
         0000 tick => schedule a",
        &[
            ("f", "complete a, complete b"),
            ("g", "fail a"),
            ("h", "complete a, complete b"),
        ],
    ),
    (
        "a -> b
         a: tool undo=tool
         0000 tick => schedule a
         0010 complete a => schedule b",
        &[("a!undo", "fail b")],
    ),
    // Branches, and targets that workers choose.
    (
        "a -> n
         n: condition {\"branches\":[{\"condition\":\"state.x\",\"target\":\"b\"},{\"condition\":\"state.y\",\"target\":\"c\"},{\"target\":\"d\"}]}
         0000 tick => schedule a",
        &[
            ("b", "complete a | n -> b if state.x"),
            ("c", "complete a | n -> b unless state.x, n -> c if state.y"),
            (
                "d",
                "complete a | n -> b unless state.x, n -> c unless state.y",
            ),
        ],
    ),
    (
        "a -> b, a -> q
         a: a2a_task {\"on_input_required\":\"q\"}
         0000 tick => schedule a",
        &[("b", "complete a"), ("q", "complete a | a chooses q")],
    ),
    // Expressions without a value.
    (
        "a -> b -> w -> c
         b: command {\"argv\":[\"x\",\"${state.n}\"]}
         w: wait external_event {\"correlation_key\":\"order-${state.n}\"}
         0000 tick => schedule a",
        &[
            ("b", "complete a | b/kind/argv/1"),
            (
                "c",
                "complete a, complete b, signal order-${state.n} w | b/kind/argv/1, w/kind/correlation_key",
            ),
        ],
    ),
    // What nothing makes run.
    (
        "a -> b
         f: finalizer always
         0000 tick => schedule a
         0010 cancel => cancel a, schedule f",
        &[("b", "ending"), ("f", "begun"), ("a", "settled")],
    ),
    (
        "a -> b
         0000 tick => schedule a
         0010 cancel => cancel a, cancelled",
        &[("b", "ended")],
    ),
    (
        "a -> t, a -> b, b -> c
         t: terminate completed
         f: finalizer success
         0000 tick => schedule a
         0010 complete a => schedule b, settle t, cancel b terminated, schedule f",
        &[("c", "not found")],
    ),
];

#[test]
fn what_makes_a_node_run_is_told_of_each_kind() -> Result<()> {
    let library = library()?;
    let mut wrong = Vec::new();
    for (table, nodes) in TABLES {
        let played = match play(table) {
            Ok(played) => played,
            Err(difference) => {
                wrong.push(format!("{table}\n{difference}"));
                continue;
            }
        };
        let mut travel = travel(&library, &played.world.workflow, &played.world.events)?;
        let last = travel.sequence();
        for (node, expected) in *nodes {
            let prospect = Prospects::of(&mut travel).what_would_run(node);
            let prospect = prospect.with_context(|| format!("{table}: {node}"))?;
            let said = said(&prospect);
            ensure!(travel.sequence() == last, "the cursor stays");
            if said != *expected {
                wrong.push(format!("{table}\n{node}: {said}, not {expected}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

/// One of so many places of a log is asked at.
const PLACES: usize = 4;

#[test]
fn each_node_of_the_golden_logs_has_an_answer_at_each_place() -> Result<()> {
    let (mut asked, mut needs) = (0, 0);
    for (name, recording, library) in all()? {
        let workflow: serde_json::Value = serde_json::from_str(&recording.workflow)?;
        let nodes = workflow["nodes"].as_object().context("nodes")?;
        let mut travel = Travel::open(recording, library)?;
        for place in (1..=travel.last()).step_by(PLACES) {
            travel.go(place)?;
            for node in nodes.keys() {
                let prospect = Prospects::of(&mut travel).what_would_run(node);
                let prospect = prospect.with_context(|| format!("{name}, {place}: {node}"))?;
                ensure!(travel.sequence() == place, "the cursor stays");
                ensure!(prospect != Prospect::CutOff, "{name}, {place}: {node}");
                asked += 1;
                needs += usize::from(matches!(prospect, Prospect::Needs(_)));
            }
        }
    }
    ensure!(asked > 300 && needs > 50, "{asked} asked, {needs} needs");
    Ok(())
}

#[test]
fn what_is_no_node_is_refused() -> Result<()> {
    let played = play("a -> b\n0000 tick => schedule a").map_err(anyhow::Error::msg)?;
    let mut travel = travel(&library()?, &played.world.workflow, &played.world.events)?;
    let error = Prospects::of(&mut travel).what_would_run("nobody");
    let error = error.expect_err("there is no such node").to_string();
    ensure!(error.contains("nobody"), "{error}");
    travel.go(0)?;
    let error = Prospects::of(&mut travel).what_would_run("a");
    ensure!(error.is_err(), "there is nothing yet");
    Ok(())
}

pub(super) fn said(prospect: &Prospect) -> String {
    match prospect {
        Prospect::Begun(_) => "begun".to_owned(),
        Prospect::Settled(_) => "settled".to_owned(),
        Prospect::Ended(_) => "ended".to_owned(),
        Prospect::Ending => "ending".to_owned(),
        Prospect::NotFound => "not found".to_owned(),
        Prospect::Needs(needs) => of_needs(needs),
        other => format!("{other:?}"),
    }
}

fn of_needs(needs: &Needs) -> String {
    let acts = needs.acts.iter().map(|act| match act {
        NeededAct::Unpause => "unpause".to_owned(),
        NeededAct::Lift => "lift".to_owned(),
        NeededAct::Retry(node) => format!("retry {node}"),
        other => format!("{other:?}"),
    });
    let facts = needs.facts.iter().map(|fact| match fact {
        NeededFact::Complete(node) => format!("complete {node}"),
        NeededFact::Fail(node) => format!("fail {node}"),
        NeededFact::Approve(node) => format!("approve {node}"),
        NeededFact::Signal {
            node_id,
            correlation_key,
        } => format!("signal {correlation_key} {node_id}"),
        NeededFact::Time { at, node_id } => {
            format!("time {at} {}", node_id.as_deref().unwrap_or("-"))
        }
        other => format!("{other:?}"),
    });
    let given: Vec<String> = acts.chain(facts).collect();
    let assumed: Vec<String> = needs.assumptions.iter().map(assumed).collect();
    let mut said = given.join(", ");
    if !assumed.is_empty() {
        said.push_str(&format!(" | {}", assumed.join(", ")));
    }
    if !needs.is_minimal {
        said.push_str(" (not minimal)");
    }
    if !needs.has_least_assumptions {
        said.push_str(" (assumes more than is needed)");
    }
    said
}

fn assumed(assumption: &Assumption) -> String {
    match assumption {
        Assumption::Condition {
            from,
            to,
            condition,
            holds,
        } => {
            let word = if *holds { "if" } else { "unless" };
            format!("{from} -> {to} {word} {condition}")
        }
        Assumption::Choice { node_id, target } => format!("{node_id} chooses {target}"),
        Assumption::LoopEnds { node_id, condition } => format!("{node_id} ends {condition}"),
        Assumption::Value { node_id, pointer } => format!("{node_id}{pointer}"),
        other => format!("{other:?}"),
    }
}
