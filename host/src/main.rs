//! The binary `refrain`: the library, from the command line.

mod cli;

/// A step makes some hundred small allocations, and hands many of them from
/// one thread to another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
