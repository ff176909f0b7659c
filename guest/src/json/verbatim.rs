//! An [`Object`] as one text, for `#[serde(with = …)]`: its values are verbatim
//! JSON, which no other form can carry.

use alloc::string::String;

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

use super::object::Object;

pub(crate) fn serialize<S: Serializer>(object: &Object, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&object.to_text())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
    let text = String::deserialize(deserializer)?;
    Object::parse(&text).map_err(D::Error::custom)
}
