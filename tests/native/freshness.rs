//! Is the committed component built from today's sources? Told without a
//! compiler for WebAssembly and without a network. And is its bytecode what wasmtime
//! makes of it? Are the scripts of pages built from today's sources?

use std::collections::BTreeMap;
use std::fs;

use refrain::log::digest::digest;
use refrain_tests::component::product::PRODUCTS;
use refrain_tests::component::{bytecode, copies, drawing, workspace};

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

#[test]
fn what_draws_on_pages_is_fresh() {
    let freshness = drawing::freshness().expect("the script and its stamp are committed");
    assert!(freshness.is_ok(), "{}", freshness.unwrap_err());
}

/// What the script of reports was built of, and what came of it.
#[derive(serde::Deserialize)]
struct ScriptStamp {
    /// The SHA-256 of the script.
    script: String,
    /// The SHA-256 of each file in it, by its path from `host/web`.
    sources: BTreeMap<String, String>,
}

/// Told without Node.
#[test]
fn the_script_of_reports_is_fresh() {
    let web = workspace().join("host/web");
    let read = |path: &str| fs::read(web.join(path)).unwrap_or_default();
    let stamp: ScriptStamp =
        serde_json::from_slice(&read("built/stamp.json")).expect("the script has a stamp");
    assert!(stamp.sources.len() > 20, "{}", stamp.sources.len());
    let published: serde_json::Value =
        serde_json::from_slice(&read("../clients/js/audit/report.json")).expect("JSON");
    assert_eq!(published["script"]["sha256"], stamp.script.as_str());
    let differ = |(path, of): &(&String, &String)| digest(&read(path)) != **of;
    let moved: Vec<_> = stamp.sources.iter().filter(differ).collect();
    assert!(
        moved.is_empty() && digest(&read("built/report.js")) == stamp.script,
        "the script of reports is not what its sources build to: run `npm install && npm run build` in host/web and commit host/web/built; changed are {moved:?}"
    );
}
