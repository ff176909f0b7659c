//! The page of the workflows lists the classes of errors that built-in workers say, and no
//! others.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use refrain_tests::component::workspace;

/// Where workers say them.
const FOLDERS: [&str; 2] = ["host/src/live/workers", "host/src/secrets"];

#[test]
fn the_page_lists_the_classes_of_errors_that_workers_say() {
    let mut said = BTreeSet::new();
    for folder in FOLDERS {
        collect(&workspace().join(folder), &mut said);
    }
    assert!(said.len() > 10, "{said:?}");
    let page = fs::read_to_string(workspace().join("docs/workflows.md")).expect("a page");
    let table = page
        .split_once("### The classes of errors")
        .and_then(|(_, behind)| behind.split_once("\n\nWorkers of one's own"))
        .map(|(table, _)| table)
        .expect("the page has the table of classes");
    let rows = table.lines().filter_map(|line| line.split('|').nth(1));
    let listed: BTreeSet<String> = rows
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        listed, said,
        "docs/workflows.md lists other classes of errors than the sources have"
    );
}

/// The classes that the sources in a folder give to errors: as they are written there, or by
/// a constant of the same file.
fn collect(folder: &Path, said: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("tests") {
            collect(&path, said);
            continue;
        }
        if path.is_dir() || path.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source");
        // What tests say stands behind that.
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (_, behind) in source
            .match_indices(".class(")
            .map(|(at, _)| source.split_at(at + 7))
        {
            let argument = behind.split(')').next().unwrap_or_default();
            let class = match argument.strip_prefix('"') {
                Some(class) => class.strip_suffix('"'),
                None => constant(source, argument),
            };
            let class = class.unwrap_or_else(|| {
                panic!("{}: the class {argument} is not understood", path.display())
            });
            said.insert(class.to_owned());
        }
    }
}

fn constant<'s>(source: &'s str, name: &str) -> Option<&'s str> {
    let (_, behind) = source.split_once(&format!("const {name}: &str = \""))?;
    behind.split('"').next()
}
