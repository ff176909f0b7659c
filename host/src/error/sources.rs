//! What an error was caused by.

use std::error::Error;

/// The sources of an error that say something new, the nearest first: many errors repeat
/// their source word by word.
///
/// ```
/// use refrain::EngineError;
/// use refrain::error::causes;
///
/// assert!(causes(&EngineError::ShutDown).is_empty());
/// ```
#[must_use]
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !said.ends_with(&cause) {
            causes.push(cause.clone());
        }
        said = cause;
        source = error.source();
    }
    causes
}

/// An error and its [`causes`] in one line.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut all = error.to_string();
    for cause in causes(error) {
        all.push_str(": ");
        all.push_str(&cause);
    }
    all
}
