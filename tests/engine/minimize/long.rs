//! Long logs become short.

use std::time::Instant;

use refrain::model::{EventKind, ExternalEventReceived, NodeFailed, NodeReleased, NodeStarted};
use refrain_tests::workflows::tools;
use serde_json::{Value, json};

use super::guests::{Guests, Run, chain, plays, says_nothing, worked_on};

/// A workflow, its input, and how it is worked on.
type Long = (&'static str, Value, Value, fn(Run) -> Run);

/// Where the first step was tried, given back and signalled at so often that the log is long.
fn much_ado(mut run: Run) -> Run {
    let item = run.0.ports.items[0].clone();

    for n in 0..1_200 {
        let key = format!("secret key {n}");
        run.offer(EventKind::ExternalEventReceived(
            ExternalEventReceived::new(key, "{}"),
        ));
    }
    for attempt in 1..=600 {
        for is_last in [false, true] {
            let claim = NodeStarted::new(&item.node_id, "secret-worker", attempt);
            run.offer(EventKind::NodeStarted(claim));
            let fence = run.0.ports.last_sequence();
            let mut failed = NodeFailed::new(&item.node_id, attempt, fence, "secret error");
            failed.retryable = true;
            run.offer(match is_last {
                true => EventKind::NodeFailed(failed),
                false => EventKind::NodeReleased(NodeReleased::new(&item.node_id, attempt, fence)),
            });
        }
    }
    worked_on(run)
}

fn long() -> Vec<Long> {
    let of_chain = chain(1_660, "< -> left, < -> right");
    let mut of_map = tools("split -> every, every -> left, every -> right");
    of_map["nodes"]["every"]["kind"] = json!({
        "type": "map", "over": "input.items", "max_concurrent": 1,
        "body": { "type": "tool", "tool_ref": "t" },
    });
    let items: Vec<usize> = (0..1_660).collect();
    let mut of_attempts = tools("again -> left, again -> right");
    of_attempts["nodes"]["again"]["retry_policy"] = json!("often");
    of_attempts["retry_policies"]["often"] = json!({
        "max_attempts": 1_000, "backoff": "fixed", "initial_delay": 0, "jitter": false,
    });
    let secret = json!({ "card": "secret 4111" });
    vec![
        ("chain", of_chain, secret.clone(), worked_on),
        ("map", of_map, json!({ "items": items }), worked_on),
        ("attempts", of_attempts, secret, much_ado),
    ]
}

#[test]
fn a_log_of_5000_events_becomes_one_of_less_than_20() {
    let mut guests = Guests::new();
    for (what, workflow, input, work) in long() {
        let log = work(Run::new(&mut guests, &workflow, &input)).log();
        let other = guests.other.clone();
        let begun = Instant::now();
        let small = guests.smaller(&log, &other);
        println!(
            "{what}: {:?} became {:?}, {} tried in {:?}\n{}",
            small.before,
            small.after,
            small.tried,
            begun.elapsed(),
            small.table.as_deref().unwrap_or_else(|why| why)
        );
        let sizes = (small.before.events, small.after.events);
        assert!(sizes.0 > 4_000 && sizes.1 < 20, "{what}: {sizes:?}");
        plays(&small);
        says_nothing(&small);
    }
}
