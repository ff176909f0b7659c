//! Is the committed component built from today's sources? Told without a
//! compiler for WebAssembly and without a network.

use refrain_tests::component::product::PRODUCTS;

#[test]
fn committed_components_are_fresh() {
    for product in PRODUCTS {
        let freshness = product
            .freshness()
            .expect("the component and its stamp are committed");
        assert!(freshness.is_ok(), "{}", freshness.unwrap_err());
    }
}
