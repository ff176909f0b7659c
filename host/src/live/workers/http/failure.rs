//! Why a request has no answer, or an answer no end.

use std::error::Error;
use std::io;

use super::addresses::LeadsInward;
use super::proxy::NoProxy;
use super::tls::NoTls;
use crate::error::WorkError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("this is no request: {0}")]
    NoRequest(#[from] http::Error),
    #[error(transparent)]
    LeadsInward(#[from] LeadsInward),
    #[error(transparent)]
    NoProxy(#[from] NoProxy),
    #[error(transparent)]
    NoTls(#[from] NoTls),
    #[error("no address of it was found: {0}")]
    NoAddress(#[source] io::Error),
    #[error("no connection: {0}")]
    NoConnection(#[source] io::Error),
    #[error("the proxy lets nobody through: {0}")]
    NoTunnel(String),
    #[error("timeout: {0}")]
    Timeout(&'static str),
    #[error("{}", with_causes(.0))]
    Http(#[from] hyper::Error),
}

impl Failure {
    /// What it means for the attempt, with what was being done, as in "could not be
    /// asked".
    pub(super) fn while_doing(&self, what: &str) -> WorkError {
        let said = format!("{what}: {self}");
        match self {
            Self::NoRequest(_) | Self::NoProxy(_) | Self::NoTls(_) => WorkError::permanent(said),
            Self::LeadsInward(_) => WorkError::permanent(format!(
                "answered with a redirect that is not followed: {self}"
            ))
            .class("redirect"),
            Self::Timeout(_) => WorkError::retryable(said).class("timeout"),
            Self::Http(error) if error.is_parse_too_large() => WorkError::permanent(said),
            _ if self.was_reset() => WorkError::retryable(said).class("connection_reset"),
            _ => WorkError::retryable(said).class("io_error"),
        }
    }

    /// Whether the other end has closed the connection, or something on the way.
    pub(super) fn was_reset(&self) -> bool {
        match self {
            Self::NoConnection(error) => was_reset(error),
            Self::Http(error) => {
                error.is_incomplete_message()
                    || error.is_closed()
                    || error.is_canceled()
                    || io_error(error).is_some_and(was_reset)
            }
            _ => false,
        }
    }

    /// Whether nothing of the request was sent.
    pub(super) fn was_not_sent(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_canceled())
    }
}

fn io_error(error: &hyper::Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

fn was_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

/// An error of hyper's names its cause only when it is asked.
fn with_causes(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
