//! How much one guest may take: of the processor, counted as fuel, and of memory.

/// Fuel of one call into a guest: two or three seconds of work, and four times
/// what settling every node of the largest workflow in one step would burn.
pub const FUEL_PER_CALL: u64 = 4_000_000_000;

/// More of it for each byte of workflow, snapshot and log that a call hands
/// over. A byte of a large workflow was seen to burn 700, one of a log 300.
pub const FUEL_PER_BYTE: u64 = 4_000;

/// What each byte costs that a call hands over once more. An honest guest asks
/// once; this much work of its own takes as long as the host's.
pub const FUEL_PER_BYTE_AGAIN: u64 = 100;

/// What each call of an import costs, for the same reason.
pub const FUEL_PER_IMPORT: u64 = 10_000;

/// Memory of one guest instance, all executions that it caches included.
pub const GUEST_MEMORY_MAX: usize = 1024 * 1024 * 1024;

/// All guest instances of an engine's turns, or of an audit, together hold at most as much
/// memory as so many instances could. Questions next to the turns have others.
pub const GUESTS_FULL_MAX: usize = 2;

/// Guest instances that an engine or an audit has at work.
pub const GUESTS_AT_WORK_MAX: usize = 32;

/// Call stack of a guest. The thread that calls it must have this much to
/// spare, and Rust gives the threads it starts 2 MiB.
pub const GUEST_STACK_MAX: usize = 512 * 1024;

/// Elements of a guest's tables: function pointers, some thousand in an honest one.
pub const GUEST_TABLE_ELEMENTS_MAX: usize = 100_000;

/// Bytes that a guest may hand to the host in one call: in all its appends and
/// orders, and in its answer. They are counted before they are copied. Our own
/// guest ends a batch at an eighth of it, and says that there is more.
pub const GUEST_TRANSFER_BYTES_MAX: usize = 256 * 1024 * 1024;
