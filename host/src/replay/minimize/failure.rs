//! What has to stay the same of a log that is made smaller: not where something is wrong
//! with it, but what.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::replay::divergence::{Divergence, DivergenceCode};
use crate::replay::rule::Rule;
use crate::replay::verdict::{Audit, Verdict};

/// What is wrong with a log, without what is particular to it: two logs of the same failure
/// show the same fault of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    verdict: Verdict,
    code: DivergenceCode,
    /// How the guest failed, or why it did not take a fact.
    cause: Option<String>,
    /// The kind of what the guest decides, and its rule. `None` if it decides nothing there.
    expected: Option<(String, Option<Rule>)>,
    /// The kind of the decision that the log has, or of the fact that the guest does not
    /// take. `None` if the log has none there.
    found: Option<String>,
    /// The fields in which these two differ.
    fields: BTreeSet<String>,
}

impl Failure {
    /// What an audit has found wrong. `None` if nothing is.
    pub(super) fn of(audit: &Audit) -> Option<Self> {
        let it = audit.divergence.as_ref()?;
        let expected = it.expected.as_ref().and_then(kind);
        // Where a guest fails, what the log has there is nothing that it has seen.
        let is_told = |found: &&Value| match audit.verdict {
            Verdict::Illegal => true,
            _ => it.code != DivergenceCode::GuestFailed && found["origin"] == "decision",
        };
        Some(Self {
            verdict: audit.verdict,
            code: it.code,
            cause: it.cause.clone(),
            expected: expected.map(|kind| (kind, it.rule)),
            found: it.found.as_ref().filter(is_told).and_then(kind),
            fields: fields(it),
        })
    }

    /// Whether a guest has found it: others are told of the log alone.
    pub(super) fn is_of_guest(&self) -> bool {
        self.code != DivergenceCode::LogUnsound || self.cause.is_some()
    }
}

fn kind(event: &Value) -> Option<String> {
    Some(event["type"].as_str()?.to_owned())
}

/// The fields that tell most: where the kinds or the nodes differ, others differ with them.
fn fields(divergence: &Divergence) -> BTreeSet<String> {
    if divergence
        .found
        .as_ref()
        .is_some_and(|it| it["origin"] != "decision")
    {
        return BTreeSet::new();
    }
    let differences = divergence.difference.iter();
    let names = differences.filter_map(|it| it.pointer.split('/').nth(1));
    let mut fields: BTreeSet<String> = names.map(str::to_owned).collect();
    for telling in ["type", "node_id"] {
        if fields.contains(telling) {
            return BTreeSet::from([telling.to_owned()]);
        }
    }
    // A digest tells that something of an item differs.
    if fields.len() > 1 {
        fields.remove("item_digest");
    }
    fields
}
