//! SHA-256 digests: of texts, of components, of work items.

use sha2::{Digest as _, Sha256};

use crate::model::WorkItem;

pub use crate::model::{Digest, hex, parse_hex};

/// A SHA-256, such as a chain hash.
pub type Hash = [u8; 32];

/// The SHA-256 of these bytes as 64 lower-case hexadecimal digits: what the
/// contract calls a digest.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// The digest of a work item, as the contract defines it at `work-item`: its
/// fields in order, texts with their length before them, numbers as 64 bits. The
/// execution is left out, because a fork has the same items as its origin.
#[must_use]
pub fn work_item_digest(item: &WorkItem) -> Digest {
    // Without `..`: a field that joins the record must join the digest.
    let WorkItem {
        execution_id: _,
        node_id,
        attempt,
        max_attempts,
        queue,
        tenant,
        priority,
        not_before,
        payload,
    } = item;
    let mut sha = Sha256::new();
    text(&mut sha, node_id);
    number(&mut sha, u64::from(*attempt));
    number(&mut sha, u64::from(*max_attempts));
    text(&mut sha, queue);
    text(&mut sha, tenant);
    number(&mut sha, u64::from(*priority));
    number(&mut sha, *not_before);
    text(&mut sha, payload);
    Digest(sha.finalize().into())
}

fn text(sha: &mut Sha256, text: &str) {
    number(sha, text.len() as u64);
    sha.update(text.as_bytes());
}

fn number(sha: &mut Sha256, number: u64) {
    sha.update(number.to_le_bytes());
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
    fn law4_every_field_of_a_work_item_counts_but_its_execution() {
        type Edit = fn(&mut WorkItem);
        let item = WorkItem {
            execution_id: "exec_1".into(),
            node_id: "a".into(),
            attempt: 1,
            max_attempts: 3,
            queue: "tool".into(),
            tenant: "default".into(),
            priority: 5,
            not_before: 1000,
            payload: "{}".into(),
        };
        let edits: [Edit; 8] = [
            |i| i.node_id.push('x'),
            |i| i.attempt += 1,
            |i| i.max_attempts += 1,
            |i| i.queue.push('x'),
            |i| i.tenant.push('x'),
            |i| i.priority += 1,
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
        let mut elsewhere = item.clone();
        elsewhere.execution_id.push('x');
        assert_eq!(work_item_digest(&elsewhere), work_item_digest(&item));
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
            queue: String::new(),
            tenant: "t".into(),
            priority: 5,
            not_before: 258,
            payload: "{}".into(),
        };
        let bytes = b"\x02\0\0\0\0\0\0\0nn\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0t\x05\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0\x02\0\0\0\0\0\0\0{}";
        assert_eq!(work_item_digest(&item), digest(bytes));
    }
}
