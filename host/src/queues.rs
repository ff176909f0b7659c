//! The queues on which work items wait for workers, and the kinds of nodes whose
//! items they take (rule R5).
//!
//! The scheduler component has the same table. A test holds one against the other.

/// Programs, which this project's own workers run.
pub const COMMAND: &str = "command";

/// Requests over HTTP, which this project's own workers make.
pub const HTTP: &str = "http";

/// The kind of everybody's own work: its nodes name their queues themselves.
pub const TASK: &str = "task";

/// The queue of every kind that has one, in the order of their names. Nodes may name
/// others.
pub const ALL: [&str; 8] = [
    COMMAND,
    "general",
    HTTP,
    "java_tool",
    "model",
    "python_tool",
    "retrieval",
    "tool",
];

/// The queues for which this project has workers of its own; that of [`HTTP`] comes with
/// the Cargo feature `http`.
pub const BUILT_IN: [&str; 2] = [COMMAND, HTTP];

/// The queue for the work items of a kind of this name, where nodes of this kind
/// have any, and where neither they nor their kind name another.
#[must_use]
pub fn of_kind(name: &str) -> &'static str {
    match name {
        "command" => COMMAND,
        "http" => HTTP,
        "model" => "model",
        "tool" | "finalizer" | "mcp_tool" | "a2a_task" => "tool",
        "python_fn" => "python_tool",
        "java_fn" => "java_tool",
        "memory_retrieval" => "retrieval",
        _ => "general",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_every_queue_is_that_of_a_kind() {
        let kinds = [
            "command",
            "http",
            "model",
            "tool",
            "python_fn",
            "java_fn",
            "memory_retrieval",
            "agent",
        ];
        let mut queues = kinds.map(of_kind);
        queues.sort_unstable();
        assert_eq!(queues, ALL);
    }
}
