//! What the ticks of one execution may take of one turn, together.
//!
//! The turn holds the store's write lock, and everybody waits for it. A call's
//! own fuel bounds one tick; this bounds how often a guest that says "there is
//! more" is asked again. Fuel decides, and never the clock: the same log
//! meets the same end on every machine.

use crate::limits::{FUEL_PER_TURN, TICKS_PER_TURN_MAX};

/// What the ticks of one execution have taken of this turn.
#[derive(Debug, Default)]
pub(super) struct TickBudget {
    ticks: u32,
    fuel: u64,
}

impl TickBudget {
    /// A tick decided so much, burnt so much fuel, and says that there is more.
    /// Some: it is not to be asked again, and why.
    pub(super) fn spend(&mut self, decided: u64, burnt: u64) -> Option<String> {
        self.ticks += 1;
        self.fuel = self.fuel.saturating_add(burnt);
        if decided == 0 {
            return Some(
                "the guest says that there is more to be decided, and decides nothing".to_owned(),
            );
        }
        if self.fuel > FUEL_PER_TURN {
            return Some(format!(
                "the guest burnt {} units of fuel in one turn, and its execution may take {FUEL_PER_TURN}",
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

    #[test]
    fn who_decides_may_go_on_and_who_burns_may_not() {
        let mut busy = TickBudget::default();
        assert!((1..TICKS_PER_TURN_MAX).all(|_| busy.spend(8, 1_000).is_none()));
        let ticks = busy.spend(8, 1_000).expect("that is one too many");
        assert!(ticks.contains("ticks in a row"), "{ticks}");

        let mut burning = TickBudget::default();
        assert!((0..4).all(|_| burning.spend(1, FUEL_PER_CALL).is_none()));
        let fuel = burning.spend(1, FUEL_PER_CALL).expect("that is too much");
        assert!(fuel.contains("units of fuel in one turn"), "{fuel}");

        let idle = TickBudget::default().spend(0, 1);
        assert!(idle.is_some_and(|reason| reason.contains("decides nothing")));
    }
}
