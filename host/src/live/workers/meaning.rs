//! What the output of a program, or the body of a response, means.

use serde_json::value::RawValue;

use crate::json::{Json, MARK, check, text_of};
use crate::limits::PAYLOAD_BYTES_MAX;

use crate::live::values::work::Answer;

/// A JSON object is the output and the patch; other JSON or text goes under
/// the node's id; nothing is null. A byte order mark is no part of it. The
/// error says what is wrong, as in "it wrote …".
pub(super) fn of(bytes: Vec<u8>) -> Result<Answer, String> {
    match read(bytes)? {
        Meaning::Nothing => Ok(nothing()),
        Meaning::Json(json) => Ok(Answer::output(json)),
        Meaning::Text(text) => Ok(Answer::output(serde_json::Value::from(text))),
    }
}

/// What of a program's output is its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutputForm {
    /// Its last line that is not empty.
    LastLine,
    /// All of it, and that is JSON.
    Json,
    /// All of it, as a text.
    Text,
    /// Nothing of it.
    None,
}

/// As [`of`], where a workflow says what of it is the answer.
pub(super) fn of_form(bytes: Vec<u8>, form: OutputForm) -> Result<Answer, String> {
    match form {
        OutputForm::None => Ok(nothing()),
        OutputForm::Json => match read(bytes)? {
            Meaning::Nothing => Err("nothing, and JSON is asked for".to_owned()),
            Meaning::Json(json) => Ok(Answer::output(json)),
            Meaning::Text(_) => Err("what is no JSON, and JSON is asked for".to_owned()),
        },
        OutputForm::Text => {
            let text = text_of(bytes).map_err(|error| format!("what {error}"))?;
            let text = text.strip_prefix(MARK).unwrap_or(&text).trim();
            Ok(Answer::output(serde_json::Value::from(text)))
        }
        OutputForm::LastLine => {
            let text = text_of(bytes).map_err(|error| format!("what {error}"))?;
            of(last_line(&text).as_bytes().to_vec())
        }
    }
}

/// The last line that is not empty.
fn last_line(text: &str) -> &str {
    text.trim_end().lines().next_back().unwrap_or_default()
}

/// Whether this text is several lines, of which the last is a JSON object: whoever wrote
/// it may have meant that as the answer.
pub(super) fn ends_in_an_object(text: &str) -> bool {
    let last = last_line(text).trim();
    last.len() < text.trim().len()
        && last.starts_with('{')
        && serde_json::from_str::<&RawValue>(last).is_ok()
}

/// As [`of`], where the bytes are said to be JSON: other text is an error.
#[cfg(feature = "http")]
pub(super) fn of_json(bytes: Vec<u8>) -> Result<Answer, String> {
    match read(bytes)? {
        Meaning::Nothing => Ok(nothing()),
        Meaning::Json(json) => Ok(Answer::output(json)),
        Meaning::Text(_) => Err("what it calls JSON and is none".to_owned()),
    }
}

enum Meaning {
    Nothing,
    Json(Json),
    Text(String),
}

fn nothing() -> Answer {
    Answer::output(Json::null()).patch(serde_json::json!({}))
}

fn read(bytes: Vec<u8>) -> Result<Meaning, String> {
    let text = text_of(bytes).map_err(|error| format!("what {error}"))?;
    let text = text.strip_prefix(MARK).unwrap_or(&text).trim();
    if text.is_empty() {
        return Ok(Meaning::Nothing);
    }
    if serde_json::from_str::<&RawValue>(text).is_err() {
        return Ok(Meaning::Text(text.to_owned()));
    }
    check(text, PAYLOAD_BYTES_MAX)
        .map_err(|error| format!("JSON that is not accepted: {error}"))?;
    Ok(Meaning::Json(Json::trusted(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_of_an_output_is_the_answer_can_be_said() {
        use OutputForm::{Json, LastLine, None, Text};
        let lines = "step 1\n{\"n\":1.50}\n\n";
        for (text, form, told) in [
            (lines, LastLine, Ok(r#"{"n":1.50}"#)),
            ("one line", LastLine, Ok(r#""one line""#)),
            ("\n \n", LastLine, Ok("null")),
            (lines, Json, Err("what is no JSON")),
            ("", Json, Err("nothing")),
            (" [1] ", Json, Ok("[1]")),
            ("{\"a\":1,\"a\":2}", Json, Err("not accepted")),
            ("{\"a\":1}\n", Text, Ok(r#""{\"a\":1}""#)),
            ("", Text, Ok(r#""""#)),
            (lines, None, Ok("null")),
        ] {
            let said = of_form(text.as_bytes().to_vec(), form);
            match (said, told) {
                (Ok(answer), Ok(told)) => assert_eq!(answer.output.to_string(), told),
                (Err(said), Err(told)) => assert!(said.contains(told), "{said}"),
                (said, told) => panic!("{text:?} {form:?}: {said:?}, and not {told:?}"),
            }
        }
        for (text, ends) in [
            (lines, true),
            ("{\"n\":1}", false),
            ("a\n[1]", false),
            ("a\n{b}", false),
            ("", false),
        ] {
            assert_eq!(ends_in_an_object(text), ends, "{text:?}");
        }
    }

    #[test]
    fn nearly_json_is_read_or_told_and_never_another_type() {
        let utf16 = |first: &[u8], big: bool| {
            let text = "{\"a\":1}".encode_utf16();
            let units = text.flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            });
            [first, &units.collect::<Vec<_>>()].concat()
        };
        let output = |bytes: &[u8]| of(bytes.to_vec()).map(|answer| answer.output.to_string());
        for (bytes, told) in [
            (&b"\xEF\xBB\xBF{\"a\":1}\n"[..], Ok(r#"{"a":1}"#)),
            (b"\xEF\xBB\xBFhello", Ok(r#""hello""#)),
            (b"\xEF\xBB\xBF", Ok("null")),
            (b"a\xEF\xBB\xBFb", Ok("\"a\u{feff}b\"")),
            (&utf16(b"\xFF\xFE", false), Err("UTF-16")),
            (&utf16(b"\xFE\xFF", true), Err("UTF-16")),
            (&utf16(b"", false), Err("UTF-16")),
            (&utf16(b"", true), Err("UTF-16")),
            (b"\xFF\xFE\0\0{\0\0\0", Err("UTF-32")),
            (b"caf\xE9", Err("no UTF-8")),
        ] {
            match (output(bytes), told) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{bytes:?}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{bytes:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn what_calls_itself_json_is_json() {
        assert!(of_json(b"{\"a\":1".to_vec()).is_err());
        assert_eq!(of_json(b" ".to_vec()), Ok(nothing()));
        assert_eq!(
            of_json(b"[1]".to_vec()),
            Ok(Answer::output(serde_json::json!([1])))
        );
    }
}
