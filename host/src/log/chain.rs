//! The hash chain (law 4).
//!
//! `hash(n) = SHA-256(hash(n−1) ‖ plain(n) ‖ commitment(n))`, where `plain(n)`
//! and the erasable fields are the two parts of an event's canonical bytes, and
//! `commitment(n) = SHA-256(salt(n) ‖ erasable fields of n)`. The salt is chance,
//! kept next to the event. Without it nobody can tell from a commitment what was
//! committed to, not even by trying all that it could have been; so erasing the
//! fields and the salt erases them for good, and the commitment, kept in their
//! place, lets the chain verify as before.
//!
//! `hash(0)` is the SHA-256 of the format's name: a log of another format, whose
//! fields might mean something else, is no log of this one by its first link.
//!
//! What is wrong with a chain is said here too, in the same words wherever one is read.

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use crate::log::canonical::{self, Canonical};
use crate::log::{ErasedEvent, Hash, Head, KeptEvent, Salt, StoredEvent};
use crate::model::Event;

pub use crate::log::head::{FORMAT, START};

/// What stands for an event's erasable fields in the chain.
#[must_use]
pub fn commitment(salt: &Salt, erasable: &[u8]) -> Hash {
    Sha256::new()
        .chain_update(salt)
        .chain_update(erasable)
        .finalize()
        .into()
}

/// The chain hash after an event of these plain fields, and this commitment to
/// the others.
#[must_use]
pub fn link(previous: &Hash, plain: &[u8], commitment: &Hash) -> Hash {
    Sha256::new()
        .chain_update(previous)
        .chain_update(plain)
        .chain_update(commitment)
        .finalize()
        .into()
}

/// The chain hash after the event of these bytes, with this salt.
#[must_use]
pub fn link_of(previous: &Hash, bytes: &Canonical, salt: &Salt) -> Hash {
    link(previous, &bytes.plain, &commitment(salt, &bytes.erasable))
}

/// The event with its salt and its chain hash, as it follows on `head`.
#[must_use]
pub fn follow(head: &Head, event: Event, salt: Salt) -> StoredEvent {
    let hash = link_of(&head.hash, &canonical::write(&event), &salt);
    StoredEvent { event, salt, hash }
}

/// The chain hash after an event that is kept like this.
#[must_use]
pub fn link_of_kept(previous: &Hash, kept: &KeptEvent) -> Hash {
    let bytes = canonical::write(kept.event());
    match kept {
        KeptEvent::Whole(stored) => link_of(previous, &bytes, &stored.salt),
        KeptEvent::Erased(erased) => link(previous, &bytes.plain, &erased.commitment),
    }
}

/// What is left of an event without its erasable fields and its salt.
pub(crate) fn erased(stored: &StoredEvent) -> ErasedEvent {
    let bytes = canonical::write(&stored.event);
    ErasedEvent {
        event: canonical::read_erased(&bytes.plain).expect("what was written can be read"),
        commitment: commitment(&stored.salt, &bytes.erasable),
        hash: stored.hash,
    }
}

/// Says what is wrong if the number that was found is not the one that is due; `None` if it is.
pub(crate) fn out_of_order(due: u64, found: u64) -> Option<String> {
    match found.cmp(&due) {
        Ordering::Equal => None,
        Ordering::Greater => Some(format!(
            "event {due} is missing: the log goes on with event {found}"
        )),
        Ordering::Less if found == 0 => Some(format!(
            "where event {due} should be stands an event with the number 0, which none has"
        )),
        Ordering::Less => Some(format!(
            "where event {due} should be stands a second event {found}"
        )),
    }
}

/// Says that the hash of the event with this number is wrong.
pub(crate) fn changed(sequence: u64) -> String {
    format!(
        "event {sequence} was changed: its hash is not that of its content and of what comes before it"
    )
}

/// Says that the last event is not the one that the recorded head names.
pub(crate) fn other_head(sequence: u64) -> String {
    format!("the recorded head names another event {sequence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::digest::hex;
    use crate::log::samples;
    use crate::model::Origin;

    #[test]
    fn law4_an_event_in_the_place_of_another_is_named() {
        for (found, expected) in [
            (5, None),
            (7, Some("event 5 is missing: the log goes on with event 7")),
            (4, Some("where event 5 should be stands a second event 4")),
            (
                0,
                Some("where event 5 should be stands an event with the number 0, which none has"),
            ),
        ] {
            assert_eq!(out_of_order(5, found).as_deref(), expected);
        }
    }

    #[test]
    fn law4_the_first_link_follows_on_the_name_of_the_format() {
        assert_eq!(START, Hash::from(Sha256::digest(FORMAT)));
        assert_eq!(Head::default().hash, START);
    }

    #[test]
    fn law4_a_link_is_as_specified() {
        let (plain, erasable, salt) = (b"plain", b"erasable", [7; 16]);
        let committed = Hash::from(Sha256::digest([&salt[..], erasable].concat()));
        assert_eq!(commitment(&salt, erasable), committed);
        assert_eq!(
            link(&START, plain, &committed),
            Hash::from(Sha256::digest([&START[..], plain, &committed].concat()))
        );
    }

    #[test]
    fn law4_every_change_of_a_log_changes_its_head() {
        let log = samples::log();
        let head = |events: &[StoredEvent]| {
            hex(&events
                .iter()
                .fold(Head::default(), |head, stored| {
                    follow(&head, stored.event.clone(), stored.salt).head()
                })
                .hash)
        };
        let mut heads = vec![head(&log)];
        for at in 0..log.len() {
            for edit in [
                |log: &mut Vec<StoredEvent>, at: usize| log[at].event.at += 1,
                |log: &mut Vec<StoredEvent>, at: usize| log[at].event.sequence += 1,
                |log: &mut Vec<StoredEvent>, at: usize| {
                    log[at].event.origin = match log[at].event.origin {
                        Origin::Fact => Origin::Decision,
                        Origin::Decision => Origin::Fact,
                    }
                },
                |log: &mut Vec<StoredEvent>, at: usize| log[at].salt[15] ^= 1,
                |log: &mut Vec<StoredEvent>, at: usize| drop(log.remove(at)),
                |log: &mut Vec<StoredEvent>, at: usize| log.insert(at, log[at].clone()),
                |log: &mut Vec<StoredEvent>, at: usize| {
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
