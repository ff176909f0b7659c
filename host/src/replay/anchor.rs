//! Heads that were noted elsewhere (law 4).
//!
//! A log whose tail was cut off together with the record of its head is whole
//! in itself, and audits clean: a write-ahead log that lost its end, a file
//! that was restored from an older backup. Only a head that was noted somewhere else
//! shows that something is missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::divergence::Divergence;
use super::integrity::Finding;
use super::source::Recording;
use super::verdict::Verdict;
use crate::id::ExecutionId;
use crate::log::Head;
use crate::log::digest::{hex, parse_hex};

/// Heads by their executions. Logs may have gone on since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(BTreeMap<ExecutionId, Head>);

/// The text holds no heads.
#[derive(Debug, thiserror::Error)]
#[error(
    "it holds no heads; give a list of executions in JSON, one of them, or an exported log: {0}"
)]
pub struct AnchorError(String);

/// A head, as it stands in our documents among other fields.
#[derive(Deserialize)]
struct Noted {
    execution_id: String,
    events: u64,
    head: String,
}

#[derive(Deserialize)]
struct List {
    executions: Vec<Noted>,
}

impl Anchors {
    /// The heads in a document of the command line: a list of executions, one
    /// of them, or the header of an export, whatever follows it.
    ///
    /// # Errors
    /// The text is something else.
    pub fn read(text: &str) -> Result<Self, AnchorError> {
        let refused = |error: serde_json::Error| AnchorError(error.to_string());
        let first = serde_json::Deserializer::from_str(text)
            .into_iter::<serde_json::Value>()
            .next();
        let document = first
            .ok_or_else(|| AnchorError("it is empty".to_owned()))?
            .map_err(refused)?;
        let noted = if document.get("executions").is_some() {
            serde_json::from_value::<List>(document)
                .map_err(refused)?
                .executions
        } else {
            vec![serde_json::from_value(document).map_err(refused)?]
        };
        let heads = noted.into_iter().map(|noted| {
            let id = noted.execution_id.parse::<ExecutionId>();
            let id = id.map_err(|error| AnchorError(error.to_string()))?;
            let hash = parse_hex(&noted.head).ok_or_else(|| {
                AnchorError(format!("the head of {id} is not 64 hexadecimal digits"))
            })?;
            let sequence = noted.events;
            Ok((id, Head { sequence, hash }))
        });
        heads.collect::<Result<_, _>>().map(Self)
    }

    /// The executions whose heads these are.
    pub fn executions(&self) -> impl Iterator<Item = ExecutionId> {
        self.0.keys().copied()
    }

    /// Checks that the log, which is whole in itself, still has its noted head.
    pub(super) fn check(&self, recording: &Recording) -> Result<(), Finding> {
        let Some(noted) = self.0.get(&recording.execution_id) else {
            return Ok(());
        };
        let held = match noted.sequence {
            0 => Some(Head::default()),
            sequence => usize::try_from(sequence - 1)
                .ok()
                .and_then(|place| recording.plain().nth(place))
                .map(|(_, head)| head),
        };
        match held {
            None => Err(cut(recording.plain().count() as u64, noted)),
            Some(held) if held.hash != noted.hash => Err((
                Verdict::Tampered,
                Divergence::between(
                    noted.sequence,
                    format!(
                        "event {} is another than the anchored head names",
                        noted.sequence
                    ),
                    Some(hex(&noted.hash).into()),
                    Some(hex(&held.hash).into()),
                )
                .into(),
            )),
            Some(_) => Ok(()),
        }
    }

    /// The finding about an execution that is not there at all.
    pub(super) fn missing(&self, id: ExecutionId) -> Option<Finding> {
        self.0.get(&id).map(|noted| cut(0, noted))
    }
}

fn cut(ends: u64, noted: &Head) -> Finding {
    let ends_with = match ends {
        0 => "the execution is not there at all".to_owned(),
        _ => format!("the log ends with event {ends}"),
    };
    let message = format!(
        "event {} is missing: {ends_with}, and its anchored head is event {}",
        ends + 1,
        noted.sequence
    );
    (
        Verdict::Tampered,
        Divergence::plain(ends + 1, message).into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "exec_00000000000000000000000000000001";

    #[test]
    fn law4_heads_are_read_from_each_of_our_documents() {
        let head = "ab".repeat(32);
        let one = format!(r#"{{"format":"x","execution_id":"{ID}","events":7,"head":"{head}"}}"#);
        let expected = Anchors(BTreeMap::from([(
            ID.parse().unwrap(),
            Head {
                sequence: 7,
                hash: [0xab; 32],
            },
        )]));
        for text in [
            one.clone(),
            format!("{one}\n{{\"sequence\":1}}\n"),
            format!("{{\"executions\":[{one}]}}"),
        ] {
            assert_eq!(Anchors::read(&text).unwrap(), expected, "{text}");
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
            let error = Anchors::read(text).unwrap_err().to_string();
            assert!(
                error.contains(said) && error.contains("an exported log"),
                "{error}"
            );
        }
    }
}
