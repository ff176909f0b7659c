//! Generated expressions, and what they are evaluated on.

use proptest::prelude::*;

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(KEYS.to_vec())
}

/// An object with all keys, so that paths often lead somewhere; and with a text `t`
/// and a list `l`, which can be joined.
pub(super) fn object() -> impl Strategy<Value = String> {
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
pub(super) fn expression() -> impl Strategy<Value = String> {
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
