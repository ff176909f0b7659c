//! A log that diverges becomes a small one that diverges in the same way, and says nothing
//! of those who wrote the first.

mod guests;
mod forged;
mod histories;
mod kinds;
mod long;
mod small;
