//! What the schedule of executions would have been: the same answers and times of work,
//! scheduled anew.

mod host;
mod logs;
mod people;
mod schedules;
