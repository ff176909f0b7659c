//! Golden logs: what an earlier Refrain wrote, kept for ever.
//!
//! Each guest that wrote golden logs has a folder under `tests/golden`, named
//! after its digest: the component itself, one export a scenario, and an index
//! that says what each log shows. Every later version must audit them clean
//! with that guest; and a log that is `compatible`, with the newest guest too.
//!
//! # When to renew them
//!
//! Before the first release that names a guest, its logs may be written anew
//! whenever the component changes. From then on they are history: the set is
//! marked as `released`, nothing writes it again, and a further component adds
//! a set of its own. Where a new guest decides otherwise on purpose, the logs
//! concerned stop being `compatible`, by hand and with a line in the changelog.
//!
//! ```text
//! cargo renew-golden-logs "the component was rebuilt: skips are judged earlier"
//! ```

mod hand;
mod scenarios;
mod entries;
pub(crate) mod stage;

pub use entries::{Entry, Log, Set, folder, sets};
pub use scenarios::{SCENARIOS, Scenario, write_all};
