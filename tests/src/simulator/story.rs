//! What happened in a simulation: counted, to know that it was wide enough,
//! and in words, where someone wants to read it.

use std::collections::BTreeMap;

/// All that is done to a world. Over many seeds, each must have happened.
pub const FAULTS: &[&str] = &[
    "a host crashes before a commit",
    "a host crashes after a commit",
    "a host crashes between commits",
    "a commit fails",
    "a commit fails, and its answer is lost",
    "a commit succeeds, and its answer is lost",
    "an operation of the store fails",
    "writes to an execution conflict",
    "writes to linked executions conflict",
    "a caller is told of conflicts in a row",
    "a host leaves in peace",
    "a host leaves at once",
    "the guests of a host run out of fuel",
    "the guests of a host run out of memory",
    "a worker dies",
    "a worker answers",
    "a worker answers twice",
    "a worker answers otherwise than before",
    "a worker answers after its lease",
    "a worker answers with an old fence",
    "a worker answers after the end",
    "a worker answers what does not do",
    "a worker chooses a target",
    "an execution is forked",
    "a fork is refused",
    "a result is edited in a fork",
    "a fork begins with an edited result",
    "a worker panics",
    "a worker gives its work back",
    "an engine that stops gives its work back",
    "a worker repeats a request for work",
    "a repeated request is given what it holds",
    "an external event comes twice",
    "the lease of an engine's worker ends",
    "the lease of an outside worker ends",
    "attempts time out together",
    "turns are short",
    "a host works on some executions only",
    "an execution is owed a step",
    "a clock jumps forward",
    "a clock jumps back",
    "a caller starts with a key twice",
    "a caller waits for the end",
    "an end is heard of",
    "a snapshot is kept",
    "an execution is handed to another guest",
    "an execution belongs to the guest that it is handed to",
    "an execution is handed to a guest that nobody has",
    "what has ended is erased while others go on",
    "somebody asks for what was erased",
    "something is done to a child",
    "an execution is stepped",
    "a child is erased while others go on",
    "the key of an erased execution starts nothing anew",
];

/// How often each thing happened.
pub type Width = BTreeMap<String, u64>;

/// What happened.
#[derive(Debug, Default)]
pub struct Story {
    width: Width,
    /// Line by line, where it is told.
    lines: Option<Vec<String>>,
}

impl Story {
    /// A story that is told in words, or only counted.
    #[must_use]
    pub fn new(told: bool) -> Self {
        Self {
            width: Width::new(),
            lines: told.then(Vec::new),
        }
    }

    /// This happened once more.
    pub fn count(&mut self, what: &str) {
        match self.width.get_mut(what) {
            Some(times) => *times += 1,
            None => drop(self.width.insert(what.to_owned(), 1)),
        }
    }

    /// One of [`FAULTS`] happened.
    ///
    /// # Panics
    /// When it is none of them: a name that was mistyped would be missed for ever.
    pub fn fault(&mut self, what: &'static str) {
        assert!(FAULTS.contains(&what), "{what:?} is not listed");
        self.count(what);
        self.tell(|| format!("! {what}"));
    }

    /// Tell it, if anyone listens.
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(line());
        }
    }

    /// How often each thing happened.
    #[must_use]
    pub fn width(&self) -> &Width {
        &self.width
    }

    /// The story in words, if it was told.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.as_deref().unwrap_or_default().join("\n")
    }
}
