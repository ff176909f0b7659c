//! SHA-256 digests: of texts, of components, of work items.

use sha2::{Digest, Sha256};

use crate::contract::WorkItem;

/// A SHA-256, such as a chain hash.
pub type Hash = [u8; 32];

/// The SHA-256 of these bytes as 64 lower-case hexadecimal digits: what the
/// contract calls a digest.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}

/// The digest of a work item, as the contract defines it at `work-item`: its
/// fields in order, texts with their length before them, numbers as 64 bits.
#[must_use]
pub fn work_item_digest(item: &WorkItem) -> String {
    // Without `..`: a field that joins the record must join the digest.
    let WorkItem {
        execution_id,
        node_id,
        attempt,
        max_attempts,
        queue_type,
        tenant,
        not_before,
        payload,
    } = item;
    let mut sha = Sha256::new();
    text(&mut sha, execution_id);
    text(&mut sha, node_id);
    number(&mut sha, u64::from(*attempt));
    number(&mut sha, u64::from(*max_attempts));
    text(&mut sha, queue_type);
    text(&mut sha, tenant);
    number(&mut sha, *not_before);
    text(&mut sha, payload);
    hex(&sha.finalize().into())
}

fn text(sha: &mut Sha256, text: &str) {
    number(sha, text.len() as u64);
    sha.update(text.as_bytes());
}

fn number(sha: &mut Sha256, number: u64) {
    sha.update(number.to_le_bytes());
}

/// A hash as 64 lower-case hexadecimal digits.
#[must_use]
pub fn hex(hash: &Hash) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(64);
    for byte in hash {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The hash that these 64 lower-case hexadecimal digits spell; none if they
/// are anything else.
#[must_use]
pub fn parse_hex(text: &str) -> Option<Hash> {
    if text.len() != 64 {
        return None;
    }
    let mut hash = Hash::default();
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(hash)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        assert_eq!(
            digest(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            digest(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn hex_has_one_spelling() {
        let hash: Hash = std::array::from_fn(|i| (i * 9) as u8);
        assert_eq!(parse_hex(&hex(&hash)), Some(hash));
        assert_eq!(parse_hex(&hex(&hash).to_uppercase()), None);
        assert_eq!(parse_hex(&hex(&hash)[1..]), None);
        assert_eq!(parse_hex(&"é".repeat(32)), None);
    }

    #[test]
    fn law4_every_field_of_a_work_item_counts() {
        type Edit = fn(&mut WorkItem);
        let item = WorkItem {
            execution_id: "exec_1".into(),
            node_id: "a".into(),
            attempt: 1,
            max_attempts: 3,
            queue_type: "tool".into(),
            tenant: "default".into(),
            not_before: 1000,
            payload: "{}".into(),
        };
        let edits: [Edit; 8] = [
            |i| i.execution_id.push('x'),
            |i| i.node_id.push('x'),
            |i| i.attempt += 1,
            |i| i.max_attempts += 1,
            |i| i.queue_type.push('x'),
            |i| i.tenant.push('x'),
            |i| i.not_before += 1,
            |i| i.payload.push(' '),
        ];
        let mut seen = vec![work_item_digest(&item)];
        for edit in edits {
            let mut other = item.clone();
            edit(&mut other);
            seen.push(work_item_digest(&other));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 9);
    }

    #[test]
    fn law4_a_work_item_s_digest_is_as_specified() {
        // Written out by hand from the contract: the native side must not
        // merely agree with itself.
        let item = WorkItem {
            execution_id: "e".into(),
            node_id: "nn".into(),
            attempt: 1,
            max_attempts: 2,
            queue_type: String::new(),
            tenant: "t".into(),
            not_before: 258,
            payload: "{}".into(),
        };
        let bytes = b"\x01\0\0\0\0\0\0\0e\x02\0\0\0\0\0\0\0nn\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0t\x02\x01\0\0\0\0\0\0\x02\0\0\0\0\0\0\0{}";
        assert_eq!(work_item_digest(&item), digest(bytes));
    }
}
