//! Texts that are nearly JSON: marks before it, other encodings.

use crate::command_line::desk::{Desk, chain, command};

#[test]
fn a_text_that_is_nearly_json_is_told() {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["true"]))]).to_string();
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let marked = |mark: &[u8], text: &[u8]| [mark, text].concat();
    desk.file("w.json", workflow.as_bytes());
    desk.file("mark.json", marked(b"\xEF\xBB\xBF", workflow.as_bytes()));
    desk.file("wide.json", marked(b"\xFF\xFE", &wide(&workflow)));
    desk.file("bare.json", wide(&workflow));
    let input = "\u{feff}{}";
    for (words, told) in [
        (&["run", "mark.json"][..], "byte order mark"),
        (&["validate", "mark.json"], "byte order mark"),
        (&["run", "wide.json"], "UTF-16"),
        (&["run", "bare.json"], "UTF-16"),
        (&["run", "w.json", "--input", "@wide.json"], "UTF-16"),
        (
            &["run", "w.json", "--input", "@mark.json"],
            "byte order mark",
        ),
        (&["run", "w.json", "--input", input], "byte order mark"),
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        assert!(said.err.contains(told), "{words:?}: {said:?}");
    }
}
