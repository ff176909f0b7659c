//! The laws on an SQLite file, and what is SQLite's own.

use tempfile::TempDir;

use super::*;
use crate::store::laws::Place;

/// A database file in a folder of its own.
struct File {
    folder: TempDir,
    reopens: bool,
}

impl File {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            reopens: false,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("refrain.db")
    }
}

impl Place for File {
    fn open(&self) -> Box<dyn Store> {
        // The laws ask for what is kept, not for how safely.
        Box::new(
            SqliteStore::options()
                .durability(Durability::Normal)
                .open(self.path())
                .unwrap(),
        )
    }

    fn reopens(&self) -> bool {
        self.reopens
    }
}

mod laws {
    store_laws!(super::File::new());
}

mod laws_with_reopening {
    store_laws!(super::File {
        reopens: true,
        ..super::File::new()
    });
}
