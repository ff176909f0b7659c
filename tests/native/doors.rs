//! The doors of the committed component: what it asks for, and what it offers.

use std::collections::BTreeSet;

use refrain_tests::component::product::SCHEDULER;
use wit_component::{DecodedWasm, decode};
use wit_parser::{Resolve, WorldItem, WorldKey};

/// Its imports are those of the contract, of which `types` holds no function.
#[test]
fn law2_the_component_has_the_doors_of_the_contract_and_no_others() {
    let component = SCHEDULER.committed().expect("it is committed");
    let DecodedWasm::Component(resolve, world) = decode(&component).expect("a component") else {
        panic!("it is a package of WIT");
    };
    let world = &resolve.worlds[world];
    let imports = doors(&resolve, world.imports.iter());
    let contract =
        ["clock", "queue", "storage"].map(|door| format!("refrain:scheduler/{door}@0.2.0"));
    assert_eq!(imports, BTreeSet::from(contract));
    let exports = doors(&resolve, world.exports.iter());
    let decisions = "refrain:scheduler/decisions@0.2.0".to_owned();
    assert_eq!(exports, BTreeSet::from([decisions]));
}

/// The interfaces with functions in them; types alone are no door. A function that
/// stands in no interface is one, too.
fn doors<'a>(
    resolve: &Resolve,
    items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> BTreeSet<String> {
    let is_door = |item: &WorldItem| match item {
        WorldItem::Interface { id, .. } => !resolve.interfaces[*id].functions.is_empty(),
        WorldItem::Function(_) => true,
        WorldItem::Type { .. } => false,
    };
    let doors = items.filter(|(_, item)| is_door(item));
    doors.map(|(key, _)| resolve.name_world_key(key)).collect()
}
