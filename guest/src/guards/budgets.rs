//! Budgets that are spent (rule R28).

use alloc::string::ToString;

use super::ending::is_ending;
use crate::contract::{Budget, BudgetExcess};
use crate::machine::Machine;

/// The first budget that is spent and not switched off (rule R28): tokens, then money.
pub(crate) fn budget_exceeded(machine: &Machine) -> Option<BudgetExcess> {
    let budgets = machine.plan.budgets.as_ref()?;
    let spent = machine.state.spent.as_deref()?;
    let (input, output) = (spent.input_tokens, spent.output_tokens);
    let tokens = [
        (budgets.total_tokens, input.saturating_add(output)),
        (budgets.input_tokens, input),
        (budgets.output_tokens, output),
    ];
    let over = |(allowed, spent): (Option<u64>, u64)| Some((allowed?, spent));
    let over = tokens.into_iter().filter_map(over);
    let mut over = over.filter(|(allowed, spent)| spent > allowed);
    if let Some((allowed, spent)) = over.next().filter(|_| !spent.tokens_off) {
        return Some(BudgetExcess {
            budget: Budget::Tokens,
            allowed: allowed.to_string(),
            spent: spent.to_string(),
        });
    }
    let allowed = budgets.cost_usd.as_ref()?;
    (spent.cost_usd > *allowed && !spent.cost_off).then(|| BudgetExcess {
        budget: Budget::CostUsd,
        allowed: allowed.to_string(),
        spent: spent.cost_usd.to_string(),
    })
}

/// The budget on which the execution is to be stalled, if it is on one.
pub(crate) fn budget_to_stall_on(machine: &Machine) -> Option<BudgetExcess> {
    let pauses = machine.plan.budgets.as_ref()?.pauses;
    let may_stall = pauses && !is_ending(machine) && machine.state.policy_stall.is_none();
    budget_exceeded(machine).filter(|_| may_stall)
}
