//! The cache believes what it wrote, and nothing else.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const OTHER: &str = "(component (core module (func (export \"f\"))))";

struct Scratch {
    _folder: tempfile::TempDir,
    cache: CodeCache,
    engine: Engine,
    key: Key,
    file: PathBuf,
}

fn compiled(engine: &Engine, text: &str) -> Component {
    let bytes = wat::parse_str(text).expect("a component");
    Component::new(engine, bytes).expect("it compiles")
}

/// A cache that holds one component's code.
fn scratch() -> Scratch {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = CodeCache::at(folder.path().join("a/b")).expect("a cache");
    let engine = Engine::default();
    let key = Key::new(&engine, "one");
    cache.keep(key, &compiled(&engine, "(component)"));
    let file = cache.path(key);
    assert!(cache.load(&engine, key).is_some());
    Scratch {
        _folder: folder,
        cache,
        engine,
        key,
        file,
    }
}

#[test]
fn a_changed_byte_is_a_miss_and_is_replaced() {
    let it = scratch();
    let good = fs::read(&it.file).expect("the file");
    for at in (0..good.len())
        .step_by(good.len() / 97 + 1)
        .chain([0, 20, good.len() - 1])
    {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&it.file, &bad).expect("it can be written");
        assert!(it.cache.load(&it.engine, it.key).is_none(), "byte {at}");
    }
    for cut in [0, 7, 40, good.len() - 1] {
        fs::write(&it.file, &good[..cut]).expect("it can be written");
        assert!(it.cache.load(&it.engine, it.key).is_none(), "cut to {cut}");
    }
    let component = compiled(&it.engine, "(component)");
    it.cache.keep(it.key, &component);
    assert!(it.cache.load(&it.engine, it.key).is_some());
}

#[test]
fn the_code_of_another_component_or_compiler_is_a_miss() {
    let it = scratch();
    let other = Key::new(&it.engine, "another");
    it.cache.keep(other, &compiled(&it.engine, OTHER));
    fs::copy(it.cache.path(other), &it.file).expect("it can be copied");
    assert!(it.cache.load(&it.engine, it.key).is_none());
    assert!(it.cache.load(&it.engine, other).is_some());

    let mut config = wasmtime::Config::new();
    config.consume_fuel(true);
    let metered = Engine::new(&config).expect("an engine");
    let metered_key = Key::new(&metered, "another");
    assert_ne!(metered_key.0, other.0);
    fs::copy(it.cache.path(other), it.cache.path(metered_key)).expect("it can be copied");
    assert!(it.cache.load(&metered, metered_key).is_none());
}

#[test]
fn what_others_may_write_to_is_not_used() {
    let it = scratch();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    for open in [0o620, 0o602, 0o666] {
        mode(&it.file, open);
        assert!(it.cache.load(&it.engine, it.key).is_none(), "{open:o}");
    }
    mode(&it.file, 0o600);
    assert!(it.cache.load(&it.engine, it.key).is_some());
    for open in [0o770, 0o707, 0o1777] {
        mode(&it.cache.folder, open);
        let error = CodeCache::at(it.cache.folder.clone()).expect_err("others may write");
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }
    mode(&it.cache.folder, 0o700);
    assert!(CodeCache::at(it.cache.folder).is_ok());
}

#[test]
fn links_and_folders_are_no_files() {
    let it = scratch();
    let elsewhere = it.cache.folder.join("elsewhere");
    fs::rename(&it.file, &elsewhere).expect("it moves");
    symlink(&elsewhere, &it.file).expect("a link");
    assert!(it.cache.load(&it.engine, it.key).is_none());
    fs::remove_file(&it.file).expect("it goes");
    fs::create_dir(&it.file).expect("a folder");
    assert!(it.cache.load(&it.engine, it.key).is_none());
    let link = it.cache.folder.parent().expect("a parent").join("link");
    symlink(&it.cache.folder, &link).expect("a link");
    assert!(CodeCache::at(link).is_err());
}

#[test]
fn what_was_used_longest_ago_makes_room() {
    let it = scratch();
    let component = compiled(&it.engine, OTHER);
    let old = file_time() - 3 * USED_STEP;
    let file = OpenOptions::new()
        .write(true)
        .open(&it.file)
        .expect("the file");
    file.set_modified(old).expect("a time");
    let left = it.cache.folder.join(format!("x.1.1{UNFINISHED}"));
    let unfinished = File::create(&left).expect("a file");
    unfinished.set_modified(old).expect("a time");
    let newer = Key::new(&it.engine, "newer");
    it.cache.keep(newer, &component);
    assert!(it.file.exists() && !left.exists());
    it.cache.prune(1).expect("it prunes");
    assert!(!it.file.exists() && it.cache.path(newer).exists());
    // What is used is young again.
    it.cache.keep(it.key, &component);
    let file = OpenOptions::new()
        .write(true)
        .open(&it.file)
        .expect("the file");
    file.set_modified(old).expect("a time");
    assert!(it.cache.load(&it.engine, it.key).is_some());
    let used = fs::metadata(&it.file)
        .and_then(|it| it.modified())
        .expect("a time");
    assert!(used > old + USED_STEP);
}
