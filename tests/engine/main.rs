//! Engines, stores, audits and guests of every kind, within one process.

mod live;
mod faults;
mod audit;
mod erasing;
mod divergent_guest;
mod golden;
mod conformance;
mod bisect;
mod logged_nodes;
mod minimize;
mod hostile_guests;
mod sabotage;
mod breakage;
mod travel;
mod versions;
mod what_if;
mod what_would_run;
mod your_own_guest;
mod cost;
mod scale;
mod simulation;
