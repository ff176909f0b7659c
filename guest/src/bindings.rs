//! The generated glue: the contract's types, the imports and the exports. And what
//! identifies an execution and a work item: the contract hands it over in numbers, which
//! need no memory and are compared at once, and here is how they are spelled.
#![expect(
    missing_docs,
    reason = "generated from wit/, where every item is documented"
)]

use alloc::format;
use alloc::string::{String, ToString};
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::refrain::scheduler::types::{ExecutionId, ItemDigest, NodeFailure};

wit_bindgen::generate!({
    world: "scheduler",
    path: "../wit",
    additional_derives: [PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize],
    // JSON has a digest as a text.
    additional_derives_ignore: ["item-digest"],
    pub_export_macro: true,
    generate_all,
});

// ---- failures --------------------------------------------------------------------

impl NodeFailure {
    /// The code of the cause, as the log spells it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AttemptFailed(_) => "attempt_failed",
            Self::Timeout(_) => "timeout",
            Self::LeaseExpired => "lease_expired",
            Self::Rejected(_) => "rejected",
            Self::ApprovalTimeout(_) => "approval_timeout",
            Self::EventTimeout(_) => "event_timeout",
            Self::LimitExceeded(_) => "limit_exceeded",
            Self::InstancesFailed(_) => "instances_failed",
            Self::NotAList => "not_a_list",
            Self::TooManyItems(_) => "too_many_items",
            Self::TooLarge(_) => "too_large",
            Self::UnresolvedExpression(_) => "unresolved_expression",
            Self::ChildFailed(_) => "child_failed",
            Self::ChildCancelled => "child_cancelled",
            Self::ChildRefused(_) => "child_refused",
            Self::RepeatLimit(_) => "repeat_limit",
        }
    }
}

// ---- executions ------------------------------------------------------------------

/// As events spell it.
impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exec_{:016x}{:016x}", self.high, self.low)
    }
}

impl FromStr for ExecutionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("exec_").unwrap_or_default();
        match numbers(digits) {
            Some([high, low]) => Ok(Self { high, low }),
            None => Err(format!(
                "`{text}` is no execution id, which is `exec_` and 32 hexadecimal digits"
            )),
        }
    }
}

impl PartialOrd for ExecutionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ExecutionId {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.high, self.low).cmp(&(other.high, other.low))
    }
}

// ---- work items ------------------------------------------------------------------

impl ItemDigest {
    /// The digest of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |place: usize| u64::from_be_bytes(words[place]);
        Self {
            a: word(0),
            b: word(1),
            c: word(2),
            d: word(3),
        }
    }

    fn words(self) -> [u64; 4] {
        let Self { a, b, c, d } = self;
        [a, b, c, d]
    }
}

/// The digest of an item that is still to be ordered.
impl Default for ItemDigest {
    fn default() -> Self {
        Self::from_bytes([0; 32])
    }
}

impl PartialEq for ItemDigest {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for ItemDigest {}

impl Hash for ItemDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words().hash(state);
    }
}

/// As 64 lower-case hexadecimal digits.
impl fmt::Display for ItemDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.words();
        write!(f, "{a:016x}{b:016x}{c:016x}{d:016x}")
    }
}

impl FromStr for ItemDigest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [a, b, c, d] = numbers(text).ok_or_else(|| format!("`{text}` is no digest"))?;
        Ok(Self { a, b, c, d })
    }
}

/// JSON has it as a text, like every digest.
impl Serialize for ItemDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for ItemDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The numbers that these lower-case digits spell, sixteen each; none if they are
/// anything else, or not as many.
fn numbers<const COUNT: usize>(digits: &str) -> Option<[u64; COUNT]> {
    let (words, rest) = digits.as_bytes().as_chunks::<16>();
    let mut numbers = [0; COUNT];
    if words.len() != COUNT || !rest.is_empty() {
        return None;
    }
    for (number, word) in numbers.iter_mut().zip(words) {
        for digit in word {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *number = *number << 4 | u64::from(value);
        }
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    #[test]
    fn an_id_is_spelt_as_events_spell_it() {
        let id = "exec_0123456789abcdef00000000000000ef";
        let key: ExecutionId = id.parse().expect("an id");
        assert_eq!((key.high, key.low), (0x0123_4567_89ab_cdef, 0xef));
        assert_eq!(key.to_string(), id);
        for place in 5..id.len() {
            let mut other = id.to_owned();
            other.replace_range(place..=place, "1");
            if other != id {
                assert_ne!(other.parse(), Ok(key), "{other}");
            }
        }
    }

    #[test]
    fn nothing_else_is_an_id() {
        for text in [
            "",
            "exec_",
            "0123456789abcdef0123456789abcdef",
            "exec_0123456789abcdef0123456789abcde",
            "exec_0123456789abcdef0123456789abcdef0",
            "exec_0123456789abcdef0123456789abcdef01234567",
            "exec_0123456789abcdef0123456789abcdeF",
            "exec_0123456789abcdef0123456789abcdeg",
            "exec_0123456789abcdef0123456789abcde/",
        ] {
            assert!(text.parse::<ExecutionId>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_bytes_of_a_digest_are_its_digits() {
        let bytes = core::array::from_fn(|place| u8::try_from(7 * place).unwrap_or_default());
        let digest = ItemDigest::from_bytes(bytes);
        let text = digest.to_string();
        assert_eq!(text, crate::digest::hex(&bytes));
        assert_eq!(text.parse(), Ok(digest));
        let json = serde_json::to_string(&digest).expect("a text");
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<ItemDigest>(&json).ok(), Some(digest));
    }

    #[test]
    fn digests_differ_in_every_byte() {
        for place in 0..32 {
            let mut bytes = [0; 32];
            bytes[place] = 1;
            assert_ne!(
                ItemDigest::from_bytes(bytes),
                ItemDigest::default(),
                "{place}"
            );
        }
    }
}
