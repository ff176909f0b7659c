//! Travel through a log: what an execution was like behind any of its events, as its own
//! guest says.

mod error;
mod ports;
mod marks;
mod seek;
// Who is asked at a place.
mod guest_of_place;
// The cursor.
mod cursor;
// Where a value comes from: the cursor goes back for it.
mod origins;
// Places at which a condition holds.
mod conditions;
// What would make a node run.
mod prospect;

pub use conditions::Conditions;
pub use cursor::{NextStep, Travel};
pub use error::TravelError;
pub use origins::{Origins, StateOrigin};
pub use prospect::{Assumption, NeededAct, NeededFact, Needs, Prospect, Prospects};
pub use seek::{Seek, is_failure, may_change_state};
