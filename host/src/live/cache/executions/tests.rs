//! What is cached for how long, and what guests are told to forget.

use super::*;
use crate::live::execution::item_changes::StoredItems;
use crate::model::{Status, WorkItem};
use crate::store::{ItemRecord, MemoryStore, ended};

/// What guests were told to forget.
#[derive(Debug, Default)]
struct Forgotten(Vec<(String, ExecutionId)>);

impl Forget for Forgotten {
    fn forget(&mut self, digest: &str, id: ExecutionId) {
        self.0.push((digest.to_owned(), id));
    }
}

fn known(id: ExecutionId) -> CachedExecution {
    CachedExecution {
        record: ExecutionRecord {
            id,
            workflow_id: String::new(),
            workflow_version: String::new(),
            guest_digest: "guest".into(),
            tenant: String::new(),
            key: None,
            priority: 5,
            status: Status::Running,
            head: Head::default(),
            started_at: 0,
            last_at: 0,
            next_wake: None,
            tampering: None,
            erased: None,
        },
        items: StoredItems::new(),
        held: false,
    }
}

/// The same with a work item that waits.
fn busy(id: ExecutionId) -> CachedExecution {
    let mut busy = known(id);
    let item = WorkItem {
        execution_id: id.to_string(),
        node_id: "a".to_owned(),
        attempt: 1,
        max_attempts: 3,
        queue: "tool".to_owned(),
        tenant: String::new(),
        priority: 5,
        not_before: 0,
        payload: String::new(),
    };
    let record = ItemRecord::ordered(item, 0);
    busy.items.insert("a".to_owned(), Box::new(record));
    busy
}

/// The same without an item, but cut off by a budget.
fn owed(id: ExecutionId) -> CachedExecution {
    let mut owed = known(id);
    owed.record.next_wake = Some(owed.record.last_at);
    owed
}

/// A turn in which the guest was asked about an execution leaves it so.
fn write(all: &mut ExecutionCache, left: CachedExecution) -> Vec<(String, ExecutionId)> {
    let asked = Asked::from([(left.record.id, "guest".into())]);
    let mut forgotten = Forgotten::default();
    all.written(vec![left], asked, &mut forgotten);
    forgotten.0
}

fn guest_knows(all: &mut ExecutionCache, id: ExecutionId) -> bool {
    all.entry(id).is_some_and(|entry| entry.guest.is_some())
}

#[test]
fn a_copy_of_another_version_does_not_hold() {
    let id = ExecutionId::random();
    let mut all = ExecutionCache::default();
    all.as_of(1);
    write(&mut all, known(id));
    all.as_of(1);
    assert!(all.take(id).is_some());
    write(&mut all, known(id));
    all.as_of(2);
    assert!(all.peek(id).is_none());
    assert!(all.take(id).is_none());
    // What the guest knows is compared with the log before it is used.
    assert!(guest_knows(&mut all, id));
}

#[test]
fn what_was_read_meanwhile_gives_way_to_what_a_turn_leaves() {
    let id = ExecutionId::random();
    let mut all = ExecutionCache::default();
    for status in [Status::Completed, Status::Paused] {
        all.keep_read(known(id));
        let mut left = known(id);
        left.record.status = status;
        write(&mut all, left);
        let now = all.take(id).map(|known| known.record.status);
        assert_eq!(now, Some(status).filter(|status| !ended(*status)));
        assert!(all.take(id).is_none());
    }
}

#[test]
fn what_was_used_longest_ago_is_evicted_first_and_its_guest_forgets_it() {
    for make in [known, busy, owed] {
        let mut all = ExecutionCache::default();
        let (max, weight) = match make(ExecutionId::random()).activity() {
            Activity::Busy => (BUSY_EXECUTIONS_CACHED_MAX, 2),
            _ => (IDLE_EXECUTIONS_CACHED_MAX, 1),
        };
        // The last one is in use, and counts in addition.
        let count = max / weight + 1;
        let ids: Vec<_> = (0..=count).map(|_| ExecutionId::random()).collect();
        for id in &ids[..count] {
            assert_eq!(write(&mut all, make(*id)), []);
        }
        let forgotten = write(&mut all, make(ids[count]));
        assert_eq!(forgotten, [("guest".to_owned(), ids[0])]);
        assert!(all.take(ids[0]).is_none() && !guest_knows(&mut all, ids[0]));
        assert!(all.take(ids[1]).is_some() && guest_knows(&mut all, ids[1]));
        assert_eq!(all.busy.weight() + all.idle.weight(), max + 1);
    }
}

/// A busy execution that weighs more than all that is cached stays while it is at work, and
/// pushes out no other.
#[test]
fn what_is_in_use_stays_however_much_it_weighs() {
    let (other, wide) = (ExecutionId::random(), ExecutionId::random());
    let mut all = ExecutionCache::default();
    write(&mut all, busy(other));
    let mut left = busy(wide);
    for node in 0..BUSY_EXECUTIONS_CACHED_MAX {
        let record = left.items["a"].clone();
        left.items.insert(format!("m[{node}]"), record);
    }
    for _ in 0..2 {
        assert_eq!(write(&mut all, left), []);
        assert!(all.peek(other).is_some() && guest_knows(&mut all, other));
        left = all.take(wide).expect("it is in use");
    }
    assert_eq!(write(&mut all, left), []);
    let forgotten = write(&mut all, busy(ExecutionId::random()));
    let guest = || "guest".to_owned();
    assert_eq!(forgotten, [(guest(), other), (guest(), wide)]);
}

#[test]
fn a_guest_forgets_what_has_ended_and_what_is_not_left() {
    let (id, refused) = (ExecutionId::random(), ExecutionId::random());
    let mut all = ExecutionCache::default();
    write(&mut all, busy(id));
    let mut left = known(id);
    left.record.status = Status::Completed;
    let digest = || "guest".to_owned();
    let asked = Asked::from([(id, digest().into()), (refused, digest().into())]);
    let mut forgotten = Forgotten::default();
    all.written(vec![left], asked, &mut forgotten);
    assert_eq!(forgotten.0, [(digest(), id), (digest(), refused)]);
    assert_eq!(all.busy.weight() + all.idle.weight(), 0);
}

#[test]
fn what_is_only_looked_at_is_not_kept_for_long() {
    let ids: Vec<_> = (0..=IDLE_EXECUTIONS_CACHED_MAX)
        .map(|_| ExecutionId::random())
        .collect();
    let mut all = ExecutionCache::default();
    let mut forgotten = Forgotten::default();
    for id in &ids {
        let asked = Asked::from([(*id, "guest".into())]);
        let head = Head::default();
        all.looked_at(*id, head, Activity::Idle, asked, &mut forgotten);
    }
    assert_eq!(forgotten.0, [("guest".to_owned(), ids[0])]);
}

#[test]
fn a_guest_forgets_what_is_no_part_of_the_log() {
    let id = ExecutionId::random();
    let head = |sequence, byte| Head {
        sequence,
        hash: [byte; 32],
    };
    // The guest knows event 2, and the store has no event of that log.
    let table = [
        (head(2, 7), "guest", false),
        (head(2, 8), "guest", true),
        (head(1, 7), "guest", true),
        (head(3, 9), "guest", true),
        (head(2, 7), "another", true),
    ];
    for (now, guest, forgets) in table {
        let mut all = ExecutionCache::default();
        let mut left = known(id);
        left.record.head = head(2, 7);
        write(&mut all, left);
        let mut record = known(id).record;
        record.head = now;
        record.guest_digest = guest.into();
        let mut forgotten = Forgotten::default();
        let compared = all.compare(&record, &mut forgotten, &mut MemoryStore::new());
        compared.expect("a store in memory can be read");
        assert_eq!(!forgotten.0.is_empty(), forgets, "{now:?}");
    }
}
