//! What a path begins with, and where which beginnings are there.

/// What a path begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The execution's state.
    State,
    /// The execution's input.
    Input,
    /// The id of the node that the expression stands in.
    NodeId,
    /// The failure that an edge is judged on (rule R26).
    Error,
    /// The element of a map's instance (rule R21).
    Item,
    /// The index of a map's instance.
    Index,
    /// What the iteration before came to (rule R23).
    Last,
    /// Which iteration it is, from 0.
    Iteration,
    /// What the run produced that is undone (rule R27).
    Output,
    /// How nodes failed whose failure an edge has handled (rule R26), by their ids.
    Errors,
}

/// The fields of the root `error`.
pub(super) const ERROR_FIELDS: [&str; 3] = ["class", "message", "attempts"];

impl Root {
    /// Every root.
    const ALL: [Self; 10] = [
        Self::State,
        Self::Input,
        Self::NodeId,
        Self::Error,
        Self::Item,
        Self::Index,
        Self::Last,
        Self::Iteration,
        Self::Output,
        Self::Errors,
    ];

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Input => "input",
            Self::NodeId => "node_id",
            Self::Error => "error",
            Self::Item => "item",
            Self::Index => "index",
            Self::Last => "last",
            Self::Iteration => "iteration",
            Self::Output => "output",
            Self::Errors => "errors",
        }
    }

    /// The root that is written so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|root| root.name() == name)
    }
}

/// The roots that there are at a place in a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots(&'static [Root]);

impl Roots {
    /// In the conditions of edges and branches.
    pub const OF_CONDITIONS: Self = Self(&[Root::State, Root::Input]);

    /// In the conditions of edges that are judged on a failure too.
    pub const OF_FAILURES: Self = Self(&[Root::State, Root::Input, Root::Error]);

    /// In what a node's kind holds.
    pub const OF_KINDS: Self = Self(&[Root::State, Root::Input, Root::NodeId, Root::Errors]);

    /// In what the body of a map holds (rule R21).
    pub const OF_BODIES: Self = Self(&[
        Root::State,
        Root::Input,
        Root::NodeId,
        Root::Item,
        Root::Index,
        Root::Errors,
    ]);

    /// In what a node holds that repeats its child (rule R23).
    pub const OF_REPEATS: Self = Self(&[
        Root::State,
        Root::Input,
        Root::NodeId,
        Root::Last,
        Root::Iteration,
        Root::Errors,
    ]);

    /// In what the body of a map holds that repeats its child.
    pub const OF_REPEATED_BODIES: Self = Self(&[
        Root::State,
        Root::Input,
        Root::NodeId,
        Root::Item,
        Root::Index,
        Root::Last,
        Root::Iteration,
        Root::Errors,
    ]);

    /// In what undoes a node (rule R27).
    pub const OF_COMPENSATIONS: Self = Self(&[
        Root::State,
        Root::Input,
        Root::NodeId,
        Root::Output,
        Root::Errors,
    ]);

    /// In what undoes an instance of a map.
    pub const OF_UNDONE_INSTANCES: Self = Self(&[
        Root::State,
        Root::Input,
        Root::NodeId,
        Root::Item,
        Root::Index,
        Root::Output,
        Root::Errors,
    ]);

    pub(super) fn hold(self, root: Root) -> bool {
        self.0.contains(&root)
    }

    /// Their names, as a sentence lists them.
    pub(super) fn listed(self) -> alloc::string::String {
        let names: alloc::vec::Vec<&str> = self.0.iter().map(|root| root.name()).collect();
        match names.split_last() {
            Some((last, others)) if !others.is_empty() => {
                alloc::format!("{} or {last}", others.join(", "))
            }
            _ => names.concat(),
        }
    }
}
