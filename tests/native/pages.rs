//! The pages lead where they say: each link to a file or a heading of this repository has
//! one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use refrain_tests::component::workspace;

/// Where pages are.
const FOLDERS: [&str; 2] = ["", "docs"];

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            seen += 1;
            assert!(
                leads_somewhere(&page, &text, link),
                "{} leads to {link}, which is not there",
                page.display()
            );
        }
    }
    assert!(seen > 40, "only {seen} links were found");
}

#[test]
fn a_link_that_leads_nowhere_would_be_found() {
    let page = workspace().join("README.md");
    let text = "# A page\n\n## It's `here`\n";
    for (link, leads) in [
        ("#its-here", true),
        ("#there", false),
        ("wit/world.wit", true),
        ("docs/rules.md#nowhere", false),
        ("docs/none.md", false),
    ] {
        assert_eq!(leads_somewhere(&page, text, link), leads, "{link}");
    }
}

/// The page on embedding begins as the crate does, whose example is compiled and run.
#[test]
fn the_example_of_embedding_is_that_of_the_crate() {
    let read = |file: &str| fs::read_to_string(workspace().join(file)).expect("a file");
    let page = read("docs/embedding.md");
    let shown = page
        .split("```rust\n")
        .nth(1)
        .and_then(|it| it.split("```").next());
    let source = read("host/src/lib.rs");
    let example = source.split("//! ```\n").nth(1).expect("an example");
    let lines = example.lines().map(|line| line.trim_start_matches("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let visible: Vec<&str> = lines.filter(|line| !line.starts_with("# ")).collect();
    let shown: Vec<&str> = shown.expect("a block of Rust").lines().collect();
    assert_eq!(
        shown, visible,
        "docs/embedding.md and host/src/lib.rs differ"
    );
}

fn pages() -> Vec<PathBuf> {
    let files = FOLDERS.iter().flat_map(|folder| {
        let entries = fs::read_dir(workspace().join(folder)).expect("a folder");
        entries.map(|entry| entry.expect("a file").path())
    });
    files
        .filter(|file| file.extension().is_some_and(|it| it == "md"))
        .collect()
}

/// The targets of links within the repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets.filter(|target| !target.starts_with("http"))
}

fn leads_somewhere(page: &Path, text: &str, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let folder = page.parent().expect("a page is in a folder");
    let (path, text) = match file {
        "" => (page.to_owned(), text.to_owned()),
        file => {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).unwrap_or_default();
            (path, text)
        }
    };
    path.exists() && (heading.is_empty() || anchors(&text).contains(heading))
}

/// What headings are linked by: small letters, digits, `-` and `_`, with `-` for spaces.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter_map(|line| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len()).then_some(heading.trim())
    });
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        });
        kept.collect()
    };
    headings.map(anchor).collect()
}
