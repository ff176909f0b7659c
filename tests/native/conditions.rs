//! Rule R8 against its oracle: wherever CEL gives a value, ours is the same;
//! and where CEL gives none, we still answer.

mod generated;

use std::cell::Cell;

use cel::{Context, Program, Value};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use refrain_guest::condition::{Expression, Scope};
use refrain_guest::json::Object;

use generated::{expression, object};

/// What CEL makes of an expression; None where it fails.
fn cel(expression: &str, input: &str, state: &str) -> Option<Value> {
    let program = Program::compile(expression).ok()?;
    let mut context = Context::default();
    for (name, json) in [("input", input), ("state", state)] {
        context.add_variable_from_value(name, read(json));
    }
    program.execute(&context).ok()
}

/// What we make of it, in CEL's terms.
fn ours(expression: &str, input: &str, state: &str) -> Value {
    let state = Object::parse(state).expect("a state is an object");
    let scope = Scope::new(input, &state);
    let parsed = Expression::parse(expression)
        .unwrap_or_else(|error| panic!("`{expression}` does not parse: {error}"));
    let value = read(&parsed.value(&scope));
    if let Value::Bool(truth) = value {
        assert_eq!(
            parsed.is_true(&scope),
            truth,
            "the truth of `{expression}` is its value"
        );
    }
    value
}

fn read(json: &str) -> Value {
    let json: serde_json::Value = serde_json::from_str(json).expect("values are JSON");
    cel::to_value(json).expect("JSON is a value of CEL")
}

const INPUT: &str = r#"{"n": 3, "tags": ["a", "b"]}"#;
const STATE: &str = r#"{
    "zero": 0, "int": -7, "max": 9223372036854775807, "unsigned": 18446744073709551615, "double": 2.5, "whole": 3.0,
    "text": "Zoë", "empty": "", "yes": true, "no": false, "nothing": null, "list": [1, 2.0, "x", null, [1]],
    "map": {"a": 1, "b": {"c": null}, "x-y": [true]}
}"#;

#[test]
fn r8_cel_agrees() {
    #[rustfmt::skip]
    let rows = [
        // numbers across types
        ("state.whole == 3", "true"),                 ("3 == input.n", "true"),
        ("state.max == 9223372036854775807", "true"), ("state.unsigned > state.max", "true"),
        ("state.int < state.unsigned", "true"),       ("state.double >= 2.5", "true"),
        ("state.int < -6.5", "true"),                 ("1e3 == 1000", "true"),
        ("2 < 2.5 && 2.5 < 3", "true"),               ("0.0 == -0.0", "true"),
        // texts
        ("state.text == 'Zo\\u00eb'", "true"),        ("'a' < 'b'", "true"),
        ("'é' > 'z'", "true"),                        ("\"it's\" == 'it\\'s'", "true"),
        ("'\\x41\\101\\U0001F600\\n' != ''", "true"), ("size(state.text)", "3"),
        ("state.text.size()", "3"),                   ("'\\a\\b\\f\\v\\?\\`' == state.empty", "false"),
        // unlike types
        ("state.text == 3", "false"),                 ("state.nothing == null", "true"),
        ("null == false", "false"),                   ("state.yes != 1", "true"),
        ("false < true", "true"),                     ("[] == [null]", "false"),
        // lists and objects
        ("state.list == [1.0, 2, 'x', null, [1]]", "true"),
        ("[1, [2, 'a']] == [1, [2.0, 'a']]", "true"), ("state.map.b == state.map['b']", "true"),
        ("state.list[4][0]", "1"),                    ("state.list[1.0]", "2.0"),
        ("state.map['x-y'][0]", "true"),              ("size(state.map) < size(state.list)", "true"),
        ("size([1, 2, 3,])", "3"),                    ("[[1], [2]][1][0] == 2", "true"),
        // in
        ("2 in state.list", "true"),                  ("[1.0] in state.list", "true"),
        ("'a' in state.map", "true"),                 ("'c' in state.map", "false"),
        ("1 in state.map", "false"),                  ("'b' in input.tags", "true"),
        ("null in state.list", "true"),               ("'n' in input", "true"),
        // has
        ("has(state.map.a)", "true"),                 ("has(state.map.z)", "false"),
        ("has(state.nothing)", "true"),               ("has(state.map.b.c)", "true"),
        // logic, and its precedence
        ("true || false && false", "true"),           ("!state.yes == false", "true"),
        ("!(state.yes && state.no)", "true"),         ("1 < 2 == true", "true"),
        ("state.nowhere.x || true", "true"),          ("false && state.nowhere", "false"),
        ("1 in [1] == true", "true"),                 ("!!state.yes", "true"),
        // choices
        ("state.yes ? 1 : 2", "1"),                   ("state.no ? 1 : state.yes ? 2 : 3", "2"),
        ("true || false ? 'a' : 'b'", "\"a\""),       ("true ? (false ? 1 : 2) : 3", "2"),
        ("1 < 2 ? [1] + [2] : []", "[1, 2]"),
        // what is joined
        ("state.text + '!' + ''", "\"Zoë!\""),         ("[1] + state.list", "[1, 1, 2.0, \"x\", null, [1]]"),
        ("'a' + 'b' == 'ab'", "true"),                ("2 in [1] + [2]", "true"),
        ("size('a' + state.text)", "4"),              ("(input.tags + ['c'])[2]", "\"c\""),
        // parts of texts
        ("state.text.contains('o')", "true"),         ("state.text.contains('z')", "false"),
        ("'abc'.startsWith('ab')", "true"),           ("'abc'.startsWith('b')", "false"),
        ("('a' + 'bc').endsWith('bc')", "true"),      ("''.contains('')", "true"),
    ];
    for (expression, expected) in rows {
        assert_eq!(
            ours(expression, INPUT, STATE),
            read(expected),
            "{expression}"
        );
        assert_eq!(
            cel(expression, INPUT, STATE),
            Some(read(expected)),
            "CEL on {expression}"
        );
    }
}

#[test]
fn r8_total_where_cel_fails() {
    #[rustfmt::skip]
    let rows = [
        ("state.nowhere", "null"),              ("state.nowhere.deeper[0]", "null"),
        ("state.nowhere == null", "true"),      ("state.nowhere != 'x'", "true"),
        ("state.list[9]", "null"),              ("state.list[-1]", "null"),
        ("state.list['0']", "null"),            ("state.list[0.5]", "null"),
        ("state.list.0", "1"),                  ("state.list.4.0", "1"),
        ("state.text < 3", "false"),            ("state.text >= 3", "false"),
        ("null <= null", "false"),              ("[1] < [2]", "false"),
        ("'a' in 'abc'", "false"),              ("1 in null", "false"),
        ("[] in state.map", "false"),           ("size(null)", "0"),
        ("size(state.nowhere)", "0"),           ("size(7)", "0"),
        ("has(state.nowhere.x)", "false"),      ("has(state.list[0])", "true"),
        ("state.text && state.list", "true"),   ("!state.empty", "true"),
        ("state.zero || state.nowhere", "false"), (r"'a\/b'", "\"a/b\""),
        (r"'\ud83d\ude00'", "\"😀\""),
        ("state.text ? 1 : 2", "1"),            ("state.nowhere ? 1 : 2", "2"),
        ("'a' + state.nowhere", "null"),        ("'a' + [1]", "null"),
        ("state.map + state.map", "null"),      ("state.yes + 'a'", "null"),
        ("state.nothing.contains('a')", "false"), ("state.list.contains('x')", "false"),
        ("'a'.startsWith(state.zero)", "false"), ("state.map.endsWith('a')", "false"),
    ];
    for (expression, expected) in rows {
        assert_eq!(
            ours(expression, INPUT, STATE),
            read(expected),
            "{expression}"
        );
        assert_eq!(
            cel(expression, INPUT, STATE),
            None,
            "CEL gives {expression} a value"
        );
    }
}

/// JSON numbers compare exactly, as CEL demands; the oracle rounds whole
/// numbers to doubles there, so this cannot be asked of it.
#[test]
fn r8_large_numbers_are_not_rounded() {
    for (expression, expected) in [
        ("9007199254740993 == 9007199254740992.0", "false"),
        ("9007199254740993 > 9007199254740992.0", "true"),
        ("state.max < 9223372036854775808.0", "true"),
        ("state.unsigned == 18446744073709551615", "true"),
    ] {
        assert_eq!(
            ours(expression, INPUT, STATE),
            read(expected),
            "{expression}"
        );
    }
}

/// Some thousand expressions, each over a state of its own.
#[test]
fn r8_cel_agrees_on_generated_expressions() {
    const CASES: u32 = 4_000;
    let valued = Cell::new(0);
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let cases = (expression(), object(), object());
    TestRunner::new(config)
        .run(&cases, |(expression, input, state)| {
            let ours = ours(&expression, &input, &state);
            if let Some(theirs) = cel(&expression, &input, &state) {
                valued.set(valued.get() + 1);
                prop_assert_eq!(
                    ours,
                    theirs,
                    "{} on input {} and state {}",
                    expression,
                    input,
                    state
                );
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        valued.get() > CASES / 4,
        "CEL gave only {} of {CASES} a value",
        valued.get()
    );
}

/// Whatever the text: it is refused at a place inside it, or it has a value.
#[test]
fn r8_any_text_is_refused_or_has_a_value() {
    let pieces = [
        "state",
        "input",
        ".",
        "a",
        "0",
        "[",
        "]",
        "(",
        ")",
        "!",
        "==",
        "<=",
        "in",
        "&&",
        "||",
        "has(",
        "size(",
        ",",
        " ",
        "?",
        ":",
        "+",
        ".contains(",
        ".endsWith(",
        "'",
        "\"",
        "\\",
        "u00e9",
        "-",
        "1.5",
        "e9",
        "null",
        "true",
        "é",
        "\n",
    ];
    let text = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12);
    let config = Config {
        cases: 4_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&text, |pieces| {
            let text = pieces.concat();
            match Expression::parse(&text) {
                Ok(_) => drop(ours(&text, INPUT, STATE)),
                Err(error) => {
                    prop_assert!(text.is_char_boundary(error.offset), "{error} in {text:?}");
                }
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
