//! Logs that commands look at: of the database, out of a file, up to one of their events.

use std::fs;

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, tool};

/// The file that a log is exported to.
pub(super) const FILE: &str = "log.ndjson";

/// An execution that ends well, and its log in a file.
pub(super) fn ended() -> (Desk, String) {
    let desk = Desk::new();
    let workflow = chain(&[
        ("say", command(&["echo", r#"{"word": "hello"}"#])),
        ("then", command(&["echo", r#"{"word": "bye"}"#])),
    ]);
    desk.file("w.json", workflow.to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id").to_owned();
    let export = desk.types(&["export", &id, "-o", FILE]);
    assert_eq!(export.code, Some(0), "{export:?}");
    (desk, id)
}

/// One that waits, for a worker or a person, and its log in a file.
pub(super) fn waiting(kind: Value) -> (Desk, String) {
    let desk = Desk::new();
    let workflow = chain(&[("wait", kind), ("then", command(&["echo", "{}"]))]);
    desk.file("w.json", workflow.to_string());
    let started = desk.types(&["start", "w.json"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    let id = desk.execution();
    let export = desk.types(&["export", &id, "-o", FILE]);
    assert_eq!(export.code, Some(0), "{export:?}");
    (desk, id)
}

/// The fields of what `show` says that a log says alone.
fn by_log(mut shown: Value) -> Value {
    let fields = shown.as_object_mut().expect("an object");
    for other in ["next_wake", "behind"] {
        fields.remove(other);
    }
    shown
}

#[test]
fn a_log_out_of_a_file_shows_the_same_as_its_execution() {
    let (desk, id) = ended();
    let stored = desk.document(&["show", &id, "--json"], 0);
    let of_file = desk.document(&["show", "--file", FILE, "--json"], 0);
    assert_eq!(by_log(of_file), by_log(stored.clone()));
    let text = fs::read_to_string(desk.path().join(FILE)).expect("a file");
    let piped = desk.pipes(&["show", "--file", "-", "--json"], &text);
    let piped: Value = serde_json::from_str(&piped.out).expect("a document");
    assert_eq!(by_log(piped), by_log(stored));

    let log = desk.types(&["log", &id]);
    let of_file = desk.types(&["log", "--file", FILE]);
    assert_eq!((of_file.code, &of_file.out), (Some(0), &log.out));
    assert_eq!(of_file.err.lines().count(), 1, "said once: {of_file:?}");
    assert!(of_file.err.contains("leases"), "{of_file:?}");
    let explained = desk.types(&["explain", &id, "say"]);
    let of_file = desk.types(&["explain", "--file", FILE, "--node", "say"]);
    assert_eq!((of_file.code, of_file.out), (Some(0), explained.out));
    // No database is made or asked for.
    fs::remove_file(desk.path().join("refrain.db")).expect("it is there");
    assert_eq!(desk.types(&["show", "--file", FILE]).code, Some(0));
}

#[test]
fn law9_what_a_log_waits_for_is_told_without_what_cannot_be_done_about_it() {
    for (kind, text) in [
        (tool(), "wait waits for a worker of queue \"tool\" since "),
        (approval(), "wait waits for an approval (Go on?) since "),
    ] {
        let (desk, id) = waiting(kind);
        let stored = desk.types(&["show", &id]);
        assert!(stored.out.contains(text), "{stored:?}");
        assert!(stored.out.contains("\n  refrain "), "{stored:?}");
        for words in [
            ["show", "--file", FILE, "--quiet"],
            ["show", &id, "--at", "2"],
        ] {
            let said = desk.types(&words);
            assert_eq!(said.code, Some(0), "{said:?}");
            assert!(said.out.contains(text), "{said:?}");
            assert!(!said.out.contains("refrain "), "{said:?}");
        }
        let stored = desk.types(&["explain", &id]);
        assert!(stored.out.contains("`refrain "), "{stored:?}");
        let of_file = desk.types(&["explain", "--file", FILE]);
        assert_eq!(of_file.code, Some(0), "{of_file:?}");
        assert!(of_file.out.contains("wait is "), "{of_file:?}");
        assert!(!of_file.out.contains("refrain "), "{of_file:?}");
    }
}

#[test]
fn an_execution_is_shown_as_it_was_behind_each_of_its_events() {
    let (desk, id) = ended();
    let events = desk.events(&id);
    let last = events.len() as u64;
    let mut state = json!({});
    for event in &events {
        let sequence = event["sequence"].as_u64().expect("a number");
        let at = sequence.to_string();
        let shown = desk.document(&["show", &id, "--at", &at, "--json"], 0);
        let of_file = desk.document(&["show", "--file", FILE, "--at", &at, "--json"], 0);
        assert_eq!(of_file, shown);
        let behind = json!({ "sequence": sequence, "last": last });
        assert_eq!(shown["behind"], behind);
        assert_eq!(
            (&shown["events"], &shown["last_at"]),
            (&json!(sequence), &event["at"])
        );
        if event["type"] == "node_completed" {
            state["word"] = event["state_patch"]["word"].clone();
        }
        let (status, found) = match sequence == last {
            true => ("completed", &shown["final_state"]),
            false => ("running", &shown["state"]),
        };
        assert_eq!((&shown["status"], found), (&json!(status), &state), "{at}");
    }
    let nodes = |at: &str| {
        let shown = desk.document(&["show", &id, "--at", at, "--json"], 0);
        let nodes = shown["nodes"].as_array().expect("nodes").clone();
        nodes
            .iter()
            .map(|it| it["state"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(nodes("1"), ["pending", "pending"]);
    assert_eq!(nodes("2"), ["scheduled", "pending"]);
    assert_eq!(nodes("3"), ["running", "pending"]);
    let whole = desk.document(&["show", &id, "--json"], 0);
    let end = desk.document(&["show", &id, "--at", &last.to_string(), "--json"], 0);
    assert_eq!(by_log(end), by_log(whole));
    let explained = desk.types(&["explain", &id, "then", "--at", "3"]);
    assert!(
        explained.out.contains("then is pending")
            && explained.out.contains("needs node `say`, which is running"),
        "{explained:?}"
    );
    let explained = desk.types(&["explain", &id, "--at", "3"]);
    let standing = format!("{id} was running behind event 3 of {last}\nsay is running\n");
    assert!(explained.out.starts_with(&standing), "{explained:?}");
}

#[test]
fn a_place_that_a_log_does_not_have_is_refused() {
    let (desk, id) = ended();
    for words in [
        vec!["show", &id, "--at", "0"],
        vec!["show", &id, "--at", "99"],
        vec!["explain", &id, "--at", "99"],
        vec!["explain", "--file", FILE, "--node", "say", "--at", "0"],
        vec!["log", &id, "--from", "99"],
    ] {
        let said = desk.types(&words);
        assert_eq!(
            (said.code, &*said.out),
            (Some(2), ""),
            "{words:?}: {said:?}"
        );
        assert!(said.err.contains("give one of these"), "{said:?}");
        let document = desk.document(&[&words[..], &["--json"]].concat(), 2);
        assert_eq!(document["error"]["code"], "no_event", "{document}");
    }
    for words in [
        vec!["show"],
        vec!["show", &id, "--file", FILE],
        vec!["log", &id, "--from", "0"],
        vec!["log", &id, "--kind", "node_begun"],
        vec!["log", "--file", FILE, "--follow"],
        vec!["show", &id, "--guest", "g.wasm"],
    ] {
        let said = desk.types(&words);
        assert_eq!(
            (said.code, &*said.out),
            (Some(2), ""),
            "{words:?}: {said:?}"
        );
    }
    let unknown = desk.document(&["log", &id, "--node", "nobody", "--json"], 2);
    assert_eq!(unknown["error"]["code"], "unknown_node");
    let erased = desk.types(&["erase", &id]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    let erased = desk.document(&["show", &id, "--at", "3", "--json"], 2);
    assert_eq!(erased["error"]["code"], "log_erased");
    let export = desk.types(&["export", &id, "-o", "erased.ndjson"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    let shown = desk.types(&["show", "--file", "erased.ndjson"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains("completed, erased"), "{shown:?}");
    let log = desk.types(&["log", "--file", "erased.ndjson"]);
    assert_eq!(log.out, desk.types(&["log", &id]).out);
    let explained = desk.types(&["explain", "--file", "erased.ndjson"]);
    assert!(
        explained.out.contains("cannot be told any more"),
        "{explained:?}"
    );
}

#[test]
fn a_log_that_is_cut_or_edited_is_shown_as_far_as_it_is_whole() {
    let (desk, id) = ended();
    let text = fs::read_to_string(desk.path().join(FILE)).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    // Cut behind event 4: the head shows it. What is there shows, and is not explained.
    desk.file("cut.ndjson", lines[..5].join("\n") + "\n");
    let shown = desk.types(&["show", "--file", "cut.ndjson"]);
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(
        shown.out.contains("tampered at 5") && shown.out.contains("event 5 is missing"),
        "{shown:?}"
    );
    let explained = desk.types(&["explain", "--file", "cut.ndjson", "--node", "say"]);
    assert_eq!(explained.code, Some(1), "{explained:?}");
    assert!(explained.out.contains("cannot be told"), "{explained:?}");
    assert!(!shown.out.contains("refrain resume"), "{shown:?}");

    // Event 4 says something else: what stands before it is as it was.
    let forged = lines[4].replace("hello", "howdy");
    assert_ne!(forged, lines[4]);
    let forged = [&lines[..4], &[&*forged], &lines[5..]].concat();
    desk.file("forged.ndjson", forged.join("\n") + "\n");
    let shown = desk.document(&["show", "--file", "forged.ndjson", "--json"], 1);
    assert_eq!(shown["tampered"]["sequence"], 4, "{shown}");
    let before = desk.document(
        &["show", "--file", "forged.ndjson", "--at", "3", "--json"],
        0,
    );
    let stored = desk.document(&["show", &id, "--at", "3", "--json"], 0);
    assert_eq!(before, stored);
    let shown = desk.types(&["show", "--file", "forged.ndjson", "--at", "4"]);
    assert_eq!(shown.code, Some(1), "{shown:?}");
}

#[test]
fn of_a_log_with_a_line_that_is_no_event_the_others_are_shown() {
    let (desk, _) = ended();
    let text = fs::read_to_string(desk.path().join(FILE)).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    // The last event has the number of another one: those before it are shown.
    let last = lines.len() - 1;
    let number = format!("\"sequence\":{last},");
    let renumbered = lines[last].replace(&number, "\"sequence\":3,");
    assert_ne!(renumbered, lines[last]);
    let renumbered = [&lines[..last], &[&*renumbered]].concat();
    desk.file("order.ndjson", renumbered.join("\n") + "\n");
    let log = desk.types(&["log", "--file", "order.ndjson"]);
    let count = log.out.lines().count();
    assert_eq!((log.code, count), (Some(1), last - 1), "{log:?}");
    for verb in ["show", "explain", "timeline"] {
        let said = desk.types(&[verb, "--file", "order.ndjson"]);
        assert_eq!(said.code, Some(1), "{said:?}");
    }

    // Line 6 is no event: the others before it are printed.
    let broken = [&lines[..5], &["{\"type\": 7}"], &lines[6..]].concat();
    desk.file("broken.ndjson", broken.join("\n") + "\n");
    let log = desk.types(&["log", "--file", "broken.ndjson"]);
    assert_eq!((log.code, log.out.lines().count()), (Some(2), 4), "{log:?}");
    assert!(
        log.err.contains("cannot be read")
            && log
                .err
                .contains("`refrain audit --file broken.ndjson` says what"),
        "{log:?}"
    );
    let shown = desk.types(&["show", "--file", "broken.ndjson"]);
    assert_eq!(shown.code, Some(1), "{shown:?}");
    let explained = desk.types(&["explain", "--file", "broken.ndjson", "--node", "say"]);
    assert_eq!(explained.code, Some(2), "{explained:?}");
    let shown = desk.types(&["show", "--file", "broken.ndjson", "--at", "4"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let beyond = desk.types(&["show", "--file", "broken.ndjson", "--at", "5"]);
    assert_eq!(beyond.code, Some(2), "{beyond:?}");
}

#[test]
fn a_file_that_is_no_log_is_refused_by_its_name() {
    let (desk, _) = ended();
    let text = fs::read_to_string(desk.path().join(FILE)).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    // The beginning is missing, or everything.
    let headless = [&lines[..1], &lines[2..]].concat();
    desk.file("headless.ndjson", headless.join("\n") + "\n");
    desk.file("header.ndjson", format!("{}\n", lines[0]));
    desk.file("empty.ndjson", "");
    desk.file("text.ndjson", "no log\n");
    for file in [
        "headless.ndjson",
        "header.ndjson",
        "empty.ndjson",
        "text.ndjson",
        "none.ndjson",
        ".",
    ] {
        for verb in ["show", "log", "explain"] {
            let said = desk.types(&[verb, "--file", file]);
            assert_eq!(
                (said.code, &*said.out),
                (Some(2), ""),
                "{verb} {file}: {said:?}"
            );
            assert!(said.err.contains(file), "{said:?}");
        }
    }
}

#[test]
fn a_scheduler_may_come_with_a_file() {
    let (desk, _) = ended();
    let guest = desk.types(&["guest", "export", "own.wasm"]);
    assert_eq!(guest.code, Some(0), "{guest:?}");
    let shown = desk.types(&["show", "--file", FILE, "--guest", "own.wasm"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let shown = desk.types(&["show", "--file", FILE, "--guest", "w.json"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
}
