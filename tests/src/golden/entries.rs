//! Where golden logs stand, and the index next to them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use refrain::log::digest::digest;
use serde::{Deserialize, Serialize};

use crate::component::workspace;

const INDEX: &str = "index.json";
const GUEST: &str = "guest.wasm";

/// The golden logs of one guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// The digest of the guest that all of them name.
    pub guest: String,
    /// The first release with this guest. From then on nothing writes the set.
    pub released: Option<String>,
    /// Why the set was written, or written anew.
    pub reason: String,
    /// The logs.
    pub logs: Vec<Entry>,
}

/// One golden log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The file, without `.ndjson`.
    pub name: String,
    /// What it shows.
    pub shows: String,
    /// Whether the newest guest, too, must come to the very same decisions.
    pub compatible: bool,
}

/// A golden log as text, before it is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What the index says of it.
    pub entry: Entry,
    /// The export.
    pub text: String,
}

/// Where all golden logs are.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("tests/golden")
}

/// All sets there are.
///
/// # Errors
/// When an index cannot be read.
pub fn sets() -> Result<Vec<Set>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders.iter().map(|folder| Set::read(folder)).collect()
}

impl Set {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(INDEX);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let set: Self = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        ensure!(
            set.folder() == folder,
            "{} names the guest {}, so its folder should be {}",
            path.display(),
            set.guest,
            set.folder().display()
        );
        Ok(set)
    }

    /// Where the set is: its digest's first digits are enough for people.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        folder().join(self.guest.get(..12).unwrap_or(&self.guest))
    }

    /// Where one of its logs is.
    #[must_use]
    pub fn path(&self, entry: &Entry) -> PathBuf {
        self.folder().join(format!("{}.ndjson", entry.name))
    }

    /// The text of one of its logs.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, entry: &Entry) -> Result<String> {
        let path = self.path(entry);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// The guest's bytes, which must have the digest that the set is named after.
    ///
    /// # Errors
    /// When they are not there, or are others.
    pub fn component(&self) -> Result<Vec<u8>> {
        let path = self.folder().join(GUEST);
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        ensure!(
            digest(&bytes) == self.guest,
            "{} is not the guest {}",
            path.display(),
            self.guest
        );
        Ok(bytes)
    }

    /// All files that belong to the set, by name.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let logs = self.logs.iter().map(|log| format!("{}.ndjson", log.name));
        let mut files: Vec<String> = logs.chain([GUEST.into(), INDEX.into()]).collect();
        files.sort();
        files
    }

    /// Write the set, where there is none.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, component: &[u8], logs: &[Log]) -> Result<()> {
        let folder = self.folder();
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(GUEST), component)?;
        for log in logs {
            fs::write(self.path(&log.entry), &log.text)?;
        }
        let mut index = serde_json::to_string_pretty(self)?;
        index.push('\n');
        fs::write(folder.join(INDEX), index)?;
        Ok(())
    }

    /// Remove the set; one that was released stays.
    ///
    /// # Errors
    /// It was released, or cannot be removed.
    pub fn remove(&self) -> Result<()> {
        ensure!(
            self.released.is_none(),
            "the logs of {} belong to the release {}: they are history",
            self.guest,
            self.released.as_deref().unwrap_or_default()
        );
        fs::remove_dir_all(self.folder())?;
        Ok(())
    }
}
