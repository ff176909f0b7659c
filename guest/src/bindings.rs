//! The generated glue: the contract's types, the imports and the exports.
#![expect(
    missing_docs,
    reason = "generated from wit/, where every item is documented"
)]

wit_bindgen::generate!({
    world: "scheduler",
    path: "../wit",
    additional_derives: [PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize],
    // JSON has a digest as a text.
    additional_derives_ignore: ["item-digest"],
    pub_export_macro: true,
    generate_all,
});
