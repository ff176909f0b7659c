//! What a worker answers, without the secrets that it was given (rule R29).

use crate::error::WorkError;
use crate::json::Json;
use crate::live::values::work::Answer;
use crate::model::GenAi;
use crate::secrets::{Masks, Unhidden};

/// What a worker came to without these secrets, wherever they stand in it: for workers
/// outside of an engine, which put them into their items themselves
/// ([`put_in`](crate::secrets::put_in)).
///
/// # Errors
/// The worker's own; or a value stands where nothing can stand for it.
pub fn without_secrets(
    masks: &Masks,
    outcome: Result<Answer, WorkError>,
) -> Result<Answer, WorkError> {
    if masks.is_empty() {
        return outcome;
    }
    match outcome {
        Ok(answered) => answer(masks, answered).map_err(|Unhidden| {
            let said = "the answer holds a secret where nothing can stand for it: not in a text and not in a number";
            WorkError::permanent(said).class("secret_in_answer")
        }),
        Err(error) => Err(self::error(masks, error)),
    }
}

fn answer(masks: &Masks, answer: Answer) -> Result<Answer, Unhidden> {
    let Answer {
        output,
        patch,
        chosen_target,
        gen_ai,
        telemetry,
    } = answer;
    let json = |json: Option<Json>| json.map(|json| masks.hide_json(&json)).transpose();
    Ok(Answer {
        output: masks.hide_json(&output)?,
        patch: json(patch)?,
        chosen_target: text(masks, chosen_target),
        gen_ai: gen_ai.map(|call| Box::new(model_call(masks, *call))),
        telemetry: json(telemetry)?,
    })
}

fn model_call(masks: &Masks, call: GenAi) -> GenAi {
    GenAi {
        system: text(masks, call.system),
        model: text(masks, call.model),
        finish_reason: text(masks, call.finish_reason),
        ..call
    }
}

fn error(masks: &Masks, error: WorkError) -> WorkError {
    WorkError {
        message: masks.hide(&error.message).into_owned(),
        class: text(masks, error.class),
        ..error
    }
}

fn text(masks: &Masks, text: Option<String>) -> Option<String> {
    text.map(|text| masks.hide(&text).into_owned())
}
