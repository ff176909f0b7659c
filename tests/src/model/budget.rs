//! What was used up of the workflow's budgets (rule R28).

use refrain_guest::contract::{Budget, BudgetExcess, EventKind};
use serde_json::Value;

use super::ended::Fixed;
use super::graph::Graph;
use super::past::Past;

/// Billionths of a US dollar in one: generated costs are no finer.
const DOLLAR: i128 = 1_000_000_000;

/// What was used up.
#[derive(Clone, Debug, Default)]
pub(super) struct Spent {
    input_tokens: u64,
    output_tokens: u64,
    cost: i128,
    tokens_off: bool,
    cost_off: bool,
}

impl Spent {
    /// The first budget that is spent: tokens, then money.
    pub(super) fn excess(&self, graph: &Graph) -> Option<BudgetExcess> {
        let budget = &graph.json["token_budget"];
        let all = budget.as_u64().or_else(|| budget["total_tokens"].as_u64());
        let tokens = [
            (all, self.input_tokens.saturating_add(self.output_tokens)),
            (budget["input_tokens"].as_u64(), self.input_tokens),
            (budget["output_tokens"].as_u64(), self.output_tokens),
        ];
        for (allowed, spent) in tokens {
            if let Some(allowed) = allowed.filter(|it| spent > *it && !self.tokens_off) {
                return Some(BudgetExcess {
                    budget: Budget::Tokens,
                    allowed: allowed.to_string(),
                    spent: spent.to_string(),
                });
            }
        }
        let allowed = match &graph.json["cost_budget_usd"] {
            Value::Number(number) => billionths(&number.to_string()),
            _ => return None,
        };
        (self.cost > allowed && !self.cost_off).then(|| BudgetExcess {
            budget: Budget::CostUsd,
            allowed: dollars(allowed),
            spent: dollars(self.cost),
        })
    }
}

impl Past {
    /// What a completion used up, which may be too much.
    pub(super) fn note_spent(&mut self, graph: &Graph, kind: &EventKind) {
        let EventKind::NodeCompleted(it) = kind else {
            return;
        };
        if let Some(tokens) = &it.gen_ai {
            let add =
                |sum: &mut u64, more: Option<u64>| *sum = sum.saturating_add(more.unwrap_or(0));
            add(&mut self.spent.input_tokens, tokens.input_tokens);
            add(&mut self.spent.output_tokens, tokens.output_tokens);
        }
        let telemetry: Value = match &it.telemetry {
            Some(text) => serde_json::from_str(text).expect("telemetry is JSON"),
            None => Value::Null,
        };
        if let Value::Number(cost) = &telemetry["cost_usd"] {
            self.spent.cost += billionths(&cost.to_string());
        }
        let is_ending = self.cancel.is_some() || self.timed_out || self.fixed.is_some();
        let pauses = graph.json["on_budget_exceeded"] == "pause";
        if is_ending || pauses || self.finalizing_failed.is_some() || self.compensating {
            return;
        }
        if let Some(excess) = self.spent.excess(graph) {
            self.fix(Fixed::OverBudget(excess));
        }
    }

    /// An operator lifted the stall on a budget.
    pub(super) fn switch_off(&mut self) {
        self.stalled_on_budget = false;
        match self.last_budget.expect("it was stalled on one") {
            Budget::Tokens => self.spent.tokens_off = true,
            Budget::CostUsd => self.spent.cost_off = true,
        }
    }
}

/// A number of dollars without an exponent.
fn billionths(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let part = format!("{part:0<9}");
    let number = |text: &str| text.parse::<i128>().expect("digits");
    number(whole) * DOLLAR + number(&part)
}

fn dollars(billionths: i128) -> String {
    let (whole, part) = (billionths / DOLLAR, billionths % DOLLAR);
    let part = format!("{part:09}");
    match part.trim_end_matches('0') {
        "" => whole.to_string(),
        part => format!("{whole}.{part}"),
    }
}
