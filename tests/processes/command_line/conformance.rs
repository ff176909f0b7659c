//! A conformance kit is written out for auditors in any language, and this program is held
//! against it.

use std::fs;

use refrain::conformance::Kit;
use refrain::log::digest::digest;
use refrain_tests::component::product::SCHEDULER;
use refrain_tests::conformance::committed;
use serde_json::{Value, json};

use crate::command_line::desk::Desk;

/// A desk with a kit of a few cases, in the folder `kit`.
fn furnished() -> (Desk, Kit) {
    let desk = Desk::new();
    let mut kit = committed().expect("it is committed");
    kit.cases
        .retain(|case| case.base == "stalled" || case.name.starts_with("brought."));
    kit.together
        .retain(|it| it.name.starts_with("together.whole."));
    assert!(kit.cases.len() > 50, "{}", kit.cases.len());
    assert!(kit.together.len() > 5, "{}", kit.together.len());
    fs::create_dir(desk.path().join("kit")).expect("a folder");
    desk.file("kit/kit.ndjson", text(&kit));
    (desk, kit)
}

fn text(kit: &Kit) -> Vec<u8> {
    let mut text = Vec::new();
    kit.write(&mut text).expect("a vector takes it");
    text
}

#[test]
fn this_program_says_what_the_kit_expects_of_it() {
    let (desk, mut kit) = furnished();
    let cases = kit.len();
    let said = desk.types(&["conformance", "kit"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let same = format!("{cases} cases: this program says the same of each\n");
    assert_eq!(said.out, same, "{said:?}");
    let document = desk.document(&["conformance", "kit", "--json"], 0);
    assert_eq!(document, json!({ "cases": cases, "differing": [] }));

    let other = &mut kit.cases[3];
    other.expected.decisions += 7;
    let name = other.name.clone();
    desk.file("kit/kit.ndjson", text(&kit));
    let said = desk.types(&["conformance", "kit"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("says something else of 1\n"), "{said:?}");
    assert!(
        said.out.contains(&format!("\n  {name}\n    expected  {{")),
        "{said:?}"
    );
    let document = desk.document(&["conformance", "kit", "--json"], 1);
    assert_eq!(document["differing"][0]["name"], json!(name));
}

#[test]
fn the_logs_are_written_out_and_audited_as_expected() {
    let (desk, kit) = furnished();
    let said = desk.types(&["conformance", "kit", "-o", "out"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let out = desk.path().join("out");
    let list = fs::read_to_string(out.join("expected.json")).expect("a list");
    let list: Vec<Value> = serde_json::from_str(&list).expect("JSON");
    assert_eq!(list.len(), kit.len());
    for component in kit
        .components
        .iter()
        .map(|it| it.bytes.clone())
        .chain(SCHEDULER.committed())
    {
        let file = out.join(format!("{}.wasm", digest(&component)));
        assert!(
            fs::read(&file).is_ok_and(|it| it == component),
            "{}",
            file.display()
        );
    }
    // What the scheduler does not take of a log, an audit says.
    let forged = "out/logs/forged.stalled.cancel_requested_0_put_at_7.ndjson";
    let said = desk.types(&["explain", "--file", forged]);
    let expected = format!("remedy: `refrain audit --file {forged}` says what is wrong");
    assert!(
        said.code == Some(2) && said.err.contains(&expected),
        "{said:?}"
    );
    for (case, listed) in kit.cases.iter().zip(&list).step_by(17) {
        assert_eq!(listed["name"], json!(case.name));
        let file = listed["file"].as_str().expect("a file");
        let log = kit.log(case).expect("a log");
        assert!(fs::read(out.join(file)).is_ok_and(|it| it == log), "{file}");
        let expected = &listed["expected"];
        // The command line knows its own scheduler, and those that a log brings.
        if case.base != "stalled" || expected["verdict"].is_null() {
            continue;
        }
        let file = format!("out/{file}");
        let code = expected["exit"]
            .as_i64()
            .and_then(|it| i32::try_from(it).ok());
        let said = desk.types(&["audit", "--file", &file, "--json"]);
        assert_eq!(said.code, code, "{}: {said:?}", case.name);
        let document: Value = serde_json::from_str(&said.out).expect("a document");
        let audit = &document["executions"][0];
        assert_eq!(audit["verdict"], expected["verdict"], "{}", case.name);
        assert_eq!(audit["decisions"], expected["decisions"], "{}", case.name);
        let divergence = &audit["divergence"];
        let found = (&divergence["sequence"], &divergence["code"]);
        assert_eq!(
            found,
            (&expected["sequence"], &expected["code"]),
            "{}",
            case.name
        );
    }
    for (together, listed) in kit.together.iter().zip(&list[kit.cases.len()..]) {
        assert_eq!(listed["name"], json!(together.name));
        let folder = format!("out/logs/{}", together.name);
        let document = desk.document(&["audit", "--file", &folder, "--json"], 0);
        for (place, case) in together.logs.iter().enumerate() {
            let (listed, audit) = (&listed["logs"][place], &document["executions"][place]);
            let file = format!("logs/{}/{}.ndjson", together.name, case.name);
            assert_eq!(listed["file"], json!(file));
            let expected = &listed["expected"];
            assert_eq!(audit["verdict"], expected["verdict"], "{file}");
            let found = [&audit["child_of"], &audit["forked_from"]];
            let found = found.into_iter().find(|it| !it.is_null());
            let link = found.map_or(&Value::Null, |it| &it["link"]);
            let is_missing = link == "origin_missing";
            assert!(is_missing || *link == expected["link"], "{file}: {audit}");
        }
    }
    // A second time, over what is there.
    let again = desk.document(&["conformance", "kit", "-o", "out", "--json"], 0);
    assert_eq!(again, json!({ "cases": kit.len() }));
}

#[test]
fn a_kit_that_will_not_do_is_refused_with_the_reason() {
    let (desk, kit) = furnished();
    let whole = String::from_utf8(text(&kit)).expect("a text");
    let guest = kit.guest.to_string();
    for (text, code, said) in [
        (
            None,
            "kit_unreadable",
            "cannot read the kit none/kit.ndjson",
        ),
        (
            Some(String::new()),
            "invalid_kit",
            "line 1 of the kit is missing",
        ),
        (
            Some(whole.replacen("}}", "}", 1)),
            "invalid_kit",
            "line 1 of the kit is no line of one",
        ),
        (
            Some(whole.replacen(&guest, &"0".repeat(64), 1)),
            "other_kit",
            "take the kit of this program's version",
        ),
        (
            Some(whole.replacen("\"line\":1,", "\"line\":999,", 1)),
            "invalid_kit",
            "there is no line 999",
        ),
    ] {
        let folder = if text.is_some() { "kit" } else { "none" };
        if let Some(text) = text {
            desk.file("kit/kit.ndjson", text);
        }
        for words in [
            &["conformance", folder, "--json"][..],
            &["conformance", folder, "-o", "out", "--json"],
        ] {
            let document = desk.document(words, 2);
            assert_eq!(document["error"]["code"], json!(code), "{document}");
            let message = document["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains(said), "{message}");
        }
    }
    desk.file("kit/kit.ndjson", whole);
    desk.file("occupied", "");
    let document = desk.document(&["conformance", "kit", "-o", "occupied", "--json"], 2);
    assert_eq!(
        document["error"]["code"],
        json!("not_written"),
        "{document}"
    );
}
