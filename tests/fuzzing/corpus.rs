//! The data that fuzzing begins with, in `tests/fuzz/corpus`.

use std::fs;
use std::path::PathBuf;

use refrain_tests::component::workspace;

pub(super) const RENEW: &str =
    "renew the corpus: cargo test --workspace --test fuzzing -- --ignored renew_the_corpus";

fn corpus_folder(target: &str) -> PathBuf {
    workspace().join("tests/fuzz/corpus").join(target)
}

/// All data of a target.
pub(super) fn corpus(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(corpus_folder(target)).expect("the target's corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

/// Put this into the corpus of a target.
pub(super) fn keep(target: &str, name: &str, data: &[u8]) {
    let folder = corpus_folder(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), data).expect("a file");
}
