//! What the ticks of one execution may take of one turn, together.
//!
//! The turn holds the store's write lock, and everybody waits for it. A call's
//! own fuel bounds one tick; this bounds how often a guest that says "there is
//! more" is asked again. Fuel decides, and never the clock: the same log
//! meets the same end on every machine.

use crate::limits::{
    FUEL_PER_BYTE_DECIDED, FUEL_PER_TURN, TICKS_PER_TURN_MAX, TURN_BYTES_PER_EXECUTION_MAX,
};

/// What one tick took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// How many decisions it came to.
    pub(super) decided: usize,
    /// The bytes of their payloads, and of the work items that they order.
    pub(super) bytes: usize,
    /// The fuel that it burnt.
    pub(super) fuel: u64,
}

/// What the ticks of one execution have taken of this turn.
#[derive(Debug, Default)]
pub(super) struct TickBudget {
    ticks: u32,
    fuel: u64,
    bytes: usize,
}

impl TickBudget {
    /// A tick took this much, and says that there is more. Some: it is not to
    /// be asked again, and why. What is large may cost more fuel, because each
    /// byte is copied and hashed; but the bytes have a bound, too.
    pub(super) fn spend(&mut self, spent: Spent) -> Option<String> {
        self.ticks += 1;
        self.fuel = self.fuel.saturating_add(spent.fuel);
        self.bytes = self.bytes.saturating_add(spent.bytes);
        if spent.decided == 0 {
            return Some(
                "the guest says that there is more to be decided, and decides nothing".to_owned(),
            );
        }
        if self.bytes > TURN_BYTES_PER_EXECUTION_MAX {
            return Some(format!(
                "the guest decided {} bytes of payload in one turn, and its execution may hand over {TURN_BYTES_PER_EXECUTION_MAX}",
                self.bytes
            ));
        }
        let fuel_max = FUEL_PER_TURN + self.bytes as u64 * FUEL_PER_BYTE_DECIDED;
        if self.fuel > fuel_max {
            return Some(format!(
                "the guest burnt {} units of fuel in one turn, and its execution may take {fuel_max}",
                self.fuel
            ));
        }
        (self.ticks >= TICKS_PER_TURN_MAX)
            .then(|| format!("the guest asked for more than {TICKS_PER_TURN_MAX} ticks in a row"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::FUEL_PER_CALL;

    fn spent(decided: usize, bytes: usize, fuel: u64) -> Spent {
        Spent {
            decided,
            bytes,
            fuel,
        }
    }

    #[test]
    fn who_decides_may_go_on_and_who_burns_may_not() {
        let mut busy = TickBudget::default();
        let small = spent(8, 100, 1_000);
        assert!((1..TICKS_PER_TURN_MAX).all(|_| busy.spend(small).is_none()));
        let ticks = busy.spend(small).expect("that is one too many");
        assert!(ticks.contains("ticks in a row"), "{ticks}");

        let mut burning = TickBudget::default();
        let hot = spent(1, 0, FUEL_PER_CALL);
        assert!((0..4).all(|_| burning.spend(hot).is_none()));
        let fuel = burning.spend(hot).expect("that is too much");
        assert!(fuel.contains("units of fuel in one turn"), "{fuel}");

        let idle = TickBudget::default().spend(spent(0, 0, 1));
        assert!(idle.is_some_and(|reason| reason.contains("decides nothing")));
    }

    #[test]
    fn what_is_large_may_burn_more_and_has_a_bound_of_its_own() {
        let mut large = TickBudget::default();
        let item = spent(1, TURN_BYTES_PER_EXECUTION_MAX / 8, FUEL_PER_CALL);
        assert!((0..8).all(|_| large.spend(item).is_none()));
        let bytes = large.spend(item).expect("that is too much");
        assert!(bytes.contains("bytes of payload in one turn"), "{bytes}");
    }
}
