//! Is everything as it must be?

use refrain::model::{EventKind, Status};
use refrain::store::{ExecutionRecord, Head, ListFilter, Many, StoredEvent, ended};
use refrain::{ExecutionId, log};

use super::world::{World, name};
use crate::checkers::{Evidence, Violation, at_any_moment, at_the_end};

/// More than a world has of anything.
const ALL: u32 = 100_000;

impl World {
    /// Judge all that is stored and was told, whatever is going on.
    pub(super) fn judge(&mut self) -> Result<(), String> {
        self.judge_by(at_any_moment)
    }

    /// All the laws, by these of their checks.
    fn judge_by(
        &mut self,
        check: impl Fn(&mut Evidence<'_>) -> Vec<Violation>,
    ) -> Result<(), String> {
        self.story.tell(|| "everything is judged".to_owned());
        let is_owed = ExecutionRecord::is_owed_a_step;
        if self.records().is_ok_and(|all| all.iter().any(is_owed)) {
            self.story.fault("an execution is owed a step");
        }
        let evidence = Evidence::gather(self.onlooker.as_mut(), &mut self.library, &self.told);
        let violations = check(&mut evidence.map_err(|error| error.to_string())?);
        if violations.is_empty() {
            return Ok(());
        }
        let each = violations.iter().map(ToString::to_string);
        Err(each.collect::<Vec<_>>().join("\n"))
    }

    /// Judge all that is stored and was told by all the checks, audits included.
    pub(super) fn judge_all(&mut self) -> Result<(), String> {
        self.judge_by(at_the_end)
    }

    /// What broke, and what all the laws say to it.
    pub(super) fn and_all_laws(&mut self, broken: String) -> String {
        match self.judge_all() {
            Ok(()) => broken,
            Err(violations) => format!("{broken}\n{violations}"),
        }
    }

    /// Judge a world that has healed: all has come to its end.
    pub(super) fn judge_the_end(&mut self) -> Result<(), String> {
        self.judge_all()?;
        for record in self.records()? {
            let snapshot = self.onlooker.snapshot(record.id);
            if snapshot.is_ok_and(|snapshot| snapshot.is_some()) {
                self.story.fault("a snapshot is kept");
            }
            if !ended(record.status) {
                return Err(format!(
                    "liveness: {} is still {:?}",
                    record.id, record.status
                ));
            }
            self.story.count(match record.status {
                Status::Completed => "ending: completed",
                Status::Failed => "ending: failed",
                _ => "ending: cancelled",
            });
            let log = match self.told.erased.get(&record.id) {
                Some(before) => before.clone(),
                None => self.log(record.id)?,
            };
            self.count_events(&log);
            if self.may_be_erased(record.id) && self.dice.chance(1, 2) {
                self.erase(record.id)?;
            }
        }
        self.judge_all()
    }

    /// Of what is in a log, what a simulation must have brought about.
    fn count_events(&mut self, log: &[StoredEvent]) {
        let timed_out = log.iter().filter_map(|stored| {
            let timed_out = matches!(stored.event.kind, EventKind::NodeTimedOut(_));
            timed_out.then_some(stored.event.at)
        });
        let timed_out: Vec<_> = timed_out.collect();
        if timed_out.windows(2).any(|pair| pair[0] == pair[1]) {
            self.story.fault("attempts time out together");
        }
        for stored in log {
            self.story.count(&format!("event: {}", kind_name(stored)));
            match &stored.event.kind {
                EventKind::NodeFailed(it) if it.error_class.as_deref() == Some("panic") => {
                    self.story.fault("a worker panics");
                }
                EventKind::NodeReleased(it) if is_own(log, it.fence) => {
                    self.story.fault("an engine that stops gives its work back");
                }
                EventKind::LeaseExpired(it) if is_own(log, it.fence) => {
                    self.story.fault("the lease of an engine's worker ends");
                }
                EventKind::LeaseExpired(_) => {
                    self.story.fault("the lease of an outside worker ends");
                }
                EventKind::HostStalled(it) if it.reason.contains("fuel") => {
                    self.story.fault("the guests of a host run out of fuel");
                }
                EventKind::HostStalled(it) if it.reason.contains("memory") => {
                    self.story.fault("the guests of a host run out of memory");
                }
                _ => {}
            }
        }
    }

    /// All executions that are stored.
    pub(super) fn records(&mut self) -> Result<Vec<ExecutionRecord>, String> {
        let all = ListFilter {
            max: ALL as usize,
            ..ListFilter::default()
        };
        self.onlooker
            .list(&all)
            .and_then(Many::all)
            .map_err(|error| error.to_string())
    }

    /// An execution's log.
    pub(super) fn log(&mut self, id: ExecutionId) -> Result<Vec<StoredEvent>, String> {
        self.onlooker
            .events(id, 1, ALL)
            .map_err(|error| error.to_string())
    }

    /// How each log ended.
    pub(super) fn heads(&mut self) -> Vec<(ExecutionId, Head)> {
        let records = self.records().unwrap_or_default();
        records
            .iter()
            .map(|record| (record.id, record.head))
            .collect()
    }
}

/// Whether the claim with this fence was one of an engine's own workers.
fn is_own(log: &[StoredEvent], fence: u64) -> bool {
    let claim = log.iter().find(|stored| stored.event.sequence == fence);
    claim.is_some_and(|claim| match &claim.event.kind {
        EventKind::NodeStarted(it) => [name(0), name(1)].contains(&it.worker_id.as_str()),
        _ => false,
    })
}

/// The name of an event's kind.
fn kind_name(stored: &StoredEvent) -> String {
    let text = log::json::write_stored(stored);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    value["type"].as_str().unwrap_or("?").to_owned()
}
