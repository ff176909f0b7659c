//! Executions that are spoken to while they live, from a second terminal.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, event};

/// The milliseconds of an event's time within its minute.
fn ms(event: &Value) -> i64 {
    let at = event["at"].as_str().expect("a time");
    let number = |range| {
        at.get(range)
            .and_then(|digits: &str| digits.parse::<i64>().ok())
            .expect("digits")
    };
    (number(14..16) * 60 + number(17..19)) * 1000 + number(20..23)
}

#[test]
fn r19_an_approval_reaches_a_living_run_at_once() {
    // The best of three: a busy machine may be late, the way there is not.
    let best = (0..3).map(|_| {
        let desk = Desk::new();
        let running = desk.runs(&chain(&[
            ("ask", approval()),
            ("act", command(&["echo", "done"])),
        ]));
        let id = desk.execution();
        desk.until_event(&id, "interrupt_raised");
        let said = desk.types(&[
            "approve",
            &id,
            "ask",
            "--user",
            "mo",
            "--comment",
            "fine",
            "--patch",
            "{\"by\": \"mo\"}",
        ]);
        assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
        let ended = running.ends();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let report: Value = serde_json::from_str(&ended.out).expect("one JSON document");
        assert_eq!(report["final_state"], json!({ "act": "done", "by": "mo" }));
        let events = desk.events(&id);
        let at = |kind: &str| {
            events
                .iter()
                .find(|event| event["type"] == kind)
                .map(ms)
                .expect("it happened")
        };
        assert_eq!(desk.types(&["audit", &id]).code, Some(0));
        at("node_started") - at("approval_received")
    });
    let best = best.min().expect("three");
    assert!(best <= 100, "it took {best} ms");
}

#[test]
fn a_rejection_fails_the_node() {
    let desk = Desk::new();
    let running = desk.runs(&chain(&[("ask", approval()), ("act", command(&["true"]))]));
    let id = desk.execution();
    desk.until_event(&id, "interrupt_raised");
    assert_eq!(
        desk.types(&[
            "approve",
            &id,
            "ask",
            "--reject",
            "--user",
            "mo",
            "--comment",
            "not now"
        ])
        .code,
        Some(0)
    );
    let ended = running.ends();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("rejected by mo: not now"), "{ended:?}");
}

/// Who decides is who acts, unless somebody else is named.
#[test]
fn r19_who_approves_is_whoever_does_it() {
    for (words, user, by) in [
        (&["--by", "carol"][..], "carol", "carol"),
        (&["--by", "carol", "--user", "mo"], "mo", "carol"),
        (&[], "ada", "ada"),
    ] {
        let desk = Desk::new();
        let running = desk.runs(&chain(&[("ask", approval())]));
        let id = desk.execution();
        desk.until_event(&id, "interrupt_raised");
        let mut command = refrain_tests::binary::refrain(desk.path());
        command
            .args(["approve", &id, "ask", "--reject"])
            .args(words);
        // A login name is what the session says, not only what USER does.
        command.env_remove("USER").env("LOGNAME", "ada");
        assert_eq!(command.status().expect("it starts").code(), Some(0));
        let ended = running.ends();
        let rejected = format!("rejected by {user}");
        assert!(ended.err.contains(&rejected), "{ended:?}");
        let received = desk.until_event(&id, "approval_received");
        assert_eq!(
            (&received["user_id"], &received["by"]),
            (&json!(user), &json!(by))
        );
    }
}

/// The pause is what holds it: nothing else that is typed brings it further.
#[test]
fn r18_whatever_is_said_of_a_paused_execution_names_what_lifts_the_pause() {
    let desk = Desk::new();
    let mut running = desk.runs(&chain(&[("ask", approval())]));
    let id = desk.execution();
    desk.until_event(&id, "interrupt_raised");
    let pause = [
        "pause",
        &id,
        "--by",
        "ada",
        "--reason",
        "the bank is closed",
    ];
    assert_eq!(desk.types(&pause).code, Some(0));
    running.says("is paused");
    let unpause = format!("refrain unpause {id}");
    running.interrupt();
    let ended = running.ends();
    let expected = format!("{id} is paused; to go on with it: {unpause}, then refrain resume {id}");
    assert!(ended.err.contains(&expected), "{ended:?}");
    let shown = desk.types(&["show", &id]);
    let paused = "is paused by ada: the bank is closed";
    let expected = format!("it {paused}; to lift that: {unpause}");
    assert!(shown.out.contains(&expected), "{shown:?}");
    let explained = desk.types(&["explain", &id]);
    let expected = format!("{id} {paused}\n  `refrain step {id}` shows its next step\n");
    assert!(explained.out.starts_with(&expected), "{explained:?}");
    let explained = desk.types(&["explain", &id, "ask"]);
    let expected = format!("the execution {paused}: `{unpause}` ends the pause\n");
    assert!(explained.out.contains(&expected), "{explained:?}");
    let show = desk.document(&["show", &id, "--json"], 0);
    assert_eq!(show["cancelling"], false);

    let cancelled = desk.types(&["cancel", &id]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    let expected = format!("is paused, and ends only when the pause is lifted; type: {unpause}");
    assert!(cancelled.err.contains(&expected), "{cancelled:?}");
    let shown = desk.types(&["show", &id]);
    let expected = format!(
        "it {paused}, and a request to cancel it is recorded: it ends when the pause is lifted: {unpause}"
    );
    assert!(shown.out.contains(&expected), "{shown:?}");
    let show = desk.document(&["show", &id, "--json"], 0);
    assert_eq!(show["cancelling"], true);
    let lifted = desk.types(&["unpause", &id]);
    assert!(lifted.err.contains("is cancelled"), "{lifted:?}");
}

/// Nobody was at work when the deadline passed, so that nothing has followed yet.
#[test]
fn r19_a_decision_after_the_deadline_is_told_what_that_means() {
    for (fallback, followed) in [
        (Some("refuse"), "it went on with \"refuse\", its fallback"),
        (None, "it failed for good"),
    ] {
        let desk = Desk::new();
        let mut ask = approval();
        ask["timeout_secs"] = json!(1);
        let mut workflow = chain(&[("ask", ask), ("act", command(&["true"]))]);
        if let Some(fallback) = fallback {
            workflow["nodes"]["ask"]["kind"]["fallback_node"] = json!(fallback);
            workflow["nodes"][fallback] = json!({ "kind": command(&["true"]) });
        }
        let running = desk.runs(&workflow);
        let id = desk.execution();
        let raised = desk.until_event(&id, "interrupt_raised");
        running.killed();
        let resume = format!("refrain resume {id}");
        let shown = desk.until("the deadline has passed", || {
            let said = desk.types(&["show", &id]);
            said.out.contains("which has passed").then_some(said)
        });
        assert!(shown.out.contains(&resume), "{shown:?}");
        assert!(!shown.out.contains("refrain approve"), "{shown:?}");
        let explained = desk.types(&["explain", &id, "ask"]);
        let expected = format!(
            "which has passed: what follows is decided as soon as this works on it: {resume}"
        );
        assert!(explained.out.contains(&expected), "{explained:?}");
        let resumed = desk.types(&["resume", &id]);
        assert!(resumed.code.is_some_and(|code| code < 2), "{resumed:?}");
        let approved = desk.types(&["approve", &id, "ask"]);
        assert_eq!(approved.code, Some(2), "{approved:?}");
        let deadline = raised["expires_at"].as_str().expect("a time");
        for said in [
            "the decision on node \"ask\" comes too late",
            deadline,
            followed,
        ] {
            assert!(approved.err.contains(said), "{said}: {approved:?}");
        }
    }
}

#[test]
fn r18_r19_pause_signal_unpause() {
    let desk = Desk::new();
    let running = desk.runs(&chain(&[
        ("hear", event()),
        ("act", command(&["echo", "heard"])),
    ]));
    let id = desk.execution();
    desk.until_event(&id, "timer_created");
    assert_eq!(
        desk.types(&["pause", &id, "--reason", "lunch"]).code,
        Some(0)
    );
    assert_eq!(desk.types(&["pause", &id]).code, Some(2), "it is paused");
    let signal = ["signal", &id, "key", "{\"said\": 1}", "--event-id", "evt_1"];
    let signal = [&signal[..], &["--by", "a webhook"]].concat();
    let sent = desk.types(&signal);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert!(sent.err.contains("the event is recorded"), "{sent:?}");
    let again = desk.types(&signal);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(
        again
            .err
            .contains("an event with this id is already recorded"),
        "{again:?}"
    );
    for (key, payload) in [("key", "{\"said\": 2}"), ("other", "{\"said\": 1}")] {
        let other = desk.types(&["signal", &id, key, payload, "--event-id", "evt_1"]);
        assert_eq!(other.code, Some(0), "{other:?}");
        let expected = "another event with this id is already recorded";
        assert!(other.err.contains(expected), "{other:?}");
    }
    let early = desk.types(&["signal", &id, "nobody waits for this"]);
    let kept = "the event is recorded and kept for later, because no node waits for its key now";
    assert!(early.err.contains(kept), "{early:?}");
    assert_eq!(
        desk.document(&["list", "--status", "paused", "--json"], 0)["executions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert!(
        !desk
            .events(&id)
            .iter()
            .any(|event| event["type"] == "node_scheduled"),
        "nothing is handed out"
    );
    assert_eq!(desk.types(&["unpause", &id]).code, Some(0));
    let ended = running.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.out).expect("one JSON document");
    assert_eq!(report["final_state"], json!({ "said": 1, "act": "heard" }));
    // Who did what is in the log: as said, else by the login name.
    let events = desk.events(&id);
    let by = |kind: &str| {
        let event = events.iter().find(|event| event["type"] == kind);
        event.map(|event| event["by"].clone())
    };
    assert_eq!(by("external_event_received"), Some(json!("a webhook")));
    let login = by("execution_paused");
    assert!(login.as_ref().is_some_and(Value::is_string), "{login:?}");
    assert_eq!(by("workflow_started"), login);
    assert_eq!(by("execution_unpaused"), login);
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

#[test]
fn r20_a_failed_node_is_retried_and_another_skipped() {
    let desk = Desk::new();
    let mut workflow = chain(&[("ask", approval()), ("end_of_line", command(&["true"]))]);
    workflow["nodes"]["start"] =
        json!({ "kind": { "type": "parallel", "branches": ["ask", "flaky"] } });
    workflow["nodes"]["flaky"] =
        json!({ "kind": command(&["test", "-e", "repaired"]), "retry_policy": "no_retry" });
    workflow["start_node"] = "start".into();
    let running = desk.runs(&workflow);
    let id = desk.execution();
    desk.until_event(&id, "node_exhausted");
    desk.file("repaired", []);
    assert_eq!(
        desk.types(&["retry", &id, "flaky", "--reason", "repaired"])
            .code,
        Some(0)
    );
    let completed =
        |event: &Value| event["type"] == "node_completed" && event["node_id"] == "flaky";
    while !desk.events(&id).iter().any(completed) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(desk.types(&["skip", &id, "ask"]).code, Some(0));
    let ended = running.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

#[test]
fn ctrl_c_stops_cleanly_and_resume_goes_on() {
    let desk = Desk::new();
    let running = desk.runs(&chain(&[
        ("slow", command(&["sh", "-c", "sleep 1; echo 1"])),
        ("then", command(&["echo", "2"])),
    ]));
    let id = desk.execution();
    desk.until_event(&id, "node_started");
    running.interrupt();
    let ended = running.ends();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.err.contains(&format!("refrain resume {id}")),
        "{ended:?}"
    );
    let report: Value = serde_json::from_str(&ended.out).expect("one JSON document");
    assert_eq!(report["status"], "running");
    let attempts = |events: &[Value]| {
        events
            .iter()
            .filter(|event| event["type"] == "node_started")
            .count()
    };
    assert_eq!(
        attempts(&desk.events(&id)),
        1,
        "what was at work finished, and nothing more began"
    );

    let resumed = desk.document(&["resume", &id, "--json"], 0);
    assert_eq!(
        resumed["executions"][0]["final_state"],
        json!({ "slow": 1, "then": 2 })
    );
    assert_eq!(attempts(&desk.events(&id)), 2);
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

#[test]
fn simulation_needs_no_workers() {
    let desk = Desk::new();
    let mut workflow = chain(&[
        ("a", json!({ "type": "tool", "tool_ref": "any" })),
        ("b", command(&["false"])),
    ]);
    workflow["nodes"]["a"]["labels"] = json!({ "simulate_ms": "90000" });
    desk.file("w.json", workflow.to_string());
    let run = desk.document(&["run", "w.json", "--simulate", "--json"], 0);
    assert_eq!(
        (&run["status"], &run["final_state"]),
        (&"completed".into(), &json!({}))
    );
    let events = desk.events(run["execution_id"].as_str().expect("an id"));
    let completed = events
        .iter()
        .find(|event| event["type"] == "node_completed")
        .expect("it completed");
    assert_eq!(
        (ms(completed) - ms(&events[0])).rem_euclid(3_600_000),
        90_000
    );
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));
}

#[test]
fn data_goes_to_stdout_and_talk_to_stderr() {
    let desk = Desk::new();
    desk.file(
        "w.json",
        chain(&[("a", command(&["echo", "{\"x\": 1}"]))]).to_string(),
    );
    let said = desk.types(&["run", "w.json"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(0), "{\n  \"x\": 1\n}\n"),
        "{said:?}"
    );
    assert!(
        said.err.contains("a ") && said.err.contains("completed") && !said.err.contains('\x1b'),
        "{said:?}"
    );
}
