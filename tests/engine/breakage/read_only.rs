//! The file, or its folder, was turned read-only: writing is refused with the
//! remedy, and nothing changes; reading goes on.

use super::ground::{DATABASE, Ground};

const FILE: &str = "mount --bind \"$0/refrain.db\" \"$0/refrain.db\" && mount -o remount,bind,ro \"$0/refrain.db\"";
const FOLDER: &str = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"";

#[test]
fn what_may_only_be_read_is_not_written() {
    for (what, script) in [("the file", FILE), ("the folder", FOLDER)] {
        let mut ground = Ground::new();
        if let Err(reason) = ground.mount(script) {
            println!("NOT DONE: nothing can be mounted for reading only here ({reason})");
            println!("what is left is the host's `what_may_only_be_read_is_refused_for_writing`");
            return;
        }
        let id = ground.waiting()[0];
        for words in [
            &["run", "steps.json"][..],
            &["resume"],
            &["approve", id, "gate"],
            &["signal", id, "early"],
            &["cancel", id],
        ] {
            ground.types(words).is_refused("cannot be written");
        }
        // What is there can be looked at.
        for words in [
            &["list"][..],
            &["show", id],
            &["log", id],
            &["export", ground.ended()],
            &["audit", "--all"],
        ] {
            let said = ground.types(words);
            assert_eq!(said.code, Some(0), "{what}, {words:?}: {said:?}");
        }
        ground.unmount();
        let bytes = std::fs::read(ground.file(DATABASE)).expect("a file");
        assert!(
            bytes == ground.bytes(),
            "{what} was read-only, and the bytes are others"
        );
        ground.goes_on(what);
        println!("{what} was turned read-only by a mount in a namespace of its own");
    }
}
