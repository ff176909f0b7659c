//! Text that tries to steer the terminal that it is shown on, in every field
//! that takes text, before every command.

use std::fs;

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Said};

/// What no command may print: control, direction and hidden characters. Line
/// feeds are the program's own.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Ids take no control characters, but these.
const ID: &str = "a\u{202e}b\u{2066}\u{200f}'`$(c)";

/// Clears the screen, rings, overwrites its line, and begins another one that
/// looks like a verdict.
const TEXT: &str =
    "x\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}1A\u{7f}\r\u{202e}\u{2028}\u{85}\u{200b}\nFORGED  clean\n";

fn assert_tame(words: &[&str], said: &Said) {
    for text in [&said.out, &said.err] {
        assert!(!text.contains(steers), "{words:?}: {text:?}");
        let forged = text.lines().any(|line| line.starts_with("FORGED"));
        assert!(!forged, "{words:?}: {text}");
    }
}

/// Type this, and look at what comes back.
fn types(desk: &Desk, words: &[&str], code: i32) -> Said {
    let said = desk.types(words);
    assert_tame(words, &said);
    assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
    said
}

fn workflow() -> Value {
    let fails = format!("printf '%b' '{}' >&2; exit 3", TEXT.for_printf());
    let puts = format!("printf '%s' '{}'", json!({ "text": TEXT, TEXT: 1 }));
    json!({
        "workflow_id": ID, "version": "1.0.0", "start_node": "all",
        "nodes": {
            "all": { "kind": { "type": "parallel", "branches": [ID, "event", "fails", "puts", "queue"] } },
            ID: { "kind": { "type": "human_approval", "description": TEXT } },
            "event": { "kind": { "type": "wait", "condition": "external_event", "correlation_key": ID } },
            "fails": { "kind": { "type": "command", "argv": ["sh", "-c", fails] }, "retry_policy": "no_retry" },
            "puts": { "kind": { "type": "command", "argv": ["sh", "-c", puts] } },
            "queue": { "kind": { "type": "tool", "tool_ref": TEXT } },
        },
        "edges": [],
    })
}

/// Spelled for `printf %b`.
trait ForPrintf {
    fn for_printf(&self) -> String;
}

impl ForPrintf for str {
    fn for_printf(&self) -> String {
        self.bytes().map(|byte| format!("\\0{byte:03o}")).collect()
    }
}

#[test]
fn no_text_steers_the_terminal_that_it_is_shown_on() {
    let desk = Desk::new();
    desk.file("w.json", workflow().to_string());
    types(&desk, &["validate", "w.json"], 0);
    types(&desk, &["validate", "w.json", "--json"], 0);
    let mut running = desk.begins(&["run", "w.json", "--key", TEXT]);
    running.says("waits for a worker");
    let id = desk.execution();
    desk.until_event(&id, "node_exhausted");
    desk.until_event(&id, "node_completed");

    let asks: [&[&str]; 8] = [
        &["list"],
        &["show", &id],
        &["log", &id],
        &["explain", &id, ID],
        &["explain", &id, "event"],
        &["explain", &id, "fails"],
        &["explain", &id, "puts"],
        &["audit", &id],
    ];
    let ask_all = || {
        for words in asks {
            types(&desk, words, 0);
            let said = types(&desk, &[words, &["--json"]].concat(), 0).out;
            let documents = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
            let documents = documents.collect::<Result<Vec<_>, _>>().expect("JSON");
            assert!(!documents.is_empty() && documents.iter().all(Value::is_object));
        }
    };
    ask_all();
    for format in ["ascii", "svg", "mermaid", "dot"] {
        let drawn = types(&desk, &["graph", &id, "--format", format], 0).out;
        assert!(
            drawn.contains(r"\u{202e}b") || drawn.contains(r"u#123;202e"),
            "{drawn}"
        );
    }
    types(&desk, &["pause", &id, "--reason", TEXT], 0);
    types(&desk, &["unpause", &id, "--reason", TEXT], 0);
    types(
        &desk,
        &["approve", &id, ID, "--user", TEXT, "--comment", TEXT],
        0,
    );
    types(
        &desk,
        &["signal", &id, ID, &json!({ "sent": TEXT }).to_string()],
        0,
    );
    types(&desk, &["cancel", &id, "--reason", TEXT], 0);
    let ended = running.ends();
    assert_tame(&["run"], &ended);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ask_all();
    types(&desk, &["list", "--status", "cancelled"], 0);
    types(&desk, &["resume", &id], 1);
    // What it was is still all there.
    let events = desk.events(&id);
    assert!(events.iter().any(|event| event["comment"] == TEXT));
}

#[test]
fn a_forged_log_cannot_paint_itself_clean() {
    let desk = Desk::new();
    desk.file("w.json", workflow().to_string());
    let running = desk.begins(&["run", "w.json", "--simulate", "--key", "k"]);
    let id = desk.execution();
    types(&desk, &["cancel", &id, "--reason", "why"], 0);
    let _ = running.ends();
    types(&desk, &["export", &id, "-o", "log"], 0);
    let log = fs::read_to_string(desk.path().join("log")).expect("a log");
    let forged = json!(format!("why{TEXT}")).to_string();
    let raw = "\"why\u{202e}\u{9b}2J\u{7f}\"";
    for (name, from, to) in [
        ("error", "\"why\"", &*forged),
        ("raw", "\"why\"", raw),
        ("kind", "\"cancel_requested\"", &forged),
        ("origin", "\"fact\"", &forged),
        ("id", id.as_str(), &forged[1..forged.len() - 1]),
        ("format", "refrain-log/2", &forged[1..forged.len() - 1]),
        ("node", "\"event\"", &forged),
        ("field", "\"at\":", &format!("{forged}:1,\"at\":")),
    ] {
        let changed = log.replacen(from, to, 2);
        assert_ne!(changed, log, "{name}");
        let file = desk.file(&format!("{name}{ID}\u{1b}[2J\nFORGED"), changed);
        let file = file.to_str().expect("UTF-8");
        for words in [
            &["audit", "--file", file][..],
            &["audit", "--file", file, "--json"],
        ] {
            let said = desk.types(words);
            assert_tame(words, &said);
            assert!(matches!(said.code, Some(1 | 2)), "{name}: {said:?}");
        }
    }
}

#[test]
fn arguments_that_errors_repeat_are_escaped() {
    let desk = Desk::new();
    desk.file("w.json", workflow().to_string());
    desk.file(
        "bad.json",
        json!({ "workflow_id": TEXT, TEXT: 1, "nodes": { TEXT: {} } }).to_string(),
    );
    desk.file(TEXT, "no component");
    let db = "d\u{202e}\n\u{1b}[1m";
    let running = desk.begins(&["run", "w.json", "--db", db]);
    let id = desk.until("an execution is listed", || {
        let said = desk.types(&["list", "--json", "--db", db]);
        let list: Value = serde_json::from_str(&said.out).ok()?;
        list["executions"][0]["execution_id"]
            .as_str()
            .map(str::to_owned)
    });
    for (words, code) in [
        (&["validate", "bad.json"][..], 1),
        (&["validate", "bad.json", "--json"], 1),
        (&["run", "bad.json"], 1),
        (&["validate", TEXT], 1),
        (&["run", TEXT, "--guest", TEXT], 2),
        (&["run", "w.json", "--guest", TEXT], 2),
        (&["run", &format!("no{TEXT}")], 2),
        (&["run", "w.json", "--input", TEXT], 2),
        (&["run", "w.json", "--input", &format!("@{TEXT}{TEXT}")], 2),
        (&["guest", "check", TEXT], 1),
        (&["guest", "check", TEXT, "--json"], 1),
        (&["guest", "export", &format!("none/{TEXT}")], 2),
        (&[TEXT], 2),
        (&["list", TEXT], 2),
        (&["list", "--status", TEXT], 2),
        (&[&format!("--{TEXT}")], 2),
        (&["show", TEXT], 2),
        (&["list", "--db", &format!("none{TEXT}")], 2),
        (&["list", "--db", TEXT], 2),
        (&["show", &id, "--db", db], 0),
        (&["explain", &id, TEXT, "--db", db], 2),
        (&["approve", &id, TEXT, "--db", db], 2),
        (&["skip", &id, TEXT, "--db", db], 2),
        (&["audit", "--file", TEXT], 1),
        (&["audit", "--all", "--anchors", TEXT, "--db", db], 2),
        (&["bench", "linear", "--dir", &format!("none{TEXT}")], 2),
    ] {
        let said = desk.types(words);
        assert_tame(words, &said);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
    }
    running.interrupt();
    assert_tame(&["run"], &running.ends());
}
