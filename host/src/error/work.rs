//! Why a worker could not do its work.

use std::fmt;
use std::time::Duration;

use super::sources::with_causes;

/// Why a worker could not do its work.
///
/// Any error converts into one with `?`: retryable, without a class, with all its
/// sources in the message. It is no [`std::error::Error`] itself, because that conversion
/// would then be ambiguous. Errors in a box, and those of `anyhow`, which are none either,
/// convert by [`WorkError::of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkError {
    pub(crate) message: String,
    pub(crate) class: Option<String>,
    pub(crate) retryable: bool,
    pub(crate) retry_after: Option<Duration>,
}

impl WorkError {
    /// A failure that a further attempt may cure.
    #[must_use]
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            class: None,
            retryable: true,
            retry_after: None,
        }
    }

    /// A failure for any error, also one in a box or of `anyhow`: retryable, with all its
    /// sources in the message.
    ///
    /// ```
    /// use refrain::WorkError;
    ///
    /// fn score() -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    ///     Ok("seven".parse()?)
    /// }
    ///
    /// let error = score().map_err(WorkError::of).expect_err("it is no number");
    /// assert_eq!(error.to_string(), "invalid digit found in string");
    /// ```
    pub fn of(error: impl AsRef<dyn std::error::Error + Send + Sync>) -> Self {
        Self::retryable(with_causes(error.as_ref()))
    }

    /// A failure that no further attempt can cure.
    #[must_use]
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            class: None,
            retryable: false,
            retry_after: None,
        }
    }

    /// The same, with a class that retry policies can name: `io_error`,
    /// `timeout`, `rate_limit`, `server_error`, `connection_reset`, or your own: 1 to
    /// 64 of `a` to `z`, `0` to `9`, `_`, `.` and `-`. Anything else becomes `other`.
    #[must_use]
    pub fn class(self, class: impl Into<String>) -> Self {
        Self {
            class: Some(class.into()),
            ..self
        }
    }

    /// The same, not to be tried again for so long: a shorter delay of the retry
    /// policy gives way to it (rule R11).
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        Self {
            retry_after: Some(delay),
            ..self
        }
    }
}

impl fmt::Display for WorkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: std::error::Error> From<E> for WorkError {
    fn from(error: E) -> Self {
        Self::retryable(with_causes(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that is repeated, and one that is not.
    #[test]
    fn a_failure_names_the_sources_of_its_error() {
        #[derive(Debug, thiserror::Error)]
        #[error("{text}")]
        struct Layer {
            text: &'static str,
            source: Option<Box<Layer>>,
        }
        let layer = |text, source: Option<Layer>| Layer {
            text,
            source: source.map(Box::new),
        };
        let error = || {
            let lowest = layer("no route", None);
            let middle = layer("it did not answer: no route", Some(lowest));
            layer("no score", Some(middle))
        };
        let expected = WorkError::retryable("no score: it did not answer: no route");
        assert_eq!(WorkError::from(error()), expected);
        let boxed: Box<dyn std::error::Error + Send + Sync> = error().into();
        assert_eq!(WorkError::of(boxed), expected);
        assert_eq!(WorkError::of(anyhow::Error::new(error())), expected);
    }
}
