//! Words for the kinds of errors of the command line itself. Programs go by them, and
//! they do not change; the library's errors have words of their own.

/// An error of the command line itself, or what one was about, with a word for its kind
/// that does not change.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Coded {
    pub(super) code: &'static str,
    message: String,
}

/// An error of this kind.
pub(super) fn coded(code: &'static str, message: impl Into<String>) -> anyhow::Error {
    let message = message.into();
    anyhow::Error::new(Coded { code, message })
}

/// Errors that get a word for what they mean to who has typed the command.
pub(super) trait OrCoded<T> {
    /// The same; an error is one of this kind, whatever has caused it.
    fn or_coded<M: Into<String>>(
        self,
        code: &'static str,
        message: impl FnOnce() -> M,
    ) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrCoded<T> for Result<T, E> {
    fn or_coded<M: Into<String>>(
        self,
        code: &'static str,
        message: impl FnOnce() -> M,
    ) -> anyhow::Result<T> {
        self.map_err(|error| {
            let message = message().into();
            error.into().context(Coded { code, message })
        })
    }
}

/// Ends a function with an error of this kind.
macro_rules! refuse {
    ($code:literal, $($message:tt)+) => {
        return ::std::result::Result::Err($crate::cli::coded::coded($code, format!($($message)+)))
    };
}

pub(super) use refuse;
