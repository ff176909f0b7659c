//! One execution within a turn: how it is stored, what the turn makes of it, and
//! what its guest may do to it.

pub(in crate::live) mod claimed;
pub(in crate::live) mod item_changes;
pub(in crate::live) mod items;
pub(in crate::live) mod cached;
pub(in crate::live) mod named_guest;
pub(in crate::live) mod checked;
pub(in crate::live) mod staged;
pub(in crate::live) mod lawful_orders;
pub(in crate::live) mod ports;
pub(in crate::live) mod queue_effects;
