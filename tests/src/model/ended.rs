//! What fixes an ending before everything is done, and what a join does without (rules R24
//! and R28).

use refrain_guest::contract::BudgetExcess;

use super::graph::Graph;
use super::past::Past;

/// What fixed an ending.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fixed {
    /// A `terminate` that completes.
    Completed,
    /// A `terminate` that fails, and its reason.
    Failed(Option<String>),
    /// A budget that is spent.
    OverBudget(BudgetExcess),
}

impl Past {
    /// R24: a node that was settled may end the execution, or do without others.
    pub(super) fn note_end(&mut self, graph: &Graph, node: usize) {
        let it = &graph.nodes[node];
        if it.name() == "terminate" {
            let fixed = match it.text("status") {
                Some("failed") => Fixed::Failed(it.text("reason").map(str::to_owned)),
                _ => Fixed::Completed,
            };
            self.fix(fixed);
        }
        if it.name() == "join" && it.flag("cancel_rest") == Some(true) {
            let rest = graph.rest(node).into_iter();
            let open: Vec<usize> = rest.filter(|it| !self.nodes[*it].is_settled()).collect();
            self.unneeded.extend(open);
        }
    }

    pub(super) fn fix(&mut self, fixed: Fixed) {
        self.fixed.get_or_insert(fixed);
        self.stalled_on_budget = false;
    }
}
