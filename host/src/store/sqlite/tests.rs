//! The laws on an SQLite file, and what is SQLite's own.

mod damage;
mod damaged_pages;
mod erase;
mod labels;
mod known;
mod news;
mod opening;
mod output;
mod pages;
mod plans;

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::id::ExecutionId;
use crate::store::laws::draft::{Draft, turn};
use crate::store::laws::{Damage, Place, Row};
use crate::store::{CommitError, ItemRecord, ListFilter, Many, Reader, Store, StoreError};

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

    fn store(&self) -> SqliteStore {
        SqliteStore::options()
            .lock_wait(Duration::from_millis(50))
            .open(self.path())
            .unwrap()
    }

    /// As another program sees it.
    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// Why it cannot be opened.
    fn refusal(&self) -> String {
        SqliteStore::open(self.path())
            .unwrap_err()
            .to_string()
            .replace(&self.path().display().to_string(), "DB")
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

    fn damage(&self, row: Row, of: ExecutionId) -> Damage {
        let edit = match row {
            Row::Record => "UPDATE executions SET status = 'melted' WHERE id = ?1",
            Row::Items => {
                "UPDATE items SET attempt = -1 WHERE execution = (SELECT key FROM executions WHERE id = ?1)"
            }
        };
        assert!(self.raw().execute(edit, [of.to_string()]).unwrap() > 0);
        Damage::Done
    }

    fn reopens(&self) -> bool {
        self.reopens
    }
}

mod laws {
    prove_store!(crate::store::SqliteStore, super::File::new());
}

mod laws_with_reopening {
    store_laws!(super::File {
        reopens: true,
        ..super::File::new()
    });
}

/// A file with one execution of three events and one item.
fn file_of_three() -> (File, Draft) {
    let (file, mut one) = (File::new(), Draft::new(1));
    let mut store = file.store();
    for items in [vec![one.enqueue("a", 0)], vec![], vec![]] {
        store.begin().unwrap();
        store.commit(&turn([one.append(items)])).unwrap();
    }
    drop(store);
    (file, one)
}

fn all() -> ListFilter {
    ListFilter {
        max: 9,
        ..ListFilter::default()
    }
}
