//! The hash chain: `hash(n) = SHA-256(hash(n−1) ‖ canonical bytes of event n)`.

use sha2::{Digest, Sha256};

use crate::log::{Hash, Head, StoredEvent, canonical};
use crate::model::Event;

/// The hash before event 1.
pub const START: Hash = [0; 32];

/// The chain hash after an event of these canonical bytes.
#[must_use]
pub fn link(previous: &Hash, bytes: &[u8]) -> Hash {
    Sha256::new()
        .chain_update(previous)
        .chain_update(bytes)
        .finalize()
        .into()
}

/// The event with its chain hash, as it follows on `head`.
#[must_use]
pub fn follow(head: &Head, event: Event) -> StoredEvent {
    let hash = link(&head.hash, &canonical::write(&event));
    StoredEvent { event, hash }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::digest::hex;
    use crate::log::samples;
    use crate::model::Origin;

    #[test]
    fn law4_the_first_link_follows_on_zeros() {
        let bytes = b"event";
        assert_eq!(
            link(&START, bytes),
            Hash::from(Sha256::digest([&[0; 32][..], bytes].concat()))
        );
        assert_eq!(Head::default().hash, START);
    }

    #[test]
    fn law4_every_change_of_a_log_changes_its_head() {
        let log = samples::events();
        let head = |events: &[Event]| {
            hex(&events
                .iter()
                .fold(Head::default(), |head, event| {
                    follow(&head, event.clone()).head()
                })
                .hash)
        };
        let mut heads = vec![head(&log)];
        for at in 0..log.len() {
            for edit in [
                |log: &mut Vec<Event>, at: usize| log[at].at += 1,
                |log: &mut Vec<Event>, at: usize| log[at].sequence += 1,
                |log: &mut Vec<Event>, at: usize| {
                    log[at].origin = match log[at].origin {
                        Origin::Fact => Origin::Decision,
                        Origin::Decision => Origin::Fact,
                    }
                },
                |log: &mut Vec<Event>, at: usize| drop(log.remove(at)),
                |log: &mut Vec<Event>, at: usize| log.insert(at, log[at].clone()),
                |log: &mut Vec<Event>, at: usize| {
                    let event = log.remove(at);
                    log.insert((at + 1) % (log.len() + 1), event);
                },
            ] {
                let mut edited = log.clone();
                edit(&mut edited, at);
                heads.push(head(&edited));
            }
        }
        // Swapping (a, b) and removing or doubling neighbours that are equal
        // would collide; the samples are all different, by sequence.
        let all = heads.len();
        heads.sort();
        heads.dedup();
        assert_eq!(heads.len(), all);
    }
}
