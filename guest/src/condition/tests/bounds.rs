//! How long and how deep an expression may be, and what of a state it may read and make.

use alloc::format;
use alloc::string::String;

use crate::condition::{Expression, Reads, Scope};
use crate::json::Object;
use crate::limits::{
    CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX, EVALUATION_BYTES_MAX, PAYLOAD_BYTES_MAX,
    READ_BYTES_MAX,
};

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
