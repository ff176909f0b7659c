//! Which executions of a turn are linked: one has ordered something of the other, was
//! told of its end, or began as its fork. What is written of linked executions is
//! written together or not at all (law 3).

use std::collections::BTreeSet;

use crate::id::ExecutionId;

/// The links of a turn. What carries out an order of one execution to another
/// notes it here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(BTreeSet<(ExecutionId, ExecutionId)>);

impl Links {
    /// These two are linked.
    pub(crate) fn link(&mut self, one: ExecutionId, other: ExecutionId) {
        self.0.insert((one, other));
    }

    /// These executions, and all that are linked with them, over however many others.
    pub(crate) fn linked_with(
        &self,
        executions: impl IntoIterator<Item = ExecutionId>,
    ) -> BTreeSet<ExecutionId> {
        let mut group = BTreeSet::new();
        let mut to_visit: Vec<_> = executions.into_iter().collect();
        while let Some(id) = to_visit.pop() {
            if !group.insert(id) {
                continue;
            }
            for (one, other) in &self.0 {
                if *one == id {
                    to_visit.push(*other);
                }
                if *other == id {
                    to_visit.push(*one);
                }
            }
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law3_a_group_is_all_that_are_linked_over_however_many() {
        let ids = [1, 2, 3, 4, 5, 6].map(|n| ExecutionId::from_bytes([n; 16]));
        let [one, two, three, four, five, six] = ids;
        let mut links = Links::default();
        links.link(one, two);
        links.link(three, two);
        links.link(four, five);
        let group = |of: &[ExecutionId]| links.linked_with(of.iter().copied());
        assert_eq!(group(&[]), BTreeSet::new());
        assert_eq!(group(&[one]), BTreeSet::from([one, two, three]));
        assert_eq!(group(&[three]), group(&[one]));
        assert_eq!(group(&[five]), BTreeSet::from([four, five]));
        assert_eq!(group(&[six]), BTreeSet::from([six]));
        assert_eq!(group(&[two, five]).len(), 5);
    }
}
