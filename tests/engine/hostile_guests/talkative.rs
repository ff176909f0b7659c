//! A guest that says more than anybody wants to hear. What it says is repeated
//! in errors, in logs and on terminals, so it is made short before that.

use refrain::ExecutionId;
use refrain::guest::{CallError, MemoryPorts};
use refrain::limits::{NAME_BYTES_MAX, TEXT_BYTES_MAX};
use refrain_tests::engines::library;
use refrain_tests::wat_guest::WatGuest;

/// A hundred million zeros, each of which is spelled with five characters where it
/// is shown.
const BYTES: usize = 100_000_000;

#[test]
fn what_a_guest_says_is_bounded() {
    let text = |at: u32| {
        let [pointer, bytes] = [at, at + 4];
        format!(
            "(i32.store (i32.const {pointer}) (i32.const 65536))
             (i32.store (i32.const {bytes}) (i32.const {BYTES}))"
        )
    };
    // A refusal by the queue, which has the number 3.
    let refuses = format!(
        "(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1032) (i32.const 3))
         {} (i32.const 1024)",
        text(1040)
    );
    let describes = format!("{} {} (i32.const 1024)", text(1024), text(1032));
    let guest = WatGuest {
        memory_pages: 1_600,
        step: &refuses,
        describe: &describes,
        ..WatGuest::default()
    };
    let mut library = library();
    let digest = library.add(guest.component().expect("a component"));
    let digest = digest.expect("it begins as one");
    let mut instance = library.instance::<MemoryPorts>(&digest).expect("a guest");

    let described = instance.describe().expect("it answers");
    assert!(described.name.len() <= NAME_BYTES_MAX && described.version.len() <= NAME_BYTES_MAX);

    let id = ExecutionId::from_bytes([7; 16]);
    let (_, answer) = instance.step(MemoryPorts::default(), id, 1, &[]);
    let Err(CallError::Scheduler(refusal)) = answer else {
        panic!("it refuses");
    };
    let said = CallError::Scheduler(refusal).to_string();
    assert!(said.contains("bytes left out"), "{}", said.len());
    assert!(said.len() <= TEXT_BYTES_MAX + 100, "{}", said.len());
}
