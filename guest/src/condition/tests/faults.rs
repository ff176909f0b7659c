//! What is wrong with an expression: place, message and remedy.

use crate::condition::{Expression, Roots};

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
