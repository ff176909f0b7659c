//! How an engine reports what goes wrong: at once, then now and then, and when it
//! is over.

use std::time::Duration;

use super::core::Core;

/// Sets the time, by the monotonic clock, of what is reported from now on.
pub(in crate::live) fn set_time(core: &mut Core, now: Duration) {
    core.troubles.at(now);
    core.set_aside.at(now);
    core.guests.troubles.at(now);
}

/// Reports a problem that keeps the engine from its work.
pub(in crate::live) fn error(core: &mut Core, kind: &str, text: &str) {
    if let Some(told) = to_report(core, kind, text) {
        tracing::error!("{told}");
    }
}

/// Reports a problem that may pass.
pub(in crate::live) fn warning(core: &mut Core, kind: &str, text: &str) {
    if let Some(told) = to_report(core, kind, text) {
        tracing::warn!("{told}");
    }
}

/// This kind of problem is over, if it was there.
pub(in crate::live) fn over(core: &mut Core, kind: &str) {
    if let Some(told) = core.troubles.ends(kind) {
        tracing::warn!("{told}");
    }
}

/// The text to report for this kind of problem, unless it was reported just now.
fn to_report(core: &mut Core, kind: &str, text: &str) -> Option<String> {
    set_time(core, core.time.monotonic());
    core.troubles.happens(kind, text)
}
