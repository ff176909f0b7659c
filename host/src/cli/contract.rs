//! The contract of schedulers and hosts (`wit/`), as files for other toolchains.

use anyhow::Context;
use wit_parser::Resolve;

/// The files of `wit/`, the world first, and the nouns of all of them last.
pub(super) const FILES: [(&str, &str); 6] = [
    ("world.wit", include_str!("../../../wit/world.wit")),
    ("decisions.wit", include_str!("../../../wit/decisions.wit")),
    ("storage.wit", include_str!("../../../wit/storage.wit")),
    ("clock.wit", include_str!("../../../wit/clock.wit")),
    ("queue.wit", include_str!("../../../wit/queue.wit")),
    ("types.wit", include_str!("../../../wit/types.wit")),
];

/// All of it in one file: what stands behind the name of the package in each.
pub(super) fn one_text() -> String {
    let [(_, first), rest @ ..] = FILES;
    let rest = rest.iter().map(|(_, text)| {
        let (_, behind) = text.split_once('\n').unwrap_or((text, ""));
        behind
    });
    std::iter::once(first).chain(rest).collect()
}

/// The package as a component-encoded WIT file, which most tools take where they take a
/// folder.
pub(super) fn encoded() -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("refrain.wit", &one_text());
    let package = package.context("the contract cannot be read")?;
    wit_component::encode(&resolve, package).context("the contract cannot be encoded")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The interfaces of an encoded package, with the names of all that stands in them.
    fn interfaces(encoded: &[u8]) -> BTreeMap<String, BTreeSet<String>> {
        let decoded = wit_component::decode(encoded).expect("it was encoded");
        let interfaces = decoded.resolve().interfaces.iter();
        let named = interfaces.map(|(_, it)| {
            let names = it.functions.keys().chain(it.types.keys());
            (it.name.clone().expect("a name"), names.cloned().collect())
        });
        named.collect()
    }

    #[test]
    fn one_text_and_its_encoding_hold_all_that_the_folder_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let files = fs::read_dir(&folder).expect("the folder is there");
        assert_eq!(files.count(), FILES.len(), "each file of wit/ is listed");
        assert_eq!(one_text().matches("package refrain:scheduler@").count(), 1);
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(&folder).expect("it is WIT");
        let whole = wit_component::encode(&resolve, package).expect("it can be encoded");
        let encoded = encoded().expect("it can be encoded");
        assert_eq!(interfaces(&encoded), interfaces(&whole));
        assert_eq!(encoded.len(), whole.len(), "with the comments");
    }
}
