//! The store's contract as tests, for every implementation, also yours.
//!
//! There is one list of laws, [`ALL`], and one macro over it,
//! [`store_laws!`](crate::store_laws), so that none can be left out: a name
//! that is listed and has no law behind it does not compile, nor does a law
//! that is not listed. Nor do the tests of this crate, when a store of its own
//! is not put to the laws (see `Proven`).
//!
//! # A store of your own
//!
//! Say how it is opened, twice over the same data, and run all laws on it,
//! each in a new place. Here is one that counts what it commits:
//!
//! ```
//! use refrain::ExecutionId;
//! use refrain::store::laws::{self, Damage, Place, Row};
//! use refrain::store::{CommitError, MemoryStore, Reader, Store, Turn};
//!
//! struct Counting {
//!     inner: MemoryStore,
//!     commits: u64,
//! }
//!
//! impl Store for Counting {
//!     fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
//!         self.inner.commit(turn)?;
//!         self.commits += 1;
//!         Ok(())
//!     }
//!     refrain::delegate_store!(inner: begin, rollback, purge, reopen, version, watched_file);
//! }
//!
//! impl Reader for Counting {
//!     refrain::delegate_store!(inner: place, is_simulated, reader, begin_reading, end_reading);
//!     refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
//!     refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
//!     refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
//! }
//!
//! struct Here(MemoryStore);
//!
//! impl Place for Here {
//!     fn open(&self) -> Box<dyn Store> {
//!         let inner = self.0.clone();
//!         Box::new(Counting { inner, commits: 0 })
//!     }
//!     fn damage(&self, _: Row, _: ExecutionId) -> Damage {
//!         Damage::OutOfReach // It is in this process alone.
//!     }
//! }
//!
//! for (_name, law) in laws::ALL {
//!     law(&Here(MemoryStore::new()));
//! }
//! ```
//!
//! In a test module, `refrain::store_laws!(Here(MemoryStore::new()));` makes a
//! test of each.
//!
//! A law panics where it is broken, and says what it saw.

// A law that is not on the list would be run on nothing.
#![deny(dead_code)]

mod place;
pub(crate) mod draft;
mod log;
mod keep;
mod erase;
mod output;
mod queue;
mod leases;
mod listing;
mod children;
mod damage;
mod time;
mod reading;

pub use place::{Damage, Place, Row};

/// A store of this crate that is put to the laws. In the crate's own tests the
/// contract asks for it, and `prove_store!` alone grants it: so a further
/// implementation without its laws does not compile there.
#[cfg(test)]
pub trait Proven: Send {}

/// Put a store of this crate to the laws.
#[cfg(test)]
macro_rules! prove_store {
    ($store:ty, $place:expr) => {
        impl $crate::store::laws::Proven for $store {}
        store_laws!($place);
    };
}

/// One law: it holds, or panics.
pub type Law = fn(&dyn Place);

macro_rules! laws {
    ($dollar:tt $( $(#[$doc:meta])* $group:ident::$law:ident, )*) => {
        $( $(#[$doc])* pub use $group::$law; )*

        /// All laws, with their names.
        pub const ALL: &[(&str, Law)] = &[$( (stringify!($law), $law) ),*];

        /// Make a test of every law of the store's contract. The argument is
        /// an expression for a new, empty `Place`.
        #[macro_export]
        macro_rules! store_laws {
            ($dollar place:expr) => {
                $( #[test] fn $law() { $crate::store::laws::$law(&$dollar place); } )*
            };
        }
    };
}

laws! { $
    log::an_empty_store_is_empty,
    log::law1_appends_are_gapless,
    log::law1_a_conflict_writes_nothing,
    log::law1_a_conflict_names_all_its_executions,
    log::law1_a_new_execution_does_not_replace_one,
    log::law3_a_turn_is_written_whole_or_not,
    log::law4_an_event_of_another_chain_is_refused,
    log::law4_raw_events_are_the_canonical_bytes,
    log::events_come_in_pages,
    log::a_turn_must_be_begun_once,
    log::a_rollback_writes_nothing,
    log::what_it_was_started_with_never_changes,
    log::a_record_comes_back_as_it_was_written,
    listing::executions_are_listed_by_their_start,
    listing::the_last_that_came_is_known,
    listing::children_are_not_roots,
    listing::executions_are_found_by_what_is_known_of_them,
    listing::executions_are_found_by_their_labels,
    log::law8_what_was_committed_is_there_after_reopening,
    log::turns_of_two_owners_wait_for_one_another,
    log::other_owners_commits_are_seen,
    log::changes_since_a_place_are_named,
    keep::a_workflow_is_immutable,
    keep::each_tenant_has_workflows_of_its_own,
    keep::a_component_is_kept,
    keep::a_digest_is_checked,
    keep::a_snapshot_replaces_the_former,
    children::children_come_back_as_they_were_kept,
    children::law3_what_is_owed_is_known_until_it_is_carried_out,
    erase::law4_an_erased_log_has_plain_fields_and_commitments,
    erase::law4_what_is_kept_beside_an_erased_log_is_gone,
    erase::only_what_has_ended_is_erased_and_once,
    erase::law3_a_log_is_erased_with_all_of_its_turn_or_not,
    erase::nothing_follows_on_an_erased_log,
    erase::law8_an_erasure_is_seen_by_others_and_stays,
    output::output_comes_back_in_its_order,
    output::output_is_bounded_and_the_oldest_goes,
    output::output_is_erased_with_its_execution,
    queue::items_come_back_as_they_were_ordered,
    queue::the_longest_waiting_is_claimable_first,
    queue::the_most_urgent_is_claimable_first,
    queue::queues_on_which_items_wait_are_known,
    queue::nothing_is_claimable_before_its_time,
    queue::each_tenant_has_queues_of_its_own,
    queue::only_running_executions_items_are_claimable,
    leases::a_leased_item_is_not_claimable,
    leases::an_item_may_be_leased_from_the_first,
    leases::a_lease_is_renewed,
    leases::r25_what_is_given_back_waits_in_its_old_place,
    leases::leases_expire_in_order,
    leases::holders_of_leases_are_named_once,
    leases::law7_a_request_finds_what_it_has_claimed,
    queue::a_removed_item_is_gone,
    queue::a_dead_letter_is_kept_for_people,
    queue::a_dead_letter_makes_room_for_a_retry,
    queue::dead_letters_of_all_are_found_the_oldest_first,
    queue::a_change_without_an_item_is_a_conflict,
    queue::an_order_without_an_event_is_refused,
    queue::an_item_of_another_execution_is_refused,
    damage::one_that_is_damaged_does_not_stop_the_others,
    damage::a_turn_of_the_others_is_written_beside_one_that_is_damaged,
    time::wakes_are_due_in_order,
    time::what_is_due_goes_on_behind_any_place,
    time::only_what_has_not_ended_is_due,
    time::what_is_set_aside_is_left_alone,
    time::next_due_is_the_earliest_of_all,
    time::last_at_is_the_greatest,
    time::the_last_reading_comes_back,
    time::a_store_keeps_one_kind_of_time,
    time::times_without_end_are_refused,
    reading::a_reader_sees_a_commit_at_its_next_look,
    reading::law3_a_reader_sees_no_half_turn,
    reading::a_look_is_of_one_moment,
    reading::readers_look_at_moments_of_their_own,
    reading::readers_look_from_many_threads,
    reading::a_look_and_a_turn_are_begun_once,
    reading::a_look_ends_when_its_questions_panic,
}
