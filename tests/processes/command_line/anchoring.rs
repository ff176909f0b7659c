//! Heads that are noted and signed, and what audits make of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use refrain_tests::binary;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command};

/// One execution that has ended and whose head was noted, signed; a backup of the
/// database from before its end; and a key of somebody else.
struct Noted {
    desk: Desk,
    id: String,
    /// The id of the key that has signed.
    key_id: String,
}

fn noted() -> Noted {
    let desk = Desk::new();
    let key_id = key(&desk, "ours");
    key(&desk, "theirs");
    let running = desk.runs(&chain(&[
        ("ask", approval()),
        ("act", command(&["echo", "done"])),
    ]));
    let id = desk.execution();
    desk.until_event(&id, "interrupt_raised");
    good(&desk, &["backup", "early.db"]);
    note(&desk, "early.ndjson");
    good(&desk, &["approve", &id, "ask"]);
    assert_eq!(running.ends().code, Some(0));
    note(&desk, "heads.ndjson");
    Noted { desk, id, key_id }
}

fn good(desk: &Desk, words: &[&str]) {
    let said = desk.types(words);
    assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
}

/// Makes a key, and the file of its public part. Answers its id.
fn key(desk: &Desk, name: &str) -> String {
    let made = desk.document(&["key", "new", "--key", name, "--json"], 0);
    let public = made["public_key"].as_str().expect("a key");
    desk.file(&format!("{name}.pub"), public);
    made["key_id"].as_str().expect("an id").to_owned()
}

fn note(desk: &Desk, file: &str) {
    let words = ["audit", "--all", "--write-anchors", file, "--key", "ours"];
    good(desk, &words);
}

fn read(desk: &Desk, file: &str) -> String {
    fs::read_to_string(desk.path().join(file)).expect("a file")
}

#[test]
fn a_key_is_made_once_for_its_owner_alone_and_shown() {
    let desk = Desk::new();
    let made = desk.types(&["key", "new", "--key", "k.pem"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.err.contains("show it to nobody"), "{made:?}");
    let before = read(&desk, "k.pem");
    let mode = fs::metadata(desk.path().join("k.pem")).expect("a file");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let again = desk.types(&["key", "new", "--key", "k.pem"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.err.contains("never overwritten"), "{again:?}");
    assert_eq!(read(&desk, "k.pem"), before);

    // By its variable, too; and what is shown is a file of the public key.
    let mut by_variable = binary::refrain(desk.path());
    let shown = by_variable
        .env("REFRAIN_KEY", "k.pem")
        .args(["key", "show"]);
    let shown = binary::stdout(&shown.output().expect("it starts"));
    assert_eq!(shown, made.out);
    assert!(shown.starts_with("sha256:") && !shown.contains("PRIVATE"));
    desk.file("k.pub", &shown);
    let public = desk.types(&["key", "show", "--key", "k.pub"]);
    assert_eq!((public.code, &public.out), (Some(0), &shown), "{public:?}");

    for (words, code, said) in [
        (&["key", "show"][..], "usage", "REFRAIN_KEY"),
        (
            &["key", "show", "--key", "none"],
            "invalid_key",
            "no such file",
        ),
        (
            &["key", "new", "--key", "none/k"],
            "key_unwritable",
            "none/k",
        ),
    ] {
        let refused = desk.document(&[words, &["--json"]].concat(), 2);
        let error = &refused["error"];
        assert_eq!(error["code"], code, "{error}");
        assert!(
            error["message"].as_str().expect("a text").contains(said),
            "{error}"
        );
    }
}

/// What an audit says of the only execution, and its exit code.
#[derive(Debug)]
struct Audited {
    code: Option<i32>,
    out: String,
    anchor: Value,
}

fn audit(noted: &Noted, words: &[&str]) -> Audited {
    let words = [&["audit", &noted.id], words].concat();
    let said = noted.desk.types(&words);
    let document = noted.desk.types(&[&words[..], &["--json"]].concat());
    assert_eq!(said.code, document.code, "{words:?}: {document:?}");
    let document: Value = serde_json::from_str(&document.out).expect("a document");
    Audited {
        code: said.code,
        out: said.out,
        anchor: document["executions"][0]["anchor"].clone(),
    }
}

#[test]
fn law4_whole_is_told_from_signed_and_complete() {
    let noted = noted();
    let Noted { desk, key_id, .. } = &noted;
    let plain = audit(&noted, &[]);
    assert_eq!((plain.code, plain.anchor), (Some(0), Value::Null));
    for (words, code, said, result, complete) in [
        (
            &["--anchors", "heads.ndjson"][..],
            0,
            "  whole: ",
            "untrusted",
            true,
        ),
        (
            &["--anchors", "heads.ndjson", "--trust", "ours.pub"],
            0,
            "  signed and complete: the trusted key sha256:",
            "trusted",
            true,
        ),
        (
            &["--anchors", "heads.ndjson", "--trust", "theirs.pub"],
            1,
            "  whole: ",
            "untrusted",
            true,
        ),
        // Our own key is trusted; that of another is not ours.
        (
            &["--anchors", "heads.ndjson", "--key", "ours"],
            0,
            "  signed and complete: ",
            "trusted",
            true,
        ),
        (
            &["--anchors", "heads.ndjson", "--key", "theirs"],
            1,
            "  whole: ",
            "untrusted",
            true,
        ),
        // The log has gone on since.
        (
            &["--anchors", "early.ndjson", "--key", "ours"],
            0,
            "  signed up to there: ",
            "trusted",
            false,
        ),
        (
            &["--anchors", "early.ndjson", "--trust", "ours.pub"],
            1,
            "  signed up to there: ",
            "trusted",
            false,
        ),
    ] {
        let audited = audit(&noted, words);
        assert_eq!(audited.code, Some(code), "{words:?}: {audited:?}");
        assert!(audited.out.contains("  clean  "), "{words:?}: {audited:?}");
        assert!(audited.out.contains(said), "{words:?}: {audited:?}");
        assert_eq!(
            (&audited.anchor["signature"], &audited.anchor["complete"]),
            (
                &json!({ "result": result, "key": key_id }),
                &json!(complete)
            ),
            "{words:?}"
        );
    }
    // Trusted keys ask for anchors only where there are some to go by.
    assert_eq!(audit(&noted, &["--trust", "theirs.pub"]).code, Some(0));
    let list = desk.types(&["list", "--json"]);
    desk.file("list.json", &list.out);
    let old = audit(&noted, &["--anchors", "list.json"]);
    assert!(
        old.out.contains("  whole: ") && old.out.contains("is not signed"),
        "{old:?}"
    );
    assert_eq!(old.anchor["at"], Value::Null);
}

#[test]
fn law4_a_log_that_lost_its_end_is_named_by_a_signed_head() {
    let noted = noted();
    let words = [
        "--anchors",
        "heads.ndjson",
        "--trust",
        "ours.pub",
        "--db",
        "early.db",
    ];
    let cut = audit(&noted, &words);
    assert_eq!(cut.code, Some(1), "{cut:?}");
    for said in ["  tampered  ", "is missing: ", "its anchored head is event"] {
        assert!(cut.out.contains(said), "{cut:?}");
    }
    assert!(!cut.out.contains("signed and complete"), "{cut:?}");
    // Nothing is noted of it, and what was noted stays.
    let before = read(&noted.desk, "heads.ndjson");
    let words = [
        "--write-anchors",
        "heads.ndjson",
        "--key",
        "ours",
        "--db",
        "early.db",
    ];
    assert_eq!(audit(&noted, &words).code, Some(1));
    assert_eq!(read(&noted.desk, "heads.ndjson"), before);
}

#[test]
fn anchors_are_only_ever_added() {
    let noted = noted();
    let desk = &noted.desk;
    let first = read(desk, "heads.ndjson");
    note(desk, "heads.ndjson");
    assert_eq!(read(desk, "heads.ndjson"), first, "nothing is new");
    let other = chain(&[("say", command(&["cat"]))]).to_string();
    desk.file("w.json", other.replacen("\"chain\"", "\"other\"", 1));
    good(desk, &["run", "w.json"]);
    note(desk, "heads.ndjson");
    let second = read(desk, "heads.ndjson");
    assert!(second.starts_with(&first), "{second}");
    assert_eq!(second.lines().count(), first.lines().count() + 1);
    let words = [
        "audit",
        "--all",
        "--anchors",
        "heads.ndjson",
        "--trust",
        "ours.pub",
    ];
    good(desk, &words);
    // Without a key, they are noted unsigned, and that is said.
    let unsigned = desk.types(&["audit", "--all", "--write-anchors", "plain.ndjson"]);
    assert_eq!(unsigned.code, Some(0), "{unsigned:?}");
    assert!(unsigned.err.contains("not signed (--key"), "{unsigned:?}");
    assert!(!read(desk, "plain.ndjson").contains("signature"));
}

#[test]
fn law4_a_forged_or_changed_anchor_is_found() {
    let noted = noted();
    let desk = &noted.desk;
    let line = read(desk, "heads.ndjson");
    let bytes = line.split("\"bytes\":\"").nth(1).expect("a signature");
    let (digit, other) = match bytes.as_bytes()[0] {
        b'0' => ("0", "1"),
        _ => (&bytes[..1], "0"),
    };
    let forged = line.replace(
        &format!("\"bytes\":\"{digit}"),
        &format!("\"bytes\":\"{other}"),
    );
    let later = line.replace("\"at\":\"2", "\"at\":\"3");
    for (what, text) in [("signature", &forged), ("time", &later)] {
        assert_ne!(text, &line, "{what}");
        desk.file("forged.ndjson", text);
        for trust in [&[][..], &["--trust", "ours.pub"]] {
            let words = [&["--anchors", "forged.ndjson"], trust].concat();
            let audited = audit(&noted, &words);
            assert_eq!(audited.code, Some(1), "{what}: {audited:?}");
            assert!(
                audited
                    .out
                    .contains("forged.ndjson, line 1: the key sha256:")
                    && audited.out.contains("has not signed this anchor")
                    && !audited.out.contains("signed and complete"),
                "{what}: {audited:?}"
            );
            assert_eq!(audited.anchor["signature"]["result"], "bad", "{what}");
        }
    }
    // One that cannot be checked is not said to be signed.
    let other = line.replace("\"ed25519\"", "\"ml-dsa\"");
    desk.file("other.ndjson", other);
    let audited = audit(&noted, &["--anchors", "other.ndjson"]);
    assert!(
        audited.code == Some(0)
            && audited.out.contains("  whole: ")
            && audited
                .out
                .contains("ml-dsa, which this program does not know: signature not checked"),
        "{audited:?}"
    );
    let words = ["--anchors", "other.ndjson", "--trust", "ours.pub"];
    assert_eq!(audit(&noted, &words).code, Some(1));
}

#[test]
fn files_of_anchors_that_do_not_do_are_named_with_a_remedy() {
    let noted = noted();
    let desk = &noted.desk;
    let line = read(desk, "heads.ndjson");
    let open = desk.file("open", read(desk, "ours"));
    fs::set_permissions(open, fs::Permissions::from_mode(0o644)).expect("it is ours");
    fs::create_dir(desk.path().join("folder")).expect("a folder");
    desk.file("cut.ndjson", format!("{line}{}", &line[..70]));
    for (words, code, said) in [
        (
            &["--anchors", "cut.ndjson"][..],
            "invalid_anchors",
            "line 2 is no anchor",
        ),
        // Nothing can be added to such a file.
        (
            &["--write-anchors", "cut.ndjson"],
            "invalid_anchors",
            "remove the line",
        ),
        (
            &["--write-anchors", "folder"],
            "anchors_unwritable",
            "it is no file",
        ),
        (
            &["--write-anchors", "none/heads"],
            "anchors_unwritable",
            "none/heads",
        ),
        (
            &["--write-anchors", "new.ndjson", "--key", "open"],
            "invalid_key",
            "its mode is 0644",
        ),
        (
            &["--write-anchors", "new.ndjson", "--key", "ours.pub"],
            "invalid_key",
            "PUBLIC KEY",
        ),
    ] {
        let words = [&["audit", "--all"], words, &["--json"]].concat();
        let error = desk.document(&words, 2)["error"].clone();
        assert_eq!(error["code"], code, "{words:?}: {error}");
        let message = error["message"].as_str().expect("a text");
        assert!(message.contains(said), "{words:?}: {error}");
    }
    assert_eq!(read(desk, "cut.ndjson"), format!("{line}{}", &line[..70]));
}
