//! Labels, checked at the door.

use std::collections::BTreeSet;

use crate::error::EngineError;
use crate::limits::{LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX};
use crate::model::Label;
use crate::shorten::shortened;

/// What is repeated of a name that is not accepted.
const NAME_SHOWN_BYTES_MAX: usize = 80;

/// Checks the labels of a start.
pub(super) fn check(labels: &[Label]) -> Result<(), EngineError> {
    let mut names = BTreeSet::new();
    for Label { name, value } in labels {
        let refused = |reason: String| EngineError::Label {
            name: shortened(name, NAME_SHOWN_BYTES_MAX).into_owned(),
            reason,
        };
        if let Some(reason) = fault_of_name(name) {
            return Err(refused(reason));
        }
        if value.len() > LABEL_VALUE_BYTES_MAX {
            let bytes = value.len();
            return Err(refused(format!(
                "its value has {bytes} bytes, and {LABEL_VALUE_BYTES_MAX} are allowed; shorten it, or give it as input"
            )));
        }
        if !names.insert(name) {
            return Err(refused(
                "there are two of this name; leave one out, or give it another name".to_owned(),
            ));
        }
        if names.len() > LABELS_MAX {
            let count = labels.len();
            return Err(refused(format!(
                "it is one of {count} labels, and {LABELS_MAX} are allowed; leave some out"
            )));
        }
    }
    Ok(())
}

/// Why a label cannot have this name, if it cannot.
fn fault_of_name(name: &str) -> Option<String> {
    let is_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/');
    if name.is_empty() {
        return Some("it has no name; give it one".to_owned());
    }
    if name.len() > LABEL_NAME_BYTES_MAX {
        let bytes = name.len();
        return Some(format!(
            "its name has {bytes} bytes, and {LABEL_NAME_BYTES_MAX} are allowed; shorten it"
        ));
    }
    (!name.bytes().all(is_of_name)).then(|| {
        "its name has other characters than letters and digits of ASCII, `_`, `.`, `-` and `/`; use these"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, value: &str) -> Label {
        Label {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    /// What is said of labels that are not accepted; nothing of those that are.
    fn fault(labels: &[Label]) -> String {
        check(labels)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn labels_within_the_limits_are_accepted() {
        let longest = label(
            &"n".repeat(LABEL_NAME_BYTES_MAX),
            &"v".repeat(LABEL_VALUE_BYTES_MAX),
        );
        assert_eq!(
            fault(&[longest, label("a/B-c_1.0", ""), label("b", "é \u{1F600}")]),
            ""
        );
        let as_many: Vec<_> = (0..LABELS_MAX)
            .map(|n| label(&n.to_string(), "v"))
            .collect();
        assert_eq!(fault(&as_many), "");
    }

    #[test]
    fn labels_beyond_the_limits_are_refused_with_the_remedy() {
        for (labels, said) in [
            (vec![label("", "v")], "it has no name"),
            (vec![label("a b", "v")], "other characters"),
            (vec![label("é", "v")], "other characters"),
            (vec![label("a=b", "v")], "other characters"),
            (
                vec![label(&"n".repeat(LABEL_NAME_BYTES_MAX + 1), "v")],
                "257 bytes, and 256",
            ),
            (
                vec![label("a", &"v".repeat(LABEL_VALUE_BYTES_MAX + 1))],
                "257 bytes, and 256",
            ),
            (
                vec![label("a", "1"), label("b", "1"), label("a", "2")],
                "two of this name",
            ),
            (
                (0..=LABELS_MAX)
                    .map(|n| label(&n.to_string(), "v"))
                    .collect(),
                "one of 65 labels",
            ),
        ] {
            let found = fault(&labels);
            assert!(
                found.contains(said) && found.contains("; "),
                "{labels:?}: {found}"
            );
        }
    }
}
