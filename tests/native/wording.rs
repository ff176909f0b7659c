//! Neither the committed component nor the library knows a command that a person could
//! type: what can be done is a code or a value, and the program that shows it knows how
//! it is done.

use std::path::Path;

use refrain_tests::component::product::{PRODUCTS, SCHEDULER};
use refrain_tests::component::workspace;
use refrain_tests::layers::{Text, texts};
use refrain_tests::sections::{COMPONENT, CORE_MODULE, DATA, append, each};

#[test]
fn the_component_holds_no_command_to_type() {
    for product in PRODUCTS {
        let component = product.committed().expect("the component is committed");
        let mut commands = runs_of(&component);
        commands.retain(|text| is_command(text));
        assert!(commands.is_empty(), "{commands:#?}");
    }
}

/// Those of the scheduler are found where they are looked for: one of its remedies.
#[test]
fn the_texts_of_the_component_are_read() {
    let component = SCHEDULER.committed().expect("the component is committed");
    let texts = runs_of(&component);
    assert!(texts.iter().any(|text| text.contains("leave it out")));
}

/// The names of variables: of those with which a command is started, and of secrets. They
/// are no error's text.
const VARIABLES: [&str; 2] = ["live/workers/program_run.rs", "secrets/environment.rs"];

#[test]
fn no_text_of_the_library_names_a_command() {
    let mut texts = texts(&workspace().join("host/src")).expect("the sources of the host");
    // An error's text is read, where it is.
    let is_error = |text: &Text| {
        text.says
            .starts_with("{place} is locked by another process")
    };
    assert!(texts.iter().any(is_error));
    texts.retain(|text| {
        is_command(&text.says) && !VARIABLES.map(Path::new).contains(&text.file.as_path())
    });
    assert!(
        texts.is_empty(),
        "say what helps with an `ErrorRemedy`, of which the command line makes a command: {texts:#?}"
    );
}

#[test]
fn a_command_to_type_would_be_found() {
    for text in [
        "to go on, fork it: `refrain fork ",
        "lift it with --force",
        "start a worker (`cargo run`)",
        "set REFRAIN_DB",
    ] {
        assert!(is_command(text), "{text}");
    }
    for text in [
        "to go on, fork it",
        "refrain:scheduler/queue@0.2.0",
        "a -- b",
    ] {
        assert!(!is_command(text), "{text}");
    }
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    append(&mut module, DATA, b"\x01\0\x41\0\x0b\x0crefrain fork");
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    append(&mut component, CORE_MODULE, &module);
    assert!(runs_of(&component).iter().any(|text| is_command(text)));
}

/// A command of this program or of another, or an option of one.
fn is_command(text: &str) -> bool {
    let is_option = |(at, _): (usize, &str)| {
        let next = text[at + 2..].chars().next();
        next.is_some_and(|next| next.is_ascii_lowercase())
    };
    text.contains("refrain ")
        || text.contains("cargo ")
        || text.contains("REFRAIN_")
        || text.match_indices("--").any(is_option)
}

/// The texts in the data of a component's modules, as they stand one behind the other.
fn runs_of(component: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for (id, content) in each(component) {
        match id {
            CORE_MODULE => {
                let data = each(content).filter(|(id, _)| *id == DATA);
                found.extend(data.flat_map(|(_, data)| runs(data)));
            }
            COMPONENT => found.extend(runs_of(content)),
            _ => {}
        }
    }
    found
}

fn runs(data: &[u8]) -> impl Iterator<Item = String> {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let runs = data.split(move |byte| !is_text(byte));
    runs.filter(|run| run.len() > 3)
        .map(|run| String::from_utf8_lossy(run).into_owned())
}
