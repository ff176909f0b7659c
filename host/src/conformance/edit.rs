//! What is done to a log.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One edit of a log. Lines are counted from 1, as the edits before have left them; a field is
/// a JSON pointer into the object that the line is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Edit {
    /// A field gets this JSON text for its value. One that is not there is added at the end.
    Set {
        /// The line.
        line: usize,
        /// The field.
        field: String,
        /// Its value.
        to: Box<RawValue>,
    },
    /// A field is taken out.
    Unset {
        /// The line.
        line: usize,
        /// The field.
        field: String,
    },
    /// A text becomes another one where it stands first in a line.
    Text {
        /// The line.
        line: usize,
        /// The text.
        from: String,
        /// The other one.
        to: String,
    },
    /// The same with bytes, which need not be UTF-8, in hexadecimal digits.
    Bytes {
        /// The line.
        line: usize,
        /// The text.
        from: String,
        /// The bytes.
        to: String,
    },
    /// A field becomes so many lists, one in the other.
    Nest {
        /// The line.
        line: usize,
        /// The field.
        field: String,
        /// How many.
        depth: usize,
    },
    /// A field becomes a text of so many letters.
    Lengthen {
        /// The line.
        line: usize,
        /// The field.
        field: String,
        /// How many.
        bytes: usize,
    },
    /// A copy of a line is put before another one; behind the last if the log has one line
    /// less than that.
    Copy {
        /// The line.
        line: usize,
        /// The other one.
        before: usize,
    },
    /// The same, and the line leaves its place.
    Move {
        /// The line.
        line: usize,
        /// The other one, counted as if the line had left already.
        before: usize,
    },
    /// A line is removed.
    Remove {
        /// The line.
        line: usize,
    },
    /// A line of this text is put before another one.
    Insert {
        /// The other one.
        before: usize,
        /// The text.
        text: String,
    },
    /// The file ends within a line, without a line break.
    Cut {
        /// The line.
        line: usize,
        /// So many bytes of it are left. 0: the file ends with the line before it.
        bytes: usize,
    },
    /// Events are erased: salt and erasable fields give way to the commitment.
    Erase {
        /// The event's line. `None`: all events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<usize>,
    },
    /// The events are numbered from 1 on, and the fences follow the events that they name.
    Renumber {},
    /// The one who edited the log knows how to write one: the hashes of all events, and the
    /// header's number of events and head, become those of what stands there now. Salts stay.
    Rechain {},
    /// The header names a component of the kit, and the component follows it.
    Embed {
        /// The component's digest.
        component: String,
    },
}
