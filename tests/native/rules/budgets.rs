//! R28: budgets of tokens and money.

use refrain_tests::notation::check;

#[test]
fn r28_over_its_budget_an_execution_fails() {
    check(
        r#"
        s -> a, s -> b, a -> c
        s: parallel
        budget {"token_budget":100}
        f: finalizer failure
        0000 tick                      => settle s, schedule a, schedule b
        0010 complete a tokens=60+40   => schedule c
        0020 complete b tokens=0+1     => cancel c budget_exceeded, schedule f
        0020 explain c                 => cancelled "stopped: CancelReason::BudgetExceeded"
        0020 inspect /spent            => {"cost_usd":"0","input_tokens":60,"output_tokens":41}
        0030 complete f tokens=1000+0  => failed "tokens 101 of 100"
        "#,
    );
}

#[test]
fn r28_input_and_output_have_budgets_of_their_own() {
    check(
        r#"
        a -> b -> c
        budget {"token_budget":{"total_tokens":100,"input_tokens":90,"output_tokens":20}}
        0000 tick                    => schedule a
        0010 complete a tokens=50+20 => schedule b
        0020 complete b tokens=0+1   => failed "tokens 21 of 20"
        "#,
    );
}

#[test]
fn r28_costs_add_exactly() {
    check(
        r#"
        a -> b -> c -> d
        budget {"cost_budget_usd":0.30}
        0000 tick                                           => schedule a
        0010 complete a telemetry={"cost_usd":0.1}          => schedule b
        0020 complete b telemetry={"cost_usd":0.2}          => schedule c
        0030 complete c telemetry={"cost_usd":1e-20}        => failed "cost_usd 0.30000000000000000001 of 0.3"
        "#,
    );
}

#[test]
fn r28_what_failed_attempts_used_is_not_known() {
    check(
        r#"
        a -> b
        budget {"token_budget":10}
        0000 tick                   => schedule a
        0000 fail a                 => retry a @2000
        2000 complete a tokens=10+0 => schedule b
        "#,
    );
}

#[test]
fn r28_pause_asks_a_person() {
    check(
        r#"
        s -> a, s -> p, p -> b, a -> c
        s: parallel
        p: tool
        budget {"token_budget":10,"cost_budget_usd":1.0,"on_budget_exceeded":"pause"}
        0000 tick                    => settle s, schedule a, schedule p
        0010 claim p
        0020 complete a tokens=11+0  => stall budget "tokens 11 of 10"
        0020 status                  => stalled
        0020 explain c               => ready ~"stalled on budget (lift, cancel)"
        0020 inspect /stalled        => {"allowed":"10","budget":"tokens","by":"policy","reason":"budget_exceeded","spent":"11"}
        0025 retry a                 => refused ~"only a failed node"
        0030 complete p tokens=1+0
        0040 lift                    => schedule b, schedule c
        0050 complete b tokens=5+5
        0060 complete c telemetry={"cost_usd":1.01} => stall budget "cost_usd 1.01 of 1"
        0070 lift                    => completed
        "#,
    );
}

#[test]
fn r28_a_cancel_needs_no_lifting() {
    check(
        r#"
        a -> b
        budget {"token_budget":10,"on_budget_exceeded":"pause"}
        f: finalizer always
        0000 tick                   => schedule a
        0010 complete a tokens=11+0 => stall budget
        0020 cancel                 => schedule f
        0030 complete f tokens=11+0 => cancelled
        "#,
    );
}

#[test]
fn r28_a_timeout_needs_no_lifting() {
    check(
        r#"
        a -> b
        timeout 5
        budget {"token_budget":10,"on_budget_exceeded":"pause"}
        0000 tick                   => schedule a
        0010 complete a tokens=11+0 => stall budget
        5000 tick                   => timeout workflow, failed "timeout 5000"
        "#,
    );
}

#[test]
fn r28_one_stall_after_the_other() {
    check(
        r#"
        s -> a, s -> b
        s: parallel
        policy held {"max_attempts":1,"on_exhausted":"pause"}
        b: tool retry=held
        budget {"token_budget":10,"on_budget_exceeded":"pause"}
        0000 tick                   => settle s, schedule a, schedule b
        0005 claim a
        0010 fail b                 => stall b
        0020 complete a tokens=11+0
        0025 lift                   => refused ~"stalled on node `b`"
        0030 skip b                 => skip b by_operator, stall budget
        0040 lift                   => completed
        "#,
    );
}

#[test]
fn r28_a_cost_that_cannot_be_counted_is_refused() {
    check(
        r#"
        a -> b
        budget {"cost_budget_usd":10}
        0000 tick    => schedule a
        0010 claim a
        0020 complete a telemetry={"cost_usd":-1}      => refused ~"is negative"
        0020 complete a telemetry={"cost_usd":1e99999} => refused ~"more digits"
        0030 complete a telemetry={"cost_usd":-0.0}    => schedule b
        "#,
    );
    check(
        r#"
        a -> b
        0000 tick    => schedule a
        0010 complete a telemetry={"cost_usd":1e99999} => schedule b
        "#,
    );
}
