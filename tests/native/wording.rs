//! The committed component knows no command that a person could type: what can be
//! done is a code, and the program that shows it knows how it is done.

use refrain_tests::component::product::PRODUCTS;

#[test]
fn the_component_holds_no_command_to_type() {
    for product in PRODUCTS {
        let component = product.committed().expect("the component is committed");
        let found: Vec<String> = commands(&component).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

/// What reads like a command of this program, with what stands behind it.
fn commands(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    const PROGRAM: &[u8] = b"refrain ";
    let places = bytes.windows(PROGRAM.len()).enumerate();
    places
        .filter(|(_, window)| *window == PROGRAM)
        .filter(|(place, _)| {
            let verb = bytes.get(place + PROGRAM.len());
            verb.is_some_and(u8::is_ascii_lowercase)
        })
        .map(|(place, _)| String::from_utf8_lossy(&bytes[place..][..40]).into_owned())
}

#[test]
fn a_command_to_type_would_be_found() {
    let said = b"\0type `refrain signal exec_1 k` and it goes on; refrain:scheduler, Refrain is a";
    let found: Vec<String> = commands(said).collect();
    assert_eq!(found, ["refrain signal exec_1 k` and it goes on;"]);
}
