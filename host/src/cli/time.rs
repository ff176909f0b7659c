//! Times and spans as people read them.

use refrain::store::Timestamp;

/// A time: UTC, with milliseconds, as everywhere in Refrain.
pub(super) fn stamp(at: Timestamp) -> String {
    refrain::log::time::rfc3339(at)
}

/// A span of time, in the two units that matter.
pub(super) fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600_000..86_400_000 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The wall clock, for saying how long ago something was.
pub(super) fn now() -> Timestamp {
    u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_read_well() {
        let table = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_250, "1.2 s"),
            (61_000, "1 min 01 s"),
            (3_723_000, "1 h 02 min"),
            (90_000_000, "1 d 01 h"),
        ];
        for (ms, text) in table {
            assert_eq!(span(ms), text);
        }
    }
}
