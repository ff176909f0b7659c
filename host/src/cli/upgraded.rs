//! What came of executions that were to be upgraded, for people and for programs.

use refrain::id::ExecutionId;
use refrain::replay::{Audit, Verdict};
use serde::Serialize;

use super::text::{Text, text};
use super::{audited, failure};

/// What came of one execution.
#[derive(Default)]
pub(super) struct Upgraded {
    /// The scheduler that it had. `None` if it is there and cannot be read.
    pub(super) from: Option<String>,
    /// The audit with the other one. `None` if it was not audited.
    pub(super) audit: Option<Audit>,
    pub(super) upgraded: bool,
    /// Among all that had not ended when they were listed, it has ended meanwhile.
    pub(super) has_ended: bool,
    pub(super) error: Option<anyhow::Error>,
}

/// The same for programs.
#[derive(Serialize)]
pub(super) struct EachDocument<'a> {
    execution_id: String,
    from: Option<&'a str>,
    upgraded: bool,
    ended: bool,
    audit: Option<&'a Audit>,
    error: Option<String>,
}

impl Upgraded {
    /// What the audit with the other one said. `None` if it was not audited.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.audit.as_ref().map(|audit| audit.verdict)
    }

    /// Whether it is, or could be, where it was to come.
    pub(super) fn is_good(&self, force: bool) -> bool {
        match self.verdict() {
            _ if self.has_ended => true,
            None | Some(Verdict::Clean) => true,
            Some(Verdict::Divergent) => self.upgraded || force,
            Some(_) => false,
        }
    }

    /// For people: what became of it, and what keeps it from more.
    pub(super) fn text(&self, id: ExecutionId, guest: &str, colours: bool) -> Text {
        let from = self.from.as_deref().unwrap_or_default();
        let decisions = self.audit.as_ref().map_or(0, |audit| audit.decisions);
        let verdict = self.audit.as_ref().map(|audit| audit.verdict);
        match (self.upgraded, verdict) {
            _ if self.error.is_some() => Text::new(),
            _ if self.has_ended => text!("{}  has ended meanwhile, and keeps its scheduler\n", id),
            (true, Some(Verdict::Clean)) => text!(
                "{}  upgraded from {} to {}, which decides the same {} times\n",
                id,
                from,
                guest,
                decisions
            ),
            (true, _) => text!(
                "{}  upgraded from {} to {}, which would have decided otherwise\n",
                id,
                from,
                guest
            ),
            (false, None) => text!("{}  belongs to {} already\n", id, guest),
            (false, Some(Verdict::Clean)) => text!(
                "{}  can be upgraded from {} to {}, which decides the same {} times\n",
                id,
                from,
                guest,
                decisions
            ),
            (false, Some(_)) => {
                let audit = self.audit.as_ref();
                audit.map_or(Text::new(), |audit| audited::text(audit, None, colours))
            }
        }
    }
}

impl<'a> EachDocument<'a> {
    pub(super) fn of((id, upgraded): &'a (ExecutionId, Upgraded)) -> Self {
        Self {
            execution_id: id.to_string(),
            from: upgraded.from.as_deref(),
            upgraded: upgraded.upgraded,
            ended: upgraded.has_ended,
            audit: upgraded.audit.as_ref(),
            error: upgraded.error.as_ref().map(failure::line),
        }
    }
}
