//! What executions of a workflow may use up of tokens and money.

use serde::{Serialize, Serializer};

/// What an execution may use up (rule R28), as far as its workers' completions tell: see
/// [`WorkflowBuilder::budgets`](crate::WorkflowBuilder::budgets). Over it, the execution
/// fails, or is stalled.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Budgets {
    #[serde(rename = "token_budget", skip_serializing_if = "Tokens::is_empty")]
    tokens: Tokens,
    #[serde(rename = "cost_budget_usd", skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    #[serde(rename = "on_budget_exceeded", skip_serializing_if = "Option::is_none")]
    on_exceeded: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tokens {
    total: Option<u64>,
    input: Option<u64>,
    output: Option<u64>,
}

impl Budgets {
    /// So many tokens of models, input and output together.
    #[must_use]
    pub fn tokens(mut self, total: u64) -> Self {
        self.tokens.total = Some(total);
        self
    }

    /// So many input tokens of models.
    #[must_use]
    pub fn input_tokens(mut self, tokens: u64) -> Self {
        self.tokens.input = Some(tokens);
        self
    }

    /// So many output tokens of models.
    #[must_use]
    pub fn output_tokens(mut self, tokens: u64) -> Self {
        self.tokens.output = Some(tokens);
        self
    }

    /// So many US dollars: the shortest decimal number that this is. Costs are added as they
    /// are written, in decimal.
    #[must_use]
    pub fn cost_usd(mut self, dollars: f64) -> Self {
        self.cost_usd = Some(dollars);
        self
    }

    /// Over a budget the execution is stalled until somebody lifts that
    /// ([`Execution::lift_stall`](crate::Execution::lift_stall)) or cancels it; it does not
    /// fail.
    #[must_use]
    pub fn pause(mut self) -> Self {
        self.on_exceeded = Some("pause");
        self
    }

    /// Over a budget the execution fails. So it is where nothing is said.
    #[must_use]
    pub fn fail(mut self) -> Self {
        self.on_exceeded = Some("fail");
        self
    }
}

impl Tokens {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A number where that says all.
impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Each {
            #[serde(skip_serializing_if = "Option::is_none")]
            total_tokens: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            input_tokens: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            output_tokens: Option<u64>,
        }
        match self {
            Self {
                total: Some(total),
                input: None,
                output: None,
            } => total.serialize(serializer),
            Self {
                total,
                input,
                output,
            } => Each {
                total_tokens: *total,
                input_tokens: *input,
                output_tokens: *output,
            }
            .serialize(serializer),
        }
    }
}
