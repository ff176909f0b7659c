//! Around the turns: the event loop, what reaches it, and how a turn gets written.

pub(in crate::live) mod inbox;
mod delivery;
pub(in crate::live) mod commit;
pub(in crate::live) mod file_watch;
pub(in crate::live) mod event_loop;
pub(in crate::live) mod peers;
pub(in crate::live) mod commit_news;
