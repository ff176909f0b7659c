//! Every way to get it wrong: a clear error with place and remedy, exit 1 or
//! 2, nothing written.

use refrain_tests::binary;
use refrain_tests::wat_guest::WatGuest;
use serde_json::json;

use crate::command_line::desk::{Desk, approval, chain, command};

const NOBODY: &str = "exec_00000000000000000000000000000000";

#[test]
fn what_asks_never_makes_a_database() {
    for words in [
        &["list"][..],
        &["show", NOBODY],
        &["log", NOBODY],
        &["explain", NOBODY, "a"],
        &["export", NOBODY],
        &["audit", "--all"],
        &["resume"],
        &["cancel", NOBODY],
        &["pause", NOBODY],
        &["unpause", NOBODY],
        &["approve", NOBODY, "a"],
        &["signal", NOBODY, "k"],
        &["retry", NOBODY, "a"],
        &["skip", NOBODY, "a"],
    ] {
        let desk = Desk::new();
        let said = desk.types(words);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(2), ""),
            "{words:?}: {said:?}"
        );
        assert!(
            said.err
                .starts_with("error: there is no database at refrain.db; ")
                && said.err.contains("or begin one with `refrain run`"),
            "{words:?}: {said:?}"
        );
        assert_eq!(desk.files(), [] as [&str; 0], "{words:?}");
    }
}

#[test]
fn what_cannot_be_read_as_a_workflow_leaves_nothing_behind() {
    let valid = chain(&[("a", command(&["true"]))]).to_string();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (content, code, place) in [
        ("{".to_owned(), 1, "is not valid"),
        (String::new(), 1, "is not valid"),
        ("[]".to_owned(), 1, "is not valid"),
        (
            valid.replace("\"start_node\":\"a\"", "\"start_node\":\"b\""),
            1,
            "/start_node",
        ),
        (valid.replace("true", "\\ud800"), 1, "is not valid"),
        (
            valid.replacen('{', "{\"version\":\"1.0.0\",", 1),
            1,
            "is not valid",
        ),
        (
            valid.replace("\"edges\":[]", "\"edges\":[{\"from\":\"a\",\"to\":\"a\"}]"),
            1,
            "cycle",
        ),
        (
            valid.replace("\"edges\":[]", &format!("\"edges\":[],\"labels\":{deep}")),
            1,
            "is not valid",
        ),
        (
            valid.replace("\"true\"", &format!("\"{}\"", "x".repeat(17 << 20))),
            2,
            "16777216 bytes",
        ),
    ] {
        let desk = Desk::new();
        desk.file("w.json", &content);
        let start: String = content.chars().take(60).collect();
        for words in [&["run", "w.json"][..], &["validate", "w.json"]] {
            let said = desk.types(words);
            assert_eq!(said.code, Some(code), "{words:?} {start}: {said:?}");
            assert!(
                format!("{}{}", said.out, said.err).contains(place),
                "{words:?} {start}: {said:?}"
            );
            assert_eq!(desk.files(), ["w.json"], "{words:?} {start}");
        }
    }
}

#[test]
fn r1_all_faults_come_at_once_with_place_and_remedy() {
    let desk = Desk::new();
    let mut workflow = chain(&[("a", command(&["true"])), ("b", json!({ "type": "tool" }))]);
    workflow["edges"][0]["condition"] = "state.x ==".into();
    workflow["nodes"]["a"]["retry_policy"] = "none_such".into();
    desk.file("w.json", workflow.to_string());
    let document = desk.document(&["validate", "w.json", "--json"], 1);
    let pointers: Vec<&str> = document["faults"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["pointer"].as_str())
        .collect();
    for pointer in [
        "/edges/0/condition",
        "/nodes/a/retry_policy",
        "/nodes/b/kind",
    ] {
        assert!(
            pointers.iter().any(|found| found.starts_with(pointer)),
            "{pointer}: {document:#}"
        );
    }
    let said = desk.types(&["run", "w.json"]);
    assert_eq!(
        (said.code, said.err.matches("remedy: ").count()),
        (Some(1), pointers.len()),
        "{said:?}"
    );
}

#[test]
fn what_is_no_input_leaves_nothing_behind() {
    let long = format!("\"{}\"", "x".repeat(5 << 20));
    for (input, place) in [
        ("{", "the input is not accepted"),
        ("{\"a\":1,\"a\":2}", "/a: the key appears twice"),
        ("@none.json", "cannot read the input none.json"),
        ("@long.json", "4194304 bytes"),
    ] {
        let desk = Desk::new();
        desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
        desk.file("long.json", &long);
        let said = desk.types(&["run", "w.json", "--input", input]);
        assert_eq!(said.code, Some(2), "{input}: {said:?}");
        assert!(said.err.contains(place), "{input}: {said:?}");
        assert_eq!(desk.files(), ["long.json", "w.json"], "{input}");
    }
}

#[test]
fn what_clap_refuses_is_2() {
    let desk = Desk::new();
    for words in [
        &[][..],
        &["dance"],
        &["run"],
        &["show", "exec_1"],
        &["list", "--status", "done"],
        &["audit"],
        &["audit", "--all", "--file", "x"],
        &["approve", NOBODY],
    ] {
        let said = desk.types(words);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(2), ""),
            "{words:?}: {said:?}"
        );
    }
}

#[test]
fn unknown_executions_and_nodes_are_named() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    let id = desk.document(&["run", "w.json", "--json"], 0)["execution_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let before = desk.events(&id);
    for (words, place) in [
        (&["show", NOBODY][..], NOBODY),
        (&["log", NOBODY], NOBODY),
        (&["explain", NOBODY, "a"], NOBODY),
        (&["export", NOBODY], NOBODY),
        (&["audit", NOBODY], NOBODY),
        (&["resume", NOBODY], NOBODY),
        (&["erase", NOBODY], "`refrain list"),
        (&["cancel", NOBODY], NOBODY),
        (&["retry", NOBODY, "a"], NOBODY),
        (&["explain", &id, "b"], "no node \"b\""),
        (&["skip", &id, "b"], "ended"),
        (&["approve", &id, "b"], "ended"),
        (&["cancel", &id], "ended"),
        (&["retry", &id, "a"], "ended"),
    ] {
        let said = desk.types(words);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(2), ""),
            "{words:?}: {said:?}"
        );
        assert!(
            said.err.contains("error: ") && said.err.contains(place),
            "{words:?}: {said:?}"
        );
    }
    assert_eq!(
        desk.events(&id),
        before,
        "what was refused is not in the log"
    );
}

#[test]
fn another_content_under_a_registered_version_is_refused() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    desk.file("w.json", chain(&[("a", command(&["false"]))]).to_string());
    let said = desk.types(&["run", "w.json"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("registered with another content"),
        "{said:?}"
    );
    let list = desk.document(&["list", "--json"], 0);
    assert_eq!(list["executions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn law8_a_key_starts_once_and_only_one_thing() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    let run = |input| desk.types(&["run", "w.json", "--key", "k", "--input", input, "--json"]);
    let (first, again, other) = (run("{}"), run("{}"), run("{\"x\":1}"));
    assert_eq!(
        (first.code, &first.out),
        (Some(0), &again.out),
        "{first:?} {again:?}"
    );
    assert_eq!(other.code, Some(2), "{other:?}");
    assert!(other.err.contains("choose another key"), "{other:?}");
}

#[test]
fn components_that_are_no_guests_are_named() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    let id = desk.document(&["run", "w.json", "--json"], 0)["execution_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let wasi = r#"(component (import "wasi:cli/exit@0.2.0" (instance)))"#;
    desk.file("text.wasm", "not WebAssembly");
    desk.file(
        "wasi.wasm",
        WatGuest::default()
            .component()
            .map(|_| wasi)
            .expect("a guest"),
    );
    for name in ["text.wasm", "wasi.wasm"] {
        let said = desk.types(&["guest", "check", name]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(
            said.out.starts_with(&format!("{name} cannot be used: ")),
            "{said:?}"
        );
        let said = desk.types(&["audit", &id, "--guest", name]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.contains(name), "{said:?}");
    }
    // It is one by its form, and traps whatever it is asked.
    desk.file(
        "traps.wasm",
        WatGuest::default().component().expect("a guest"),
    );
    let document = desk.document(&["audit", &id, "--guest", "traps.wasm", "--json"], 1);
    assert_eq!(
        document["executions"][0]["verdict"], "divergent",
        "{document:#}"
    );
    let loops = WatGuest {
        step: "(loop (br 0)) unreachable",
        ..WatGuest::default()
    };
    desk.file("loops.wasm", loops.component().expect("a guest"));
    let document = desk.document(&["audit", &id, "--guest", "loops.wasm", "--json"], 1);
    assert_eq!(
        document["executions"][0]["verdict"], "divergent",
        "{document:#}"
    );
    assert!(
        document["executions"][0]["divergence"]["message"]
            .to_string()
            .contains("fuel"),
        "{document:#}"
    );
}

/// Each reads as much as there may be of it. What reads on and on meets a limit
/// of its memory.
#[test]
fn files_without_an_end_are_refused() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    let run = desk.types(&["run", "w.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for (words, code, reason) in [
        ("guest check /dev/zero", 1, "no WebAssembly component"),
        (
            "run w.json --guest /dev/zero",
            2,
            "no WebAssembly component",
        ),
        (
            "audit --all --guest /dev/zero",
            2,
            "no WebAssembly component",
        ),
        ("audit --all --anchors /dev/zero", 2, "it is longer than"),
        ("audit --file /dev/zero", 1, "longer than"),
        ("validate /dev/zero", 2, "it is longer than"),
        ("run w.json --input @/dev/zero", 2, "it is longer than"),
        ("guest check .", 2, "it is a folder"),
        ("audit --all --anchors .", 2, "it is a folder"),
    ] {
        let refrain = binary::path().display();
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("ulimit -v 12000000; exec {refrain} {words}")])
            .current_dir(desk.path())
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{words}: {output:?}");
        let said = binary::stdout(&output) + &binary::stderr(&output);
        assert!(said.contains(reason), "{words}: {said}");
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", approval())]).to_string());
    let piped = format!(
        "{} guest --json | true; exit ${{PIPESTATUS[0]}}",
        binary::path().display()
    );
    let status = std::process::Command::new("bash")
        .args(["-c", &piped])
        .current_dir(desk.path())
        .status();
    assert_eq!(status.expect("bash runs").code(), Some(0));
}
