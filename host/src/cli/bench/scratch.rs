//! A folder of the benchmark's own. It is made anew, under a name that nothing
//! else has, and is removed when its owner drops it: nothing else there is touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::super::output;
use super::super::text::text;

/// A folder that is gone when this is dropped.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new folder in this one, which must be there.
    pub(super) fn below(parent: &Path) -> anyhow::Result<Self> {
        let path = parent.join(format!("refrain-bench-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&path).with_context(|| {
            format!(
                "cannot make a folder in {}; name another with --dir DIR",
                parent.display()
            )
        })?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = removed(&self.path) {
            output::say(&text!(
                "warning: the folder {} is left behind: {}",
                self.path,
                error
            ));
        }
    }
}

/// Remove the folder. A benchmark that is interrupted may be making files in
/// it meanwhile, so one try is not always enough.
fn removed(path: &Path) -> io::Result<()> {
    const TRIES: u32 = 50;
    for _ in 1..TRIES {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
    fs::remove_dir_all(path)
}
