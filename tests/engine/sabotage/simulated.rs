//! The simulator finds wrong hosts too, whatever else befalls them.

use refrain::store::Store;
use refrain_tests::saboteur::{Deed, Doings, Saboteur};
use refrain_tests::simulator::{Meddler, Over, Story, World, simulate_in};

use crate::sabotage::hosts::{Row, slow_hosts, wrong_hosts};
use crate::sabotage::world::LIBRARY;

/// How many seeds may pass until a wrong host has had its moment, and somebody
/// was told what is wrong: of a result of its own worker that it loses, nobody
/// hears, and the work is done once more.
const SEEDS_MAX: u64 = 40;

#[test]
fn the_simulator_finds_each_wrong_host() {
    let slow = slow_hosts().into_iter().map(|(row, _)| row);
    let missed: Vec<&str> = wrong_hosts()
        .into_iter()
        .chain(slow)
        .filter(|(_, host, ..)| host.deed.is_some())
        .filter(|row| !(0..SEEDS_MAX).any(|seed| finds(seed, row)))
        .map(|(name, ..)| name)
        .collect();
    assert!(
        missed.is_empty(),
        "in {SEEDS_MAX} seeds never found: {missed:#?}"
    );
}

/// Whether the host does what is wrong with it in this seed, and its law finds it.
fn finds(seed: u64, (name, host, law, _): &Row) -> bool {
    let over = if host.file { Over::File } else { Over::Memory };
    let doings = Doings::default();
    let meddler = Sabotage(host.deed, doings.clone());
    let world = World::new(seed, over, &LIBRARY, Story::new(false));
    let simulated = simulate_in(world.meddled_with(Box::new(meddler)));
    let broken = simulated.broken.unwrap_or_default();
    if doings.deed() {
        println!("seed {seed}: a host that {name}: {broken}");
    }
    doings.deed() && broken.contains(&law.to_string())
}

struct Sabotage(Option<Deed>, Doings);

impl Meddler for Sabotage {
    fn between(&self, store: Box<dyn Store>) -> Box<dyn Store> {
        Box::new(Saboteur::new(store, self.0, &self.1))
    }

    fn is_done(&self) -> bool {
        self.1.deed()
    }
}
