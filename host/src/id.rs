//! Execution ids: `exec_` and 32 hexadecimal digits.
//!
//! The first two bytes choose the shard that keeps the execution: a fork takes them
//! from its origin, so that both are kept together. The id of a start with a key is
//! made of tenant and key, so that a second start with that key can only find the
//! first, even when the key itself has been erased. All other bytes are random.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid, Variant, Version};

/// The name of an execution: `exec_` and the 32 hexadecimal digits of a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExecutionId(Uuid);

/// How many bytes an id has as a text.
const TEXT_BYTES: usize = PREFIX.len() + 32;

const PREFIX: &str = "exec_";

/// Keeps the ids of keys apart from all other digests.
const KEY_DOMAIN: &[u8] = b"refrain: the execution of a start key\0";

/// The same for simulated executions.
const SIMULATED_KEY_DOMAIN: &[u8] = b"refrain: the simulated execution of a start key\0";

/// Keeps the ids of children apart from all other digests.
const CHILD_DOMAIN: &[u8] = b"refrain: a child\0";

/// An id as a text, in place.
#[derive(Clone, Copy)]
pub(crate) struct IdText([u8; TEXT_BYTES]);

/// The text is no execution id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not an execution id: it should be \"exec_\" and 32 hexadecimal digits")]
pub struct ExecutionIdError {
    text: String,
}

impl ExecutionId {
    /// A new, random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id of the execution that a start with this key begins (law 8).
    ///
    /// It is a UUID of version 8: the first 16 bytes of a SHA-256, in which the bits of
    /// version and variant are set. Hashed are, one after the other, the text
    /// `refrain: the execution of a start key` and a zero byte, the length of the
    /// tenant in bytes as a `u64` (big endian), the tenant, and the key.
    ///
    /// The digest has no salt, because the same key must come to the same id. So a person who
    /// guesses a tenant's key can tell that it was used, even after it was erased.
    #[must_use]
    pub fn of_key(tenant: &str, key: &str) -> Self {
        Self::of_key_in(KEY_DOMAIN, tenant, key)
    }

    /// The same for a simulated execution, so that one of real time that the same key
    /// began has another id. The text that is hashed first is
    /// `refrain: the simulated execution of a start key`.
    #[must_use]
    pub fn of_simulated_key(tenant: &str, key: &str) -> Self {
        Self::of_key_in(SIMULATED_KEY_DOMAIN, tenant, key)
    }

    fn of_key_in(domain: &[u8], tenant: &str, key: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(domain)
            .chain_update((tenant.len() as u64).to_be_bytes())
            .chain_update(tenant)
            .chain_update(key)
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        let id = Builder::from_bytes(bytes)
            .with_variant(Variant::RFC4122)
            .with_version(Version::Custom);
        Self(id.into_uuid())
    }

    /// The id of the child that a node of an execution asks for: in the same shard, and
    /// the same however often it is asked for.
    ///
    /// It is a UUID of version 8 as well. Its first two bytes are those of the parent; of a
    /// SHA-256 come the others: of the text `refrain: a child` and a zero byte, the bytes of
    /// the parent's id, the length of the node's id in bytes as a `u64` (big endian), the
    /// node's id, and attempt and iteration as `u32` (big endian).
    #[must_use]
    pub fn of_child(parent: Self, node_id: &str, attempt: u32, iteration: u32) -> Self {
        let hash = Sha256::new()
            .chain_update(CHILD_DOMAIN)
            .chain_update(parent.as_bytes())
            .chain_update((node_id.len() as u64).to_be_bytes())
            .chain_update(node_id)
            .chain_update(attempt.to_be_bytes())
            .chain_update(iteration.to_be_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        bytes[..2].copy_from_slice(&parent.shard());
        let id = Builder::from_bytes(bytes)
            .with_variant(Variant::RFC4122)
            .with_version(Version::Custom);
        Self(id.into_uuid())
    }

    /// The shard that keeps the execution.
    #[must_use]
    pub fn shard(&self) -> [u8; 2] {
        let [first, second, ..] = *self.as_bytes();
        [first, second]
    }

    /// The id made of these sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The id as a text, without an allocation.
    pub(crate) fn text(&self) -> IdText {
        let mut text = [0; TEXT_BYTES];
        let (prefix, digits) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        self.0.simple().encode_lower(digits);
        IdText(text)
    }

    /// The id as two numbers, the first eight bytes and the last.
    pub(crate) fn numbers(&self) -> (u64, u64) {
        self.0.as_u64_pair()
    }

    /// The sixteen bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl IdText {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a prefix and digits are ASCII")
    }
}

/// By their bytes, and so by their texts. Maps that are sorted by execution are
/// searched several times a step, and one number is quicker than sixteen bytes.
impl Ord for ExecutionId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.as_u128().cmp(&other.0.as_u128())
    }
}

impl PartialOrd for ExecutionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Serialize for ExecutionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl<'de> Deserialize<'de> for ExecutionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for ExecutionId {
    type Err = ExecutionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ExecutionIdError {
            text: text.to_owned(),
        };
        let digits = text.strip_prefix(PREFIX).ok_or_else(refused)?;
        // `Uuid` also parses hyphens and braces; an id has one spelling only.
        if digits.len() != 32
            || !digits
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(refused());
        }
        Uuid::try_parse(digits).map(Self).map_err(|_| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The derivation is a promise: the id follows from tenant and key.
    #[test]
    fn law8_the_id_of_a_key_is_always_the_same() {
        let table = [
            (
                "default",
                "order-17",
                "exec_a21a70ff3bc78095856d3ffdeeca8143",
            ),
            ("default", "", "exec_2cc8dd3075a985ad80d5b72f2c48d51b"),
            (
                "müller",
                "order-17",
                "exec_528ebe44b33f849698615d89e54eef49",
            ),
        ];
        for (tenant, key, id) in table {
            let made = ExecutionId::of_key(tenant, key);
            assert_eq!(made.to_string(), id, "{tenant} {key}");
            assert_eq!(made.0.get_version(), Some(Version::Custom));
            assert_eq!(made.0.get_variant(), Variant::RFC4122);
        }
        // Where the tenant ends is part of it.
        assert_ne!(
            ExecutionId::of_key("a", "bc"),
            ExecutionId::of_key("ab", "c")
        );
    }

    #[test]
    fn an_id_is_a_text_in_json() {
        let id = ExecutionId::from_bytes([7; 16]);
        let json = serde_json::to_string(&id).expect("JSON");
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(
            serde_json::from_str::<ExecutionId>(&json).expect("an id"),
            id
        );
        assert!(serde_json::from_str::<ExecutionId>("\"exec_7\"").is_err());
    }

    #[test]
    fn the_first_two_bytes_are_the_shard() {
        let id: ExecutionId = "exec_0102030405060708090a0b0c0d0e0f10"
            .parse()
            .expect("an id");
        assert_eq!(id.shard(), [1, 2]);
    }
}
