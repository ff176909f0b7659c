//! What executions of a workflow may use up of tokens and money (rule R28).

use alloc::borrow::Cow;
use alloc::format;

use super::fault::quoted;
use super::fields::{Fields, known};
use super::plan::Budgets;
use crate::decimal::Decimal;

const TOKEN_FIELDS: [&str; 3] = ["total_tokens", "input_tokens", "output_tokens"];

/// The workflow's budgets; None if it has none.
pub(super) fn read(workflow: &Fields<'_, '_>) -> Option<Budgets> {
    let mut budgets = tokens(workflow);
    budgets.cost_usd = cost(workflow);
    let has_some = budgets != Budgets::default();
    let on_exceeded = workflow.optional::<Cow<'_, str>>("on_budget_exceeded");
    match on_exceeded.as_deref() {
        None => {}
        // JamJet writes it whether there is a budget or not.
        Some(_) if !has_some => workflow
            .faults
            .ignore(&workflow.place.key("on_budget_exceeded")),
        Some("fail") => {}
        Some("pause") => budgets.pauses = true,
        Some(other) => {
            let message = format!(
                "{} is nothing that can be done about a budget",
                quoted(other)
            );
            let remedy = "write \"fail\" or \"pause\"";
            workflow.fault("on_budget_exceeded", message, remedy);
        }
    }
    has_some.then_some(budgets)
}

/// A number of all tokens, or an object with numbers.
fn tokens(workflow: &Fields<'_, '_>) -> Budgets {
    let mut budgets = Budgets::default();
    let Some(json) = workflow.raw("token_budget").filter(|json| *json != "null") else {
        return budgets;
    };
    if !json.starts_with('{') {
        budgets.total_tokens = workflow.optional("token_budget");
        return budgets;
    }
    let place = workflow.place.key("token_budget");
    if let Some(fields) = Fields::read(&place, json, workflow.faults) {
        fields.check_names(TOKEN_FIELDS.map(known));
        [
            budgets.total_tokens,
            budgets.input_tokens,
            budgets.output_tokens,
        ] = TOKEN_FIELDS.map(|name| fields.optional(name));
    }
    budgets
}

fn cost(workflow: &Fields<'_, '_>) -> Option<Decimal> {
    const NAME: &str = "cost_budget_usd";
    let json = workflow.raw(NAME).filter(|json| *json != "null")?;
    let cost = Decimal::parse(json);
    if cost.is_none() {
        let message = "a budget of money is a number of US dollars, not negative, and of no more than some hundred digits";
        workflow.fault(NAME, message, "write it like 2.50");
    }
    cost
}
