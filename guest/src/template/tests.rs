//! Rule R29 for texts, as tables.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Insertion, NoValue, TextTemplate};
use crate::condition::{Reads, Roots, Scope};
use crate::json::Object;
use crate::limits::{PAYLOAD_BYTES_MAX, READ_BYTES_MAX};

const STATE: &str = r#"{
    "name": "a b", "n": 1.50, "yes": true, "none": null, "list": [1, "x", null], "empty": "",
    "quote": "say \"hi\"\n", "sly": "${state.n}", "way": "../é/?x=1&y"
}"#;

fn read(text: &str, insertion: Insertion) -> TextTemplate {
    let read = TextTemplate::parse(text, Roots::OF_KINDS, insertion);
    let read = read.unwrap_or_else(|error| panic!("{text}: {error}"));
    read.unwrap_or_else(|| panic!("{text} holds no expression"))
}

fn json(text: &str, insertion: Insertion) -> String {
    let state = Object::parse(STATE).unwrap();
    let mut json = String::new();
    let scope = Scope::new(r#"{"id": 7}"#, &state).in_node("node-1");
    match read(text, insertion).push_json(&scope, &mut json) {
        Ok(()) => json,
        Err(NoValue::Null) => "unresolved".to_string(),
        Err(NoValue::TooLarge) => "too large".to_string(),
    }
}

#[test]
fn r29_a_text_alone_keeps_its_type_and_in_a_longer_one_is_inserted() {
    #[rustfmt::skip]
    let rows = [
        // alone
        ("${state.n}",                        "1.50"),
        ("${ state.list }",                   r#"[1, "x", null]"#),
        ("${state.name}",                     r#""a b""#),
        ("${node_id}",                        r#""node-1""#),
        ("${state.yes ? 'a' : 'b'}",          r#""a""#),
        ("${input}",                          r#"{"id": 7}"#),
        ("${state.none}",                     "unresolved"),
        ("${state.nowhere}",                  "unresolved"),
        ("${node_id.x}",                      "unresolved"),
        // in a longer text
        (" ${state.n}",                       r#"" 1.50""#),
        ("${state.name}!",                    r#""a b!""#),
        ("${state.n}${input.id}",             r#""1.507""#),
        ("l ${state.list} ${state.yes}",      r#""l [1, \"x\", null] true""#),
        ("${state.quote}.",                   r#""say \"hi\"\n.""#),
        ("-${state.empty}-",                  r#""--""#),
        ("a ${state.nowhere}",                "unresolved"),
        ("a ${state.none} b ${state.n}",      "unresolved"),
        // signs that stand for themselves, or within an expression
        ("$${state.n}",                       r#""${state.n}""#),
        ("$$${state.n}",                      r#""$${state.n}""#),
        ("$ {} } ${state.n} $",               r#""$ {} } 1.50 $""#),
        ("${'}' + state.name + \"{\"}",       r#""}a b{""#),
        ("${state.sly}",                      r#""${state.n}""#),
        ("<${state.sly}>",                    r#""<${state.n}>""#),
    ];
    for (text, expected) in rows {
        assert_eq!(json(text, Insertion::Plain), expected, "{text}");
    }
}

#[test]
fn r29_values_cannot_leave_their_part_of_a_url() {
    #[rustfmt::skip]
    let rows = [
        ("http://h/${state.way}",       r#""http://h/..%2F%C3%A9%2F%3Fx%3D1%26y""#),
        ("http://h/${state.name}?q=${state.list}", r#""http://h/a%20b?q=%5B1%2C%20%22x%22%2C%20null%5D""#),
        ("http://h/é/${'A-z_0.~'}",     r#""http://h/é/A-z_0.~""#),
        ("${state.way}",                r#""../é/?x=1&y""#),
        ("${'http://h/' + state.name}", r#""http://h/a b""#),
        ("$${state.n}",                 r#""${state.n}""#),
    ];
    for (text, expected) in rows {
        assert_eq!(json(text, Insertion::InUrl), expected, "{text}");
    }
}

#[test]
fn r29_a_text_without_expressions_stands_for_itself() {
    for text in ["", "a", "$", "{}", "$ {state.n}", "{{state.n}}"] {
        let read = TextTemplate::parse(text, Roots::OF_KINDS, Insertion::Plain);
        assert_eq!(read, Ok(None), "{text}");
    }
}

#[test]
fn r29_what_is_no_expression_is_told_with_its_place_in_the_whole_text() {
    #[rustfmt::skip]
    let rows = [
        ("é ${",              5,  "expected a path such as state.name, a literal, a list or (…), found the end"),
        ("a ${}",             4,  "expected a path such as state.name, a literal, a list or (…), found `}`"),
        ("${state.n",         9,  "this `${` has no closing `}`; a literal `${` is written `$${`"),
        ("${state.n state}",  10, "expected an operator or the end, found `state`"),
        ("${a}",              2,  "unknown word `a`; a path begins with state, input, node_id or errors, and a text stands in quotes: \"a\""),
        ("x ${state.n} ${item.n}", 15, "unknown word `item`; it can be read only in the body of a map, and in the compensation of one"),
    ];
    for (text, offset, message) in rows {
        let error = TextTemplate::parse(text, Roots::OF_KINDS, Insertion::Plain).unwrap_err();
        assert_eq!(
            (error.offset, error.message.as_str()),
            (offset, message),
            "{text}"
        );
    }
}

#[test]
fn r29_a_sample_has_a_letter_for_each_expression() {
    let samples: Vec<String> = ["http://${state.n}/${input}", "$${a} ${node_id}"]
        .map(|text| read(text, Insertion::Plain).sample())
        .into();
    assert_eq!(samples, ["http://x/x", "${a} x"]);
    assert!(read("${state.n}/", Insertion::Plain).begins_with_value());
    assert!(!read("/${state.n}", Insertion::Plain).begins_with_value());
}

/// However many expressions a text has, it is not made larger than it may be.
#[test]
fn r29_many_expressions_do_not_come_to_more_than_a_payload() {
    let half = "x".repeat(PAYLOAD_BYTES_MAX / 2);
    let mut state = Object::new();
    state.insert("half".to_string(), &["\"", &half, "\""].concat());
    let scope = Scope::new("null", &state);
    let text = read(&"${state.half}".repeat(100_000), Insertion::Plain);
    assert_eq!(text.resolve(&scope), Err(NoValue::TooLarge));
    let mut json = String::new();
    assert_eq!(text.push_json(&scope, &mut json), Err(NoValue::TooLarge));
    assert!(json.len() <= 2 * PAYLOAD_BYTES_MAX, "{}", json.len());
}

/// Together they read no more than may be.
#[test]
fn r29_the_texts_of_a_kind_read_within_one_bound() {
    use super::{KindTemplate, Unresolved};
    let mut state = Object::new();
    state.insert(
        "l".to_string(),
        &alloc::format!("[{}1]", "1,".repeat(1 << 20)),
    );
    let often = READ_BYTES_MAX / (2 << 20) + 1;
    let kind = alloc::format!("[{}0]", "\"\",".repeat(often));
    let size = || read("<${size(state.l)}>", Insertion::Plain);
    let texts = (0..often).map(|at| {
        (
            1 + 3 * at..3 + 3 * at,
            alloc::format!("/kind/{at}"),
            1,
            size(),
        )
    });
    let kind = KindTemplate::new(&kind, texts.collect(), "/kind").unwrap();
    let reads = Reads::default();
    let scope = Scope::new("null", &state).reading(&reads);
    let unresolved = kind.push(&scope, &mut String::new());
    assert_eq!(
        unresolved,
        Err(Unresolved::Null(alloc::format!("/kind/{}", often - 2)))
    );
}

/// What a payload has of a text into which the worker puts something.
fn template(text: &str, insertion: Insertion) -> String {
    let state = Object::parse(STATE).unwrap();
    let read = TextTemplate::parse_of_payload(text, Roots::OF_KINDS, insertion);
    let read = read.unwrap_or_else(|error| panic!("{text}: {error}"));
    let read = read.unwrap_or_else(|| panic!("{text} holds no expression"));
    assert_eq!(
        read.is_for_worker(),
        text.contains("secret.") || text.contains("execution_id")
    );
    let mut json = String::new();
    let scope = Scope::new("null", &state).in_node("node-1");
    match read.push_json(&scope, &mut json) {
        Ok(()) => json,
        Err(NoValue::Null) => "unresolved".to_string(),
        Err(NoValue::TooLarge) => "too large".to_string(),
    }
}

/// Nothing that a value, a literal or an escape brings in can be read as something that
/// the worker puts in, not even together.
#[test]
fn r29_what_the_worker_puts_in_stays_a_template() {
    #[rustfmt::skip]
    let rows = [
        ("${secret.KEY}",                        r#""${secret.KEY}""#),
        ("${ secret.K_1 } ${\texecution_id }",    r#""${secret.K_1} ${execution_id}""#),
        ("Bearer ${secret.KEY}\n",               r#""Bearer ${secret.KEY}\n""#),
        ("${secret.KEY}${state.sly}",            r#""${secret.KEY}$${state.n}""#),
        ("$${secret.A} ${secret.B}",             r#""$${secret.A} ${secret.B}""#),
        ("$$${secret.A} ${secret.B}",            r#""$$${secret.A} ${secret.B}""#),
        ("${'$'}{secret.A} ${secret.B}",         r#""$${secret.A} ${secret.B}""#),
        ("${'$'}${'{secret.A}'} ${secret.B}",    r#""$${secret.A} ${secret.B}""#),
        ("${'$$'}${secret.B}$",                  r#""${'$'}${'$'}${secret.B}$""#),
        ("${state.quote}${secret.B}",            r#""say \"hi\"\n${secret.B}""#),
        ("${state.none}${secret.B}",             "unresolved"),
        ("${state.list} ${secret.B}",            r#""[1, \"x\", null] ${secret.B}""#),
        ("${state.sly}",                         r#""${state.n}""#),
    ];
    for (text, expected) in rows {
        assert_eq!(template(text, Insertion::Plain), expected, "{text}");
    }
    let url = "http://${secret.HOST}/${state.sly}";
    assert_eq!(
        template(url, Insertion::InUrl),
        r#""http://${secret.HOST}/%24%7Bstate.n%7D""#
    );
}
