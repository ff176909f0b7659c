//! `refrain erase`, and what the other commands then say.

use std::fs;

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, event};

const SECRET: &str = "Ada-of-Lovelace";

/// An execution that has ended and says the secret in its input, its outputs and its
/// end, and one that waits for a person.
pub(super) fn desk() -> (Desk, String) {
    let desk = Desk::new();
    let ending = chain(&[("say", command(&["cat"])), ("then", command(&["cat"]))]);
    desk.file("w.json", ending.to_string());
    let input = format!("{{\"name\": \"{SECRET}\"}}");
    let run = desk.document(&["run", "w.json", "--input", &input, "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id").to_owned();
    (desk, id)
}

fn files_with(desk: &Desk, text: &str) -> Vec<String> {
    let mut files = desk.files();
    files.retain(|name| {
        let bytes = fs::read(desk.path().join(name)).expect("the file");
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    });
    files
}

#[test]
fn every_command_says_that_an_execution_is_erased() {
    let (desk, id) = desk();
    assert!(!files_with(&desk, SECRET).is_empty());
    let erased = desk.types(&["erase", &id, "--by", "the office"]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    assert!(
        erased
            .out
            .starts_with(&format!("{id}  erased by the office on 2"))
            && erased
                .out
                .contains("when its audit said clean; what it said is gone for good"),
        "{erased:?}"
    );
    assert!(
        erased.err.contains("the texts of workflows stay"),
        "{erased:?}"
    );
    assert_eq!(files_with(&desk, SECRET), Vec::<String>::new());

    let list = desk.types(&["list"]);
    assert!(list.out.contains("completed, erased"), "{list:?}");
    let listed = desk.document(&["list", "--json"], 0);
    let attested = &listed["executions"][0]["erased"];
    assert_eq!(
        (&attested["by"], &attested["verdict"], &attested["head"]),
        (
            &json!("the office"),
            &json!("clean"),
            &listed["executions"][0]["head"]
        )
    );
    let show = desk.types(&["show", &id]);
    assert_eq!(show.code, Some(0), "{show:?}");
    assert!(
        show.out.contains("erased by the office") && show.out.contains("say"),
        "{show:?}"
    );
    let shown = desk.document(&["show", &id, "--json"], 0);
    assert_eq!(
        (&shown["final_state"], &shown["error"], &shown["erased"]),
        (&Value::Null, &Value::Null, attested)
    );
    let log = desk.types(&["log", &id]);
    assert_eq!(log.code, Some(0), "{log:?}");
    assert!(
        log.out.contains("> workflow_completed\n") && log.out.contains("erased by"),
        "{log:?}"
    );
    assert!(desk.events(&id)[0]["commitment"].is_string());
    let logged = desk.types(&["log", &id, "--json"]).out;
    let header: Value = logged
        .lines()
        .next()
        .map(serde_json::from_str)
        .expect("a line")
        .expect("JSON");
    assert_eq!(&header["erased"], attested);
    let explain = desk.types(&["explain", &id, "say"]);
    assert_eq!(explain.code, Some(0), "{explain:?}");
    assert!(
        explain.out.contains("cannot be told any more"),
        "{explain:?}"
    );
    let explained = desk.document(&["explain", &id, "say", "--json"], 0);
    assert_eq!(&explained["erased"], attested);

    let audit = desk.types(&["audit", &id]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    assert!(
        audit.out.contains("  erased  ") && audit.out.contains("by itself it proves nothing"),
        "{audit:?}"
    );
    let audited = desk.document(&["audit", "--all", "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "erased");
    assert_eq!(&audited["executions"][0]["erased"], attested);
    for words in [
        &["export", &id, "-o", "log.ndjson"][..],
        &["export", &id, "--with-guest", "-o", "all.ndjson"],
    ] {
        assert_eq!(desk.types(words).code, Some(0));
    }
    for file in ["log.ndjson", "all.ndjson"] {
        let audited = desk.document(&["audit", "--file", file, "--json"], 0);
        assert_eq!(audited["executions"][0]["verdict"], "erased", "{file}");
    }
    assert_eq!(files_with(&desk, SECRET), Vec::<String>::new());

    let resume = desk.types(&["resume", &id]);
    assert_eq!(resume.code, Some(2), "{resume:?}");
    assert!(
        resume.err.contains("is erased: nothing can follow on it"),
        "{resume:?}"
    );
    let cancel = desk.types(&["cancel", &id]);
    assert_eq!(cancel.code, Some(2), "{cancel:?}");
    assert!(cancel.err.contains("its log is erased"), "{cancel:?}");
    let again = desk.document(&["erase", &id, "--json"], 0);
    assert_eq!(again["executions"][0]["now"], false);
    assert_eq!(&again["executions"][0]["erased"], attested);
}

#[test]
fn what_cannot_be_erased_is_named_and_the_others_are() {
    let (desk, id) = desk();
    desk.file(
        "waits.json",
        chain(&[("ask", approval())])
            .to_string()
            .replace("chain", "waits"),
    );
    let running = desk.begins(&["run", "waits.json", "--json"]);
    let waits = desk.until("both are listed", || {
        let list = desk.document(&["list", "--status", "running", "--json"], 0);
        list["executions"][0]["execution_id"]
            .as_str()
            .map(str::to_owned)
    });
    desk.until_event(&waits, "interrupt_raised");
    let nobody = format!("exec_{}", "0".repeat(32));
    let erased = desk.types(&["erase", &waits, &id, &nobody]);
    assert_eq!(erased.code, Some(2), "{erased:?}");
    assert!(erased.out.starts_with(&id), "{erased:?}");
    for said in [
        "is running, and only what has ended is erased; cancel it, or wait for its end",
        "there is no execution exec_0",
        "refrain list",
        "2 of 3 executions could not be erased",
    ] {
        assert!(erased.err.contains(said), "{erased:?}");
    }
    let document = desk.document(&["erase", &waits, &id, &nobody, "--json"], 2);
    let errors = |name: &str| {
        let executions = document["executions"].as_array().expect("a list");
        let found = executions.iter().find(|it| it["execution_id"] == name);
        found.expect("each is named")["error"].clone()
    };
    assert_eq!(errors(&waits)["code"], "not_ended");
    assert_eq!(errors(&nobody)["code"], "unknown_execution");
    assert_eq!(errors(&id), Value::Null, "it was erased before");
    // It has a copy, which holds nothing that was erased.
    assert_eq!(desk.types(&["fork", &waits]).code, Some(0));
    let alone = desk.types(&["erase", &waits]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    assert!(!alone.err.contains("copies"), "{alone:?}");
    running.killed();
}

/// All that people, programs and the state can put into a log, each in words of its own.
const SAID: [&str; 14] = [
    "Ada-starts",
    "Ada-input",
    "Ada-key",
    "Ada-pauses",
    "Ada-why-paused",
    "Ada-why-unpaused",
    "Ada-approves",
    "Ada-comment",
    "Ada-patch",
    "Ada-correlation",
    "Ada-event-id",
    "Ada-payload",
    "Ada-output",
    "Ada-stderr",
];

#[test]
fn law4_an_erased_log_verifies_and_neither_its_export_nor_a_file_holds_a_byte_of_what_it_said() {
    let desk = Desk::new();
    desk.file("output.json", r#"{"said": "Ada-output"}"#);
    desk.file("stderr.txt", "Ada-stderr");
    let mut workflow = chain(&[
        ("ask", approval()),
        ("wait", event()),
        ("say", command(&["cat", "output.json"])),
        ("fail", command(&["sh", "-c", "cat stderr.txt >&2; exit 3"])),
    ]);
    workflow["nodes"]["fail"]["retry_policy"] = json!("no_retry");
    desk.file("w.json", workflow.to_string());
    let run = [
        "run",
        "w.json",
        "--input",
        r#"{"name": "Ada-input"}"#,
        "--key",
        "Ada-key",
        "--by",
        "Ada-starts",
    ];
    let running = desk.begins(&run);
    let id = desk.execution();
    desk.until_event(&id, "interrupt_raised");
    let early = r#"{"early": "Ada-payload"}"#;
    for words in [
        &[
            "pause",
            &id,
            "--by",
            "Ada-pauses",
            "--reason",
            "Ada-why-paused",
        ][..],
        &["unpause", &id, "--reason", "Ada-why-unpaused"],
        &[
            "signal",
            &id,
            "Ada-correlation",
            early,
            "--event-id",
            "Ada-event-id",
        ],
        &["signal", &id, "key", "{}"],
        &[
            "approve",
            &id,
            "ask",
            "--user",
            "Ada-approves",
            "--comment",
            "Ada-comment",
            "--patch",
            r#"{"by_hand": "Ada-patch"}"#,
        ],
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
    }
    assert_eq!(running.ends().code, Some(1));
    for file in ["output.json", "stderr.txt"] {
        fs::remove_file(desk.path().join(file)).expect("it is there");
    }

    let whole = desk.types(&["export", &id]).out;
    for said in SAID {
        assert!(whole.contains(said), "{said} is not searched for in vain");
    }
    let erased = desk.types(&["erase", &id]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    let audited = desk.document(&["audit", &id, "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "erased");
    let exported = desk.types(&["export", &id, "--with-guest", "-o", "log.ndjson"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let audited = desk.document(&["audit", "--file", "log.ndjson", "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "erased");
    for said in SAID {
        assert_eq!(files_with(&desk, said), Vec::<String>::new(), "{said}");
    }
    // With a salt, anyone could try a guess at the payload.
    let salts: Vec<&str> = whole
        .split("\"salt\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(salts.len() + 1, whole.lines().count());
    for salt in salts {
        assert_eq!(files_with(&desk, salt), Vec::<String>::new(), "{salt}");
    }
}

/// By default it is the user who types it; who is nobody is refused.
#[test]
fn who_erases_is_named() {
    let (desk, id) = desk();
    let empty = desk.types(&["erase", &id, "--by", ""]);
    assert_eq!(empty.code, Some(2), "{empty:?}");
    assert!(empty.err.contains("--by <WHO>"), "{empty:?}");
    let output = refrain_tests::binary::refrain(desk.path())
        .args(["erase", &id, "--json"])
        .env("LOGNAME", "grace")
        .output()
        .expect("it starts");
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(document["executions"][0]["erased"]["by"], "grace");
}

#[test]
fn an_export_with_its_guest_audits_where_nothing_else_is() {
    let (desk, id) = desk();
    assert_eq!(
        desk.types(&["export", &id, "--with-guest", "-o", "all.ndjson"])
            .code,
        Some(0)
    );
    let elsewhere = Desk::new();
    let log = fs::read(desk.path().join("all.ndjson")).expect("a file");
    elsewhere.file("all.ndjson", log);
    let audited = elsewhere.document(&["audit", "--file", "all.ndjson", "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "clean");
    assert_eq!(elsewhere.files(), ["all.ndjson"]);
}

/// Nothing is said of what a newer program wrote, and that is no bad verdict.
#[test]
fn an_export_in_a_newer_format_is_newer() {
    let (desk, id) = desk();
    let exported = desk.types(&["export", &id]).out;
    for (format, code, verdict) in [
        ("refrain-log/3", 2, "newer"),
        ("refrain-log/1", 1, "unreadable"),
        ("log/3", 1, "unreadable"),
    ] {
        let other = exported.replacen("refrain-log/2", format, 1);
        desk.file("other.ndjson", other);
        let audited = desk.types(&["audit", "--file", "other.ndjson"]);
        assert_eq!(audited.code, Some(code), "{audited:?}");
        assert!(audited.out.contains(verdict), "{audited:?}");
        assert!(audited.out.contains(format), "{audited:?}");
    }
}
