//! What a scalar without quotation marks is: JSON's values, and nothing that readers of
//! YAML disagree about.

use super::value::Value;

/// Why a word without quotation marks is refused.
pub(super) struct Ambiguous {
    pub(super) message: String,
    pub(super) remedy: String,
}

/// The value of a word without quotation marks.
pub(super) fn resolved(word: &str) -> Result<Value, Ambiguous> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if is_number(word) {
        // JSON has no infinity, and readers of it make that of what is too large.
        return match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Number(word.to_owned())),
            _ => Err(Ambiguous {
                message: "the number is too large for readers of JSON".to_owned(),
                remedy: "write a smaller one, or put it in quotation marks if it is a text"
                    .to_owned(),
            }),
        };
    }
    let lower = word.to_ascii_lowercase();
    if matches!(lower.as_str(), "yes" | "no" | "on" | "off" | "y" | "n") {
        return Err(Ambiguous {
            message: format!(
                "`{word}` is a text to some readers of YAML, and true or false to others"
            ),
            remedy: format!(
                "write `true` or `false`, or \"{word}\" in quotation marks if it is a text"
            ),
        });
    }
    if word == "=" || word == "<<" || is_date(word) || is_sexagesimal(word) {
        return Err(Ambiguous {
            message: format!(
                "`{word}` is a text to some readers of YAML, and a date, a number or a sign to others"
            ),
            remedy: format!("put it in quotation marks: \"{word}\""),
        });
    }
    if looks_like_a_number(&lower) {
        return Err(Ambiguous {
            message: "this is a number to some readers of YAML, and JSON has none like it"
                .to_owned(),
            remedy: "write it as JSON does, or put it in quotation marks if it is a text"
                .to_owned(),
        });
    }
    Ok(Value::Text(word.to_owned()))
}

/// Whether this is a number of JSON's grammar.
fn is_number(word: &str) -> bool {
    let looks_right = word
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    // What JSON reads as a value, and is made of these alone, is a number.
    looks_right && serde_json::from_str::<&serde_json::value::RawValue>(word).is_ok()
}

/// Whether this begins with a date, as `2026-01-01` or `2026-1-1T00:00:00Z`.
fn is_date(word: &str) -> bool {
    let date = word.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let of_digits = |part: &str, lengths: &[usize]| {
        lengths.contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit())
    };
    matches!(parts[..], [year, month, day]
        if of_digits(year, &[4]) && of_digits(month, &[1, 2]) && of_digits(day, &[1, 2]))
}

/// Whether this is a number to base 60, as `12:30:45` or `12:30`.
fn is_sexagesimal(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let whole = unsigned.split('.').next().unwrap_or_default();
    let digits =
        |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit() || it == b'_');
    whole.contains(':') && whole.split(':').all(digits)
}

/// Whether a word in small letters is a number in another notation of YAML's.
fn looks_like_a_number(lower: &str) -> bool {
    let unsigned = lower.strip_prefix(['+', '-']).unwrap_or(lower);
    if matches!(unsigned, ".inf" | ".nan") {
        return true;
    }
    let of = |digits: &str, radix| {
        !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix) || c == '_')
    };
    let prefixed = |prefix, radix| {
        unsigned
            .strip_prefix(prefix)
            .is_some_and(|digits| of(digits, radix))
    };
    if prefixed("0x", 16) || prefixed("0o", 8) || prefixed("0b", 2) {
        return true;
    }
    // `+1`, `01`, `1_000`, `.5`, `5.`
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let are_digits = |digits: &str| digits.is_empty() || of(digits, 10);
    let begins = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    begins
        && are_digits(whole)
        && are_digits(fraction)
        && unsigned.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_json_has() {
        for (word, expected) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("null", Value::Null),
            ("True", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("-1.50e3", Value::Number("-1.50e3".to_owned())),
            ("7", Value::Number("7".to_owned())),
            ("1.2.3", Value::Text("1.2.3".to_owned())),
            ("2026-01", Value::Text("2026-01".to_owned())),
            ("2026-01-01-a", Value::Text("2026-01-01-a".to_owned())),
            ("12:3x", Value::Text("12:3x".to_owned())),
            ("http://h:80", Value::Text("http://h:80".to_owned())),
            ("==", Value::Text("==".to_owned())),
            ("5s", Value::Text("5s".to_owned())),
            ("-", Value::Text("-".to_owned())),
            ("nope", Value::Text("nope".to_owned())),
            ("e5", Value::Text("e5".to_owned())),
        ] {
            assert_eq!(resolved(word).ok(), Some(expected), "{word}");
        }
        for word in [
            "yes",
            "No",
            "ON",
            "off",
            "0x1F",
            "0o17",
            "+1",
            "01",
            "-007",
            "1_000",
            ".5",
            "5.",
            ".inf",
            "-.INF",
            ".NaN",
            "1e999",
            "-1e999",
            "y",
            "N",
            "=",
            "<<",
            "12:30",
            "12:30:45",
            "-1:30.5",
            "2026-01-01",
            "2026-1-1",
            "2026-01-01T00:00:00Z",
            "2026-01-01t1",
        ] {
            assert!(resolved(word).is_err(), "{word}");
        }
    }
}
