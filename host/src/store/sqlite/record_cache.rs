//! The records that this owner has lately written, so that it need not read them
//! from the file.
//!
//! They hold as long as nobody else writes: they are all forgotten after another
//! process's commit, and after a turn that was not written.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use rusqlite::{Connection, Result};

use crate::id::ExecutionId;
use crate::log::{Head, Timestamp};
use crate::model::Status;
use crate::store::sqlite::execution::{self, Key};
use crate::store::{ExecutionRecord, check, ended};

/// The number of records that are cached at once, at some hundred bytes each.
const MAX: usize = 1 << 17;

/// A record as it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct CachedRecord {
    pub(super) key: Key,
    pub(super) head: Head,
    /// A hash of what it was started with, which another start hardly has.
    pub(super) origin: u64,
    pub(super) rest: Rest,
}

/// The part of a record that changes with few of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) status: Status,
    pub(super) next_wake: Option<Timestamp>,
    /// Whether its items may be claimed.
    pub(super) claims: bool,
    guest: u64,
    tampering: Option<u64>,
}

/// The records that are cached.
#[derive(Debug, Default)]
pub(super) struct RecordCache {
    cached: HashMap<ExecutionId, CachedRecord>,
    /// The data version of the file that they are of.
    version: u32,
    numbers: RandomState,
}

impl RecordCache {
    /// Forgets all records, unless they are of this version of the file.
    pub(super) fn are_of(&mut self, version: u32) {
        if self.version != version {
            self.forget();
            self.version = version;
        }
    }

    /// The data version of the file that they are of.
    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// The execution's record, if it is cached.
    pub(super) fn of(
        &mut self,
        connection: &Connection,
        id: ExecutionId,
    ) -> Result<Option<CachedRecord>> {
        if let Some(cached) = self.cached.get(&id) {
            return Ok(Some(*cached));
        }
        let stored = execution::with_key(connection, id)?;
        Ok(stored.map(|(record, key)| self.keep(key, &record)))
    }

    /// The execution's key, if it is cached.
    pub(super) fn key(&self, id: ExecutionId) -> Option<Key> {
        self.cached.get(&id).map(|cached| cached.key)
    }

    /// Notes that the record is stored like this.
    pub(super) fn keep(&mut self, key: Key, record: &ExecutionRecord) -> CachedRecord {
        if self.cached.len() >= MAX {
            self.forget();
        }
        let cached = CachedRecord {
            key,
            head: record.head,
            origin: self.origin(record),
            rest: self.rest(record),
        };
        // An execution that has ended hardly changes again.
        if ended(record.status) {
            self.cached.remove(&record.id);
        } else {
            self.cached.insert(record.id, cached);
        }
        cached
    }

    /// The hash of what the record says it was started with.
    pub(super) fn origin(&self, record: &ExecutionRecord) -> u64 {
        self.numbers.hash_one(check::origin(record))
    }

    pub(super) fn rest(&self, record: &ExecutionRecord) -> Rest {
        Rest {
            status: record.status,
            next_wake: record.next_wake,
            claims: record.claims(),
            guest: self.numbers.hash_one(&record.guest_digest),
            tampering: record
                .tampering
                .as_ref()
                .map(|tampering| self.numbers.hash_one(tampering)),
        }
    }

    /// Notes that the record's log has grown, and that the rest is as it was.
    pub(super) fn advance(&mut self, id: ExecutionId, head: Head) {
        if let Some(cached) = self.cached.get_mut(&id) {
            cached.head = head;
        }
    }

    pub(super) fn forget(&mut self) {
        self.cached.clear();
    }
}
