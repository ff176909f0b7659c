//! Around the turns: the event loop, what reaches it, and how a turn gets written.

pub(in crate::live) mod commit_news;
mod delivery;
pub(in crate::live) mod inbox;
pub(in crate::live) mod file_watch;
pub(in crate::live) mod observers;
pub(in crate::live) mod readers;
mod places;
mod asked_guests;
pub(in crate::live) mod questions;
mod commit;
mod effects;
pub(in crate::live) mod schedule;
mod intake;
mod peers;
mod shutdown;
mod stopping;
pub(in crate::live) mod event_loop;
