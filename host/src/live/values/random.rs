//! Where the engine's chance comes from: execution ids, and the seeds of all
//! jitter. Everything else in an engine follows from what it is given.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::id::ExecutionId;

/// The one source of chance of an engine.
#[derive(Debug, Default)]
pub(crate) struct RandomSource {
    /// Of chance that can be had again: its seed, and how often it was asked.
    seeded: Option<(u64, u64)>,
}

impl RandomSource {
    /// The machine's chance; or, with a seed, the same for ever.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self {
            seeded: seed.map(|seed| (seed, 0)),
        }
    }

    /// The id of an execution that begins.
    pub(crate) fn execution_id(&mut self) -> ExecutionId {
        ExecutionId::from_bytes(self.draw())
    }

    /// The seed of an execution's jitter.
    pub(crate) fn jitter_seed(&mut self) -> u64 {
        u128::from_be_bytes(self.draw()) as u64
    }

    fn draw(&mut self) -> [u8; 16] {
        let Some((seed, drawn)) = &mut self.seeded else {
            return Uuid::new_v4().into_bytes();
        };
        *drawn += 1;
        let hash = Sha256::new()
            .chain_update(seed.to_le_bytes())
            .chain_update(drawn.to_le_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        bytes
    }
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
}
