//! Another beginning for a log: what would its guest decide with other limits, or with
//! another retry policy?
//!
//! Only what a guest reads at event 1 is changed: the limits, and the workflow's text with
//! its digest. All else stays as it was recorded, also each byte of the text that is not
//! about the policy: work items hold parts of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::source::Recording;
use crate::model::{Digest, EventKind, Limits};

/// What is to be otherwise from event 1 on. By default, nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Nodes in flight at once. `None`: as it was.
    pub max_concurrent_nodes: Option<u32>,
    /// Work items ordered in one step. `None`: as it was.
    pub max_dispatch_per_tick: Option<u32>,
    /// Retry policies by their names, as JSON: each in the place of the workflow's own, or
    /// added to them.
    pub retry_policies: BTreeMap<String, String>,
}

impl Change {
    /// Whether nothing is otherwise.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the workflow's text is another.
    pub(super) fn is_of_workflow(&self) -> bool {
        !self.retry_policies.is_empty()
    }

    /// The same log with this beginning. Its chain is that of the original. Else why not.
    pub(super) fn made_in(&self, recording: &Recording) -> Result<Recording, String> {
        let mut changed = recording.clone();
        if self.is_of_workflow() {
            changed.workflow = self.workflow(&recording.workflow)?.into();
        }
        let first = changed.events.first_mut().map(|it| &mut it.event.kind);
        let Some(EventKind::WorkflowStarted(started)) = first else {
            return Err("its log does not begin with a start".to_owned());
        };
        started.limits = self.limits(started.limits);
        started.workflow_digest = Digest::of(changed.workflow.as_bytes());
        Ok(changed)
    }

    /// These limits, as they are changed.
    pub(crate) fn limits(&self, limits: Limits) -> Limits {
        Limits {
            max_concurrent_nodes: self
                .max_concurrent_nodes
                .unwrap_or(limits.max_concurrent_nodes),
            max_dispatch_per_tick: self
                .max_dispatch_per_tick
                .unwrap_or(limits.max_dispatch_per_tick),
        }
    }

    /// This workflow's text, as it is changed. Else why it cannot be.
    pub(crate) fn workflow(&self, text: &str) -> Result<String, String> {
        if !self.is_of_workflow() {
            return Ok(text.to_owned());
        }
        let changed = self.made_in_text(text);
        changed.map_err(|error| error.to_string())
    }

    /// The workflow's text with the policies; all other bytes of values stay.
    fn made_in_text(&self, workflow: &str) -> serde_json::Result<String> {
        let mut workflow: Fields<'_> = serde_json::from_str(workflow)?;
        let own = workflow.value("retry_policies").unwrap_or("{}").to_owned();
        let mut policies: Fields<'_> = serde_json::from_str(&own)?;
        for (name, policy) in &self.retry_policies {
            policies.put(name, policy);
        }
        let policies = policies.to_string();
        workflow.put("retry_policies", &policies);
        Ok(workflow.to_string())
    }
}

/// Whether a workflow's text is one that is written within another, which has no name.
pub(crate) fn is_in_place(workflow: &str) -> bool {
    let fields: serde_json::Result<Fields<'_>> = serde_json::from_str(workflow);
    fields.is_ok_and(|fields| fields.value("workflow_id").is_none())
}

/// The fields of an object in their order, their values to the letter.
struct Fields<'a>(Vec<(String, &'a str)>);

impl<'a> Fields<'a> {
    fn value(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    }

    fn put(&mut self, name: &str, value: &'a str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, held)) => *held = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, (name, value)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}:{value}", Value::from(name.as_str()))?;
        }
        f.write_str("}")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de str)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push((name, value.get()));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work items hold the text of kinds to the letter, and their digests are in the log.
    #[test]
    fn only_the_policies_of_a_text_are_changed() {
        let policy = r#"{"max_attempts":1}"#;
        let change = Change {
            retry_policies: BTreeMap::from([("often".to_owned(), policy.to_owned())]),
            ..Change::default()
        };
        for (before, after) in [
            (
                r#"{ "nodes": {"a" : 1.0}, "retry_policies": {"often": {"x": 1}, "b": 2.50} }"#,
                r#"{"nodes":{"a" : 1.0},"retry_policies":{"often":{"max_attempts":1},"b":2.50}}"#,
            ),
            (
                r#"{"nodes": {"a" : 1.0}}"#,
                r#"{"nodes":{"a" : 1.0},"retry_policies":{"often":{"max_attempts":1}}}"#,
            ),
        ] {
            assert_eq!(change.made_in_text(before).unwrap(), after);
        }
        assert!(change.made_in_text("[]").is_err());
        assert!(change.made_in_text(r#"{"retry_policies":3}"#).is_err());
    }
}
