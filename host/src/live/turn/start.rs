//! Within a turn: workflows are registered, executions begin.

use crate::contract::{EventKind, Status, WorkflowStarted, WorkflowSummary};
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::json::Json;
use crate::store::{ComponentRecord, ExecutionRecord, Head, WorkflowRecord};

use super::open_turn::OpenTurn;
use crate::live::execution::staged::Staged;
use crate::live::values::facts;
use crate::live::values::workflow::Workflow;

/// A start, with all that may be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub(crate) workflow_id: String,
    pub(crate) version: String,
    pub(crate) input: Json,
    pub(crate) key: Option<String>,
    pub(crate) tenant: String,
}

impl Start {
    /// Start this version of this workflow with this input.
    #[must_use]
    pub fn new(
        workflow_id: impl Into<String>,
        version: impl Into<String>,
        input: impl Into<Json>,
    ) -> Self {
        Self {
            workflow_id: workflow_id.into(),
            version: version.into(),
            input: input.into(),
            key: None,
            tenant: "default".to_owned(),
        }
    }

    /// Start once: a further start with the same key, of the same tenant,
    /// finds the execution that the first one started (law 8).
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// Whom the execution belongs to; `default` unless said.
    #[must_use]
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            ..self
        }
    }

    /// What can be checked at the door.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        facts::text("workflow id", &self.workflow_id)?;
        facts::text("workflow version", &self.version)?;
        facts::text("tenant", &self.tenant)?;
        self.key
            .as_deref()
            .map_or(Ok(()), |key| facts::text("key", key))?;
        facts::payload("input", &self.input)
    }
}

impl OpenTurn<'_> {
    /// Register a workflow; the same content again is no change.
    pub(crate) fn register(&mut self, workflow: &Workflow) -> Result<WorkflowSummary, EngineError> {
        let summary = self.core.validate(workflow);
        self.count_call();
        let summary = summary?;
        match self.workflow(&summary.workflow_id, &summary.version)? {
            Some(registered) if registered.text == workflow.text() => {}
            Some(_) => {
                return Err(EngineError::WorkflowDiffers {
                    workflow_id: summary.workflow_id,
                    version: summary.version,
                });
            }
            None => self.workflows.push(WorkflowRecord {
                workflow_id: summary.workflow_id.clone(),
                version: summary.version.clone(),
                text: workflow.text().to_owned(),
                digest: workflow.digest(),
            }),
        }
        Ok(summary)
    }

    /// Start an execution, or find the one that the same key started.
    pub(crate) fn start(&mut self, start: &Start) -> Result<ExecutionId, EngineError> {
        if let Some(key) = &start.key
            && let Some(started) = self.started_by(&start.tenant, key)?
        {
            let id = self.started_the_same(started, start, key)?;
            self.work_on(id);
            return Ok(id);
        }
        let unknown = || EngineError::UnknownWorkflow {
            workflow_id: start.workflow_id.clone(),
            version: start.version.clone(),
        };
        let workflow = self
            .workflow(&start.workflow_id, &start.version)?
            .ok_or_else(unknown)?;
        self.keep_guest()?;
        let id = self.core.random.execution_id();
        let kind = EventKind::WorkflowStarted(WorkflowStarted {
            execution_id: id.to_string(),
            workflow_id: start.workflow_id.clone(),
            workflow_version: start.version.clone(),
            workflow_digest: workflow.digest,
            guest_digest: self.core.guests.own().to_owned(),
            initial_input: start.input.to_string(),
            limits: self.core.settings.limits,
            seed: self.core.random.jitter_seed(),
            tenant: start.tenant.clone(),
            simulated: self.core.settings.simulated,
            key: start.key.clone(),
            forked_from: None,
        });
        self.begin(Staged::new(self.record_of(id, start)), kind)?;
        tracing::info!(refrain.execution = %id, refrain.workflow = %start.workflow_id, "started");
        Ok(id)
    }

    /// This one is worked on too. What is due of it, and waits, may have been
    /// looked for already in this turn: the next one does.
    fn work_on(&mut self, id: ExecutionId) {
        if self.core.scope.join(id) {
            self.core.known.nothing_due.invalidate();
            self.cut = true;
        }
    }

    fn record_of(&self, id: ExecutionId, start: &Start) -> ExecutionRecord {
        let simulated = self.core.settings.simulated;
        let now = self.time.of(simulated);
        ExecutionRecord {
            id,
            workflow_id: start.workflow_id.clone(),
            workflow_version: start.version.clone(),
            guest_digest: self.core.guests.own().to_owned(),
            tenant: start.tenant.clone(),
            key: start.key.clone(),
            simulated,
            status: Status::Running,
            head: Head::default(),
            started_at: now,
            last_at: now,
            next_wake: None,
            tampering: None,
        }
    }

    fn started_by(&mut self, tenant: &str, key: &str) -> Result<Option<ExecutionId>, EngineError> {
        let begun_now = self.staged.values().find(|staged| {
            staged.status_before.is_none()
                && staged.record.tenant == tenant
                && staged.record.key.as_deref() == Some(key)
        });
        match begun_now {
            Some(staged) => Ok(Some(staged.record.id)),
            None => Ok(self.core.store.get().execution_by_key(tenant, key)?),
        }
    }

    fn started_the_same(
        &mut self,
        id: ExecutionId,
        start: &Start,
        key: &str,
    ) -> Result<ExecutionId, EngineError> {
        let first = self.events(id, 1, 1)?;
        let same = first
            .first()
            .is_some_and(|stored| match &stored.event.kind {
                EventKind::WorkflowStarted(it) => {
                    it.workflow_id == start.workflow_id
                        && it.workflow_version == start.version
                        && it.initial_input == start.input.as_str()
                }
                _ => false,
            });
        if same {
            Ok(id)
        } else {
            Err(EngineError::KeyTaken {
                key: key.to_owned(),
                execution: id,
            })
        }
    }

    /// The text of a registered workflow; empty: there is none.
    pub(in crate::live) fn workflow_text(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<String, EngineError> {
        Ok(self
            .workflow(workflow_id, version)?
            .map(|workflow| workflow.text)
            .unwrap_or_default())
    }

    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, EngineError> {
        let this = |workflow: &&WorkflowRecord| {
            workflow.workflow_id == workflow_id && workflow.version == version
        };
        match self.workflows.iter().find(this) {
            Some(workflow) => Ok(Some(workflow.clone())),
            None => Ok(self.core.store.get().workflow(workflow_id, version)?),
        }
    }

    /// The store keeps every component that a log names (law 10).
    fn keep_guest(&mut self) -> Result<(), EngineError> {
        let own = self.core.guests.own().to_owned();
        let known = self.core.kept_guests.contains(&own)
            || self.components.iter().any(|kept| kept.digest == own);
        if known || self.core.store.get().component(&own)?.is_some() {
            return Ok(());
        }
        let bytes = self.core.guests.bytes(&own).map(<[u8]>::to_vec);
        let bytes = bytes.ok_or_else(|| EngineError::Guest {
            digest: own.clone(),
            reason: "its bytes are not at hand".to_owned(),
        })?;
        self.components.push(ComponentRecord { digest: own, bytes });
        Ok(())
    }
}
