//! `refrain guest wit` and `refrain guest check`: what a person needs who writes a scheduler.

use std::fs;

use refrain_tests::component::workspace;
use refrain_tests::wat_guest::{WatGuest, World};
use serde_json::json;
use wit_component::DecodedWasm;
use wit_parser::Resolve;

use crate::command_line::desk::Desk;

/// The functions that a package's interface `decisions` has.
fn decisions(resolve: &Resolve) -> Vec<String> {
    let interfaces = resolve.interfaces.iter();
    let mut named = interfaces.filter(|(_, it)| it.name.as_deref() == Some("decisions"));
    let (_, interface) = named.next().expect("the package has it");
    interface.functions.keys().cloned().collect()
}

#[test]
fn the_contract_is_written_in_the_forms_that_tools_read() {
    let desk = Desk::new();
    let printed = desk.types(&["guest", "wit"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    for (file, said) in [
        ("contract.wit", "the contract is in contract.wit"),
        ("contract.wasm", "the contract is in contract.wasm"),
        ("contract", "the contract is in contract"),
    ] {
        let written = desk.types(&["guest", "wit", "-o", file]);
        assert_eq!(written.code, Some(0), "{written:?}");
        assert!(written.err.contains(said), "{written:?}");
    }
    let text = fs::read_to_string(desk.path().join("contract.wit")).expect("a file");
    assert_eq!(text.trim_end(), printed.out.trim_end());
    let mut resolve = Resolve::default();
    resolve.push_str("contract.wit", &text).expect("it is WIT");
    let names = decisions(&resolve);
    assert!(names.contains(&"step".to_owned()), "{names:?}");
    let encoded = fs::read(desk.path().join("contract.wasm")).expect("a file");
    let decoded = wit_component::decode(&encoded).expect("it is encoded");
    assert!(matches!(decoded, DecodedWasm::WitPackage(..)));
    assert_eq!(decisions(decoded.resolve()), names);
    for file in fs::read_dir(workspace().join("wit")).expect("the folder") {
        let file = file.expect("a file").path();
        let name = file.file_name().expect("a name");
        let copy = desk.path().join("contract").join(name);
        assert_eq!(fs::read(&file).ok(), fs::read(copy).ok(), "{name:?}");
    }
    desk.file("taken", "");
    let refused = desk.types(&["guest", "wit", "-o", "taken"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("name one that does, or a folder"));
}

#[test]
fn each_import_that_is_refused_is_named_with_what_helps() {
    let desk = Desk::new();
    let wider = "
        package wasi:cli;
        interface stdin { read: func() -> u32; }
        interface exit { exit: func(); }
        world hostile {
            include refrain:scheduler/scheduler@0.2.0;
            import stdin;
            import exit;
        }";
    let guest = WatGuest {
        world: World::Wider(wider),
        imports: r#"
            (import "wasi:cli/stdin" "read" (func (result i32)))
            (import "wasi:cli/exit" "exit" (func))"#,
        ..WatGuest::default()
    };
    desk.file("wider.wasm", guest.component().expect("a component"));
    let checked = desk.document(&["guest", "check", "wider.wasm", "--json"], 1);
    assert_eq!(checked["valid"], json!(false));
    let imports = json!(["wasi:cli/stdin", "wasi:cli/exit"]);
    assert_eq!(checked["refused_imports"], imports);
    let remedies = checked["remedies"].as_array().expect("a list");
    assert!(remedies.iter().any(|it| it["language"] == "JavaScript"));
    let said = desk.types(&["guest", "check", "wider.wasm"]).out;
    for line in [
        "the component imports `wasi:cli/stdin` and `wasi:cli/exit`, and a guest may import only",
        "2 imports refused:\n  wasi:cli/stdin\n  wasi:cli/exit\n",
        "  JavaScript  componentize-js",
        "  Rust        `cargo build",
    ] {
        assert!(said.contains(line), "{line:?}: {said}");
    }
    // What is wrong otherwise has no such list.
    desk.file("other.wasm", "no component");
    let checked = desk.document(&["guest", "check", "other.wasm", "--json"], 1);
    assert_eq!(checked["refused_imports"], json!([]));
    assert_eq!(checked["remedies"], json!([]));
}
