//! The log: canonical bytes, the hash chain, the one JSON form, the export.
//!
//! An event has two written forms, and both come from the one table in
//! `form`: the *canonical bytes*, which are stored and hashed, and the
//! *JSON form*, which people and other programs read. Next to an event stands
//! its salt, which its hash needs. Nothing in here knows where events are kept,
//! or whether they are legal where they stand.

pub(crate) mod author;
pub mod digest;
mod head;
pub mod effect;
mod field;
mod form;
pub mod canonical;
pub mod chain;
mod chained;
pub mod packed;
pub mod json;
mod signed;
mod attestation;
mod anchor;
pub(crate) mod component;
pub mod export;
#[cfg(test)]
pub(crate) mod samples;

pub use anchor::{ANCHOR_FORMAT, Anchor, AnchorSignature};
pub use attestation::{Attestation, AttestedVerdict};
pub use chained::ChainedEvent;
pub use digest::Hash;
pub use form::{
    CHOICES, CODES, FieldForm, KIND_NAMES, KINDS, KindForm, PartForm, RECORDS, kind_name,
};
pub use head::{ErasedEvent, Head, KeptEvent, Salt, StoredEvent};

pub use crate::model::Timestamp;
