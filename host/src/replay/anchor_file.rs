//! The documents in which heads are noted: a file of anchors, and what the command line
//! writes about executions.

use serde::Deserialize;
use serde_json::{Deserializer, Value};

use crate::id::ExecutionId;
use crate::log::digest::parse_hex;
use crate::log::{ANCHOR_FORMAT, Anchor, Head};

/// A head that was noted, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// The document, and the line in it.
    pub(super) place: String,
    pub(super) anchor: Anchor,
    /// Whether the document says when it was noted.
    pub(super) has_time: bool,
}

/// The text holds no heads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// It is no document with heads at all.
    #[error(
        "it holds no heads; give a file of anchors, a list of executions in JSON, one of them, or an exported log: {0}"
    )]
    NoHeads(String),
    /// A line of a file of anchors is none.
    #[error(
        "line {line} is no anchor: {problem}; where a write was cut off there, remove the line and note the heads anew; else take the file from where it was kept"
    )]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// A head, as it stands in our documents among other fields.
#[derive(Deserialize)]
struct Entry {
    execution_id: String,
    events: u64,
    head: String,
}

#[derive(Deserialize)]
struct List {
    executions: Vec<Entry>,
}

/// The heads in a text. `place` names it.
pub(super) fn read(text: &str, place: &str) -> Result<Vec<Noted>, AnchorError> {
    let refused = |error: serde_json::Error| AnchorError::NoHeads(error.to_string());
    // One whose first line was cut has that for a beginning still.
    if text.starts_with(&format!("{{\"format\":\"{}", family())) {
        return lines(text, place);
    }
    let first = Deserializer::from_str(text).into_iter::<Value>().next();
    let document = first.ok_or_else(|| AnchorError::NoHeads("it is empty".to_owned()))?;
    let document = document.map_err(refused)?;
    let format = document.get("format").and_then(Value::as_str);
    if format.is_some_and(|it| it.starts_with(family())) {
        return lines(text, place);
    }
    let entries = if document.get("executions").is_some() {
        serde_json::from_value::<List>(document)
            .map_err(refused)?
            .executions
    } else {
        vec![serde_json::from_value(document).map_err(refused)?]
    };
    let noted = entries.into_iter().map(|entry| {
        let id = entry.execution_id.parse::<ExecutionId>();
        let execution_id = id.map_err(|error| AnchorError::NoHeads(error.to_string()))?;
        let hash = parse_hex(&entry.head).ok_or_else(|| {
            let problem = format!("the head of {execution_id} is not 64 hexadecimal digits");
            AnchorError::NoHeads(problem)
        })?;
        let sequence = entry.events;
        let anchor = Anchor {
            execution_id,
            head: Head { sequence, hash },
            at: 0,
            signature: None,
        };
        Ok(Noted {
            place: place.to_owned(),
            anchor,
            has_time: false,
        })
    });
    noted.collect()
}

/// The form of anchors, without its number: a line of a later form is named as one.
fn family() -> &'static str {
    ANCHOR_FORMAT.trim_end_matches(|it: char| it.is_ascii_digit())
}

/// One anchor a line.
fn lines(text: &str, place: &str) -> Result<Vec<Noted>, AnchorError> {
    let fault = |line: usize, problem: String| AnchorError::Line { line, problem };
    let mut noted = Vec::new();
    for (line, text) in (1..).zip(text.split_inclusive('\n')) {
        let Some(text) = text.strip_suffix('\n') else {
            return Err(fault(line, "it has no end".to_owned()));
        };
        let anchor = Anchor::from_json(text).map_err(|error| fault(line, error.to_string()))?;
        noted.push(Noted {
            place: format!("{place}, line {line}"),
            anchor,
            has_time: true,
        });
    }
    Ok(noted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "exec_00000000000000000000000000000001";

    fn anchor(at: u64) -> Anchor {
        Anchor {
            execution_id: ID.parse().unwrap(),
            head: Head {
                sequence: 7,
                hash: [0xab; 32],
            },
            at,
            signature: None,
        }
    }

    #[test]
    fn law4_heads_are_read_from_each_of_our_documents() {
        let head = "ab".repeat(32);
        let one = format!(r#"{{"format":"x","execution_id":"{ID}","events":7,"head":"{head}"}}"#);
        for text in [
            one.clone(),
            format!("{one}\n{{\"sequence\":1}}\n"),
            format!("{{\"executions\":[{one}]}}"),
        ] {
            let expected = Noted {
                place: "heads".to_owned(),
                anchor: anchor(0),
                has_time: false,
            };
            assert_eq!(read(&text, "heads"), Ok(vec![expected]), "{text}");
        }
    }

    #[test]
    fn law4_a_file_of_anchors_has_one_a_line() {
        let text = format!("{}\n{}\n", anchor(5).to_json(), anchor(6).to_json());
        let expected = [5, 6].map(|at| Noted {
            place: format!("heads, line {}", at - 4),
            anchor: anchor(at),
            has_time: true,
        });
        assert_eq!(read(&text, "heads"), Ok(expected.to_vec()));
    }

    #[test]
    fn a_line_that_was_cut_or_is_of_a_later_form_is_named() {
        let line = anchor(5).to_json();
        for (text, said) in [
            (
                format!("{line}\n{line}"),
                "line 2 is no anchor: it has no end",
            ),
            (
                format!("{line}\n{}\n", &line[..50]),
                "line 2 is no anchor: field",
            ),
            (line[..60].to_owned(), "line 1 is no anchor: it has no end"),
            (format!("{line}\n\n{line}\n"), "line 2 is no anchor: "),
            (
                format!("{}\n", line.replace("anchor/1", "anchor/2")),
                "line 1 is no anchor: field `format`",
            ),
        ] {
            let error = read(&text, "heads").unwrap_err().to_string();
            assert!(
                error.starts_with(said) && error.contains("remove the line"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_holds_no_heads_is_refused() {
        for (text, said) in [
            ("", "it is empty"),
            ("heads", "expected value"),
            ("{}", "missing field `execution_id`"),
            (
                r#"{"executions":[{"execution_id":"exec_1","events":7,"head":"ab"}]}"#,
                "exec_1",
            ),
            (
                r#"{"execution_id":"exec_00000000000000000000000000000001","events":7,"head":"ab"}"#,
                "is not 64 hexadecimal digits",
            ),
        ] {
            let error = read(text, "heads").unwrap_err().to_string();
            assert!(
                error.contains(said) && error.contains("an exported log"),
                "{error}"
            );
        }
    }
}
