//! Rule R8 as tables: values are tested here, errors in [`faults`], limits in [`bounds`]. That
//! CEL agrees is asked in the tests package.

mod bounds;
mod faults;

use alloc::string::String;

use super::{Expression, Scope};
use crate::json::Object;

const INPUT: &str = r#" {"claim": 17, "name": "Zoë", "tags": ["a", "b"]} "#;
const STATE: &str = r#"{
    "zero": 0, "one": 1.0, "big": 9007199254740993, "huge": 1e999, "none": null,
    "no": false, "yes": true, "empty": "", "text": "café", "escaped": "\u0041\n",
    "list": [1, 2.50, "x", [], {"k": [ 7 ]}], "bare": [], "void": {},
    "map": {"a": 1, "b": {"c": null}, "x-y": 2, "0": "nil"},
    "__cost_exceeded__": true
}"#;

fn value(text: &str) -> String {
    let state = Object::parse(STATE).unwrap();
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let value = expression.value(&Scope::new(INPUT, &state));
    let truthy = !["null", "false", "0", "0.0", "\"\"", "[]", "{}"].contains(&value.as_str());
    assert_eq!(
        expression.is_true(&Scope::new(INPUT, &state)),
        truthy,
        "{text}"
    );
    assert_eq!(expression.text(), text);
    value
}

/// Each of these expressions comes to this value.
fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(value(text), *expected, "{text}");
    }
}

#[test]
#[rustfmt::skip]
fn r8_paths_are_verbatim_and_null_where_they_lead_nowhere() {
    check(&[
        ("state.one",                        "1.0"),
        ("state.huge",                       "1e999"),
        ("state.escaped",                    r#""\u0041\n""#),
        ("state.list",                       r#"[1, 2.50, "x", [], {"k": [ 7 ]}]"#),
        (" input . claim ",                  "17"),
        ("input",                            INPUT.trim()),
        ("state.nowhere",                    "null"),
        ("state.nowhere.at.all",             "null"),
        ("state.one.deeper",                 "null"),
        ("state.list.0",                     "1"),
        ("state.list.4.k.0",                 "7"),
        ("state.list[1]",                    "2.50"),
        ("state.list[state.one]",            "2.50"),
        ("state.list[-1]",                   "null"),
        ("state.list[9]",                    "null"),
        ("state.list[\"0\"]",                "null"),
        ("state.list.k",                     "null"),
        ("state.map[\"x-y\"]",               "2"),
        ("state['map']['b']",                r#"{"c": null}"#),
        ("state.map.0",                      "\"nil\""),
        ("state.map[0]",                     "null"),
        ("state[0]",                         "null"),
        ("(state.map).a",                    "1"),
        ("[state][0].map.a",                 "1"),
        ("[state][0].text",                  "\"café\""),
        ("[1, [2, 3]][1][0]",                "2"),
        ("[1, 2].1",                         "2"),
        ("[1, 2][2]",                        "null"),
        ("[1, 2][3]",                        "null"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_literals() {
    check(&[
        (r#""a\"b\\ \x41\u00e9\U0001F600\101\/""#, r#""a\"b\\ Aé😀A/""#),
        (r#""\ud83d\ude00""#,                "\"😀\""),
        (r"'say \'hi\' \`\?'",               r#""say 'hi' `?""#),
        (r"'\a\b\t\v\f\r' == '\x07\x08\x09\x0b\x0c\x0d'", "true"),
        (r"'\041\241\300' == '!¡À'",         "true"),
        ("[1, 'a', true, null, [],]",        r#"[1,"a",true,null,[]]"#),
        ("-1.5e3",                           "-1.5e3"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_comparisons() {
    check(&[
        ("state.one == 1",                   "true"),
        ("state.big == 9007199254740992.0",  "false"),
        ("state.big > 9007199254740992.0",   "true"),
        ("state.huge > 5",                   "true"),
        ("123456789012345678901 == 123456789012345678900", "true"),
        ("18446744073709551615 == 18446744073709551614", "false"),
        ("state.text == \"café\"",           "true"),
        ("state.escaped == 'A\\n'",          "true"),
        ("state.none == null",               "true"),
        ("state.nowhere == null",            "true"),
        ("state.nowhere != 'x'",             "true"),
        ("state.one == '1'",                 "false"),
        ("state.one != '1'",                 "true"),
        ("state.one < '2'",                  "false"),
        ("state.one >= null",                "false"),
        ("null <= null",                     "false"),
        ("false < true",                     "true"),
        ("'a' < 'b' && 'B' < 'a'",           "true"),
        ("[1, 2.5] == [1.0, 2.50]",          "true"),
        ("[] < [1]",                         "false"),
        ("state.list == [1, 2.5, 'x', [], state.list[4]]", "true"),
        ("state.void == state.bare",         "false"),
        ("1 < 2 == true",                    "true"),
        ("state == state",                   "true"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_in() {
    check(&[
        ("'x' in state.list",                "true"),
        ("'y' in state.list",                "false"),
        ("2.5 in state.list",                "true"),
        ("[] in state.list",                 "true"),
        ("'a' in state.map",                 "true"),
        ("'c' in state.map",                 "false"),
        ("0 in state.map",                   "false"),
        ("'list' in state",                  "true"),
        ("1 in [1.0]",                       "true"),
        ("'a' in 'abc'",                     "false"),
        ("1 in state.nowhere",               "false"),
        ("input.name in ['Zoë']",            "true"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_logic_goes_by_truthiness() {
    check(&[
        ("!state.zero && !state.none && !state.no && !state.empty && !state.bare && !state.void", "true"),
        ("state.text && state.list && state.map", "true"),
        ("!!state.one",                      "true"),
        ("state.nowhere || state.yes",       "true"),
        ("true || false && false",           "true"),
        ("(true || false) && false",         "false"),
        ("!state.zero == true",              "true"),
        ("state.__cost_exceeded__",          "true"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_has_and_size() {
    check(&[
        ("has(state.none)",                  "true"),
        ("has(state.map.b.c)",               "true"),
        ("has(state.map.b.c.d)",             "false"),
        ("has(state.nowhere.x)",             "false"),
        ("has(state.list[4].k)",             "true"),
        ("has(input.tags[2])",               "false"),
        ("size(state.text)",                 "4"),
        ("size(state.list) == 5 && size(state.map) == 4", "true"),
        ("size(null)",                       "0"),
        ("size(state.nowhere)",              "0"),
        ("size(12)",                         "0"),
        ("size(state.bare)",                 "0"),
        ("input.tags.size() >= 2",           "true"),
        ("'héé'.size()",                     "3"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_choices() {
    check(&[
        ("state.yes ? 1 : 2",                "1"),
        ("state.nowhere ? 1 : 2",            "2"),
        ("state.text ? state.one : null",    "1.0"),
        ("state.no ? 1 : state.zero ? 2 : 3", "3"),
        ("state.yes ? (state.no ? 1 : 2) : 3", "2"),
        ("true || false ? 'a' : 'b' + 'c'",  "\"a\""),
        ("[state.no ? 1 : 2, 3]",            "[2,3]"),
        ("state.list[state.yes ? 1 : 0]",    "2.50"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_texts_and_lists_are_joined() {
    check(&[
        ("'a' + 'b' + state.text",           "\"abcafé\""),
        ("state.escaped + 'é'",              "\"A\\né\""),
        ("[1] + [2, 'x'] + []",              "[1,2,\"x\"]"),
        ("[] + state.list",                  r#"[1, 2.50, "x", [], {"k": [ 7 ]}]"#),
        ("state.list + [null]",              r#"[1, 2.50, "x", [], {"k": [ 7 ]},null]"#),
        ("(state.list + [[7]])[5][0]",       "7"),
        ("size([1] + state.bare)",           "1"),
        ("'a' + state.nowhere",              "null"),
        ("state.nowhere + 'a'",              "null"),
        ("'a' + [1]",                        "null"),
        ("[1] + 'a'",                        "null"),
        ("state.one + state.one",            "null"),
        ("state.map + state.map",            "null"),
        ("'a' + 'b' == 'ab' && 'c' in ['b'] + ['c']", "true"),
        ("('a' + 'b').size() == size('ab')", "true"),
    ]);
}

#[test]
#[rustfmt::skip]
fn r8_parts_of_texts() {
    check(&[
        ("state.text.contains('af')",        "true"),
        ("state.text.contains('')",          "true"),
        ("state.text.contains('x')",         "false"),
        ("state.text.startsWith('ca')",      "true"),
        ("state.text.endsWith('fé')",        "true"),
        ("state.text.endsWith('ca')",        "false"),
        ("'abc'.startsWith('a' + 'b') ? 1 : 0", "1"),
        ("state.list.contains('x')",         "false"),
        ("state.nowhere.contains('x')",      "false"),
        ("state.text.contains(state.one)",   "false"),
        ("state.text.contains",              "null"),
    ]);
}

#[test]
fn r8_the_whole_state_is_an_object() {
    assert_eq!(value("size(state)"), "15");
    assert_eq!(
        Object::parse(&value("state")).unwrap(),
        Object::parse(STATE).unwrap()
    );
}
