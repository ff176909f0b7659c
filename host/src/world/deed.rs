//! What people and other programs do to an execution.

use crate::error::EngineError;
use crate::live::{Approval, Execution, Signal};

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    Decide {
        node: String,
        approval: Approval,
    },
    Send(Signal),
    Cancel {
        reason: Option<String>,
    },
    Pause {
        reason: Option<String>,
    },
    Unpause {
        reason: Option<String>,
    },
    Retry {
        node: String,
        reason: Option<String>,
    },
    Skip {
        node: String,
        reason: Option<String>,
    },
}

impl Deed {
    /// The way to the node of whose child it is done to a node, if it is; and what is done
    /// there.
    pub(crate) fn within(&self) -> (Option<&str>, Self) {
        let mut within = self.clone();
        let way = match (self, &mut within) {
            (
                Self::Decide { node: whole, .. }
                | Self::Retry { node: whole, .. }
                | Self::Skip { node: whole, .. },
                Self::Decide { node, .. } | Self::Retry { node, .. } | Self::Skip { node, .. },
            ) => whole.rsplit_once('/').map(|(way, last)| {
                last.clone_into(node);
                way
            }),
            _ => None,
        };
        (way, within)
    }

    /// The node that it names, if it names one.
    pub(crate) fn node(&self) -> Option<&str> {
        match self {
            Self::Decide { node, .. } | Self::Retry { node, .. } | Self::Skip { node, .. } => {
                Some(node)
            }
            Self::Send(_) | Self::Cancel { .. } | Self::Pause { .. } | Self::Unpause { .. } => None,
        }
    }

    /// What it is, in words.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Decide { node, approval } if approval.approved => format!("approve {node}"),
            Self::Decide { node, .. } => format!("reject {node}"),
            Self::Send(signal) => format!("signal {}", signal.correlation_key),
            Self::Cancel { .. } => "cancel".to_owned(),
            Self::Pause { .. } => "pause".to_owned(),
            Self::Unpause { .. } => "unpause".to_owned(),
            Self::Retry { node, .. } => format!("retry {node}"),
            Self::Skip { node, .. } => format!("skip {node}"),
        }
    }

    /// Does it to this execution.
    pub(crate) async fn done_to(&self, execution: &Execution) -> Result<(), EngineError> {
        match self {
            Self::Decide { node, approval } => execution.approve(node, approval.clone()).await,
            Self::Send(signal) => execution.send(signal.clone()).await.map(drop),
            Self::Cancel { reason } => execution.cancel(reason.as_deref()).await,
            Self::Pause { reason } => execution.pause(reason.as_deref()).await,
            Self::Unpause { reason } => execution.unpause(reason.as_deref()).await,
            Self::Retry { node, reason } => execution.retry(node, reason.as_deref()).await,
            Self::Skip { node, reason } => execution.skip(node, reason.as_deref()).await,
        }
    }
}
