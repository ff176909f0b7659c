//! Rule R8 as tables. That CEL agrees is asked in the tests package.

use alloc::format;
use alloc::string::String;

use super::{Expression, Reads, Roots, Scope};
use crate::json::Object;
use crate::limits::{
    CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX, EVALUATION_BYTES_MAX, PAYLOAD_BYTES_MAX,
    READ_BYTES_MAX,
};

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

#[test]
fn r8_syntax_errors_name_place_and_remedy() {
    #[rustfmt::skip]
    let rows = [
        ("",                    0,  "expected a path such as state.name, a literal, a list or (…), found the end"),
        ("state.a ==",          10, "expected a path such as state.name, a literal, a list or (…), found the end"),
        ("state.a = 1",         8,  "a single `=`; equality is written `==`"),
        ("state.a & state.b",   8,  "and is written `&&`, or is written `||`"),
        ("state.a - 1",         8,  "there is no arithmetic here; a key with other characters is written state[\"a-b\"]"),
        ("state.a state.b",     8,  "expected an operator or the end, found `state`"),
        ("state.",              6,  "expected a name after the dot, found the end"),
        ("state[0",             7,  "expected `]`, found the end"),
        ("(state.a",            8,  "expected `)`, found the end"),
        ("[1 2]",               3,  "expected `]`, found `2`"),
        ("done",                0,  "unknown word `done`; a path begins with state or input, and a text stands in quotes: \"done\""),
        ("not state.a",         0,  "unknown word `not`; write ! instead"),
        ("and state.a",         0,  "unknown word `and`; write && instead"),
        ("state.a || or",       11, "unknown word `or`; write || instead"),
        ("state.a == ?",        11, "expected a path such as state.name, a literal, a list or (…), found `?`"),
        ("state.a == True",     11, "unknown word `True`; the words are true, false and null"),
        ("state.a and true",    8,  "and is written `&&`"),
        ("state.a or true",     8,  "or is written `||`"),
        ("state.a order",       8,  "expected an operator or the end, found `order`"),
        ("len(state.a)",        0,  "unknown function `len`; there are has() and size()"),
        ("has(state)",          0,  "has() takes a path, such as has(state.name)"),
        ("has('a')",            0,  "has() takes a path, such as has(state.name)"),
        ("'abc",                0,  "this text has no closing '"),
        ("x == \"a\nb\"",       0,  "unknown word `x`; a path begins with state or input, and a text stands in quotes: \"x\""),
        ("\"a\nb\"",            0,  "this text has no closing \""),
        (r"'a\qb'",             2,  r#"unknown escape; there are \\ \" \' \n \r \t \xHH \uHHHH and the others of CEL"#),
        (r"'\ud800'",           1,  r#"unknown escape; there are \\ \" \' \n \r \t \xHH \uHHHH and the others of CEL"#),
        ("012",                 1,  "`012` is no number: a number may not begin with 0; write it as in JSON"),
        ("-state.a",            1,  "`-state.a` is no number: expected a digit; write it as in JSON"),
        ("state.größe",         8,  "expected an operator or the end, found `ö`"),
        ("state.a.size() + 1",  0,  "there is no arithmetic here; `+` joins texts, or lists"),
        ("state.a + 1",         10, "there is no arithmetic here; `+` joins texts, or lists"),
        ("'a' + !state.b",      6,  "there is no arithmetic here; `+` joins texts, or lists"),
        ("'a' +",               5,  "expected a path such as state.name, a literal, a list or (…), found the end"),
        ("state.a ? 1",         11, "expected `:`, found the end"),
        ("state.a ? 1 ? 2 : 3 : 4", 12, "expected `:`, found `?`"),
        ("state.a : 1",         8,  "a `:` without its `?`; a choice is written a ? b : c"),
        ("contains('a', 'b')",  0,  "`contains` is asked of a text: state.name.contains(\"part\")"),
        ("state.a.contains()",  17, "expected a path such as state.name, a literal, a list or (…), found `)`"),
        ("state.a.endsWith('b').c", 21, "expected an operator or the end, found `.`"),
        ("node_id == 'a'",      0,  "unknown word `node_id`; there is none here; a path begins with state or input"),
        ("item.name",           0,  "unknown word `item`; it can be read only in the body of a map, and in the compensation of one"),
        ("secrets.KEY",         0,  "unknown word `secrets`; the worker puts it in: it stands alone, `${secret.NAME}` or `${execution_id}`, in `url`, `headers`, `body`, `argv`, `env`, `cwd` and the fields of a `task`"),
        ("secret.KEY",          0,  "unknown word `secret`; the worker puts it in: it stands alone, `${secret.NAME}` or `${execution_id}`, in `url`, `headers`, `body`, `argv`, `env`, `cwd` and the fields of a `task`"),
        ("'it''s'",             4,  "expected an operator or the end, found `'`"),
        ("state.a.size().b",    14, "expected an operator or the end, found `.`"),
    ];
    for (text, offset, message) in rows {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!(
            (error.offset, error.message.as_str()),
            (offset, message),
            "{text}"
        );
    }
}

#[test]
fn r8_limits() {
    let deep = |count: usize| format!("{}1{}", "(".repeat(count), ")".repeat(count));
    assert!(Expression::parse(&deep(CONDITION_DEPTH_MAX)).is_ok());
    for text in [
        deep(CONDITION_DEPTH_MAX + 1),
        "!".repeat(40) + "1",
        "[".repeat(500),
        "size(".repeat(500),
    ] {
        let error = Expression::parse(&text).unwrap_err();
        assert!(
            error.message.starts_with("nested deeper than 32 levels"),
            "{error}"
        );
    }

    for text in ["(1 ? ".repeat(500), "'a'.contains(".repeat(500)] {
        let error = Expression::parse(&text).unwrap_err();
        let (message, _) = error.message.split_at(28);
        assert_eq!(message, "nested deeper than 32 levels", "{text}");
    }
    let choices = "1 ? 2 : ".repeat(400) + "3";
    assert!(Expression::parse(&choices).is_ok(), "long is not deep");

    // Long is not deep.
    let long = "state.a.size() == 1 == 2 && !state.b[0]||".repeat(80) + "1";
    assert!(Expression::parse(&long).is_ok());
    let longest = " ".repeat(CONDITION_BYTES_MAX - 1) + "1";
    assert!(Expression::parse(&longest).is_ok());
    let too_long = " ".repeat(CONDITION_BYTES_MAX) + "1";
    assert_eq!(
        Expression::parse(&too_long).unwrap_err().message,
        "4097 bytes long, 4096 are allowed; compute it in a node and test the result"
    );
}

/// What would be larger than a payload is null, and so is what would take one evaluation
/// over its budget; the same in every build, to the byte.
#[test]
fn r8_what_is_too_large_is_null() {
    let text = "x".repeat(PAYLOAD_BYTES_MAX / 2);
    let mut state = Object::new();
    state.insert(String::from("half"), &format!("\"{text}\""));
    state.insert(String::from("most"), &format!("\"{text}{}\"", &text[4..]));
    let value = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        expression.value(&Scope::new("null", &state))
    };
    let bytes = |text: &str| value(text).len();
    #[rustfmt::skip]
    let rows = [
        ("state.half + state.half",                 PAYLOAD_BYTES_MAX + 2),
        ("state.half + state.half + 'x'",           4),
        ("[state.most]",                            PAYLOAD_BYTES_MAX),
        ("[state.most, 1]",                         4),
        ("[state.half] + [state.half]",             4),
        ("[[state.half], state.half, 1234567]",     4),
    ];
    for (text, expected) in rows {
        assert_eq!(bytes(text), expected, "{text}");
    }
    // Each sum is as large as one may be.
    let fit = EVALUATION_BYTES_MAX / PAYLOAD_BYTES_MAX;
    let beyond = "(state.half + state.half).startsWith('x') && ".repeat(fit);
    assert_eq!(value(&format!("{beyond} size('a' + 'b') == 2")), "false");
    let within = "(state.half + state.half).startsWith('x') && ".repeat(fit - 1);
    assert_eq!(value(&format!("{within} size('a' + 'b') == 2")), "true");
}

/// The fields of a failure are always the same ones (rule R26).
#[test]
fn r26_a_field_that_no_failure_has_is_refused() {
    let parse = |text| Expression::parse_over(text, Roots::OF_FAILURES);
    for text in [
        "error.class",
        "error['message']",
        "has(error.attempts)",
        "error",
        "error[state.x]",
        "state.error.clas",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
    #[rustfmt::skip]
    let rows = [
        ("error.clas == 'io'",  6, "`error` has the fields class, message, attempts; did you mean `error.class`?"),
        ("has(error.attempt)", 10, "`error` has the fields class, message, attempts; did you mean `error.attempts`?"),
        ("error[\"mess\"]",     6, "`error` has the fields class, message, attempts; did you mean `error.message`?"),
        ("error.code",          6, "`error` has the fields class, message, attempts"),
    ];
    for (text, offset, message) in rows {
        let error = parse(text).expect_err("it is refused");
        assert_eq!((error.offset, &*error.message), (offset, message), "{text}");
    }
}

/// However much a condition asks of however large a state: what it reads is bounded, and
/// where that is passed nothing holds, be it written the other way round.
#[test]
fn r8_what_is_read_is_bounded() {
    const LIST_BYTES: usize = 3 << 20;
    let element = r#""a-word-of-some-length","#;
    let list = element.repeat(LIST_BYTES / element.len());
    let mut state = Object::new();
    state.insert("l".into(), &format!("[{}]", &list[..list.len() - 1]));
    state.insert("text".into(), &format!("\"{}\"", "x".repeat(LIST_BYTES)));
    let scope = Scope::new("null", &state);
    let often = READ_BYTES_MAX / LIST_BYTES + 1;
    let holds = |text: &str| Expression::parse(text).unwrap().is_true(&scope);
    for part in [
        "!('zz' in state.l)",
        "size(state.l) != 1",
        "state.l[100000000] == null",
        "!state.text.contains('y')",
        "state.text != state.text + 'x'",
        "[state.l] != [state.l, 1]",
    ] {
        assert!(holds(part), "{part}");
        let many = [part].repeat(often).join(" && ");
        assert!(!holds(&many), "{part}");
    }
    // What is cheap is not counted as if it were read.
    let many = ["state.l != 1 && state.l && has(state.text)"]
        .repeat(50)
        .join(" && ");
    assert!(holds(&many));
    // Those that belong together share it.
    let (reads, size) = (
        Reads::default(),
        Expression::parse("size(state.l) > 1").unwrap(),
    );
    let together = scope.reading(&reads);
    let held = (0..2 * often).filter(|_| size.is_true(&together)).count();
    assert!((1..often).contains(&held), "{held}");
    reads.begin();
    assert!(size.is_true(&together));
    assert_eq!(
        Expression::parse("state.l").unwrap().value(&together).len(),
        list.len() + 1
    );
    assert!(reads.take_total() > READ_BYTES_MAX);
    assert_eq!(reads.take_total(), 0);
}

/// A value that could not be made without reading more than may be is none.
#[test]
fn r8_a_value_that_reads_too_much_is_null() {
    let mut state = Object::new();
    state.insert("l".into(), &format!("[{}1]", "1,".repeat(1 << 20)));
    let scope = Scope::new("null", &state);
    let often = READ_BYTES_MAX / (2 << 20) + 1;
    let sizes = ["size(state.l)"].repeat(often).join(", ");
    let value = |text: &str| Expression::parse(text).unwrap().value(&scope);
    assert_eq!(value("[size(state.l)]"), format!("[{}]", (1 << 20) + 1));
    assert_eq!(value(&format!("size([{sizes}])")), "null");
    assert_eq!(value(&format!("size([{sizes}]) == 1 ? 'a' : 'b'")), "null");
}
