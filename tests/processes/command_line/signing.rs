//! Erasures that are signed, what audits say of the signatures, and key files that will
//! not do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use refrain_tests::key_files::KeyFiles;
use serde_json::json;

use super::erasing::desk;
use crate::command_line::desk::Desk;

/// Both files of a new key, as openssl leaves them.
fn key_files(desk: &Desk, name: &str) -> KeyFiles {
    let key = KeyFiles::generate();
    let private = desk.file(&format!("{name}.pem"), &key.private);
    fs::set_permissions(private, Permissions::from_mode(0o600)).expect("it is ours");
    desk.file(&format!("{name}.pub.pem"), &key.public);
    key
}

#[test]
fn an_erasure_is_signed_and_audits_say_by_whom() {
    let (desk, id) = desk();
    let [ours, _] = ["ours", "theirs"].map(|name| key_files(&desk, name));
    let erased = desk.types(&["erase", &id, "--sign-with", "ours.pem"]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    let signed = format!("signed with the key {}", ours.fingerprint);
    assert!(erased.out.contains(&signed), "{erased:?}");
    let export = desk.types(&["export", &id, "-o", "log.ndjson"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    // The export is audited where no database is.
    let elsewhere = Desk::new();
    for name in ["log.ndjson", "ours.pub.pem", "theirs.pub.pem"] {
        elsewhere.file(name, fs::read(desk.path().join(name)).expect("a file"));
    }
    let (ours_too, theirs) = (["theirs.pub.pem", "ours.pub.pem"], ["theirs.pub.pem"]);
    for (trusted, code, result, said) in [
        (&[][..], 0, "untrusted", "which --trust does not name"),
        (&theirs[..], 1, "untrusted", "which --trust does not name"),
        (&ours_too[..], 0, "trusted", "signed with the trusted key"),
    ] {
        let trust = trusted.iter().flat_map(|file| ["--trust", *file]);
        let trust: Vec<&str> = trust.collect();
        for (desk, which) in [
            (&desk, &["audit", &id][..]),
            (&elsewhere, &["audit", "--file", "log.ndjson"][..]),
        ] {
            let words = [which, &trust].concat();
            let audit = desk.types(&words);
            assert_eq!(audit.code, Some(code), "{words:?}: {audit:?}");
            for said in [said, &ours.fingerprint, "  erased  "] {
                assert!(audit.out.contains(said), "{words:?}: {audit:?}");
            }
            let document = desk.document(&[&words[..], &["--json"]].concat(), code);
            assert_eq!(
                document["executions"][0]["signature"],
                json!({ "result": result, "key": ours.fingerprint })
            );
        }
    }
    assert_eq!(
        elsewhere.files(),
        ["log.ndjson", "ours.pub.pem", "theirs.pub.pem"]
    );
}

#[test]
fn an_attestation_that_was_changed_after_it_was_signed_is_found() {
    let (desk, id) = desk();
    let ours = key_files(&desk, "ours");
    let words = ["erase", &id, "--sign-with", "ours.pem", "--by", "ada"];
    assert_eq!(desk.types(&words).code, Some(0));
    assert_eq!(
        desk.types(&["export", &id, "-o", "log.ndjson"]).code,
        Some(0)
    );
    let log = fs::read_to_string(desk.path().join("log.ndjson")).expect("a file");
    assert!(log.contains("\"by\":\"ada\""), "{log}");
    desk.file(
        "log.ndjson",
        log.replace("\"by\":\"ada\"", "\"by\":\"eve\""),
    );
    let words = ["audit", "--file", "log.ndjson", "--trust", "ours.pub.pem"];
    let audit = desk.types(&words);
    assert_eq!(audit.code, Some(1), "{audit:?}");
    for said in ["  tampered  ", "the attestation in the header, line 1,"] {
        assert!(audit.out.contains(said), "{audit:?}");
    }
    let document = desk.document(&[&words[..], &["--json"]].concat(), 1);
    assert_eq!(
        (
            &document["executions"][0]["verdict"],
            &document["executions"][0]["signature"]
        ),
        (
            &json!("tampered"),
            &json!({ "result": "bad", "key": ours.fingerprint })
        )
    );
}

#[test]
fn an_unsigned_erasure_stays_unsigned_and_is_not_good_for_who_asks_for_trust() {
    let (desk, id) = desk();
    key_files(&desk, "ours");
    let erased = desk.types(&["erase", &id]);
    assert!(erased.out.contains("; not signed"), "{erased:?}");
    let again = desk.types(&["erase", &id, "--sign-with", "ours.pem"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(
        again.err.contains("was erased before, and stays unsigned"),
        "{again:?}"
    );
    let unsigned = json!({ "result": "unsigned" });
    let audited = desk.document(&["audit", &id, "--json"], 0);
    assert_eq!(audited["executions"][0]["signature"], unsigned);
    let words = ["audit", &id, "--trust", "ours.pub.pem", "--json"];
    let audited = desk.document(&words, 1);
    assert_eq!(audited["executions"][0]["signature"], unsigned);
    // A log that is whole speaks for itself.
    let run = desk.document(&["run", "w.json", "--input", "{}", "--json"], 0);
    let whole = run["execution_id"].as_str().expect("an id");
    let words = ["audit", whole, "--trust", "ours.pub.pem"];
    assert_eq!(desk.types(&words).code, Some(0));
}

/// Nothing is erased with a key that cannot sign, and nothing is audited with one that
/// cannot be trusted.
#[test]
fn a_key_file_that_does_not_do_is_named_with_a_remedy() {
    let (desk, id) = desk();
    let key = key_files(&desk, "ours");
    let encrypted = key.private.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (name, text) in [("text.pem", "a key"), ("encrypted.pem", &encrypted)] {
        let path = desk.file(name, text);
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("it is ours");
    }
    fs::create_dir(desk.path().join("folder")).expect("a folder");
    let open = desk.file("open.pem", &key.private);
    fs::set_permissions(open, Permissions::from_mode(0o640)).expect("it is ours");
    for (flag, file, said, remedy) in [
        (
            "--sign-with",
            "none.pem",
            "there is no such file",
            "refrain key new",
        ),
        ("--sign-with", "folder", "it is a folder", "name a file"),
        (
            "--sign-with",
            "text.pem",
            "no key in PEM form",
            "openssl genpkey",
        ),
        (
            "--sign-with",
            "encrypted.pem",
            "`ENCRYPTED PRIVATE KEY`",
            "openssl pkey -in KEYFILE",
        ),
        ("--sign-with", "open.pem", "its mode is 0640", "chmod 600"),
        (
            "--sign-with",
            "ours.pub.pem",
            "labelled `PUBLIC KEY`",
            "the private key that belongs",
        ),
        (
            "--trust",
            "none.pem",
            "there is no such file",
            "refrain key show",
        ),
        ("--trust", "text.pem", "no key in PEM form", "-pubout"),
        ("--trust", "ours.pem", "labelled `PRIVATE KEY`", "-pubout"),
    ] {
        let command = match flag {
            "--sign-with" => "erase",
            _ => "audit",
        };
        let refused = desk.types(&[command, &id, flag, file]);
        assert_eq!(refused.code, Some(2), "{file}: {refused:?}");
        for said in [file, said, remedy] {
            assert!(refused.err.contains(said), "{file}: {refused:?}");
        }
    }
    let audited = desk.document(&["audit", &id, "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "clean");
}
