//! What is read of YAML, and what is refused.

use std::path::Path;

use super::*;

/// The JSON of a text, or its first fault: place and message.
fn read(text: &str) -> String {
    let mut faults = Faults::new(Path::new("t.yaml"), text);
    let root = parse(text, &mut faults);
    match faults.or(root) {
        Ok(root) => root.json(),
        Err(error) => {
            let fault = &error.faults[0];
            format!("{}:{} {}", fault.line, fault.column, fault.message)
        }
    }
}

#[test]
fn yaml_is_read_as_far_as_json_goes() {
    for (text, json) in [
        ("a: 1\nb: [x, 'y', \"z\"]", r#"{"a":1,"b":["x","y","z"]}"#),
        ("- a:\n  - null\n  -\n- true", r#"[{"a":[null,null]},true]"#),
        (
            "a: 1.50\nb: -0\nc: 12345678901234567890123",
            r#"{"a":1.50,"b":-0,"c":12345678901234567890123}"#,
        ),
        ("1: a\ntrue: b", r#"{"1":"a","true":"b"}"#),
        ("a: |\n  one\n  two\n", r#"{"a":"one\ntwo\n"}"#),
        ("a: '1'\nb: \"yes\"", r#"{"a":"1","b":"yes"}"#),
        (
            r#"{"a": "\ud83d\ude00\/", "b": {}}"#,
            "{\"a\":\"😀/\",\"b\":{}}",
        ),
        ("# nothing else\nplain # a comment", r#""plain""#),
        ("---\na: b\n...\n", r#"{"a":"b"}"#),
        ("a:\tb", r#"{"a":"b"}"#),
    ] {
        assert_eq!(read(text), json, "{text}");
    }
}

#[test]
fn all_else_is_refused_with_its_place() {
    let deep = format!("{}1{}", "[".repeat(101), "]".repeat(101));
    let deeper = "[".repeat(1_000_000);
    for (text, fault) in [
        ("", "1:1 there is nothing in it"),
        ("# c", "1:1 there is nothing in it"),
        (
            "a: 1\nb: 2\na: 3",
            "3:1 the key `a` stands twice; first in line 1",
        ),
        ("a: &x 1", "1:7 anchors are not read here"),
        ("a: &x [1]\nb: *x", "1:7 anchors are not read here"),
        ("a: *x", "1:4 aliases are not read here"),
        ("a: !!str 1", "1:10 tags are not read here"),
        ("<<: {a: 1}", "1:1 merge keys are not read here"),
        (
            "? [a]\n: 1",
            "1:3 a list or a mapping stands in the place of a key",
        ),
        ("a: 1\n---\nb: 1", "2:1 a second document begins here"),
        (
            "a: [1, no]",
            "1:8 `no` is a text to some readers of YAML, and true or false to others",
        ),
        (
            "a: 1e999",
            "1:4 the number is too large for readers of JSON",
        ),
        (
            "a: 0x10",
            "1:4 this is a number to some readers of YAML, and JSON has none like it",
        ),
        (&deep, "1:101 this is nested deeper than 100 levels"),
        (&deeper, "1:101 this is nested deeper than 100 levels"),
    ] {
        let start: String = text.chars().take(40).collect();
        assert_eq!(read(text), fault, "{start}");
    }
    for text in [
        "a: [1",
        "a: \"b",
        "a: b: c",
        "{a: 1}}",
        "a: @b",
        "\0",
        "a:\n\tb: 1",
        "%YAML 9",
    ] {
        let fault = read(text);
        assert!(fault.contains("this cannot be read: "), "{text:?}: {fault}");
    }
}

#[test]
fn laughs_are_not_a_billion() {
    let mut text = String::from("a: &a [x, x]\n");
    for (c, before) in ('b'..='z').zip('a'..) {
        text.push_str(&format!("{c}: &{c} [*{before}, *{before}]\n"));
    }
    assert_eq!(read(&text), "1:7 anchors are not read here");
}
