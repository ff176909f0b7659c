//! What a commit writes: each page of the file that it changes, whole. So pages
//! are what a commit costs, besides its sync.

use super::*;
use crate::store::ExecutionChange;
use crate::store::laws::draft::{Draft, START, remove, turn};

/// What is written for a page: the page, and what tells where it belongs.
const FRAME: u64 = 4096 + 24;

/// A commit of these changes; how many pages it writes.
fn pages(store: &mut SqliteStore, changes: impl IntoIterator<Item = ExecutionChange>) -> u64 {
    let size = |store: &SqliteStore| {
        let file = store.watched_file().expect("a write-ahead log");
        std::fs::metadata(file).map_or(0, |file| file.len())
    };
    let before = size(store);
    store.begin().unwrap();
    store.commit(&turn(changes)).unwrap();
    (size(store) - before) / FRAME
}

/// The step of a chain: a node's item is settled, the next one's is ordered and
/// claimed.
fn step(one: &mut Draft, n: u32) -> ExecutionChange {
    one.record.last_at += 1;
    let (last, next) = (format!("n{}", n - 1), format!("n{n}"));
    one.append([
        remove(&last),
        one.enqueue_leased(&next, START + u64::from(n)),
    ])
}

#[test]
fn a_step_changes_a_page_of_each_tree_that_it_concerns() {
    let (file, mut one) = (File::new(), Draft::new(1));
    let mut store = file.store();
    pages(&mut store, [one.append([one.enqueue_leased("n0", START)])]);
    let steps: Vec<u64> = (1..40)
        .map(|n| pages(&mut store, [step(&mut one, n)]))
        .collect();
    // Event and its index, record, item and its index, clock. Now and then a
    // tree takes a new page, which changes the one above too.
    let usual = steps.iter().filter(|pages| **pages == 6).count();
    assert!(
        usual > 35 && steps.iter().all(|pages| *pages <= 9),
        "{steps:?}"
    );
}

#[test]
fn a_turn_of_many_executions_fills_few_pages() {
    let file = File::new();
    let mut store = file.store();
    let mut drafts: Vec<Draft> = (1..=200).map(Draft::new).collect();
    let begun = drafts
        .iter_mut()
        .map(|one| one.append([one.enqueue_leased("n0", START)]));
    pages(&mut store, begun.collect::<Vec<_>>());
    for n in 1..10 {
        let steps: Vec<_> = drafts.iter_mut().map(|one| step(one, n)).collect();
        let pages = pages(&mut store, steps);
        assert!(pages < 60, "{pages} pages for 200 steps");
    }
}
