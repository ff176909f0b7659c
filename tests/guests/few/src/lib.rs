//! A guest of the tests, built for a version of the contract that is their own: it
//! dispatches the workflow's first node, and is done when that is.
//!
//! It keeps nothing between its calls: each reads the log.
//!
//! Built for WebAssembly only; natively there is nothing here.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

use alloc::vec::Vec;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

mod bindings {
    wit_bindgen::generate!({ world: "few", path: "wit" });

    use super::Few;

    export!(Few);
}

use bindings::exports::refrain::scheduler::decisions::Guest;
use bindings::refrain::scheduler::types::EventKind;
use bindings::refrain::scheduler::{log, work};

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

struct Few;

impl Guest for Few {
    fn step(mut last: u64, facts: Vec<EventKind>) -> u64 {
        last += facts.len() as u64;
        let mut events = all_events();
        events.extend(facts);
        while let Some(decision) = decide(&events) {
            if log::append(last, &decision).is_err() {
                core::arch::wasm32::unreachable();
            }
            last += 1;
            events.push(decision);
        }
        last
    }
}

fn all_events() -> Vec<EventKind> {
    let mut events = Vec::new();
    loop {
        let page = log::read(events.len() as u64 + 1);
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// What follows, if anything does.
fn decide(events: &[EventKind]) -> Option<EventKind> {
    let mut is_held = false;
    let mut is_scheduled = false;
    let mut patch = None;
    for event in events {
        match event {
            EventKind::HostStalled => is_held = true,
            EventKind::StallLifted => is_held = false,
            EventKind::NodeScheduled(_) => is_scheduled = true,
            EventKind::NodeCompleted(it) => patch = Some(it),
            EventKind::WorkflowCompleted(_) => return None,
            EventKind::WorkflowStarted | EventKind::NodeStarted | EventKind::GuestChanged => {}
        }
    }
    match patch {
        _ if is_held => None,
        Some(patch) => Some(EventKind::WorkflowCompleted(patch.clone())),
        None if is_scheduled => None,
        None => match work::order() {
            Ok(scheduled) => Some(EventKind::NodeScheduled(scheduled)),
            Err(_) => core::arch::wasm32::unreachable(),
        },
    }
}
