//! The exports of the WebAssembly module: a workflow's text in, a picture or a sentence out.
//!
//! A caller asks for room of so many bytes ([`room`]), writes the text there, has it
//! drawn ([`draw`]), and reads so many bytes ([`answer_length`]) where they are ([`answer`]).
//! The module imports nothing. A trap, out of memory for example, leaves the instance useless.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use spin::Mutex;
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

use crate::page::drawn;

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// The text to draw. An instance has one thread, so that the locks are always free.
static GIVEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What came of it.
static ANSWER: Mutex<String> = Mutex::new(String::new());

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Makes room for a text of so many bytes, and says where it is.
#[unsafe(no_mangle)]
extern "C" fn room(length: usize) -> *mut u8 {
    let mut given = GIVEN.lock();
    given.clear();
    given.resize(length, 0);
    given.as_mut_ptr()
}

/// Draws the text in the room: as a workflow (0), or as an execution that has not begun (1).
/// 1: the answer is a picture, as SVG. 0: it is a sentence that says why there is none.
#[unsafe(no_mangle)]
extern "C" fn draw(is_execution: u32) -> u32 {
    let given = core::mem::take(&mut *GIVEN.lock());
    // A text that is no UTF-8 is none of a workflow.
    let text = core::str::from_utf8(&given).unwrap_or_default();
    let drawn = drawn(text, is_execution == 1);
    let is_drawn = drawn.is_ok();
    *ANSWER.lock() = drawn.unwrap_or_else(|why| why.to_string());
    u32::from(is_drawn)
}

/// Where the answer is.
#[unsafe(no_mangle)]
extern "C" fn answer() -> *const u8 {
    ANSWER.lock().as_ptr()
}

/// How many bytes it has.
#[unsafe(no_mangle)]
extern "C" fn answer_length() -> usize {
    ANSWER.lock().len()
}
