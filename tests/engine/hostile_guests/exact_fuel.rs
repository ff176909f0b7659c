//! A call that needs exactly as much fuel as it has: it is done, or it is cut off, and
//! nothing in between.

use refrain::guest::{CallLimits, Instance, Library, Sandbox};
use refrain_tests::wat_guest::WatGuest;

use super::full_disk::FullDisk;

/// Counts to a thousand, and describes itself.
const COUNTS: &str = "(local $left i32) (local.set $left (i32.const 1000))
    (loop $again (local.set $left (i32.sub (local.get $left) (i32.const 1))) (br_if $again (local.get $left)))
    (i32.const 512)";

fn instance(component: &[u8], fuel: u64) -> Instance<FullDisk> {
    let limits = CallLimits {
        fuel: Some(fuel),
        fuel_per_byte: 0,
        ..CallLimits::default()
    };
    let mut library = Library::new(Sandbox::new(limits).expect("it runs here"));
    let digest = library.add(component.to_vec()).expect("it is one");
    library.instance(&digest).expect("a guest")
}

#[test]
fn with_its_last_unit_of_fuel_a_call_is_done_again_and_again_and_with_one_less_never() {
    let guest = WatGuest {
        describe: COUNTS,
        ..WatGuest::default()
    };
    let component = guest.component().expect("a component");
    let is_done = |fuel| instance(&component, fuel).describe().is_ok();
    // The least fuel with which it is done, by halving.
    let (mut too_little, mut enough) = (0, 100_000);
    assert!(is_done(enough));
    while enough - too_little > 1 {
        let fuel = too_little + (enough - too_little) / 2;
        match is_done(fuel) {
            true => enough = fuel,
            false => too_little = fuel,
        }
    }
    assert!(enough > 1_000, "the meter runs: {enough}");
    let mut exact = instance(&component, enough);
    for _ in 0..3 {
        exact.describe().expect("each call has all of its fuel");
    }
    let mut short = instance(&component, too_little);
    let cut_off = short.describe().expect_err("a unit is missing");
    assert!(cut_off.to_string().contains("ran out of fuel"), "{cut_off}");
    assert!(short.is_spent());
}
