//! What a guest says in sentences: why it refuses, what is wrong with a workflow,
//! what it is called. Errors, logs and terminals repeat that, some several times,
//! so it is made short before anybody does.

use crate::limits::{FAULT_TEXT_BYTES_MAX, FAULTS_MAX, NAME_BYTES_MAX, TEXT_BYTES_MAX};
use crate::model::{Description, Fault, IllegalEvent, Outcome, SchedulerError, StorageError};
use crate::shorten::shortened;

pub(super) fn of_error(error: SchedulerError) -> SchedulerError {
    let short = |text: String| bounded(text, TEXT_BYTES_MAX);
    match error {
        SchedulerError::Illegal(event) => SchedulerError::Illegal(IllegalEvent {
            reason: short(event.reason),
            ..event
        }),
        SchedulerError::InvalidWorkflow(faults) => {
            SchedulerError::InvalidWorkflow(of_faults(faults))
        }
        SchedulerError::Storage(error) => SchedulerError::Storage(match error {
            StorageError::Conflict(last) => StorageError::Conflict(last),
            StorageError::Refused(reason) => StorageError::Refused(short(reason)),
            StorageError::Failed(reason) => StorageError::Failed(short(reason)),
        }),
        SchedulerError::Queue(reason) => SchedulerError::Queue(short(reason)),
        SchedulerError::BadSnapshot(reason) => SchedulerError::BadSnapshot(short(reason)),
        SchedulerError::UnknownNode(node) => SchedulerError::UnknownNode(short(node)),
    }
}

/// There are at most as many refusals as facts were offered, so only their texts are
/// long.
pub(super) fn of_outcome(mut outcome: Outcome) -> Outcome {
    for refusal in &mut outcome.refused {
        refusal.message = bounded(std::mem::take(&mut refusal.message), TEXT_BYTES_MAX);
    }
    outcome
}

pub(super) fn of_faults(mut faults: Vec<Fault>) -> Vec<Fault> {
    let left_out = faults.len().saturating_sub(FAULTS_MAX);
    faults.truncate(FAULTS_MAX);
    for fault in &mut faults {
        for text in [&mut fault.pointer, &mut fault.message, &mut fault.remedy] {
            *text = bounded(std::mem::take(text), FAULT_TEXT_BYTES_MAX);
        }
    }
    if left_out > 0 {
        faults.push(Fault {
            pointer: String::new(),
            message: format!("{left_out} more faults are left out"),
            remedy: "mend these first".to_owned(),
        });
    }
    faults
}

pub(super) fn of_description(Description { name, version }: Description) -> Description {
    Description {
        name: bounded(name, NAME_BYTES_MAX),
        version: bounded(version, NAME_BYTES_MAX),
    }
}

fn bounded(text: String, bytes_max: usize) -> String {
    match text.len() <= bytes_max {
        true => text,
        false => shortened(&text, bytes_max).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RefusalCode;

    const BYTES: usize = 100_000;

    fn long() -> String {
        "\0".repeat(BYTES)
    }

    #[test]
    fn an_error_says_what_it_is_in_a_bounded_text() {
        for error in [
            SchedulerError::Illegal(IllegalEvent {
                sequence: 7,
                code: RefusalCode::Stale,
                reason: long(),
            }),
            SchedulerError::Storage(StorageError::Refused(long())),
            SchedulerError::Storage(StorageError::Failed(long())),
            SchedulerError::Queue(long()),
            SchedulerError::BadSnapshot(long()),
            SchedulerError::UnknownNode(long()),
        ] {
            let kind = std::mem::discriminant(&error);
            let short = of_error(error);
            assert_eq!(std::mem::discriminant(&short), kind);
            let text = format!("{short:?}");
            assert!(text.contains("bytes left out"), "{}", &text[..100]);
            // A character is spelled with two.
            assert!(text.len() < 2 * TEXT_BYTES_MAX + 100, "{}", text.len());
        }
    }

    #[test]
    fn of_many_faults_the_first_are_told_and_the_others_counted() {
        let fault = Fault {
            pointer: long(),
            message: "short".to_owned(),
            remedy: long(),
        };
        let short = of_faults(vec![fault; FAULTS_MAX + 7]);
        assert_eq!(short.len(), FAULTS_MAX + 1);
        assert_eq!(short[0].message, "short");
        assert!(short[0].remedy.len() <= FAULT_TEXT_BYTES_MAX);
        assert!(short[0].pointer.len() <= FAULT_TEXT_BYTES_MAX);
        assert_eq!(short[FAULTS_MAX].message, "7 more faults are left out");
    }

    #[test]
    fn a_name_is_one_that_a_line_can_hold() {
        let short = of_description(Description {
            name: long(),
            version: "1.0.0".to_owned(),
        });
        assert!(short.name.len() <= NAME_BYTES_MAX);
        assert_eq!(short.version, "1.0.0");
    }
}
