//! Where the engine's chance comes from: execution ids, the seeds of all jitter,
//! and the salts of events. Everything else in an engine follows from what it is
//! given.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::id::ExecutionId;
use crate::log::Salt;

/// The one source of chance of an engine.
#[derive(Debug)]
pub(crate) struct RandomSource {
    /// Of chance that can be had again: its seed, and how often it was asked.
    seeded: Option<(u64, u64)>,
    salts: Salts,
}

/// Draws the salts of events (law 4).
///
/// The system is asked once, for a key that never leaves the engine. A salt is
/// the key, hashed with the place of its event: without the key it is
/// as good as any random number, and a call of the system for each event would take
/// longer than all else that is done to chain it.
#[derive(Clone, Copy)]
pub(crate) struct Salts {
    key: [u8; 16],
}

impl RandomSource {
    /// The machine's chance; or, with a seed, the same for ever.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        let key = match seed {
            Some(seed) => first_16(
                Sha256::new()
                    .chain_update("salts")
                    .chain_update(seed.to_le_bytes()),
            ),
            None => Uuid::new_v4().into_bytes(),
        };
        Self {
            seeded: seed.map(|seed| (seed, 0)),
            salts: Salts { key },
        }
    }

    /// Where the salts of events come from.
    pub(crate) fn salts(&self) -> Salts {
        self.salts
    }

    /// The id of an execution that begins.
    pub(crate) fn execution_id(&mut self) -> ExecutionId {
        ExecutionId::from_bytes(self.draw())
    }

    /// The id of a fork, which is kept where its origin is: the first bytes say where.
    pub(crate) fn id_beside(&mut self, origin: ExecutionId) -> ExecutionId {
        const PLACE_BYTES: usize = 2;
        let mut bytes = self.draw();
        bytes[..PLACE_BYTES].copy_from_slice(&origin.as_bytes()[..PLACE_BYTES]);
        ExecutionId::from_bytes(bytes)
    }

    /// The seed of an execution's jitter: of as many bits as programs keep that read
    /// numbers of JSON as floating point.
    pub(crate) fn jitter_seed(&mut self) -> u64 {
        const BITS: u32 = 53;
        (u128::from_be_bytes(self.draw()) as u64) >> (u64::BITS - BITS)
    }

    fn draw(&mut self) -> [u8; 16] {
        let Some((seed, drawn)) = &mut self.seeded else {
            return Uuid::new_v4().into_bytes();
        };
        *drawn += 1;
        first_16(
            Sha256::new()
                .chain_update(seed.to_le_bytes())
                .chain_update(drawn.to_le_bytes()),
        )
    }
}

impl Salts {
    /// The salt of this event of an execution.
    pub(crate) fn draw(&self, id: ExecutionId, sequence: u64) -> Salt {
        first_16(
            Sha256::new()
                .chain_update(self.key)
                .chain_update(id.as_bytes())
                .chain_update(sequence.to_le_bytes()),
        )
    }
}

/// The key is nobody's business, a log file's least of all.
impl fmt::Debug for Salts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salts").finish_non_exhaustive()
    }
}

fn first_16(sha: Sha256) -> [u8; 16] {
    let hash = sha.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_chance() {
        let drawn = |seed| {
            let mut random = RandomSource::new(seed);
            [random.execution_id(), random.execution_id()]
        };
        assert_eq!(drawn(Some(7)), drawn(Some(7)));
        assert_ne!(drawn(Some(7)), drawn(Some(8)));
        assert_ne!(drawn(None), drawn(None));
        assert_ne!(drawn(Some(7))[0], drawn(Some(7))[1]);
    }

    #[test]
    fn law4_each_event_has_a_salt_of_its_own() {
        let salts = |seed| RandomSource::new(seed).salts();
        let (one, other) = (
            ExecutionId::from_bytes([1; 16]),
            ExecutionId::from_bytes([2; 16]),
        );
        let seeded = salts(Some(7));
        let mut drawn = vec![
            seeded.draw(one, 1),
            seeded.draw(one, 2),
            seeded.draw(other, 1),
            salts(Some(8)).draw(one, 1),
            salts(None).draw(one, 1),
            salts(None).draw(one, 1),
        ];
        assert_eq!(salts(Some(7)).draw(one, 1), drawn[0]);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 6);
        assert!(!format!("{seeded:?}").contains(|it: char| it.is_ascii_digit()));
    }
}
