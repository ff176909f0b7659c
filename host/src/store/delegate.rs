//! Stores that wrap a store: they name in one line what they leave to the inner one.
//!
//! Nothing is delegated that is not named, so that every wrapper has to decide about
//! a method that is added to the contract.

/// Leaves methods of [`Reader`](crate::store::Reader) and of
/// [`Store`](crate::store::Store) to the store in a field.
///
/// It stands within the `impl` block of either, next to the methods that the wrapper
/// implements itself, and names all others. With `after hook`, each of them first asks
/// the wrapper's own method `hook`, with its name, whether it may go on:
/// `fn hook(&mut self, method: &'static str) -> Result<(), StoreError>`.
///
/// ```
/// use refrain::store::{CommitError, MemoryStore, Reader, Store, Turn};
///
/// struct Counting {
///     inner: MemoryStore,
///     commits: u64,
/// }
///
/// impl Store for Counting {
///     fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
///         self.inner.commit(turn)?;
///         self.commits += 1;
///         Ok(())
///     }
///
///     refrain::delegate_store!(inner: begin, rollback, purge, reopen, version, watched_file);
/// }
///
/// impl Reader for Counting {
///     refrain::delegate_store!(inner: place, is_simulated, reader, begin_reading, end_reading);
///     refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
///     refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
///     refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
/// }
/// ```
#[macro_export]
macro_rules! delegate_store {
    ($inner:ident : $($method:ident),+ $(,)?) => {
        $( $crate::delegate_store!(@ $method $inner); )+
    };
    ($inner:ident after $hook:ident : $($method:ident),+ $(,)?) => {
        $( $crate::delegate_store!(@ $method $inner $hook); )+
    };

    // The write side.
    (@ watched_file $inner:ident) => {
        fn watched_file(&self) -> ::std::option::Option<::std::path::PathBuf> { self.$inner.watched_file() }
    };
    (@ rollback $inner:ident) => {
        fn rollback(&mut self) { self.$inner.rollback() }
    };
    (@ commit $inner:ident) => {
        fn commit(&mut self, turn: &$crate::store::Turn) -> ::std::result::Result<(), $crate::store::CommitError> {
            self.$inner.commit(turn)
        }
    };
    (@ begin $($to:ident)+) => { $crate::delegate_store!(# begin() -> (), $($to)+); };
    (@ purge $($to:ident)+) => { $crate::delegate_store!(# purge() -> (), $($to)+); };
    (@ reopen $($to:ident)+) => { $crate::delegate_store!(# reopen() -> (), $($to)+); };
    (@ version $($to:ident)+) => { $crate::delegate_store!(# version() -> u64, $($to)+); };

    // Looks.
    (@ place $inner:ident) => {
        fn place(&self) -> ::std::string::String { self.$inner.place() }
    };
    (@ is_simulated $inner:ident) => {
        fn is_simulated(&self) -> bool { self.$inner.is_simulated() }
    };
    (@ reader $inner:ident) => {
        fn reader(&self) -> ::std::result::Result<
            ::std::boxed::Box<dyn $crate::store::Reader>, $crate::store::StoreError
        > { self.$inner.reader() }
    };
    (@ end_reading $inner:ident) => {
        fn end_reading(&mut self) { self.$inner.end_reading() }
    };
    (@ begin_reading $($to:ident)+) => { $crate::delegate_store!(# begin_reading() -> (), $($to)+); };

    // Logs.
    (@ execution $($to:ident)+) => { $crate::delegate_store!(
        # execution(id: $crate::ExecutionId) -> ::std::option::Option<$crate::store::ExecutionRecord>, $($to)+
    ); };
    (@ list $($to:ident)+) => { $crate::delegate_store!(
        # list(filter: &$crate::store::ListFilter) -> $crate::store::Many<$crate::store::ExecutionRecord>, $($to)+
    ); };
    (@ labels $($to:ident)+) => { $crate::delegate_store!(
        # labels(id: $crate::ExecutionId) -> ::std::vec::Vec<$crate::model::Label>, $($to)+
    ); };
    (@ last_begun $($to:ident)+) => { $crate::delegate_store!(
        # last_begun() -> ::std::option::Option<$crate::ExecutionId>, $($to)+
    ); };
    (@ changed_since $($to:ident)+) => { $crate::delegate_store!(
        # changed_since(seen: $crate::store::SeenUpTo) -> (
            ::std::option::Option<::std::vec::Vec<$crate::ExecutionId>>, $crate::store::SeenUpTo
        ), $($to)+
    ); };
    (@ raw_events $($to:ident)+) => { $crate::delegate_store!(
        # raw_events(id: $crate::ExecutionId, first: u64, max: u32) -> ::std::vec::Vec<$crate::store::RawEvent>, $($to)+
    ); };
    (@ events $($to:ident)+) => { $crate::delegate_store!(
        # events(id: $crate::ExecutionId, first: u64, max: u32) -> ::std::vec::Vec<$crate::store::StoredEvent>, $($to)+
    ); };

    (@ output $($to:ident)+) => { $crate::delegate_store!(
        # output(id: $crate::ExecutionId, node_id: &str, after: u64) -> ::std::vec::Vec<$crate::store::KeptOutput>, $($to)+
    ); };

    // The queue.
    (@ items $($to:ident)+) => { $crate::delegate_store!(
        # items(id: $crate::ExecutionId) -> $crate::store::Many<$crate::store::ItemRecord>, $($to)+
    ); };
    (@ item $($to:ident)+) => { $crate::delegate_store!(
        # item(id: $crate::ExecutionId, node_id: &str) -> ::std::option::Option<$crate::store::ItemRecord>, $($to)+
    ); };
    (@ claimable $($to:ident)+) => { $crate::delegate_store!(
        # claimable(tenant: &str, queue: &str, now: $crate::store::Timestamp, max: usize)
            -> $crate::store::Many<$crate::store::ItemRecord>, $($to)+
    ); };
    (@ expired $($to:ident)+) => { $crate::delegate_store!(
        # expired(now: $crate::store::Timestamp, max: usize)
            -> $crate::store::Many<$crate::store::ItemRecord>, $($to)+
    ); };
    (@ dead_letters $($to:ident)+) => { $crate::delegate_store!(
        # dead_letters(since: $crate::store::Timestamp, max: usize)
            -> $crate::store::Many<$crate::store::ItemRecord>, $($to)+
    ); };
    (@ claimed_by $($to:ident)+) => { $crate::delegate_store!(
        # claimed_by(worker_id: &str, request_id: &str)
            -> $crate::store::Many<$crate::store::ItemRecord>, $($to)+
    ); };
    (@ waiting_queues $($to:ident)+) => { $crate::delegate_store!(
        # waiting_queues(tenant: &str) -> ::std::vec::Vec<::std::string::String>, $($to)+
    ); };
    (@ lease_holders $($to:ident)+) => { $crate::delegate_store!(
        # lease_holders() -> $crate::store::Many<::std::string::String>, $($to)+
    ); };

    // Time.
    (@ due $($to:ident)+) => { $crate::delegate_store!(
        # due(
            now: $crate::store::Timestamp, after: ::std::option::Option<$crate::store::DueWake>, max: usize
        ) -> $crate::store::Many<$crate::store::DueWake>, $($to)+
    ); };
    (@ next_due $($to:ident)+) => { $crate::delegate_store!(
        # next_due(tenant: &str, queues: &[::std::string::String], now: $crate::store::Timestamp)
            -> ::std::option::Option<$crate::store::Timestamp>, $($to)+
    ); };
    (@ last_at $($to:ident)+) => { $crate::delegate_store!(
        # last_at(shard: [u8; 2]) -> $crate::store::Timestamp, $($to)+
    ); };
    (@ last_reading $($to:ident)+) => { $crate::delegate_store!(
        # last_reading(shard: [u8; 2]) -> ::std::option::Option<$crate::store::ClockReading>, $($to)+
    ); };

    // Children.
    (@ child $($to:ident)+) => { $crate::delegate_store!(
        # child(child: $crate::ExecutionId) -> ::std::option::Option<$crate::store::ChildRecord>, $($to)+
    ); };
    (@ children $($to:ident)+) => { $crate::delegate_store!(
        # children(parent: $crate::ExecutionId) -> ::std::vec::Vec<$crate::store::ChildRecord>, $($to)+
    ); };
    (@ owed_children $($to:ident)+) => { $crate::delegate_store!(
        # owed_children(max: usize) -> $crate::store::Many<$crate::store::ChildRecord>, $($to)+
    ); };
    (@ descendants $($to:ident)+) => { $crate::delegate_store!(
        # descendants(root: $crate::ExecutionId) -> u64, $($to)+
    ); };
    (@ has_children $($to:ident)+) => { $crate::delegate_store!(# has_children() -> bool, $($to)+); };

    // What is kept.
    (@ workflow $($to:ident)+) => { $crate::delegate_store!(
        # workflow(tenant: &str, workflow_id: &str, version: &str) -> ::std::option::Option<$crate::store::WorkflowRecord>, $($to)+
    ); };
    (@ component $($to:ident)+) => { $crate::delegate_store!(
        # component(digest: &str) -> ::std::option::Option<::std::vec::Vec<u8>>, $($to)+
    ); };
    (@ snapshot $($to:ident)+) => { $crate::delegate_store!(
        # snapshot(id: $crate::ExecutionId) -> ::std::option::Option<$crate::model::Snapshot>, $($to)+
    ); };

    (# $method:ident($($argument:ident: $of:ty),*) -> $answer:ty, $inner:ident $($hook:ident)?) => {
        fn $method(&mut self $(, $argument: $of)*) -> ::std::result::Result<$answer, $crate::store::StoreError> {
            $( self.$hook(stringify!($method))?; )?
            self.$inner.$method($($argument),*)
        }
    };
}
