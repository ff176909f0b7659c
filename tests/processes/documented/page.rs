//! The sessions of a page in Markdown, and the files that they need.

use std::fs;

use refrain_tests::component::workspace;

/// A page.
pub(super) struct Page {
    /// Its path from the repository's root.
    pub(super) name: String,
    /// Files, by their names, with what stands in them.
    pub(super) files: Vec<(String, String)>,
    /// What is typed, in order.
    pub(super) entries: Vec<Entry>,
    /// Why blocks are not run.
    pub(super) not_run: Vec<String>,
}

/// A command, and what it prints.
pub(super) struct Entry {
    /// The line of the page.
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) printed: Vec<String>,
}

/// All pages that have something to type.
pub(super) fn all() -> Vec<Page> {
    let docs = fs::read_dir(workspace().join("docs")).expect("the documents");
    let docs = docs.map(|file| file.expect("a file").file_name());
    let docs = docs.map(|name| format!("docs/{}", name.to_string_lossy()));
    let mut names: Vec<String> = docs.filter(|name| name.ends_with(".md")).collect();
    names.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned));
    names.sort();
    let pages = names.into_iter().map(|name| {
        let text = fs::read_to_string(workspace().join(&name)).expect("a page");
        Page::read(name, &text)
    });
    pages
        .filter(|page| !page.entries.is_empty() || !page.not_run.is_empty())
        .collect()
}

impl Page {
    fn read(name: String, text: &str) -> Self {
        let mut page = Self {
            name,
            files: Vec::new(),
            entries: Vec::new(),
            not_run: Vec::new(),
        };
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(mark) = line.strip_prefix("```") else {
                continue;
            };
            let inside = lines
                .by_ref()
                .map_while(|(_, line)| (line != "```").then_some(line));
            let inside: Vec<&str> = inside.collect();
            if mark == "console" {
                page.entries.extend(entries(at + 2, &inside));
            } else if let Some(reason) = mark.strip_prefix("console,not-run=") {
                page.not_run.push(reason.to_owned());
            } else if let Some((_, file)) = mark.split_once(' ') {
                page.files.push((file.to_owned(), inside.join("\n") + "\n"));
            }
        }
        page
    }
}

/// The commands of a block that begins on this line.
fn entries(first: usize, lines: &[&str]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match (line.strip_prefix("$ "), entries.last_mut()) {
            (Some(command), _) => entries.push(Entry {
                line: first + at,
                command: command.to_owned(),
                printed: Vec::new(),
            }),
            (None, Some(entry)) => entry.printed.push((*line).to_owned()),
            (None, None) => panic!("line {}: a block begins with a command", first + at),
        }
    }
    entries
}
