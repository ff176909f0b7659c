//! Conditions: whatever the text, it is refused with a place, or it is an
//! expression that always ends, has a value, and means what it says.

use refrain_guest::condition::{Expression, Scope};
use refrain_guest::json::Object;
use refrain_guest::limits::CONDITION_BYTES_MAX;

const INPUT: &str = r#"{"n": 7, "deep": {"list": [1, 2.50, "x", null, {"y": false}]}, "é": "ü"}"#;
const STATE: &str = r#"{"score": 5, "path": "left", "empty": {}, "big": 123456789012345678901234567890, "tags": ["a", "b"]}"#;

/// Check one text.
///
/// # Panics
/// Where something does not hold.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Expression::parse(text) {
        Ok(expression) => means_what_it_says(&expression, text),
        Err(error) => {
            assert!(
                text.is_char_boundary(error.offset),
                "{text:?}: the place {} is none",
                error.offset
            );
            assert!(!error.message.is_empty(), "{text:?}: no reason");
        }
    }
}

fn means_what_it_says(expression: &Expression, text: &str) {
    assert_eq!(expression.text(), text);
    assert!(text.len() <= CONDITION_BYTES_MAX);
    let state = Object::parse(STATE).expect("it is an object");
    let scope = Scope::new(INPUT, &state);
    let (holds, value) = (expression.is_true(&scope), expression.value(&scope));
    let read: serde_json::Result<&serde_json::value::RawValue> = serde_json::from_str(&value);
    assert!(read.is_ok(), "{text:?}: its value is {value:?}");
    let again = Expression::parse(text).expect("it was read a moment ago");
    assert_eq!(&again, expression);
    // In other words, where those are not too long or too deep.
    if let Ok(not) = Expression::parse(&format!("!({text})")) {
        assert_eq!(not.is_true(&scope), !holds, "!({text:?})");
        assert_eq!(not.value(&scope), (!holds).to_string(), "!({text:?})");
    }
    if let Ok(spaced) = Expression::parse(&format!(" ( {text} ) ")) {
        assert_eq!(spaced.value(&scope), value, "( {text:?} )");
    }
    for (condition, chosen) in [("true", text), ("false", "null")] {
        let choice = format!("{condition} ? ({text}) : null");
        let (choice, chosen) = (Expression::parse(&choice), Expression::parse(chosen));
        if let (Ok(choice), Ok(chosen)) = (choice, chosen) {
            let [choice, chosen] = [choice, chosen].map(|it| it.value(&scope));
            // Numbers that serde_json cannot keep are left out.
            let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).ok();
            assert_eq!(
                read(&choice),
                read(&chosen),
                "{condition} ? ({text:?}) : null"
            );
        }
    }
    if let Ok(joined) = Expression::parse(&format!("[{text}] + [{text}]")) {
        let joined = joined.value(&scope);
        let joined: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(&joined).expect("it is a list");
        assert_eq!(joined.len(), 2, "[{text:?}] + [{text:?}]");
    }
    if let Ok(itself) = Expression::parse(&format!("({text}) == ({text})")) {
        // What is equal to nothing, not even to itself, is a path to a number
        // that no machine can hold, or so; it must at least be one of the two.
        let equal = itself.value(&scope);
        assert!(equal == "true" || equal == "false", "{text:?}: {equal}");
    }
}
