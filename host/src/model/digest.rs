//! SHA-256 digests, and their one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256, such as that of a guest component's bytes. It is spelled as 64
/// lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// This text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest; write a SHA-256 as 64 lower-case hexadecimal digits")]
pub struct NoDigest(String);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Its bytes as four numbers, the most significant byte of each first: so it
    /// is handed to a guest and back.
    pub(crate) fn numbers(self) -> [u64; 4] {
        let (words, _) = self.0.as_chunks::<8>();
        std::array::from_fn(|place| u64::from_be_bytes(words[place]))
    }

    /// The digest of these [numbers](Self::numbers).
    pub(crate) fn from_numbers(numbers: [u64; 4]) -> Self {
        let mut bytes = [0; 32];
        let (words, _) = bytes.as_chunks_mut::<8>();
        for (word, number) in words.iter_mut().zip(numbers) {
            *word = number.to_be_bytes();
        }
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        parse_hex(text)
            .map(Self)
            .ok_or_else(|| NoDigest(text.chars().take(80).collect()))
    }
}

impl PartialEq<str> for Digest {
    fn eq(&self, text: &str) -> bool {
        parse_hex(text) == Some(self.0)
    }
}

impl PartialEq<String> for Digest {
    fn eq(&self, text: &String) -> bool {
        *self == **text
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes as lower-case hexadecimal digits, two for each.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&PAIRS[usize::from(*byte)]);
    }
    String::from_utf8(digits).expect("digits are ASCII")
}

/// The two digits of each byte: a step writes several digests.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The bytes that these lower-case hexadecimal digits spell; none if they are
/// anything else, or not as many.
#[must_use]
pub fn parse_hex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != 2 * BYTES {
        return None;
    }
    let mut bytes = [0; BYTES];
    // The digits are judged together at the end: a step reads several digests, and
    // a branch for each digit would take longer than all else that is read.
    let mut all = 0;
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let (high, low) = (NIBBLES[usize::from(pair[0])], NIBBLES[usize::from(pair[1])]);
        *byte = high << 4 | low;
        all |= high | low;
    }
    (all & NO_DIGIT == 0).then_some(bytes)
}

/// What stands for a byte that is no hexadecimal digit.
const NO_DIGIT: u8 = 0x80;

/// The number that each lower-case hexadecimal digit spells.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [NO_DIGIT; 256];
    let mut number = 0;
    while number < 16 {
        nibbles[DIGITS[number] as usize] = number as u8;
        number += 1;
    }
    nibbles
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_spelling() {
        let digest = Digest(std::array::from_fn(|i| (i * 9) as u8));
        let text = digest.to_string();
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(digest.numbers()[0], 0x0009_121b_242d_363f);
        assert_eq!(Digest::from_numbers(digest.numbers()), digest);
        assert!(digest == text && digest != text.to_uppercase() && digest != text[1..]);
        for other in [&text.to_uppercase(), &text[1..], &"é".repeat(32), ""] {
            let refused = other.parse::<Digest>().unwrap_err().to_string();
            assert!(refused.contains("64 lower-case"), "{refused}");
        }
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }
}
