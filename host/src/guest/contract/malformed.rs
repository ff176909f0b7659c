//! What the types of the contract allow and its text does not.

/// A guest gave something that the contract's types allow and its text does
/// not.
pub(super) struct Malformed {
    /// The innermost field that is at fault, if it is one.
    field: Option<&'static str>,
    problem: String,
}

impl Malformed {
    pub(super) fn new(problem: impl ToString) -> Self {
        Self {
            field: None,
            problem: problem.to_string(),
        }
    }

    /// The same, found in this field or within it.
    pub(super) fn of(self, field: &'static str) -> Self {
        Self {
            field: self.field.or(Some(field)),
            ..self
        }
    }

    pub(super) fn sentence(self) -> String {
        match self.field {
            Some(field) => format!("`{field}`: {}", self.problem),
            None => self.problem,
        }
    }
}
