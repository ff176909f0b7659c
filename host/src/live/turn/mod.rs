//! One transaction: what callers and workers asked for, what is due, what the
//! guests decide of it, and who takes the work that comes of it.
//!
//! ```text
//! fill                        the parent that branches: what happens in a turn, and in which order
//! writes … lost_slots         over an open turn: who comes next, and who claims
//! open_turn                   the transaction, and who comes next in it
//! calls … repeated            over a transaction: guests are called, and what follows from it is staged
//! transaction                 what the turn is going to write
//! report … guest_call         over a core: what is stored, and one call of a guest
//! core                        what an engine owns
//! settings … turn_claims      its parts
//! ```

pub(in crate::live) mod settings;
pub(in crate::live) mod engine_time;
pub(in crate::live) mod store_slot;
pub(in crate::live) mod lease_watch;
pub(in crate::live) mod gone_workers;
pub(in crate::live) mod budget;
pub(in crate::live) mod costly;
pub(in crate::live) mod scope;
pub(in crate::live) mod agenda;
pub(in crate::live) mod backlog;
pub(in crate::live) mod simulated_delays;
pub(in crate::live) mod slots;
pub(in crate::live) mod waiting;
pub(in crate::live) mod waiting_claims;
mod stored_queues;
pub(in crate::live) mod turn_claims;
pub(in crate::live) mod known_children;
pub(in crate::live) mod active_breakpoints;

pub(in crate::live) mod core;

pub(in crate::live) mod report;
pub(in crate::live) mod stored;
pub(in crate::live) mod damaged;
pub(in crate::live) mod guest_call;

pub(in crate::live) mod transaction;

pub(in crate::live) mod tampered;
mod awaited_rows;
pub(in crate::live) mod child_rows;
pub(in crate::live) mod calls;
pub(in crate::live) mod stall;
pub(in crate::live) mod one_call;
mod breaks;
pub(in crate::live) mod step;
pub(in crate::live) mod offer;
pub(in crate::live) mod snapshots;
pub(in crate::live) mod components;
pub(in crate::live) mod start;
pub(in crate::live) mod claimed_items;
pub(in crate::live) mod repeated;
pub(in crate::live) mod candidates;

pub(in crate::live) mod open_turn;

pub(in crate::live) mod upgrade;
pub(in crate::live) mod fork;
mod child_start;
mod believed_rows;
pub(in crate::live) mod children;
pub(in crate::live) mod late_steps;
pub(in crate::live) mod due;
pub(in crate::live) mod output;
pub(in crate::live) mod answers;
pub(in crate::live) mod leases;
pub(in crate::live) mod claims;
pub(in crate::live) mod claim_requests;
pub(in crate::live) mod lost_slots;
pub(in crate::live) mod simulation;
pub(in crate::live) mod single_step;
pub(in crate::live) mod write;
pub(in crate::live) mod releases;
pub(in crate::live) mod writes;

pub(in crate::live) mod fill;
