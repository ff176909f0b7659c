//! What commands that look at an execution say besides: who works on a queue, or that nobody
//! does; who holds a lease; which bound holds a node or an instance; what was so behind an
//! event, and why a state is not there.

use refrain_tests::component::product::DIVERGENT;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, tool};

#[test]
fn whether_a_worker_of_a_queue_is_known_is_told() {
    let desk = Desk::new();
    let one = chain(&[("a", tool())]);
    desk.file("w.json", one.to_string());
    assert_eq!(desk.types(&["start", "w.json"]).code, Some(0));
    let waiting = desk.execution();
    let unknown = "  no worker of the queue \"tool\" is known: none holds work of it now, and none has ever claimed any in this execution\n";
    for words in [&["explain", &waiting][..], &["explain", &waiting, "a"]] {
        let said = desk.types(words);
        assert_eq!(said.out.matches(unknown).count(), 1, "{said:?}");
    }
    let document = desk.document(&["explain", &waiting, "a", "--json"], 0);
    assert_eq!(
        document["queue"],
        json!({ "name": "tool", "workers": [], "last_claim_at": null })
    );
    // One that is at work elsewhere is known.
    let mut worker = desk.begins(&[
        "work",
        "--concurrency",
        "1",
        "--worker",
        "tool=sh -c 'until [ -e go ]; do sleep 0.05; done; echo {}'",
    ]);
    desk.until_event(&waiting, "node_started");
    assert_eq!(desk.types(&["start", "w.json"]).code, Some(0));
    let said = desk.types(&["explain", "@last", "a"]);
    assert!(
        said.out
            .contains("  the queue \"tool\" has 1 worker at work on other items: \""),
        "{said:?}"
    );
    let document = desk.document(&["explain", "@last", "--json"], 0);
    let workers = &document["causes"][0]["queue"]["workers"];
    assert_eq!(workers.as_array().map(Vec::len), Some(1), "{document}");
    desk.file("go", "");
    worker.says("completed");
    worker.interrupt();
    worker.ends();
    // A log alone knows nothing of that.
    assert_eq!(
        desk.types(&["export", "@last", "-o", "l.ndjson"]).code,
        Some(0)
    );
    let said = desk.types(&["explain", "--file", "l.ndjson", "--node", "a", "--at", "2"]);
    assert!(!said.out.contains("no worker of the queue"), "{said:?}");
}

#[test]
fn an_instance_that_its_map_holds_back_is_told_from_one_that_the_execution_does() {
    let desk = Desk::new();
    let mut workflow = chain(&[(
        "m",
        json!({
            "type": "map", "over": "input.list", "body": tool(), "max_concurrent": 2,
        }),
    )]);
    let own = "instance `m[2]` could run, but 2 of 2 instances of map `m` (its max_concurrent) are under way";
    let all = "max_concurrent_nodes) are in flight";
    for (limit, said, unsaid) in [(None, own, all), (Some(1), all, own)] {
        workflow["version"] = format!("1.{}.0", limit.unwrap_or(0)).into();
        if let Some(limit) = limit {
            workflow["limits"] = json!({ "max_concurrent_nodes": limit });
        }
        desk.file("w.json", workflow.to_string());
        let start = ["start", "w.json", "--input", r#"{"list": [1, 2, 3]}"#];
        let started = desk.types(&start);
        assert_eq!(started.code, Some(0), "{started:?}");
        let explained = desk.types(&["explain", "@last", "m[2]"]);
        assert!(
            explained.out.contains(said) && !explained.out.contains(unsaid),
            "{explained:?}"
        );
        // No event names it yet.
        let shown = desk.document(&["show", "@last", "--node", "m[2]", "--json"], 0);
        assert_eq!(shown["nodes"][0]["state"], "pending", "{shown}");
        for words in [
            &["explain", "@last", "m[3]"][..],
            &["show", "@last", "--node", "m[3]"],
        ] {
            let refused = desk.types(words);
            assert!(
                refused
                    .err
                    .contains("no node \"m[3]\": m has the instances 0 to 2\n"),
                "{refused:?}"
            );
        }
        let shown = desk.document(&["show", "@last", "--node", "m", "--json"], 0);
        assert_eq!(shown["nodes"][0]["waited_ms"], Value::Null, "{shown}");
        let document = desk.document(&["explain", "@last", "m[2]", "--json"], 0);
        let message = document["reasons"][0]["message"].as_str();
        assert!(message.is_some_and(|it| it.contains(said)), "{document}");
    }
}

#[test]
fn a_wait_whose_end_follows_on_a_result_has_no_time_yet() {
    let desk = Desk::new();
    let workflow = chain(&[
        ("a", tool()),
        (
            "w",
            json!({ "type": "wait", "condition": "timer", "until": "${state.a.at}" }),
        ),
        ("b", tool()),
    ]);
    desk.file("w.json", workflow.to_string());
    let started = desk.types(&["start", "w.json"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    let said = desk.types(&["explain", "@last", "b"]);
    assert!(
        said.out
            .contains("    the time comes that w waits for, which is not known yet\n"),
        "{said:?}"
    );
    let document = desk.document(&["explain", "@last", "b", "--json"], 0);
    assert_eq!(
        document["what_would_run"]["facts"][1],
        json!({ "type": "time", "at": null, "node_id": "w" })
    );
}

/// Two executions that are alike up to their last node's end.
fn parting() -> (Desk, Vec<String>) {
    let desk = Desk::new();
    desk.file("w.json", {
        let say = command(&["echo", "{}"]);
        chain(&[("say", say), ("last", command(&["cat"]))]).to_string()
    });
    let run = |input: &str| {
        let run = desk.document(&["run", "w.json", "--input", input, "--json"], 0);
        run["execution_id"].as_str().expect("an id").to_owned()
    };
    let ids = vec![run(r#"{"n": 1}"#), run(r#"{"n": 1, "more": 2}"#)];
    (desk, ids)
}

#[test]
fn timelines_and_differences_are_of_a_place_too() {
    let (desk, ids) = parting();
    let [one, other] = &ids[..] else {
        panic!("{ids:?}");
    };
    let timeline = desk.types(&["timeline", one, "--at", "2"]);
    assert!(
        timeline.out.contains("\nas it was behind event 2 of 8\n")
            && timeline.out.contains(" so far\n")
            && !timeline.out.contains("last"),
        "{timeline:?}"
    );
    let document = desk.document(&["timeline", one, "--at", "2", "--json"], 0);
    assert_eq!(document["behind"], json!({ "sequence": 2, "last": 8 }));
    assert_eq!(document["status"], "running");
    // Without a terminal, that is what `replay` prints.
    let replay = desk.types(&["replay", one, "--at", "2"]);
    assert_eq!(replay.out, timeline.out);

    let whole = desk.document(&["diff", one, other, "--json"], 0);
    assert_ne!(whole["parting"], Value::Null);
    let inputs = desk.document(&["diff", one, other, "--at", "4", "--json"], 0);
    assert_eq!(inputs["a"]["behind"], json!({ "sequence": 4, "last": 8 }));
    assert_eq!(inputs["b"]["events"], 4);
    let said = desk.types(&["diff", one, other, "--at", "4"]);
    assert!(said.out.contains(", the first 4 of 8 events, "), "{said:?}");
    for command in ["timeline", "diff"] {
        let executions: &[&str] = if command == "diff" {
            &[one, other]
        } else {
            &[one]
        };
        let words = [&[command], executions, &["--at", "99", "--json"]].concat();
        assert_eq!(desk.document(&words, 2)["error"]["code"], "no_event");
    }
}

#[test]
fn why_there_is_no_state_is_told_to_programs_too() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", tool())]).to_string());
    assert_eq!(desk.types(&["start", "w.json"]).code, Some(0));
    let known = desk.document(&["show", "@last", "--json"], 0);
    assert_eq!(known["state"], json!({}));
    assert!(known.get("state_error").is_none(), "{known}");
    // A log of a scheduler that is not at hand.
    desk.file(
        "other.wasm",
        DIVERGENT.committed().expect("it is committed"),
    );
    let start = ["start", "w.json", "--guest", "other.wasm"];
    assert_eq!(desk.types(&start).code, Some(0));
    let export = desk.types(&["export", "@last", "-o", "other.ndjson"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    let unknown = desk.document(&["show", "--file", "other.ndjson", "--json"], 0);
    assert_eq!(unknown["state"], Value::Null);
    let other = unknown["guest"].as_str().expect("a digest");
    let why = unknown["state_error"].as_str();
    assert!(why.is_some_and(|why| why.contains(other)), "{unknown}");
}

#[test]
fn who_holds_a_lease_is_told_and_until_when() {
    let desk = Desk::new();
    let script = "until [ -e go ]; do sleep 0.05; done; echo {}";
    let workflow = chain(&[("long", command(&["sh", "-c", script]))]);
    let running = desk.runs(&workflow);
    let id = desk.execution();
    desk.until_event(&id, "node_started");
    let explained = desk.types(&["explain", &id]);
    assert!(
        explained.out.contains("long is running")
            && explained.out.contains("  the lease of worker \""),
        "{explained:?}"
    );
    let document = desk.document(&["explain", &id, "long", "--json"], 0);
    assert!(document["lease"]["worker_id"].is_string(), "{document}");
    assert!(document["lease"]["expires_at"].is_string(), "{document}");
    // A log does not say it.
    let export = desk.types(&["export", &id, "-o", "log.ndjson"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    let of_file = desk.types(&["explain", "--file", "log.ndjson"]);
    assert!(of_file.out.contains("long is running"), "{of_file:?}");
    assert!(!of_file.out.contains("lease"), "{of_file:?}");
    desk.file("go", "");
    assert_eq!(running.ends().code, Some(0));
}

#[test]
fn law9_nodes_that_a_limit_holds_back_are_among_the_causes() {
    let desk = Desk::new();
    let nodes: serde_json::Map<String, Value> = (0..20)
        .map(|number| (format!("n{number:02}"), json!({ "kind": tool() })))
        .collect();
    let edges = nodes.keys().skip(1);
    let edges: Vec<Value> = edges.map(|to| json!({ "from": "n00", "to": to })).collect();
    let mut workflow = json!({
        "workflow_id": "wide", "version": "1.0.0", "start_node": "n00",
        "nodes": nodes, "edges": edges,
    });
    workflow["nodes"]["n00"]["kind"] = command(&["echo", "{}"]);
    let running = desk.runs(&workflow);
    let id = desk.execution();
    desk.until("as many as may be are in flight", || {
        let shown = desk.document(&["show", &id, "--json"], 0);
        let nodes = shown["nodes"].as_array().expect("nodes").clone();
        let scheduled = nodes.iter().filter(|it| it["state"] == "scheduled");
        (scheduled.count() == 16).then_some(())
    });
    let explained = desk.types(&["explain", &id]);
    assert!(
        explained
            .out
            .contains("could run, but 16 of 16 nodes (max_concurrent_nodes) are in flight"),
        "{explained:?}"
    );
    running.interrupt();
    running.ends();
}

#[test]
fn law9_what_nobody_works_on_is_said_and_shown() {
    let desk = Desk::new();
    let mut running = desk.runs(&chain(&[("a", tool()), ("b", approval())]));
    let id = desk.execution();
    running.says("a waits for a worker of queue \"tool\" since ");
    let show = desk.document(&["show", &id, "--json"], 0);
    let waiting = &show["waiting"][0];
    assert_eq!(
        (&waiting["for"], &waiting["queue"], &waiting["nodes"][0]),
        (&"worker".into(), &"tool".into(), &"a".into())
    );
    assert!(waiting["since"].is_string(), "{show:#}");
    assert!(
        desk.types(&["show", &id])
            .out
            .contains("waits for a worker of queue \"tool\" since "),
        "{show:#}"
    );

    // Nobody here can do it: `resume` says so and leaves.
    let resumed = desk.types(&["resume"]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(
        resumed
            .err
            .contains("a waits for a worker of queue \"tool\" since "),
        "{resumed:?}"
    );

    assert_eq!(desk.types(&["skip", &id, "a"]).code, Some(0));
    running.says(&format!("refrain approve {id} b"));
    let show = desk.types(&["show", &id]);
    assert!(
        show.out.contains(&format!("refrain approve {id} b")),
        "{show:?}"
    );
    assert_eq!(
        desk.types(&["cancel", &id, "--reason", "enough"]).code,
        Some(0)
    );
    let said = running.ends();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(
        said.err
            .matches("waits for a worker of queue \"tool\"")
            .count(),
        1,
        "once: {said:?}"
    );
    assert_eq!(
        said.err.matches(&format!("refrain approve {id} b")).count(),
        1,
        "once: {said:?}"
    );
    assert!(said.err.contains("enough"), "{said:?}");
}
