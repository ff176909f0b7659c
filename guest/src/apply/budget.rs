//! What completions use up of the workflow's budgets (rule R28).

use alloc::boxed::Box;

use super::ending::fix;
use super::refusal::{Refusal, refuse};
use crate::contract::{NodeCompleted, RefusalCode as Code};
use crate::decimal::Decimal;
use crate::guards::{budget_exceeded, is_ending};
use crate::json::Object;
use crate::machine::Machine;
use crate::state::{Fixed, Spent};

/// What is used up with this completion, where the workflow has budgets.
pub(super) fn spent_with(
    machine: &Machine,
    fact: &NodeCompleted,
) -> Result<Option<Box<Spent>>, Refusal> {
    if machine.plan.budgets.is_none() {
        return Ok(None);
    }
    let mut spent = machine.state.spent.clone().unwrap_or_default();
    if let Some(gen_ai) = &fact.gen_ai {
        let tokens = |tokens: Option<u64>| tokens.unwrap_or_default();
        let (input, output) = (gen_ai.input_tokens, gen_ai.output_tokens);
        spent.input_tokens = spent.input_tokens.saturating_add(tokens(input));
        spent.output_tokens = spent.output_tokens.saturating_add(tokens(output));
    }
    if let Some(cost) = cost(fact)? {
        spent.cost_usd = spent.cost_usd.plus(&cost);
    }
    Ok(Some(spent))
}

/// What the worker says that it cost.
fn cost(fact: &NodeCompleted) -> Result<Option<Decimal>, Refusal> {
    let measured = fact.telemetry.as_deref().map(Object::parse);
    let Some(Ok(measured)) = measured else {
        return Ok(None);
    };
    let Some(cost) = measured.value("cost_usd") else {
        return Ok(None);
    };
    match Decimal::parse(cost) {
        Some(cost) => Ok(Some(cost)),
        None => refuse(
            Code::Malformed,
            "the cost (`cost_usd` of the telemetry) is negative, or has more digits than can be counted",
        ),
    }
}

/// Note what was used up. Where that is too much and fails the execution, its ending is
/// fixed; what completes while it is ending is counted, and changes nothing.
pub(super) fn spend(machine: &mut Machine, spent: Box<Spent>) {
    machine.state.spent = Some(spent);
    let pauses = machine.plan.budgets.as_ref().is_some_and(|it| it.pauses);
    if pauses || is_ending(machine) {
        return;
    }
    if let Some(excess) = budget_exceeded(machine) {
        fix(machine, Fixed::OverBudget(excess));
    }
}
