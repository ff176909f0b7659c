//! Executions that are paused: since which event, why, and what a person types next.

use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::{EventKind, Status};
use refrain::store::Reader;
use serde_json::{Value, json};

use super::database::Database;
use super::text::{Text, text};

/// The pause of an execution.
pub(super) struct Pause {
    id: ExecutionId,
    /// The execution at the top of its tree, which goes on when its children have ended.
    root: ExecutionId,
    /// Where it is a child: the way to its nodes.
    way: String,
    sequence: u64,
    reason: Option<String>,
    by: Option<String>,
}

impl Pause {
    /// That of an execution, which is come by this way from the one that was asked for.
    /// `None` if it is not paused.
    pub(super) fn of(
        store: &mut dyn Reader,
        id: ExecutionId,
        way: String,
    ) -> anyhow::Result<Option<Self>> {
        let record = store.execution(id)?;
        let Some(record) = record.filter(|it| it.status == Status::Paused) else {
            return Ok(None);
        };
        let mut behind = record.head.sequence;
        while behind > 0 {
            let first = behind.saturating_sub(u64::from(EVENTS_PAGE_MAX)) + 1;
            let page = store.events(id, first, EVENTS_PAGE_MAX)?;
            let mut events = page.iter().map(|stored| &stored.event);
            let found = events.rfind(|event| event.sequence <= behind && is_pause(&event.kind));
            if let Some(EventKind::ExecutionPaused(note)) = found.map(|event| &event.kind) {
                return Ok(Some(Self {
                    id,
                    root: root_of(store, id)?,
                    way,
                    sequence: found.map_or(0, |event| event.sequence),
                    reason: note.reason.clone(),
                    by: note.by.clone(),
                }));
            }
            behind = first - 1;
        }
        Ok(None)
    }

    /// What it is, and what to type about it.
    pub(super) fn text(&self, database: &Database) -> Text {
        // Who is told of it here has just paused it.
        let why = match &self.reason {
            Some(reason) => text!(": {}", Text::lines(reason)),
            None => Text::new(),
        };
        let child = match self.way.trim_end_matches('/') {
            "" => Text::new(),
            way => text!(", the child of {},", way),
        };
        let to_go_on = self.to_go_on(database);
        text!("{}{} is paused{}{}", self.id, child, why, to_go_on)
    }

    /// Who paused it, and why, as the end of a sentence.
    pub(super) fn why(&self) -> Text {
        why(self.reason.as_deref(), self.by.as_deref())
    }

    /// What to type about it, in lines of its own.
    pub(super) fn to_go_on(&self, database: &Database) -> Text {
        to_go_on(self.id, self.root, database)
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        json!({
            "execution_id": self.id.to_string(),
            "sequence": self.sequence,
            "reason": self.reason,
            "by": self.by,
        })
    }
}

/// Who has paused an execution, and why, as the end of a sentence; nothing of what the log does
/// not say.
pub(super) fn why(reason: Option<&str>, by: Option<&str>) -> Text {
    let by = by.map(|by| text!(" by {}", by));
    let reason = reason.map(|reason| text!(": {}", Text::lines(reason)));
    text!("{}{}", by.unwrap_or_default(), reason.unwrap_or_default())
}

fn is_pause(kind: &EventKind) -> bool {
    matches!(kind, EventKind::ExecutionPaused(_))
}

/// The execution at the top of the tree of this one.
pub(super) fn root_of(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<ExecutionId> {
    Ok(store.child(id)?.map_or(id, |row| row.root))
}

/// What a person types to see, or to take, the next step of a paused execution of this tree,
/// or to let it go on without; a line for each.
pub(super) fn to_go_on(id: ExecutionId, root: ExecutionId, database: &Database) -> Text {
    let command = |verb, id: ExecutionId| database.command(verb, &[id.to_string()]);
    text!(
        "\n  `{}` shows its next step\n  `{}` takes it\n  `{}`, then `{}` goes on without steps",
        command("step", id),
        command("step --apply", id),
        command("unpause", id),
        command("resume", root)
    )
}
