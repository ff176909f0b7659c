//! Rule R8 against its oracle: wherever CEL gives a value, ours is the same;
//! and where CEL gives none, we still answer.

use std::cell::Cell;

use cel::{Context, Program, Value};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use refrain_guest::condition::{Expression, Scope};
use refrain_guest::json::Object;

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

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(KEYS.to_vec())
}

/// An object with all keys, so that paths often lead somewhere; and with a text `t`
/// and a list `l`, which can be joined.
fn object() -> impl Strategy<Value = String> {
    let values = prop::collection::vec(json(), KEYS.len());
    let list = prop::collection::vec(json(), 0..3);
    (values, text(), list).prop_map(|(values, text, list)| {
        let members: Vec<String> = KEYS
            .iter()
            .zip(values)
            .map(|(key, value)| format!("\"{key}\": {value}"))
            .collect();
        let text = serde_json::to_string(&text).expect("a text can be written");
        let (members, list) = (members.join(", "), list.join(", "));
        format!("{{{members}, \"t\": {text}, \"l\": [{list}]}}")
    })
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        scalar(),
        text().prop_map(|text| serde_json::to_string(&text).expect("a text can be written")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let members = prop::collection::btree_map(key(), inner.clone(), 0..3).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![
            prop::collection::vec(inner, 0..3)
                .prop_map(|elements| format!("[{}]", elements.join(","))),
            members,
        ]
    })
}

/// What is written alike in JSON and in CEL.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_string()),
        any::<bool>().prop_map(|value| value.to_string()),
        (-3..4_i64).prop_map(|value| value.to_string()),
        (-8..9_i32).prop_map(|value| format!("{:?}", f64::from(value) / 4.0)),
        prop::sample::select(vec![i64::MAX, i64::MIN + 1]).prop_map(|value| value.to_string()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let letters = vec!['a', 'b', 'é', '😀', '"', '\'', '\\', '\n'];
    prop::collection::vec(prop::sample::select(letters), 0..3)
        .prop_map(|letters| letters.into_iter().collect())
}

/// A text literal, in either quotes.
fn literal() -> impl Strategy<Value = String> {
    (text(), prop::sample::select(vec!['"', '\''])).prop_map(|(text, quote)| {
        let mut literal = String::from(quote);
        for c in text.chars() {
            match c {
                '\n' => literal.push_str("\\n"),
                '\\' => literal.push_str("\\\\"),
                'é' => literal.push_str("\\u00e9"),
                c if c == quote => literal.extend(['\\', c]),
                c => literal.push(c),
            }
        }
        literal.push(quote);
        literal
    })
}

fn path() -> impl Strategy<Value = String> {
    let root = prop::sample::select(vec!["state", "input"]);
    let step = prop_oneof![
        3 => key().prop_map(|key| format!(".{key}")),
        1 => key().prop_map(|key| format!("[\"{key}\"]")),
        1 => (0..3_u8).prop_map(|index| format!("[{index}]")),
    ];
    let steps = (
        key().prop_map(|key| format!(".{key}")),
        prop::collection::vec(step, 0..2),
    );
    (root, steps).prop_map(|(root, (first, steps))| format!("{root}{first}{}", steps.concat()))
}

/// Sensible expressions, to which CEL mostly gives a value, and wild ones.
fn expression() -> impl Strategy<Value = String> {
    prop_oneof![2 => truth(), 1 => wild()]
}

/// Texts that are joined, chosen and asked for their parts. Numbers are not joined
/// here: CEL adds them, and this language has no arithmetic.
fn joined_text() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![2 => literal(), 1 => Just("state.t".into()), 1 => Just("input.t".into())];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let part = prop::sample::select(vec!["contains", "startsWith", "endsWith"]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" + ")),
            1 => (inner.clone(), part, inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(of, part, what, a, b)| format!("(({of}).{part}({what}) ? {a} : {b})")),
            1 => inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

/// Lists that are joined.
fn joined_list() -> impl Strategy<Value = String> {
    let items = prop::collection::vec(prop_oneof![scalar(), literal(), path()], 0..3);
    let leaf = prop_oneof![
        2 => items.prop_map(|items| format!("[{}]", items.join(", "))),
        1 => prop::sample::select(vec!["state.l", "input.l"]).prop_map(String::from),
    ];
    prop::collection::vec(leaf, 1..4).prop_map(|parts| parts.join(" + "))
}

/// An expression that is true or false if its paths lead somewhere.
fn truth() -> impl Strategy<Value = String> {
    let present = (prop::sample::select(vec!["state", "input"]), key())
        .prop_map(|(root, key)| format!("{root}.{key}"));
    let value = prop_oneof![4 => present, 1 => path(), 3 => scalar(), 2 => literal()].boxed();
    let list = prop::collection::vec(value.clone(), 0..4)
        .prop_map(|items| format!("[{}]", items.join(", ")));
    let object = prop::sample::select(vec!["state", "input"]);
    let equality = prop::sample::select(vec!["==", "!="]);
    let order = prop::sample::select(vec!["<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        4 => (value.clone(), equality.clone(), value.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        2 => (value, list.clone()).prop_map(|(a, list)| format!("{a} in {list}")),
        1 => (list.clone(), equality.clone(), list.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (list, order.clone(), 0..4_u8).prop_map(|(list, sign, n)| format!("size({list}) {sign} {n}")),
        2 => (scalar(), order.clone(), scalar()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (literal(), order, literal()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (literal(), object.clone()).prop_map(|(key, object)| format!("{key} in {object}")),
        1 => (object, key()).prop_map(|(object, key)| format!("has({object}.{key})")),
        2 => (joined_text(), equality.clone(), joined_text()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (joined_list(), equality.clone(), joined_list()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (joined_text(), joined_text()).prop_map(|(of, part)| format!("({of}).contains({part})")),
        1 => (joined_text(), literal()).prop_map(|(of, part)| format!("({of}).startsWith({part})")),
        1 => (joined_text(), literal()).prop_map(|(of, part)| format!("({of}).endsWith({part})")),
    ];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            // Without brackets too: what binds how must agree as well.
            2 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} && {b} || {c}")),
            2 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} || {b}) && {c}")),
            1 => inner.clone().prop_map(|of| format!("!({of})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} ? ({b}) : {c}")),
            1 => (inner.clone(), equality.clone(), inner).prop_map(|(a, sign, b)| format!("({a}) {sign} ({b})")),
        ]
    })
}

/// Anything with anything.
fn wild() -> impl Strategy<Value = String> {
    let field = (path(), key()).prop_map(|(path, key)| format!("{path}.{key}"));
    let leaf = prop_oneof![
        4 => path(),
        3 => scalar(),
        2 => literal(),
        1 => joined_text().prop_map(|text| format!("({text})")),
        1 => joined_list().prop_map(|list| format!("({list})")),
        1 => field.prop_map(|field| format!("has({field})")),
    ];
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "in"]);
    let logic = prop::sample::select(vec!["&&", "||"]);
    leaf.prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            3 => (inner.clone(), comparison.clone(), inner.clone()).prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            2 => (inner.clone(), logic.clone(), inner.clone()).prop_map(|(a, sign, b)| format!("({a}) {sign} ({b})")),
            // Without brackets: what binds how must agree as well.
            2 => (inner.clone(), logic.clone(), inner.clone(), comparison.clone(), inner.clone())
                .prop_map(|(a, first, b, second, c)| format!("({a} {first} {b} {second} {c})")),
            1 => inner.clone().prop_map(|of| format!("!({of})")),
            1 => inner.clone().prop_map(|of| format!("size({of})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(of, part)| format!("({of}).contains({part})")),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            1 => (inner.clone(), inner).prop_map(|(of, at)| format!("({of})[{at}]")),
        ]
    })
}
