//! Is the committed component built from today's sources? Told without a
//! compiler for WebAssembly and without a network. And is its bytecode what wasmtime
//! makes of it?

use refrain_tests::component::product::PRODUCTS;
use refrain_tests::component::{bytecode, copies};

#[test]
fn committed_components_are_fresh() {
    for product in PRODUCTS {
        let freshness = product
            .freshness()
            .expect("the component and its stamp are committed");
        assert!(freshness.is_ok(), "{}", freshness.unwrap_err());
    }
}

#[test]
fn the_committed_bytecode_is_fresh() {
    let freshness = bytecode::freshness().expect("the bytecode and its stamp are committed");
    assert!(freshness.is_ok(), "{}", freshness.unwrap_err());
}

#[test]
fn the_copies_in_other_packages_are_fresh() {
    let freshness = copies::freshness().expect("the component is committed");
    assert!(freshness.is_ok(), "{}", freshness.unwrap_err());
}
