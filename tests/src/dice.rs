//! Chance for tests: one seed, and the same throws for ever.

/// A seeded source of throws (SplitMix64: Steele, Lea, Flood,
/// "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always throw the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `sides`, which is not 0.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.word() % sides
    }

    /// True `times` out of `of`.
    pub fn chance(&mut self, times: u64, of: u64) -> bool {
        self.below(of) < times
    }

    /// One of these, if there is one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        from.get(usize::try_from(self.below(from.len() as u64)).ok()?)
    }
}

/// The seed of a test whose chance is not fixed: `REFRAIN_SEED` where that is
/// set, else the clock's. Printed, so that a failure says what reproduces it.
///
/// # Panics
/// Where `REFRAIN_SEED` is no number.
#[must_use]
pub fn seed() -> u64 {
    let seed = match std::env::var("REFRAIN_SEED") {
        Ok(text) => text.parse().expect("REFRAIN_SEED is a whole number"),
        Err(_) => std::time::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_secs()),
    };
    println!("REFRAIN_SEED={seed}");
    seed
}
