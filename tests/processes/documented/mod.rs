//! The sessions of the pages are typed: what a page says that is printed is printed.
//!
//! A block marked `console` holds commands, each behind `$ `, and below each what it
//! prints. The blocks of a page are one session, in a folder of its own. A block marked
//! with a language and a name (`yaml refunds.yaml`) is a file of that folder.
//! `console,not-run=REASON` is not run, and is listed here.

mod folder;
mod page;
mod printed;

use std::thread;

use folder::Folder;
use page::Page;
use printed::Names;

/// All blocks that are not run: the page, and why.
const NOT_RUN: [(&str, &str); 1] = [("docs/getting-started.md", "the build takes minutes")];

#[test]
fn what_the_pages_say_is_printed() {
    let pages = page::all();
    let faults: Vec<String> = thread::scope(|scope| {
        let all = pages.iter().map(|page| scope.spawn(|| faults_of(page)));
        let all: Vec<_> = all.collect();
        let faults = all
            .into_iter()
            .map(|it| it.join().expect("a page is played"));
        faults.flatten().collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    let typed: usize = pages.iter().map(|page| page.entries.len()).sum();
    assert!(typed > 30, "only {typed} commands were found");
}

#[test]
fn what_is_not_run_is_listed() {
    let pages = page::all();
    let not_run = pages.iter().flat_map(|page| {
        let reasons = page.not_run.iter().map(String::as_str);
        reasons.map(|reason| (page.name.as_str(), reason))
    });
    assert_eq!(not_run.collect::<Vec<_>>(), NOT_RUN);
}

/// Where a session of the page goes otherwise than it says. What comes after the first
/// such place is not looked at: it builds on it.
fn faults_of(page: &Page) -> Option<String> {
    let mut folder = Folder::of(page);
    let mut names = Names::default();
    page.entries.iter().find_map(|entry| {
        let fault = match names.real(&entry.command) {
            Ok(command) => folder
                .types(&command)
                .and_then(|said| names.compare(&entry.printed, &said)),
            Err(fault) => Err(fault),
        };
        let fault = fault.err()?;
        let (name, line, command) = (&page.name, entry.line, &entry.command);
        Some(format!("{name}:{line}: $ {command}\n{fault}"))
    })
}
